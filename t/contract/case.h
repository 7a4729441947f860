/*
 * A case of the request contract: a body, how it came, and what it must
 * give.  The tables of cases are shared by the unit tests and by the
 * program that makes the fuzzers' seeds.
 *
 * A body is written with a few signs that stand for an image:
 *
 *   @J  base64 of a JPEG of 720x480      @j  its bytes
 *   @P  base64 of a PNG of 480x720       @p  its bytes
 *   @U  @J URL-safe, no padding          @E  @J with \/ for each slash
 *   @L  @J with \r\n each 64             @N  @J with real line breaks
 *   @X  @J, each character as \u00XX     @H  the first half of @J
 *   @S  base64 of a JPEG of 719x480      @s  its bytes
 *   @D  base64 of a PDF                  @d  its bytes
 *   @C  base64 of @j without its end     @c  its bytes
 *   @F  base64 of @j and 1 KB of film    @f  its bytes
 *   @B  base64 of @J                     @k  @j with line ends and dashes
 *   @0  a NUL                            @@  an @
 *   @[n|x]  x n times
 */

#ifndef KTP_CASE_H
#define KTP_CASE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_base64.h"
#include "ktp_crc32.h"
#include "ktp_intake.h"


/* the tables of cases tell what matters only */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"


typedef struct {
    unsigned char *data;
    size_t         len;
    size_t         size;
} case_buf_t;

typedef struct {
    const char *name;
    const char *body;
    ktp_code_t  code;         /* its kind is enough */
    const char *image;        /* what is stored, as a body; NULL: nothing */
    const char *content_type; /* NULL: the usual one of the way in */
    const char *args;
    const char *reference_id;
    ktp_flag_t  validate_quality;
    ktp_flag_t  is_quality;
    const char *url;
    size_t      early;    /* bytes of the body after which it is told */
    size_t      max_size; /* 0: 5 MB */
    unsigned    types;    /* 0: both */
    unsigned    url_on : 1;
} case_t;


/* The row whose error code it has; most tables tell no more. */

static inline ktp_code_t
case_kind(ktp_code_t code)
{
    return code == KTP_OK ? KTP_OK : ktp_error(code)->kind;
}


static inline void
case_put(case_buf_t *buf, const void *p, size_t n)
{
    if (buf->len + n > buf->size) {
        buf->size = (buf->len + n) * 2 + 64;
        buf->data = realloc(buf->data, buf->size);
        if (buf->data == NULL) {
            abort();
        }
    }

    if (n) {
        memcpy(buf->data + buf->len, p, n);
    }

    buf->len += n;
}


static inline void
case_byte(case_buf_t *buf, unsigned c)
{
    unsigned char byte = c;

    case_put(buf, &byte, 1);
}


static inline void
case_short(case_buf_t *buf, unsigned v)
{
    case_byte(buf, v >> 8);
    case_byte(buf, v & 0xff);
}


static inline void
case_long(case_buf_t *buf, uint32_t v)
{
    case_short(buf, v >> 16);
    case_short(buf, v & 0xffff);
}


/* A frame header with three components; n is the marker's low byte. */

static inline void
case_jpeg_frame(case_buf_t *buf, unsigned n, unsigned width, unsigned height)
{
    static const unsigned char components[] = {1, 0x22, 0,    2, 0x11,
                                               1, 3,    0x11, 1};

    case_short(buf, 0xff00 | n);
    case_short(buf, 17);
    case_byte(buf, 8);
    case_short(buf, height);
    case_short(buf, width);
    case_byte(buf, 3);
    case_put(buf, components, sizeof(components));
}


/* A scan with stuffing and a restart marker in its data. */

