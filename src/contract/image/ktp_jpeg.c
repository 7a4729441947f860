/*
 * JPEG: the chain of markers, from SOI to EOI.
 *
 *   file    = SOI *( [ junk ] marker ) EOI
 *   marker  = 1*FF code [ length payload ] [ scan data after SOS ]
 *
 * Segments are skipped by their length, so that a thumbnail inside one is
 * never taken for the image.  Junk before a marker is stepped over, as
 * decoders do.
 *
 * Some cameras of Samsung write no EOI, but a trailer of theirs right behind
 * the scan data.  It may have anything in it, so that what is wrong behind a
 * scan is an error only if the file does not end as that trailer does.
 */

#include "ktp_jpeg_scan.h"
#include "ktp_probe.h"


#define KTP_JPEG_SOI  0xd8
#define KTP_JPEG_EOI  0xd9
#define KTP_JPEG_SOS  0xda
#define KTP_JPEG_APP1 0xe1

/* precision, lines, samples a line, components */
#define KTP_JPEG_FRAME 6

/* "SEFT", the last bytes of a trailer of Samsung */
#define KTP_JPEG_SEFT 0x53454654

enum {
    KTP_JPEG_MARKER, /* an FF is to come */
    KTP_JPEG_CODE,   /* after an FF: more of them, or the code */
    KTP_JPEG_LENGTH,
    KTP_JPEG_SEGMENT,
    KTP_JPEG_SCAN,
    KTP_JPEG_SCAN_CODE, /* after an FF in scan data */
    KTP_JPEG_DOUBT      /* a trailer, or damage */
};


void
ktp_jpeg_init(ktp_jpeg_t *jpeg)
{
    /* the signature has the first FF of the first marker */

    jpeg->state = KTP_JPEG_CODE;
}


/* Codes with no length, which may stand anywhere: TEM, RST0 to RST7. */

static int
ktp_jpeg_is_bare(unsigned code)
{
    return code == 0x01 || (code >= 0xd0 && code <= 0xd7);
}


static ktp_code_t
ktp_jpeg_marker(ktp_probe_t *pr, unsigned code)
{
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    if (ktp_jpeg_is_bare(code)) {
        jpeg->state = KTP_JPEG_MARKER;
        return KTP_OK;
    }

    if (code == KTP_JPEG_EOI) {
        if (!jpeg->scan) {
            return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
        }

        pr->complete = 1;
        return KTP_OK;
    }

    if (code < 0xc0 || code == 0xc8 || code == KTP_JPEG_SOI
        || (code >= 0xf0 && code <= 0xfd)) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    if (ktp_jpeg_tables_is_frame(code) && jpeg->frame_marker) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    if (code == KTP_JPEG_SOS && !jpeg->frame_marker) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    jpeg->marker = code;
    jpeg->state = KTP_JPEG_LENGTH;
    jpeg->len = 0;

    return KTP_OK;
}


/* What is next while a segment has jpeg->left bytes to come. */

static void
ktp_jpeg_body(ktp_jpeg_t *jpeg)
{
    if (jpeg->left) {
        jpeg->state = KTP_JPEG_SEGMENT;

    } else if (jpeg->marker == KTP_JPEG_SOS) {
        jpeg->scan = 1;
        jpeg->state = KTP_JPEG_SCAN;

    } else {
        jpeg->state = KTP_JPEG_MARKER;
    }
}


/* Both bytes of a length are there; it counts itself. */

static ktp_code_t
ktp_jpeg_length(ktp_probe_t *pr)
{
    uint32_t    length;
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;
    length = jpeg->buf[0] << 8 | jpeg->buf[1];

    if (length < 2) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    jpeg->length = length - 2;
    jpeg->left = jpeg->length;
    jpeg->len = 0;
    jpeg->at = 0;
    jpeg->want = 0;
    jpeg->checked = ktp_jpeg_tables_is_checked(jpeg->marker);

    if (!ktp_jpeg_tables_is_length(jpeg->marker, jpeg->length)) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    jpeg->in_exif = (jpeg->marker == KTP_JPEG_APP1 && !jpeg->scan);
    if (jpeg->in_exif) {
        ktp_exif_init(&jpeg->exif);
    }

    ktp_jpeg_body(jpeg);

    return KTP_OK;
}


/* T.81, B.2.2; a height of 0, defined later by DNL, is rejected. */

static ktp_code_t
ktp_jpeg_frame(ktp_probe_t *pr)
{
    uint32_t    width, height;
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    height = jpeg->buf[1] << 8 | jpeg->buf[2];
    width = jpeg->buf[3] << 8 | jpeg->buf[4];

    if (jpeg->buf[0] < 2 || jpeg->buf[0] > 16 || width == 0 || height == 0
        || jpeg->buf[5] == 0
        || jpeg->length != KTP_JPEG_FRAME + 3 * (uint32_t) jpeg->buf[5]) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    jpeg->frame_marker = jpeg->marker;

    return ktp_probe_limits_check(pr, width, height);
}


/* Bytes of a segment that is checked; at most jpeg->left of them. */

