/*
 * The image probe: files built byte by byte, whole and in pieces; every
 * shortened form of a right one is refused.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "case.h"
#include "cpu_level.h"
#include "ktp_crc32.h"
#include "ktp_jpeg_scan.h"
#include "ktp_probe.h"


#define FORMAT   KTP_INVALID_PAYLOAD_IMAGE_FORMAT
#define SIZE     KTP_INVALID_PAYLOAD_IMAGE_SIZE
#define count(a) (sizeof(a) / sizeof((a)[0]))

static const ktp_policy_t policy = {
    .min_long = 720,
    .min_short = 480,
    .max_pixels = 1000000,
    .types = KTP_IMAGE_JPEG | KTP_IMAGE_PNG,
};


static ktp_code_t
probe(ktp_probe_t *pr, const unsigned char *p, size_t len, size_t piece)
{
    size_t     n;
    ktp_code_t rc;

    ktp_probe_init(pr, &policy);

    for (; len; p += n, len -= n) {
        n = len < piece ? len : piece;

        rc = ktp_probe_feed(pr, p, n);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return ktp_probe_finish(pr);
}


/* The same result for every way of cutting; pr has the last one. */

static void
check(const char *name, ktp_probe_t *pr, const case_buf_t *file,
      ktp_code_t code)
{
    size_t     piece;
    ktp_code_t rc;

    for (piece = 0; piece <= 31; piece++) {
        rc = probe(pr, file->data, file->len, piece ? piece : file->len + 1);

        if (case_kind(rc) != code) {
            fail_msg("%s, in pieces of %zu: code %d", name, piece, rc);
        }
    }
}


/* A right file, and that no beginning of it is one. */

static void
check_right(const char *name, const case_buf_t *file, size_t whole,
            unsigned width, unsigned height)
{
    size_t      len;
    ktp_probe_t pr;

    check(name, &pr, file, KTP_OK);
    assert_int_equal(pr.width, width);
    assert_int_equal(pr.height, height);

    for (len = 0; len < whole; len++) {
        if (case_kind(probe(&pr, file->data, len, len + 1)) != FORMAT) {
            fail_msg("%s, cut off at %zu of %zu", name, len, whole);
        }
    }
}


static void
put_segment(case_buf_t *buf, unsigned code, size_t len, unsigned fill)
{
    case_short(buf, 0xff00 | code);
    case_short(buf, len + 2);

    while (len--) {
        case_byte(buf, fill);
    }
}


/* A scan as a frame's kind wants it: a progressive one begins with DC. */

static void
put_scan(case_buf_t *buf, unsigned frame)
{
    size_t at;

    at = buf->len;
    case_jpeg_scan(buf);

    if (frame % 4 == 2) {
        buf->data[at + 12] = 0;
    }
}


static void
test_jpeg_frames(void **state)
{
    unsigned n;

    (void) state;

    for (n = 0xc0; n <= 0xcf; n++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_short(&file, 0xffd8);
        case_jpeg_frame(&file, n, 800, 600);
        put_scan(&file, n);
        put_scan(&file, n);
        case_short(&file, 0xffd9);

        if (n == 0xc4 || n == 0xc8 || n == 0xcc) {
            /* DHT, JPG and DAC are no frames */
            check("no frame", &pr, &file, FORMAT);

        } else {
            check_right("frame", &file, file.len, 800, 600);
        }

        free(file.data);
    }
}


/* Half a megabyte of metadata, a thumbnail in it, fill bytes, junk. */

