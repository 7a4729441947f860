/*
 * Removal of metadata, part by part: a table says what of a file is kept, in
 * whatever pieces it comes.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "case.h"
#include "ktp_crc32.h"
#include "ktp_strip.h"


#define MAX 4096

typedef struct {
    unsigned char data[MAX];
    size_t        len;
} file_t;

/* A part of a file, and what is to be in its place. */
typedef struct {
    const char *name;
    unsigned    marker; /* JPEG; 0: the bytes as they are */
    const char *type;   /* PNG, or NULL */
    const char *data;
    size_t      len;
    enum {
        KEPT,
        REMOVED,
        OTHER
    } fate;
    const char *other; /* payload */
    size_t      other_len;
} part_t;

#define text(s) s, sizeof(s) - 1

#define EXIF    "Exif\0\0"
#define TIFF(n) "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0" n "\0\0\0\0\0\0"
#define LITTLE                                                                \
    "II*\0\x10\0\0\0SECRET!!\2\0\x0f\1\2\0\4\0\0\0ABC\0\x12\1\3\0\1\0\0\0"    \
    "\x08\0\0\0\0\0\0\0SECRET"

static const part_t jpeg[] = {
    {"JFIF", 0xe0, NULL, text("JFIF\0\1\2\1\0\1\0\1\0\0"), KEPT, NULL, 0},
    {"JFIF with a thumbnail", 0xe0, NULL, text("JFIF\0\1\2\1\0\1\0\1\1\1SEC"),
     OTHER, text("JFIF\0\1\2\1\0\1\0\1\0\0")},
    {"a short JFIF", 0xe0, NULL, text("JFIF\0\1\2"), REMOVED, NULL, 0},
    {"JFXX", 0xe0, NULL, text("JFXX\0\x10SECRETSECRET"), REMOVED, NULL, 0},
    {"Exif, upright", 0xe1, NULL, text(EXIF TIFF("\1")), REMOVED, NULL, 0},
    {"Exif, turned", 0xe1, NULL, text(EXIF TIFF("\6")), KEPT, NULL, 0},
    {"Exif, turned, and more", 0xe1, NULL, text(EXIF LITTLE), OTHER,
     text(EXIF TIFF("\x08"))},
    {"Exif without a use", 0xe1, NULL, text(EXIF TIFF("\x09")), REMOVED, NULL,
     0},
    {"Exif that is cut off", 0xe1, NULL, text(EXIF "MM\0*\0\0"), REMOVED, NULL,
     0},
    {"XMP", 0xe1, NULL, text("http://ns.adobe.com/xap/1.0/\0<x/>"), REMOVED,
     NULL, 0},
    {"an empty APP1", 0xe1, NULL, text(""), REMOVED, NULL, 0},
    {"ICC", 0xe2, NULL, text("ICC_PROFILE\0\1\1profile"), KEPT, NULL, 0},
    {"ICC without a profile", 0xe2, NULL, text("ICC_PROFILE\0\1\1"), KEPT,
     NULL, 0},
    {"MPF", 0xe2, NULL, text("MPF\0SECRETSECRETSECRET"), REMOVED, NULL, 0},
    {"IPTC", 0xed, NULL, text("Photoshop 3.0\0SECRET"), REMOVED, NULL, 0},
    {"Adobe", 0xee, NULL, text("Adobe\0d\0\0\0\0\1"), KEPT, NULL, 0},
    {"Adobe, and more", 0xee, NULL, text("Adobe\0d\0\0\0\0\2SECRET"), OTHER,
     text("Adobe\0d\0\0\0\0\2")},
    {"another APP14", 0xee, NULL, text("SECRETSECRET!"), REMOVED, NULL, 0},
    {"APP15", 0xef, NULL, text("SECRET"), REMOVED, NULL, 0},
    {"a comment", 0xfe, NULL, text("SECRET"), REMOVED, NULL, 0},
    {"a table", 0xdb, NULL, text("\0tables"), KEPT, NULL, 0},
    {"an empty segment", 0xdd, NULL, text(""), KEPT, NULL, 0},
    {"between markers", 0, NULL, text("SECRET"), REMOVED, NULL, 0},
    {"fill bytes", 0, NULL, text("\xff\xff\xff"), REMOVED, NULL, 0},
};

