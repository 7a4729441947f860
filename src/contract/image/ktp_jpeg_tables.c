/*
 * Validation of the segments that a JPEG decoder needs (T.81, B.2.2 to B.2.4).
 * Decoders fail on files that are rejected here, so such a file need not be
 * sent to one.
 */

#include "ktp_probe.h"


#define KTP_JPEG_DHT 0xc4
#define KTP_JPEG_SOS 0xda
#define KTP_JPEG_DQT 0xdb
#define KTP_JPEG_DRI 0xdd

/* bytes of a frame header before its components */
#define KTP_JPEG_FRAME 6

/* bytes of a scan header with one component, the fewest */
#define KTP_JPEG_SCAN 6

/* a class and a destination, then a count for each length of codes */
#define KTP_JPEG_COUNTS 17


/*
 * SOF0 to SOF15 but for DHT, JPG and DAC, which share the range
 * (T.81, table B.1).
 */

int
ktp_jpeg_tables_is_frame(unsigned code)
{
    return code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8
           && code != 0xcc;
}


int
ktp_jpeg_tables_is_checked(unsigned marker)
{
    return marker == KTP_JPEG_DHT || marker == KTP_JPEG_SOS
           || marker == KTP_JPEG_DQT || ktp_jpeg_tables_is_frame(marker);
}


int
ktp_jpeg_tables_is_length(unsigned marker, uint32_t length)
{
    if (ktp_jpeg_tables_is_frame(marker)) {
        return length >= KTP_JPEG_FRAME;
    }

    switch (marker) {

    case KTP_JPEG_SOS:
        return length >= KTP_JPEG_SCAN;

    case KTP_JPEG_DRI:
        return length == 2;

    default:
        return 1;
    }
}


/* Components: identifier, sampling factors of 1 to 4, quantization table. */

static int
ktp_jpeg_component(const ktp_jpeg_t *jpeg, unsigned c)
{
    unsigned at;

    at = jpeg->at;

    if (at < KTP_JPEG_FRAME) {
        return 1;
    }

    switch ((at - KTP_JPEG_FRAME) % 3) {

    case 1:
        return c >> 4 >= 1 && c >> 4 <= 4 && (c & 15) >= 1 && (c & 15) <= 4;

    case 2:
        return c <= 3;
    }

    return 1;
}


/* Tables of 64 values, of a byte or of two. */

static int
ktp_jpeg_quantization(ktp_jpeg_t *jpeg, unsigned c)
{
    if (jpeg->at == 0) {
        jpeg->want = 1 + (c >> 4 ? 128 : 64);
        return c >> 4 <= 1 && (c & 15) <= 3;
    }

    return 1;
}


/*
 * Tables of at most 256 codes, which 16 counts sum up to, and of no more
 * codes of a length than there can be; that of all ones is none (T.81, C).
 */

static int
ktp_jpeg_huffman(ktp_jpeg_t *jpeg, unsigned c)
{
    if (jpeg->at == 0) {
        jpeg->want = KTP_JPEG_COUNTS;
        jpeg->space = 1;
        return c >> 4 <= 1 && (c & 15) <= 3;
    }

    if (jpeg->at < KTP_JPEG_COUNTS) {
        jpeg->want += c;
        jpeg->space = 2 * jpeg->space - (int) c;

        return jpeg->want <= KTP_JPEG_COUNTS + 256
               && (c == 0 || jpeg->space > 0);
    }

    return 1;
}


/*
 * The part of the spectrum and of the bits that a scan of a progressive file
 * has (T.81, G.1.1.1); components is how many are in the scan.
 */

static int
ktp_jpeg_progression(const ktp_jpeg_t *jpeg, unsigned components)
{
    unsigned first, last, high, low;

    /* SOF2, 6, 10 and 14 */

    if (jpeg->frame_marker % 4 != 2) {
        return 1;
    }

    first = jpeg->scan_header[0];
    last = jpeg->scan_header[1];
    high = jpeg->scan_header[2] >> 4;
    low = jpeg->scan_header[2] & 15;

    if (first == 0 ? last != 0
                   : last < first || last > 63 || components != 1) {
        return 0;
    }

    return low <= 13 && (high == 0 || low == high - 1);
}


/* Components with their tables, then where in the spectrum the scan is. */

static int
ktp_jpeg_scan_header(ktp_jpeg_t *jpeg, unsigned c)
{
    unsigned components;

    if (jpeg->at == 0) {
        return c <= 4 && jpeg->length == 4 + 2 * c;
    }

    components = (jpeg->length - 4) / 2;

    if (jpeg->at <= 2 * components) {
        return jpeg->at % 2 || (c >> 4 <= 3 && (c & 15) <= 3);
    }

    jpeg->scan_header[jpeg->at - 2 * components - 1] = c;

    return jpeg->left > 1 || ktp_jpeg_progression(jpeg, components);
}


ktp_code_t
ktp_jpeg_tables_check(ktp_jpeg_t *jpeg, unsigned char c)
{
    int right;

    switch (jpeg->marker) {

    case KTP_JPEG_DHT:
        right = ktp_jpeg_huffman(jpeg, c);
        break;

    case KTP_JPEG_DQT:
        right = ktp_jpeg_quantization(jpeg, c);
        break;

    case KTP_JPEG_SOS:
        right = ktp_jpeg_scan_header(jpeg, c);
        break;

    default:
        right = ktp_jpeg_component(jpeg, c);
    }

    /* tables follow each other, and the last one ends with the segment */

    jpeg->left--;
    jpeg->at++;

    if (jpeg->want && jpeg->at >= jpeg->want
        && (jpeg->marker != KTP_JPEG_DHT || jpeg->at >= KTP_JPEG_COUNTS)) {
        jpeg->at = 0;
        jpeg->want = 0;
    }

    if (!right || (jpeg->left == 0 && jpeg->want)) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    return KTP_OK;
}