static void
test_jpeg_metadata(void **state)
{
    int         i;
    case_buf_t  thumb = {NULL, 0, 0}, file = {NULL, 0, 0};
    ktp_probe_t pr;

    (void) state;

    case_jpeg(&thumb, 160, 120);

    case_short(&file, 0xffd8);
    case_short(&file, 0xffe1);
    case_short(&file, thumb.len + 2);
    case_put(&file, thumb.data, thumb.len);

    for (i = 0; i < 8; i++) {
        put_segment(&file, 0xe2, 65533, i % 2 ? 0xff : 0xd9);
        case_put(&file, "\xff\xff\xff", i % 4);
    }

    put_segment(&file, 0xfe, 0, 0);
    case_put(&file, "junk\xff", 5);
    put_segment(&file, 0xdb, 65, 1);
    case_jpeg_frame(&file, 0xc2, 481, 1080);
    case_short(&file, 0xff01);
    put_segment(&file, 0xdd, 2, 0);
    put_scan(&file, 0xc2);
    put_segment(&file, 0xc4, 17, 0);
    put_scan(&file, 0xc2);

    check("no end", &pr, &file, FORMAT);

    case_short(&file, 0xffd9);
    check("metadata", &pr, &file, KTP_OK);
    assert_int_equal(pr.width, 481);
    assert_int_equal(pr.height, 1080);
    assert_int_equal(pr.orientation, 1);

    /* what phones append may look like anything */
    case_put(&file, thumb.data, thumb.len);
    case_put(&file, "\xff\xd8\xff", 3);
    check("trailing data", &pr, &file, KTP_OK);
    assert_int_equal(pr.width, 481);

    free(thumb.data);
    free(file.data);
}


/* A JPEG of these bytes between the frame and the scan, or in its place. */

static void
test_jpeg_wrong(void **state)
{
    size_t i;

    /* clang-format off */
    static const struct {
        const char *name;
        const char *bytes; /* after SOI */
        size_t      len;
        unsigned    frame : 1; /* and a right frame, */
        unsigned    scan : 1;  /* and a right scan and end after them */
        ktp_code_t  code;
    } cases[] = {
        { "nothing", "", 0, 1, 1, KTP_OK },
        { "end at once", "\xff\xd9", 2, 1, 1, FORMAT },
        { "start again", "\xff\xd8\0\2", 4, 1, 1, FORMAT },
        { "reserved marker", "\xff\x02\0\4\0\0", 6, 1, 1, FORMAT },
        { "JPEG-LS", "\xff\xf7\0\4\0\0", 6, 1, 1, FORMAT },
        { "length 0", "\xff\xe0\0\0", 4, 1, 1, FORMAT },
        { "length 1", "\xff\xe0\0\1", 4, 1, 1, FORMAT },
        { "scan before the frame", "\xff\xda\0\4\0\0", 6, 1, 1, FORMAT },
        { "no frame", "\xff\xe0\0\2", 4, 0, 1, FORMAT },
        { "two frames",
          "\xff\xc0\0\13\10\2\0\4\0\1\1\21\0", 13, 1, 1, FORMAT },
        { "stuffing between markers", "\xff\0\xff\xd7", 4, 1, 1, KTP_OK },
        { "short frame", "\xff\xc0\0\6\10\2\0\4", 8, 0, 1, FORMAT },
        { "frame of 0 components",
          "\xff\xc0\0\10\10\2\0\4\0\0", 10, 0, 1, FORMAT },
        { "frame with a byte more",
          "\xff\xc0\0\14\10\2\0\4\0\1\1\21\0\0", 14, 0, 1, FORMAT },
        { "frame of 1 component",
          "\xff\xc0\0\13\10\2\0\4\0\1\1\21\0", 13, 0, 1, KTP_OK },
        { "precision of 17",
          "\xff\xc0\0\13\21\2\0\4\0\1\1\21\0", 13, 0, 1, FORMAT },
        { "precision of 1",
          "\xff\xc0\0\13\1\2\0\4\0\1\1\21\0", 13, 0, 1, FORMAT },
        { "height told by DNL",
          "\xff\xc0\0\13\10\0\0\4\0\1\1\21\0", 13, 0, 1, FORMAT },
        { "width of 0",
          "\xff\xc0\0\13\10\2\0\0\0\1\1\21\0", 13, 0, 1, FORMAT },
        { "no scan", "", 0, 1, 0, FORMAT },
    };
    /* clang-format on */

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_short(&file, 0xffd8);
        case_put(&file, cases[i].bytes, cases[i].len);

        if (cases[i].frame) {
            case_jpeg_frame(&file, 0xc0, 1024, 512);
        }

        if (cases[i].scan) {
            case_jpeg_scan(&file);
        }

        case_short(&file, 0xffd9);

        check(cases[i].name, &pr, &file, cases[i].code);
        free(file.data);
    }
}