static const part_t png[] = {
    {"palette", 1, "PLTE", text("abc"), KEPT, NULL, 0},
    {"transparency", 1, "tRNS", text("a"), KEPT, NULL, 0},
    {"ICC", 1, "iCCP", text("n\0\0data"), KEPT, NULL, 0},
    {"gamma", 1, "gAMA", text("\0\0\1\0"), KEPT, NULL, 0},
    {"density", 1, "pHYs", text("\0\0\1\0\0\0\1\0\1"), KEPT, NULL, 0},
    {"Exif, upright", 1, "eXIf", text(TIFF("\1")), REMOVED, NULL, 0},
    {"Exif, turned", 1, "eXIf", text(TIFF("\3")), KEPT, NULL, 0},
    {"Exif, turned, and more", 1, "eXIf", text(LITTLE), OTHER,
     text(TIFF("\x08"))},
    {"text", 1, "tEXt", text("Author\0SECRET"), REMOVED, NULL, 0},
    {"compressed text", 1, "zTXt", text("SECRET"), REMOVED, NULL, 0},
    {"international text", 1, "iTXt", text("SECRET"), REMOVED, NULL, 0},
    {"time", 1, "tIME", text("SECRET!"), REMOVED, NULL, 0},
    {"of another image", 1, "fdAT", text("SECRET"), REMOVED, NULL, 0},
    {"of an unknown kind", 1, "seCr", text("SECRET"), REMOVED, NULL, 0},
    {"empty", 1, "teSt", text(""), REMOVED, NULL, 0},
};


static void
put(file_t *file, const void *p, size_t n)
{
    assert_true(n <= MAX - file->len);
    memcpy(file->data + file->len, p, n);
    file->len += n;
}


static void
put_long(file_t *file, uint32_t n)
{
    unsigned char p[4] = {(unsigned char) (n >> 24), (unsigned char) (n >> 16),
                          (unsigned char) (n >> 8), (unsigned char) n};

    put(file, p, 4);
}


static void
put_part(file_t *file, const part_t *part, const char *data, size_t n)
{
    size_t        start;
    unsigned char head[4];

    if (part->type) {
        put_long(file, (uint32_t) n);
        start = file->len;
        put(file, part->type, 4);
        put(file, data, n);
        put_long(file, ktp_crc32(0, file->data + start, n + 4));
        return;
    }

    if (part->marker) {
        head[0] = 0xff;
        head[1] = (unsigned char) part->marker;
        head[2] = 0;
        head[3] = (unsigned char) (n + 2);
        put(file, head, 4);
    }

    put(file, data, n);
}


static void
put_fate(file_t *file, const part_t *part)
{
    if (part->fate == KEPT) {
        put_part(file, part, part->data, part->len);

    } else if (part->fate == OTHER) {
        put_part(file, part, part->other, part->other_len);
    }
}


static void
check(const char *name, const file_t *in, const file_t *expected)
{
    size_t             piece, at, n, k;
    ktp_store_t        store;
    ktp_strip_t        strip;
    const ktp_chunk_t *chunk;

    for (piece = 1; piece <= in->len; piece += piece < 32 ? 1 : in->len) {
        ktp_store_init(&store, NULL, MAX);
        ktp_strip_init(&strip, &store);

        for (at = 0; at < in->len; at += n) {
            n = in->len - at < piece ? in->len - at : piece;
            assert_int_equal(ktp_strip_feed(&strip, in->data + at, n), KTP_OK);
        }

        if (store.size != expected->len) {
            fail_msg("%s in pieces of %zu: %zu bytes, not %zu", name, piece,
                     store.size, expected->len);
        }

        k = 0;

        for (chunk = store.first; chunk; chunk = chunk->next) {
            if (memcmp(chunk->data, expected->data + k, chunk->len) != 0) {
                fail_msg("%s in pieces of %zu", name, piece);
            }

            k += chunk->len;
        }

        ktp_store_free(&store);
    }
}