static inline void
case_jpeg_scan(case_buf_t *buf)
{
    static const unsigned char scan[] = {
        0xff, 0xda, 0,    12,   3,    1,    0,    2,    0x11, 3,    0x11,
        0,    63,   0,    0xfb, 0xef, 0xbe, 0xff, 0x00, 0xfb, 0xf0, 0xff,
        0xd0, 0x3e, 0xff, 0x00, 0x3f, 0xff, 0x00, 0x12, 0x34, 0x56};

    case_put(buf, scan, sizeof(scan));
}


static inline void
case_jpeg(case_buf_t *buf, unsigned width, unsigned height)
{
    static const unsigned char app0[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J',
                                         'F',  'I',  'F',  0,    1, 1,  0,
                                         0,    1,    0,    1,    0, 0};

    case_put(buf, app0, sizeof(app0));
    case_jpeg_frame(buf, 0xc0, width, height);
    case_jpeg_scan(buf);
    case_short(buf, 0xffd9);
}


static inline void
case_png_chunk(case_buf_t *buf, const char *type, const void *p, size_t n)
{
    uint32_t crc;

    case_long(buf, n);
    case_put(buf, type, 4);
    case_put(buf, p, n);
    crc = ktp_crc32(0, (const unsigned char *) type, 4);
    case_long(buf, ktp_crc32(crc, p, n));
}


static inline void
case_png_header(case_buf_t *buf, uint32_t width, uint32_t height,
                unsigned depth, unsigned color)
{
    case_buf_t ihdr = {NULL, 0, 0};

    case_put(buf, "\x89PNG\r\n\x1a\n", 8);
    case_long(&ihdr, width);
    case_long(&ihdr, height);
    case_byte(&ihdr, depth);
    case_byte(&ihdr, color);
    case_byte(&ihdr, 0);
    case_byte(&ihdr, 0);
    case_byte(&ihdr, 0);
    case_png_chunk(buf, "IHDR", ihdr.data, ihdr.len);
    free(ihdr.data);
}


static inline void
case_png(case_buf_t *buf, uint32_t width, uint32_t height)
{
    case_png_header(buf, width, height, 8, 2);
    case_png_chunk(buf, "tEXt", "a\0b", 3);
    case_png_chunk(buf, "IDAT", "\x78\x9c\x00\xff", 4);
    case_png_chunk(buf, "IEND", "", 0);
}


/* The bytes of an image by its sign; 0 if it is none. */

static inline int
case_image(case_buf_t *buf, char sign)
{
    static const char pdf[] = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<\n"
                              "/Type /Catalog\n/Pages 2 0 R\n>>\nendobj\n"
                              "trailer\n<<\n/Root 1 0 R\n>>\n%%EOF\n";
    static const char dashes[] = "\r\n--X\r\r\n--\r\n-\n--XX\n\r--XX\r--XX--";

    unsigned n = 200;

    switch (sign) {

    case 'j':
        case_jpeg(buf, 720, 480);
        return 1;

    case 'p':
        case_png(buf, 480, 720);
        return 1;

    case 's':
        case_jpeg(buf, 719, 480);
        return 1;

    case 'd':
        case_put(buf, pdf, sizeof(pdf) - 1);
        return 1;

    case 'c':
        case_jpeg(buf, 720, 480);
        buf->len -= 2;
        return 1;

    case 'f':
        case_jpeg(buf, 720, 480);

        while (n--) {
            case_put(buf, "\xff\xd9mp4", 5);
        }

        return 1;

    case 'k':
        case_short(buf, 0xffd8);
        case_short(buf, 0xfffe);
        case_short(buf, sizeof(dashes) + 1);
        case_put(buf, dashes, sizeof(dashes) - 1);
        case_jpeg_frame(buf, 0xc0, 720, 480);
        case_jpeg_scan(buf);
        case_short(buf, 0xffd9);
        return 1;
    }

    return 0;
}


/* Base64, written here once more so that it is a second opinion. */