/* Tables and headers that decoders give up on. */

static void
test_jpeg_tables(void **state)
{
    size_t i;

    /* clang-format off */
    static const struct {
        const char *name;
        const char *bytes;
        size_t      len;
        unsigned    fill; /* bytes 1 behind them, part of the segment */
        ktp_code_t  code;
    } cases[] = {
        { "DQT", "\xff\xdb\0\103\3", 5, 64, KTP_OK },
        { "DQT of 16 bits", "\xff\xdb\0\203\20", 5, 128, KTP_OK },
        { "DQT of two tables, the second cut",
          "\xff\xdb\0\104\1", 5, 65, FORMAT },
        { "DQT cut", "\xff\xdb\0\102\0", 5, 63, FORMAT },
        { "DQT of 16 bits, cut", "\xff\xdb\0\103\20", 5, 64, FORMAT },
        { "DQT with nothing", "\xff\xdb\0\2", 4, 0, KTP_OK },
        { "DQT for table 4", "\xff\xdb\0\103\4", 5, 64, FORMAT },
        { "DQT of 32 bits", "\xff\xdb\0\103\40", 5, 64, FORMAT },
        { "DHT", "\xff\xc4\0\43\23", 5, 32, KTP_OK },
        { "DHT with a code too few", "\xff\xc4\0\42\23", 5, 31, FORMAT },
        { "DHT with a code too many", "\xff\xc4\0\44\23", 5, 33,
          FORMAT },
        { "DHT of 257 codes",
          "\xff\xc4\1\32\0\0\0\0\0\0\0\0\377\1", 14, 270, FORMAT },
        { "DHT of one code of one bit",
          "\xff\xc4\0\24\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21, 1, KTP_OK },
        { "DHT of two codes of one bit",
          "\xff\xc4\0\25\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21, 2, FORMAT },
        { "DHT of three codes of two bits",
          "\xff\xc4\0\26\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 21, 3, KTP_OK },
        { "DHT of class 2", "\xff\xc4\0\43\40", 5, 32, FORMAT },
        { "DHT for table 4", "\xff\xc4\0\43\4", 5, 32, FORMAT },
        { "DRI", "\xff\xdd\0\4", 4, 2, KTP_OK },
        { "DRI of three bytes", "\xff\xdd\0\5", 4, 3, FORMAT },
        { "DRI of nothing", "\xff\xdd\0\2", 4, 0, FORMAT },
        { "SOS of no component", "\xff\xda\0\6\0", 5, 3, FORMAT },
        { "SOS of five components", "\xff\xda\0\20\5", 5, 13, FORMAT },
        { "SOS longer than it says", "\xff\xda\0\11\1", 5, 6, FORMAT },
        { "SOS with no length", "\xff\xda\0\2", 4, 0, FORMAT },
        { "SOS with Huffman table 4",
          "\xff\xda\0\10\1\1\4", 7, 3, FORMAT },
        { "SOS with DC table 4",
          "\xff\xda\0\10\1\1\100", 7, 3, FORMAT },
    };
    /* clang-format on */

    (void) state;

    for (i = 0; i < count(cases); i++) {
        unsigned    n;
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_short(&file, 0xffd8);
        case_jpeg_frame(&file, 0xc0, 1024, 512);
        case_put(&file, cases[i].bytes, cases[i].len);

        for (n = 0; n < cases[i].fill; n++) {
            case_byte(&file, 1);
        }

        case_jpeg_scan(&file);
        case_short(&file, 0xffd9);

        check(cases[i].name, &pr, &file, cases[i].code);
        free(file.data);
    }
}


/* A component's line in the frame header, and a progressive scan's header. */

static void
test_jpeg_parameters(void **state)
{
    size_t i;

    static const struct {
        unsigned   sampling;
        unsigned   table;
        unsigned   scan[3];
        ktp_code_t code;
    } cases[] = {
        {0x11, 0, {0, 0, 0}, KTP_OK},     {0x44, 3, {0, 0, 0x0d}, KTP_OK},
        {0x11, 0, {1, 63, 0x10}, KTP_OK}, {0x11, 0, {5, 5, 0xed}, KTP_OK},
        {0x01, 0, {0, 0, 0}, FORMAT},     {0x10, 0, {0, 0, 0}, FORMAT},
        {0x51, 0, {0, 0, 0}, FORMAT},     {0x15, 0, {0, 0, 0}, FORMAT},
        {0x11, 4, {0, 0, 0}, FORMAT},     {0x11, 0, {0, 1, 0}, FORMAT},
        {0x11, 0, {0, 63, 0}, FORMAT},    {0x11, 0, {6, 5, 0}, FORMAT},
        {0x11, 0, {1, 64, 0}, FORMAT},    {0x11, 0, {0, 0, 0x0e}, FORMAT},
        {0x11, 0, {0, 0, 0x11}, FORMAT},  {0x11, 0, {0, 0, 0x31}, FORMAT},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_put(&file, "\xff\xd8\xff\xc2\0\13\10\2\0\4\0\1\1", 13);
        case_byte(&file, cases[i].sampling);
        case_byte(&file, cases[i].table);
        case_put(&file, "\xff\xda\0\10\1\1\0", 7);
        case_byte(&file, cases[i].scan[0]);
        case_byte(&file, cases[i].scan[1]);
        case_byte(&file, cases[i].scan[2]);
        case_put(&file, "scan\xff\xd9", 6);

        check("parameters", &pr, &file, cases[i].code);

        /* to a frame that is not progressive the scan's are nothing */
        file.data[3] = 0xc0;
        check("parameters", &pr, &file,
              cases[i].sampling == 0x11 && cases[i].table == 0
                  ? KTP_OK
                  : cases[i].code);
        free(file.data);
    }
}


/* Scan data of any length, with stuffed FFs and other zeroes. */

static void
put_data(case_buf_t *buf, size_t len)
{
    for (/* void */; len >= 3; len -= 3) {
        case_short(buf, 0xff00);
        case_byte(buf, 0);
    }

    for (/* void */; len; len--) {
        case_byte(buf, 0x5a);
    }
}


/* Components may have any identifier; only DC may be in a scan of two. */

static void
test_jpeg_components(void **state)
{
    size_t i;

    static const struct {
        const char *scan;
        ktp_code_t  code;
    } cases[] = {
        {"\xff\xda\0\12\2R\0G\21\0\0\0", KTP_OK},
        {"\xff\xda\0\12\2R\0G\21\1\77\0", FORMAT},
        {"\xff\xda\0\12\2R\0G\24\0\0\0", FORMAT},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_put(&file, "\xff\xd8\xff\xc2\0\16\10\2\0\4\0\2", 12);
        case_put(&file, "R\21\0G\21\1", 6);
        case_put(&file, cases[i].scan, 12);
        case_put(&file, "scan\xff\xd9", 6);

        check("components", &pr, &file, cases[i].code);
        free(file.data);
    }
}


static void
test_jpeg_scan_markers(void **state)
{
    size_t i, before;

    static const struct {
        const char *bytes; /* in scan data */
        size_t      len;
        ktp_code_t  code;
    } cases[] = {
        {"\xff\0\xff\xff\xff\0\xff\xd0\xff\xd7", 10, KTP_OK},
        {"\xff\xff\xff\xd9", 4, KTP_OK},
        {"\xff\x02", 2, FORMAT},
        {"\xff\x02\0\0", 4, FORMAT},
        {"\xff\xd8", 2, FORMAT},
        {"\xff\xc0\0\13\10\2\0\4\0\1\1\21\0", 13, FORMAT},
        {"\xff\xdc\0\4\2\0", 6, KTP_OK},
    };

    (void) state;

    /* at each place of what is looked at in one go, and with more behind */

    for (i = 0; i < count(cases) * 270; i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        before = i / count(cases);

        case_short(&file, 0xffd8);
        case_jpeg_frame(&file, 0xc0, 1024, 512);
        case_jpeg_scan(&file);
        put_data(&file, before);
        case_put(&file, cases[i % count(cases)].bytes,
                 cases[i % count(cases)].len);
        put_data(&file, before % 3 ? 300 : 0);
        case_short(&file, 0xffd9);

        check("scan", &pr, &file, cases[i % count(cases)].code);
        free(file.data);
    }
}


/* The longer side counts against the longer. */

static void
test_dimensions(void **state)
{
    size_t      i;
    case_buf_t  file;
    ktp_probe_t pr;

    static const struct {
        unsigned   width;
        unsigned   height;
        ktp_code_t code;
    } cases[] = {
        {720, 480, KTP_OK}, {480, 720, KTP_OK},   {719, 480, SIZE},
        {480, 719, SIZE},   {720, 479, SIZE},     {479, 720, SIZE},
        {600, 600, SIZE},   {720, 720, KTP_OK},   {1000, 1000, KTP_OK},
        {1001, 1000, SIZE}, {65535, 65535, SIZE},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        memset(&file, 0, sizeof(file));
        case_jpeg(&file, cases[i].width, cases[i].height);
        check("jpeg", &pr, &file, cases[i].code);

        file.len = 0;
        case_png(&file, cases[i].width, cases[i].height);
        check("png", &pr, &file, cases[i].code);

        free(file.data);
    }

    /* 0x10000 times 0x10000 is 0 in 32 bits */
    memset(&file, 0, sizeof(file));
    case_png(&file, 0x10000, 0x10000);
    check("png", &pr, &file, SIZE);
    free(file.data);
}


typedef struct {
    unsigned big : 1;
    uint32_t offset; /* of the directory */
    unsigned before; /* entries before the orientation */
    unsigned type;
    unsigned n;
    unsigned value;
    unsigned want;
} exif_t;


static void
put_number(case_buf_t *buf, int big, unsigned bytes, uint32_t v)
{
    unsigned i;

    for (i = 0; i < bytes; i++) {
        case_byte(buf, v >> 8 * (big ? bytes - 1 - i : i) & 0xff);
    }
}


static void
put_entry(case_buf_t *buf, const exif_t *e, unsigned tag)
{
    put_number(buf, e->big, 2, tag);
    put_number(buf, e->big, 2, e->type);
    put_number(buf, e->big, 4, e->n);
    put_number(buf, e->big, 2, e->value);
    put_number(buf, e->big, 2, 0);
}


static void
put_exif(case_buf_t *buf, const exif_t *e)
{
    unsigned   i;
    case_buf_t tiff = {NULL, 0, 0};

    case_put(&tiff, "Exif\0\0", 6);
    case_put(&tiff, e->big ? "MM\0*" : "II*\0", 4);
    put_number(&tiff, e->big, 4, e->offset);

    for (i = 8; i < e->offset; i++) {
        case_byte(&tiff, 0x12);
    }

    put_number(&tiff, e->big, 2, e->before + 1);

    for (i = 0; i < e->before; i++) {
        put_entry(&tiff, e, 0x100 + i);
    }

    put_entry(&tiff, e, 0x112);

    case_short(buf, 0xffe1);
    case_short(buf, tiff.len + 2);
    case_put(buf, tiff.data, tiff.len);
    free(tiff.data);
}


static void
test_orientation(void **state)
{
    size_t i;

    static const exif_t cases[] = {
        {0, 8, 0, 3, 1, 6, 6},      {1, 8, 0, 3, 1, 8, 8},
        {1, 8, 5, 3, 1, 3, 3},      {0, 300, 7, 3, 1, 1, 1},
        {0, 8, 0, 3, 1, 0, 1},      {0, 8, 0, 3, 1, 9, 1},
        {0, 8, 0, 4, 1, 6, 1},      {0, 8, 0, 3, 2, 6, 1},
        {1, 0x1000, 1, 3, 1, 5, 5},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        case_short(&file, 0xffd8);
        put_segment(&file, 0xe1, 40, 'h'); /* XMP or so */
        put_exif(&file, &cases[i]);
        case_jpeg_frame(&file, 0xc0, 720, 480);
        case_jpeg_scan(&file);
        case_short(&file, 0xffd9);

        check("exif", &pr, &file, KTP_OK);

        assert_int_equal(pr.orientation, cases[i].want);
        free(file.data);
    }
}


/* What follows the directory, or stands behind the scan, is none of it. */

static void
test_no_orientation(void **state)
{
    case_buf_t   file = {NULL, 0, 0};
    const exif_t right = {0, 8, 0, 3, 1, 6, 6};
    ktp_probe_t  pr;

    (void) state;

    case_short(&file, 0xffd8);
    case_put(&file,
             "\xff\xe1\0\52"
             "Exif\0\0II*\0\10\0\0\0\1\0",
             20);
    put_entry(&file, &right, 0x111);
    put_entry(&file, &right, 0x112);
    case_jpeg_frame(&file, 0xc0, 720, 480);
    case_jpeg_scan(&file);
    put_exif(&file, &right);
    case_jpeg_scan(&file);
    case_short(&file, 0xffd9);

    check("no orientation", &pr, &file, KTP_OK);
    assert_int_equal(pr.orientation, 1);
    free(file.data);
}


static void
test_png_headers(void **state)
{
    int         right;
    unsigned    depth, color;
    case_buf_t  file;
    ktp_probe_t pr;

    (void) state;

    for (depth = 0; depth <= 33; depth++) {
        for (color = 0; color < 8; color++) {

            /* W3C PNG, table 11.1 */
            switch (color) {
            case 0:
                right = depth == 1 || depth == 2 || depth == 4 || depth == 8
                        || depth == 16;
                break;
            case 3:
                right = depth == 1 || depth == 2 || depth == 4 || depth == 8;
                break;
            default:
                right = (color == 2 || color == 4 || color == 6)
                        && (depth == 8 || depth == 16);
            }

            memset(&file, 0, sizeof(file));
            case_png_header(&file, 720, 480, depth, color);
            if (color == 3) {
                case_png_chunk(&file, "PLTE", "abc", 3);
            }

            case_png_chunk(&file, "IDAT", "", 0);
            case_png_chunk(&file, "IEND", "", 0);

            if (right) {
                check_right("png", &file, file.len, 720, 480);

            } else {
                check("png", &pr, &file, FORMAT);
            }

            free(file.data);
        }
    }
}


/* The rest of the header: dimensions of 31 bits, methods that there are. */

static void
test_png_header_bytes(void **state)
{
    size_t i;

    static const struct {
        unsigned      at; /* in IHDR's data */
        unsigned char value;
        ktp_code_t    code;
    } cases[] = {
        {12, 0, KTP_OK}, {12, 1, KTP_OK},   {12, 2, FORMAT},   {10, 1, FORMAT},
        {11, 1, FORMAT}, {0, 0x80, FORMAT}, {4, 0x80, FORMAT}, {4, 0x7f, SIZE},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t    file = {NULL, 0, 0};
        ktp_probe_t   pr;
        unsigned char ihdr[13] = {0, 0, 3, 0, 0, 0, 3, 0, 8, 2, 0, 0, 0};

        ihdr[cases[i].at] = cases[i].value;

        case_put(&file, "\x89PNG\r\n\x1a\n", 8);
        case_png_chunk(&file, "IHDR", ihdr, sizeof(ihdr));
        case_png_chunk(&file, "IDAT", "", 0);
        case_png_chunk(&file, "IEND", "", 0);

        check("png", &pr, &file, cases[i].code);
        free(file.data);
    }
}


/* A length that cannot be is told there, not at the end of the file. */

static void
test_png_length(void **state)
{
    case_buf_t  file = {NULL, 0, 0};
    ktp_probe_t pr;

    (void) state;

    case_png_header(&file, 720, 480, 8, 2);
    case_put(&file, "\x80\0\0\0IDA", 7);

    ktp_probe_init(&pr, &policy);
    assert_int_equal(ktp_probe_feed(&pr, file.data, file.len), KTP_OK);
    assert_int_equal(ktp_probe_feed(&pr, (unsigned char *) "T", 1), FORMAT);

    free(file.data);
}


/* Chunks after a header; each letter is one. */

static void
put_chunks(case_buf_t *file, const char *s)
{
    for (; *s; s++) {

        switch (*s) {
        case 'H':
            case_png_header(file, 720, 480, 8, 2);
            break;
        case 'h': /* one more, without the signature */
            case_png_chunk(file, "IHDR", "\0\0\2\xd0\0\0\1\xe0\10\2\0\0\0",
                           13);
            break;
        case '3':
            case_png_header(file, 720, 480, 8, 3);
            break;
        case 'P':
            case_png_chunk(file, "PLTE", "abcdef", 6);
            break;
        case 'p':
            case_png_chunk(file, "PLTE", "abcd", 4);
            break;
        case 'D':
            case_png_chunk(file, "IDAT", "xyz", 3);
            break;
        case 'E':
            case_png_chunk(file, "IEND", "", 0);
            break;
        case 'e':
            case_png_chunk(file, "IEND", "x", 1);
            break;
        case 't':
            case_png_chunk(file, "tEXt", "a", 1);
            break;
        case 'U':
            case_png_chunk(file, "UNKN", "a", 1);
            break;
        case '!': /* not a letter in the type */
            case_png_chunk(file, "t1Xt", "a", 1);
            break;
        case 'x': /* the last byte of a CRC is wrong */
            file->data[file->len - 1] ^= 1;
            break;
        }
    }
}


static void
test_png_chunks(void **state)
{
    size_t i;

    static const struct {
        const char *chunks;
        ktp_code_t  code;
    } cases[] = {
        {"HDE", KTP_OK},   {"HtDtDtE", KTP_OK}, {"HPDE", KTP_OK},
        {"3PDE", KTP_OK},  {"HtxDE", KTP_OK},   {"HDEDDD", KTP_OK},
        {"HDEH", KTP_OK},  {"HE", FORMAT},      {"HD", FORMAT},
        {"H", FORMAT},     {"hDE", KTP_OK},     {"HhDE", FORMAT},
        {"HxDE", FORMAT},  {"HDxE", FORMAT},    {"HDEx", FORMAT},
        {"3DE", FORMAT},   {"3PxDE", FORMAT},   {"HDPE", FORMAT},
        {"HPPDE", FORMAT}, {"HpDE", FORMAT},    {"HDe", FORMAT},
        {"HUDE", FORMAT},  {"H!DE", FORMAT},    {"tHDE", FORMAT},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        case_buf_t  file = {NULL, 0, 0};
        ktp_probe_t pr;

        if (cases[i].chunks[0] == 't' || cases[i].chunks[0] == 'h') {
            case_put(&file, "\x89PNG\r\n\x1a\n", 8);
        }

        put_chunks(&file, cases[i].chunks);
        check(cases[i].chunks, &pr, &file, cases[i].code);
        free(file.data);
    }
}


/* A byte of the signature that is wrong is told there. */

static void
test_signatures(void **state)
{
    size_t        i, len;
    unsigned char c;
    ktp_probe_t   pr;

    static const char *const signatures[] = {"\xff\xd8\xff",
                                             "\x89PNG\r\n\x1a\n"};

    (void) state;

    for (i = 0; i < count(signatures); i++) {
        for (len = 0; len < strlen(signatures[i]); len++) {
            ktp_probe_init(&pr, &policy);

            assert_int_equal(
                ktp_probe_feed(&pr, (unsigned char *) signatures[i], len),
                KTP_OK);

            c = signatures[i][len] ^ 0x20;
            assert_int_equal(ktp_probe_feed(&pr, &c, 1), KTP_TYPE_UNKNOWN);
        }
    }
}


/* An FF that matters is found at each place, and none that is stuffed. */

static void
test_jpeg_scan(void **state)
{
    size_t         len, i, at, level;
    unsigned char *s;

    (void) state;

    for (len = 0; len < 300; len++) {
        s = malloc(len);
        assert_true(s != NULL || len == 0);

        for (at = 0; at <= len; at++) {

            for (i = 0; i < len; i++) {
                s[i] = i && s[i - 1] == 0xff ? 0 : rand() % 4 ? rand() : 0xff;
            }

            if (at < len) {
                s[at] = 0xff;
            }

            if (at + 1 < len) {
                s[at + 1] = 1 + rand() % 255;
            }

            /* the one that was put there may not be the first */

            for (i = 0; i < len; i++) {
                if (s[i] == 0xff && (i + 1 == len || s[i + 1] != 0)) {
                    break;
                }
            }

            for (level = 0; level < CPU_LEVELS; level++) {
                if (cpu_level(level)) {
                    assert_int_equal(ktp_jpeg_scan_stuffed(s, len), i);
                }
            }
        }

        free(s);
    }
}


/* The check value that CRC catalogues give, and each length of a tail. */

static void
test_crc32(void **state)
{
    int                 k;
    size_t              len, i, level;
    uint32_t            crc;
    unsigned char       s[400];
    const unsigned char nine[] = "123456789";

    (void) state;

    assert_int_equal(ktp_crc32(0, nine, 9), 0xcbf43926);

    for (len = 0; len < sizeof(s); len++) {
        crc = 0xffffffff;

        for (i = 0; i < len; i++) {
            s[i] = rand();
            crc ^= s[i];

            for (k = 0; k < 8; k++) {
                crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
            }
        }

        for (level = 0; level < CPU_LEVELS; level++) {
            if (!cpu_level(level)) {
                continue;
            }

            assert_int_equal(ktp_crc32(0, s, len), crc ^ 0xffffffff);
            assert_int_equal(ktp_crc32(ktp_crc32(0, s, len / 3), s + len / 3,
                                       len - len / 3),
                             crc ^ 0xffffffff);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_jpeg_frames),
        cmocka_unit_test(test_jpeg_metadata),
        cmocka_unit_test(test_jpeg_wrong),
        cmocka_unit_test(test_jpeg_tables),
        cmocka_unit_test(test_jpeg_parameters),
        cmocka_unit_test(test_jpeg_components),
        cmocka_unit_test(test_jpeg_scan_markers),
        cmocka_unit_test(test_jpeg_scan),
        cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_no_orientation),
        cmocka_unit_test(test_png_headers),
        cmocka_unit_test(test_png_header_bytes),
        cmocka_unit_test(test_png_length),
        cmocka_unit_test(test_png_chunks),
        cmocka_unit_test(test_crc32),
    };

    srand(1);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