/* Each part before the scan, between two scans, and all of them. */
static void
test_jpeg(void **state)
{
    size_t i, all;
    file_t in, out;

    static const char scan[] = "\xff\xda\0\x08\1\1\0\0\x3f\0"
                               "data\xff\0\xff\xd0 more\xff\xff\xd1";

    (void) state;

    all = sizeof(jpeg) / sizeof(jpeg[0]);

    for (i = 0; i <= all; i++) {
        const part_t *from = jpeg + (i < all ? i : 0);
        const part_t *end = jpeg + (i < all ? i + 1 : all);
        const part_t *part;

        in.len = 0;
        out.len = 0;

        put(&in, text("\xff\xd8"));
        put(&out, text("\xff\xd8"));

        for (part = from; part < end; part++) {
            put_part(&in, part, part->data, part->len);
            put_fate(&out, part);
        }

        put(&in, text(scan));
        put(&out, text("\xff\xda\0\x08\1\1\0\0\x3f\0"
                       "data\xff\0\xff\xd0 more\xff\xd1"));

        for (part = from; part < end; part++) {
            if (part->marker) {
                put_part(&in, part, part->data, part->len);
                put_fate(&out, part);
            }
        }

        put(&in, text("\xff\xda\0\x02last\xff\xff\xd9"
                      "SECRET\xff\xd8\xff\xe1"));
        put(&out, text("\xff\xda\0\x02last\xff\xd9"));

        check(i < all ? jpeg[i].name : "all", &in, &out);
        check("once more", &out, &out);
    }
}


static void
test_png(void **state)
{
    size_t i, all;
    file_t in, out;

    static const part_t header = {"",   1,    "IHDR", text("0123456789012"),
                                  KEPT, NULL, 0};
    static const part_t pixels = {"",   1,    "IDAT", text("pixels"),
                                  KEPT, NULL, 0};
    static const part_t last = {"", 1, "IEND", text(""), KEPT, NULL, 0};

    (void) state;

    all = sizeof(png) / sizeof(png[0]);

    for (i = 0; i <= all; i++) {
        const part_t *from = png + (i < all ? i : 0);
        const part_t *end = png + (i < all ? i + 1 : all);
        const part_t *part;

        in.len = 0;
        out.len = 0;

        put(&in, text("\x89PNG\r\n\x1a\n"));
        put(&out, text("\x89PNG\r\n\x1a\n"));
        put_fate(&in, &header);
        put_fate(&out, &header);

        for (part = from; part < end; part++) {
            put_part(&in, part, part->data, part->len);
            put_fate(&out, part);
        }

        put_fate(&in, &pixels);
        put_fate(&out, &pixels);

        for (part = from; part < end; part++) {
            put_part(&in, part, part->data, part->len);
            put_fate(&out, part);
        }

        put_fate(&in, &last);
        put_fate(&out, &last);
        put(&in, text("SECRET"));

        check(i < all ? png[i].name : "all", &in, &out);
        check("once more", &out, &out);
    }
}


/* What the store says is passed on. */
static void
test_full(void **state)
{
    ktp_store_t store;
    ktp_strip_t strip;

    (void) state;

    ktp_store_init(&store, NULL, 3);
    ktp_strip_init(&strip, &store);
    assert_int_equal(
        ktp_strip_feed(&strip, (const unsigned char *) "\xff\xd8\xff\xd0", 4),
        KTP_INVALID_PAYLOAD_IMAGE_SIZE);
    ktp_store_free(&store);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jpeg),
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