static ktp_code_t
ktp_jpeg_checked(ktp_probe_t *pr, const unsigned char *p, size_t n)
{
    size_t      i;
    ktp_code_t  rc;
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    for (i = 0; i < n; i++) {
        rc = ktp_jpeg_tables_check(jpeg, p[i]);
        if (rc != KTP_OK) {
            return rc;
        }

        if (!ktp_jpeg_tables_is_frame(jpeg->marker)
            || jpeg->len == KTP_JPEG_FRAME) {
            continue;
        }

        jpeg->buf[jpeg->len++] = p[i];

        if (jpeg->len == KTP_JPEG_FRAME) {
            rc = ktp_jpeg_frame(pr);
            if (rc != KTP_OK) {
                return rc;
            }
        }
    }

    return KTP_OK;
}


/* Bytes of a segment; at most jpeg->left of them. */

static ktp_code_t
ktp_jpeg_segment(ktp_probe_t *pr, const unsigned char *p, size_t n)
{
    ktp_code_t  rc;
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    if (jpeg->checked) {
        rc = ktp_jpeg_checked(pr, p, n);
        if (rc != KTP_OK) {
            return rc;
        }

    } else {
        if (jpeg->in_exif) {
            ktp_exif_feed(&jpeg->exif, p, n, &pr->orientation);
        }

        jpeg->left -= n;
    }

    ktp_jpeg_body(jpeg);

    return KTP_OK;
}


/* Scan data up to and with an FF that may matter; returns the bytes taken. */

static size_t
ktp_jpeg_data(ktp_jpeg_t *jpeg, const unsigned char *p, size_t n)
{
    size_t used;

    used = ktp_jpeg_scan_stuffed(p, n);

    if (used < n) {
        jpeg->state = KTP_JPEG_SCAN_CODE;
        used++;
    }

    return used;
}


/* After an FF in scan data: stuffing, a restart, or the next marker. */

static ktp_code_t
ktp_jpeg_scan_code(ktp_probe_t *pr, unsigned code)
{
    if (code == 0xff) {
        return KTP_OK;
    }

    if (code == 0 || ktp_jpeg_is_bare(code)) {
        pr->jpeg.state = KTP_JPEG_SCAN;
        return KTP_OK;
    }

    return ktp_jpeg_marker(pr, code);
}


static ktp_code_t
ktp_jpeg_byte(ktp_probe_t *pr, unsigned c)
{
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    switch (jpeg->state) {

    case KTP_JPEG_MARKER:
        if (c == 0xff) {
            jpeg->state = KTP_JPEG_CODE;
        }

        return KTP_OK;

    case KTP_JPEG_CODE:
        if (c == 0xff) {
            return KTP_OK;
        }

        if (c == 0) {
            jpeg->state = KTP_JPEG_MARKER;
            return KTP_OK;
        }

        return ktp_jpeg_marker(pr, c);

    case KTP_JPEG_LENGTH:
        jpeg->buf[jpeg->len++] = c;
        return jpeg->len == 2 ? ktp_jpeg_length(pr) : KTP_OK;

    default: /* KTP_JPEG_SCAN_CODE */
        return ktp_jpeg_scan_code(pr, c);
    }
}


static void
ktp_jpeg_tail(ktp_jpeg_t *jpeg, const unsigned char *p, size_t n)
{
    size_t i;

    for (i = n < 4 ? 0 : n - 4; i < n; i++) {
        jpeg->tail = jpeg->tail << 8 | p[i];
    }
}


ktp_code_t
ktp_jpeg_probe(ktp_probe_t *pr, const unsigned char *p, size_t n)
{
    size_t      used;
    ktp_code_t  rc;
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    ktp_jpeg_tail(jpeg, p, n);

    while (n && !pr->complete) {

        switch (jpeg->state) {

        case KTP_JPEG_DOUBT:
            used = n;
            rc = KTP_OK;
            break;

        case KTP_JPEG_SEGMENT:
            used = n < jpeg->left ? n : jpeg->left;
            rc = ktp_jpeg_segment(pr, p, used);
            break;

        case KTP_JPEG_SCAN:
            used = ktp_jpeg_data(jpeg, p, n);
            rc = KTP_OK;
            break;

        default:
            used = 1;
            rc = ktp_jpeg_byte(pr, *p);
        }

        if (rc == KTP_INVALID_PAYLOAD_IMAGE_FORMAT && jpeg->scan) {
            jpeg->state = KTP_JPEG_DOUBT;
            rc = KTP_OK;
        }

        if (rc != KTP_OK) {
            return rc;
        }

        p += used;
        n -= used;
        pr->size += used;
    }

    return KTP_OK;
}


ktp_code_t
ktp_jpeg_finish(ktp_probe_t *pr)
{
    ktp_jpeg_t *jpeg;

    jpeg = &pr->jpeg;

    if (jpeg->scan && jpeg->tail == KTP_JPEG_SEFT) {
        pr->complete = 1;
        return KTP_OK;
    }

    return jpeg->state == KTP_JPEG_DOUBT ? KTP_INVALID_PAYLOAD_IMAGE_FORMAT
                                         : KTP_TRUNCATED;
}