static inline void
case_base64(case_buf_t *buf, const unsigned char *p, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";

    size_t   i, bits;
    unsigned acc;

    acc = 0;
    bits = 0;

    for (i = 0; i < n; i++) {
        acc = (acc << 8 | p[i]) & 0xffff;
        bits += 8;

        while (bits >= 6) {
            bits -= 6;
            case_byte(buf, alphabet[acc >> bits & 63]);
        }
    }

    if (bits) {
        case_byte(buf, alphabet[acc << (6 - bits) & 63]);
    }

    for (i = n; i % 3; i++) {
        case_byte(buf, '=');
    }
}


/* A spelling of the base64 of a file, by its sign. */

static inline void
case_spell(case_buf_t *buf, char sign, const case_buf_t *raw)
{
    char       hex[8];
    size_t     i;
    case_buf_t text = {NULL, 0, 0};

    case_base64(&text, raw->data, raw->len);

    for (i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (sign == 'H' && i == text.len / 2) {
            break;
        }

        if (sign == 'U') {
            c = c == '+' ? '-' : c == '/' ? '_' : c;
            if (c == '=') {
                break;
            }
        }

        if (sign == 'X') {
            (void) snprintf(hex, sizeof(hex), "\\u00%02x", c);
            case_put(buf, hex, 6);
            continue;
        }

        if (sign == 'E' && c == '/') {
            case_byte(buf, '\\');
        }

        if ((sign == 'L' || sign == 'N') && i && i % 64 == 0) {
            case_put(buf, sign == 'L' ? "\\r\\n" : "\r\n",
                     sign == 'L' ? 4 : 2);
        }

        case_byte(buf, c);
    }

    free(text.data);
}


/* Such a spelling of the usual JPEG; 0 if the sign is for none. */

static inline int
case_spelling(case_buf_t *buf, char sign)
{
    case_buf_t raw = {NULL, 0, 0};

    if (sign == '\0' || strchr("UELNXH", sign) == NULL) {
        return 0;
    }

    case_image(&raw, 'j');
    case_spell(buf, sign, &raw);
    free(raw.data);

    return 1;
}


/* Writes the body that a template stands for. */

static inline void
case_body(case_buf_t *buf, const char *s)
{
    size_t     n;
    char      *end;
    case_buf_t raw = {NULL, 0, 0};

    for (; *s; s++) {
        if (*s != '@') {
            case_byte(buf, (unsigned char) *s);
            continue;
        }

        s++;

        if (case_image(buf, *s) || case_spelling(buf, *s)) {
            continue;
        }

        if (*s == '@' || *s == '0') {
            case_byte(buf, *s == '@' ? '@' : 0);
            continue;
        }

        if (*s == '[') {
            n = strtoul(s + 1, &end, 10);
            while (n--) {
                case_put(buf, end + 1, strchr(end, ']') - end - 1);
            }

            s = strchr(end, ']');
            continue;
        }

        raw.len = 0;

        if (*s == 'B') {
            case_body(&raw, "@J");

        } else if (!case_image(&raw, *s | 0x20)) {
            abort();
        }

        case_base64(buf, raw.data, raw.len);
    }

    free(raw.data);
}


static inline const char *
case_type(const case_t *c, ktp_intake_type_t type)
{
    if (c->content_type) {
        return c->content_type;
    }

    switch (type) {

    case KTP_INTAKE_JSON:
        return "application/json";

    case KTP_INTAKE_MULTIPART:
        return "multipart/form-data; boundary=XX";

    default:
        return "image/jpeg";
    }
}


static inline void
case_policy(const case_t *c, ktp_policy_t *policy)
{
    memset(policy, 0, sizeof(*policy));

    policy->max_size = c->max_size ? c->max_size : 5 * 1024 * 1024;
    policy->min_long = 720;
    policy->min_short = 480;
    policy->max_pixels = 50 * 1000 * 1000;
    policy->types = c->types ? c->types : KTP_IMAGE_JPEG | KTP_IMAGE_PNG;
    policy->url = c->url_on;
}


#endif /* KTP_CASE_H */
