/*
 * PNG: the chunks, from IHDR to IEND (W3C PNG, 5 and 11.2).
 *
 *   chunk = length type data crc
 *
 * The CRC of critical chunks is checked, as decoders do; a wrong one in an
 * ancillary chunk makes them drop that chunk only.
 */

#include <string.h>
#include "ktp_crc32.h"
#include "ktp_probe.h"


#define ktp_png_type(a, b, c, d)                                              \
    ((uint32_t) (a) << 24 | (uint32_t) (b) << 16 | (uint32_t) (c) << 8 | (d))

#define KTP_PNG_IHDR ktp_png_type('I', 'H', 'D', 'R')
#define KTP_PNG_PLTE ktp_png_type('P', 'L', 'T', 'E')
#define KTP_PNG_IDAT ktp_png_type('I', 'D', 'A', 'T')
#define KTP_PNG_IEND ktp_png_type('I', 'E', 'N', 'D')

/* bit 5 of the first letter: the chunk is ancillary */
#define KTP_PNG_ANCILLARY ((uint32_t) 0x20 << 24)

#define KTP_PNG_MAX    0x7fffffff /* of a length or a dimension */
#define KTP_PNG_HEADER 13         /* bytes of IHDR's data */

enum {
    KTP_PNG_START, /* length and type */
    KTP_PNG_DATA,
    KTP_PNG_CRC
};


void
ktp_png_init(ktp_png_t *png)
{
    png->state = KTP_PNG_START;
}


static uint32_t
ktp_png_long(const unsigned char *p)
{
    return ktp_png_type(p[0], p[1], p[2], p[3]);
}


/* Which depths a colour type may have; a mask with bit 1 << depth. */

static uint32_t
ktp_png_depths(unsigned color)
{
    switch (color) {

    case 0:
        return 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16;

    case 3:
        return 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8;

    case 2:
    case 4:
    case 6:
        return 1 << 8 | 1 << 16;
    }

    return 0;
}


static ktp_code_t
ktp_png_header(ktp_probe_t *pr)
{
    uint32_t             width, height;
    const unsigned char *p;

    p = pr->png.buf;

    width = ktp_png_long(p);
    height = ktp_png_long(p + 4);
    pr->png.color = p[9];

    if (width == 0 || width > KTP_PNG_MAX || height == 0
        || height > KTP_PNG_MAX) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    if (p[8] > 16 || !(ktp_png_depths(p[9]) & (uint32_t) 1 << p[8])) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    /* compression, filter and interlace methods */

    if (p[10] != 0 || p[11] != 0 || p[12] > 1) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    return ktp_probe_limits_check(pr, width, height);
}


/* May a chunk of this type and length stand here? */

static ktp_code_t
ktp_png_order(ktp_probe_t *pr)
{
    ktp_png_t *png;

    png = &pr->png;

    if ((png->type == KTP_PNG_IHDR) != (pr->width == 0)) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    switch (png->type) {

    case KTP_PNG_IHDR:
        return png->left == KTP_PNG_HEADER ? KTP_OK
                                           : KTP_INVALID_PAYLOAD_IMAGE_FORMAT;

    case KTP_PNG_PLTE:
        if (png->palette || png->data || png->left == 0 || png->left % 3
            || png->left > 3 * 256) {
            return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
        }

        png->palette = 1;
        return KTP_OK;

    case KTP_PNG_IDAT:
        if (png->color == 3 && !png->palette) {
            return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
        }

        png->data = 1;
        return KTP_OK;

    case KTP_PNG_IEND:
        return png->data && png->left == 0 ? KTP_OK
                                           : KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    /* a file with an unknown critical chunk cannot be decoded */

    return png->type & KTP_PNG_ANCILLARY ? KTP_OK
                                         : KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
}


/* A length and a type are in png->buf. */

static ktp_code_t
ktp_png_start(ktp_probe_t *pr)
{
    int        i;
    unsigned   letter;
    ktp_png_t *png;

    png = &pr->png;

    png->left = ktp_png_long(png->buf);
    png->type = ktp_png_long(png->buf + 4);
    png->crc = ktp_crc32(0, png->buf + 4, 4);

    if (png->left > KTP_PNG_MAX) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    for (i = 4; i < 8; i++) {
        letter = png->buf[i] | 0x20;
        if (letter < 'a' || letter > 'z') {
            return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
        }
    }

    png->len = 0;
    png->state = png->left ? KTP_PNG_DATA : KTP_PNG_CRC;

    return ktp_png_order(pr);
}


/* Bytes of a chunk's data; at most png->left of them. */

static void
ktp_png_data(ktp_png_t *png, const unsigned char *p, size_t n)
{
    if (!(png->type & KTP_PNG_ANCILLARY)) {
        png->crc = ktp_crc32(png->crc, p, n);
    }

    if (png->type == KTP_PNG_IHDR) {
        memcpy(png->buf + png->len, p, n);
        png->len += n;
    }

    png->left -= n;

    if (png->left == 0) {
        png->state = KTP_PNG_CRC;
        png->len = 0;
    }
}


static ktp_code_t
ktp_png_end(ktp_probe_t *pr, uint32_t crc)
{
    ktp_png_t *png;

    png = &pr->png;
    png->state = KTP_PNG_START;
    png->len = 0;

    if (!(png->type & KTP_PNG_ANCILLARY) && crc != png->crc) {
        return KTP_INVALID_PAYLOAD_IMAGE_FORMAT;
    }

    if (png->type == KTP_PNG_IHDR) {
        return ktp_png_header(pr);
    }

    if (png->type == KTP_PNG_IEND) {
        pr->complete = 1;
    }

    return KTP_OK;
}


/* A byte outside of a chunk's data. */

static ktp_code_t
ktp_png_byte(ktp_probe_t *pr, unsigned char c)
{
    ktp_png_t *png;

    png = &pr->png;

    if (png->state == KTP_PNG_START) {
        png->buf[png->len++] = c;
        return png->len == 8 ? ktp_png_start(pr) : KTP_OK;
    }

    /* the header's data stay in png->buf while its CRC comes in */

    png->stored = png->stored << 8 | c;

    return ++png->len == 4 ? ktp_png_end(pr, png->stored) : KTP_OK;
}


ktp_code_t
ktp_png_probe(ktp_probe_t *pr, const unsigned char *p, size_t n)
{
    size_t     used;
    ktp_code_t rc;
    ktp_png_t *png;

    png = &pr->png;

    while (n && !pr->complete) {

        if (png->state == KTP_PNG_DATA) {
            used = n < png->left ? n : png->left;
            ktp_png_data(png, p, used);

        } else {
            used = 1;
            rc = ktp_png_byte(pr, *p);
            if (rc != KTP_OK) {
                return rc;
            }
        }

        p += used;
        n -= used;
        pr->size += used;
    }

    return KTP_OK;
}
