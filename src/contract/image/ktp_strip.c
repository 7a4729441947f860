/* Removal of metadata; the grammars are those of ktp_jpeg.c and ktp_png.c. */

#include <string.h>
#include "ktp_crc32.h"
#include "ktp_jpeg_scan.h"
#include "ktp_strip.h"


#define KTP_STRIP_APP0  0xe0
#define KTP_STRIP_APP1  0xe1
#define KTP_STRIP_APP2  0xe2
#define KTP_STRIP_APP14 0xee
#define KTP_STRIP_APP15 0xef
#define KTP_STRIP_COM   0xfe
#define KTP_STRIP_EOI   0xd9
#define KTP_STRIP_SOS   0xda

/* Bytes of the two segments that are cut, without their length. */
#define KTP_STRIP_JFIF  14
#define KTP_STRIP_ADOBE 12

#define ktp_strip_png(a, b, c, d)                                             \
    ((uint32_t) (a) << 24 | (uint32_t) (b) << 16 | (uint32_t) (c) << 8 | (d))

#define KTP_STRIP_EXIF ktp_strip_png('e', 'X', 'I', 'f')
#define KTP_STRIP_IEND ktp_strip_png('I', 'E', 'N', 'D')

/* bit 5 of the first letter: the chunk is ancillary */
#define KTP_STRIP_ANCILLARY ((uint32_t) 0x20 << 24)

enum {
    KTP_STRIP_START,
    KTP_STRIP_MARKER, /* JPEG: an FF is to come */
    KTP_STRIP_CODE,   /* after an FF */
    KTP_STRIP_LENGTH,
    KTP_STRIP_DECIDE, /* the head of a segment that may be kept */
    KTP_STRIP_SEGMENT,
    KTP_STRIP_SCAN,
    KTP_STRIP_SCAN_CODE,
    KTP_STRIP_SIGNATURE, /* PNG */
    KTP_STRIP_CHUNK,     /* length and type */
    KTP_STRIP_DATA,      /* and the CRC */
    KTP_STRIP_DONE
};

/* Exif with the orientation only; it is at KTP_STRIP_AT. */
static const unsigned char ktp_strip_exif[] = {
    'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1,
    1,   0x12, 0,   3,   0, 0, 0,   1,   0, 0,  0, 0, 0, 0, 0, 0};

#define KTP_STRIP_AT 25

/* "Exif" NUL NUL, which PNG has not. */
#define KTP_STRIP_PREFIX 6


void
ktp_strip_init(ktp_strip_t *strip, ktp_store_t *store)
{
    memset(strip, 0, sizeof(ktp_strip_t));

    strip->store = store;
    strip->state = KTP_STRIP_START;
}


/* Exif of its own, in place of one that told the orientation. */

static ktp_code_t
ktp_strip_orientation(ktp_strip_t *strip)
{
    size_t        n;
    uint32_t      crc;
    unsigned char part[sizeof(ktp_strip_exif) + 12], *p;

    /* as an image is without it */

    if (strip->orientation <= 1) {
        return KTP_OK;
    }

    n = sizeof(ktp_strip_exif);
    p = part + 4;
    memcpy(p, ktp_strip_exif, n);
    p[KTP_STRIP_AT] = (unsigned char) strip->orientation;

    if (strip->type == 0) {
        part[0] = 0xff;
        part[1] = KTP_STRIP_APP1;
        part[2] = 0;
        part[3] = (unsigned char) (n + 2);

        return ktp_store_append(strip->store, part, n + 4);
    }

    n -= KTP_STRIP_PREFIX;
    memcpy(part,
           "\0\0\0\x1a"
           "eXIf",
           8);
    memmove(part + 8, p + KTP_STRIP_PREFIX, n);
    crc = ktp_crc32(0, part + 4, n + 4);
    p = part + 8 + n;
    p[0] = (unsigned char) (crc >> 24);
    p[1] = (unsigned char) (crc >> 16);
    p[2] = (unsigned char) (crc >> 8);
    p[3] = (unsigned char) crc;

    return ktp_store_append(strip->store, part, n + 12);
}


static void
ktp_strip_exif_begin(ktp_strip_t *strip)
{
    strip->orientation = 1;
    ktp_exif_init(&strip->exif);
}


/* The part ended; what is next is told by its kind. */

static ktp_code_t
ktp_strip_end(ktp_strip_t *strip)
{
    strip->len = 0;

    if (strip->type) {
        strip->state =
            strip->type == KTP_STRIP_IEND ? KTP_STRIP_DONE : KTP_STRIP_CHUNK;

        return strip->type == KTP_STRIP_EXIF ? ktp_strip_orientation(strip)
                                             : KTP_OK;
    }

    strip->state =
        strip->marker == KTP_STRIP_SOS ? KTP_STRIP_SCAN : KTP_STRIP_MARKER;

    return strip->marker == KTP_STRIP_APP1 ? ktp_strip_orientation(strip)
                                           : KTP_OK;
}


/* A segment of n bytes is kept, of which the head has some. */

static ktp_code_t
ktp_strip_keep(ktp_strip_t *strip, uint32_t n)
{
    ktp_code_t    rc;
    unsigned char start[4];

    start[0] = 0xff;
    start[1] = (unsigned char) strip->marker;
    start[2] = (unsigned char) ((n + 2) >> 8);
    start[3] = (unsigned char) (n + 2);

    rc = ktp_store_append(strip->store, start, 4);

    return rc != KTP_OK
               ? rc
               : ktp_store_append(strip->store, strip->head, strip->len);
}


/* The head of an APPn segment is there; strip->left counts what follows. */

static ktp_code_t
ktp_strip_decide(ktp_strip_t *strip)
{
    ktp_code_t rc;

    rc = KTP_OK;
    strip->state = KTP_STRIP_SEGMENT;

    if (strip->marker == KTP_STRIP_APP0 && strip->len == KTP_STRIP_JFIF
        && memcmp(strip->head, "JFIF", 5) == 0) {

        /* its last two bytes are the dimensions of a thumbnail */

        strip->head[KTP_STRIP_JFIF - 2] = 0;
        strip->head[KTP_STRIP_JFIF - 1] = 0;
        rc = ktp_strip_keep(strip, KTP_STRIP_JFIF);

    } else if (strip->marker == KTP_STRIP_APP14
               && strip->len == KTP_STRIP_ADOBE
               && memcmp(strip->head, "Adobe", 5) == 0) {
        rc = ktp_strip_keep(strip, KTP_STRIP_ADOBE);

    } else if (strip->marker == KTP_STRIP_APP2 && strip->len == KTP_STRIP_HEAD
               && memcmp(strip->head, "ICC_PROFILE", 12) == 0) {
        strip->keep = 1;
        rc = ktp_strip_keep(strip, (uint32_t) strip->len + strip->left);
    }

    if (rc == KTP_OK && strip->left == 0) {
        rc = ktp_strip_end(strip);
    }

    return rc;
}


/* Both bytes of a segment's length are in the head. */

static ktp_code_t
ktp_strip_length(ktp_strip_t *strip)
{
    ktp_code_t rc;
    uint32_t   n;

    n = (uint32_t) strip->head[0] << 8 | strip->head[1];
    n = n < 2 ? 0 : n - 2;

    strip->len = 0;
    strip->left = n;
    strip->keep = 0;
    strip->want = 0;
    rc = KTP_OK;

    switch (strip->marker) {

    case KTP_STRIP_APP0:
    case KTP_STRIP_APP2:
        strip->want = KTP_STRIP_HEAD;
        break;

    case KTP_STRIP_APP14:
        strip->want = KTP_STRIP_ADOBE;
        break;

    case KTP_STRIP_APP1:
        ktp_strip_exif_begin(strip);
        break;

    default:
        strip->keep = !((strip->marker > KTP_STRIP_APP0
                         && strip->marker <= KTP_STRIP_APP15)
                        || strip->marker == KTP_STRIP_COM);

        if (strip->keep) {
            rc = ktp_strip_keep(strip, n);
        }
    }

    strip->state = (strip->want && n >= strip->want) ? KTP_STRIP_DECIDE
                                                     : KTP_STRIP_SEGMENT;

    if (rc == KTP_OK && n == 0) {
        rc = ktp_strip_end(strip);
    }

    return rc;
}


/* A marker's code, after an FF. */

static ktp_code_t
ktp_strip_code(ktp_strip_t *strip, unsigned char code)
{
    int           scan;
    unsigned char marker[2];

    scan = strip->state == KTP_STRIP_SCAN_CODE;

    if (code == 0xff) {
        return KTP_OK;
    }

    if (code == 0 && !scan) {
        strip->state = KTP_STRIP_MARKER;
        return KTP_OK;
    }

    marker[0] = 0xff;
    marker[1] = code;

    if (code <= 0x01 || (code >= 0xd0 && code <= 0xd9)) {
        strip->state = scan ? KTP_STRIP_SCAN : KTP_STRIP_MARKER;

        if (code == KTP_STRIP_EOI) {
            strip->state = KTP_STRIP_DONE;
        }

        return ktp_store_append(strip->store, marker, 2);
    }

    strip->marker = code;
    strip->state = KTP_STRIP_LENGTH;
    strip->len = 0;
    strip->want = 2;

    return KTP_OK;
}


static int
ktp_strip_is_kept(uint32_t type)
{
    size_t i;

    static const uint32_t kept[] = {
        ktp_strip_png('c', 'H', 'R', 'M'), ktp_strip_png('g', 'A', 'M', 'A'),
        ktp_strip_png('i', 'C', 'C', 'P'), ktp_strip_png('s', 'B', 'I', 'T'),
        ktp_strip_png('s', 'R', 'G', 'B'), ktp_strip_png('c', 'I', 'C', 'P'),
        ktp_strip_png('m', 'D', 'C', 'V'), ktp_strip_png('c', 'L', 'L', 'I'),
        ktp_strip_png('b', 'K', 'G', 'D'), ktp_strip_png('h', 'I', 'S', 'T'),
        ktp_strip_png('t', 'R', 'N', 'S'), ktp_strip_png('p', 'H', 'Y', 's')};

    if (!(type & KTP_STRIP_ANCILLARY)) {
        return 1;
    }

    for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i] == type) {
            return 1;
        }
    }

    return 0;
}


/* A chunk's length and type are in the head. */

static ktp_code_t
ktp_strip_chunk(ktp_strip_t *strip)
{
    unsigned             none;
    const unsigned char *p;

    p = strip->head;

    strip->type = ktp_strip_png(p[4], p[5], p[6], p[7]);
    strip->left = ktp_strip_png(p[0], p[1], p[2], p[3]) + 4;
    strip->keep = ktp_strip_is_kept(strip->type);
    strip->state = KTP_STRIP_DATA;

    if (strip->type == KTP_STRIP_EXIF) {
        ktp_strip_exif_begin(strip);
        ktp_exif_feed(&strip->exif, ktp_strip_exif, KTP_STRIP_PREFIX, &none);
    }

    return strip->keep ? ktp_store_append(strip->store, p, 8) : KTP_OK;
}


/* Bytes of a part, which are kept, read or removed. */

static ktp_code_t
ktp_strip_part(ktp_strip_t *strip, const unsigned char *p, size_t n)
{
    ktp_code_t rc;

    rc = KTP_OK;
    strip->left -= (uint32_t) n;

    if (strip->keep) {
        rc = ktp_store_append(strip->store, p, n);

    } else if (strip->type == KTP_STRIP_EXIF
               || (strip->type == 0 && strip->marker == KTP_STRIP_APP1)) {
        ktp_exif_feed(&strip->exif, p, n, &strip->orientation);
    }

    return (rc == KTP_OK && strip->left == 0) ? ktp_strip_end(strip) : rc;
}


/* A byte that is looked at by itself. */

static ktp_code_t
ktp_strip_byte(ktp_strip_t *strip, unsigned char c)
{
    switch (strip->state) {

    case KTP_STRIP_START:
        if (c == 0xff) {
            strip->state = KTP_STRIP_CODE;
            return KTP_OK;
        }

        strip->state = KTP_STRIP_SIGNATURE;
        strip->left = 7;

        return ktp_store_append(strip->store, &c, 1);

    case KTP_STRIP_MARKER:
        if (c == 0xff) {
            strip->state = KTP_STRIP_CODE;
        }

        return KTP_OK;

    case KTP_STRIP_CODE:
    case KTP_STRIP_SCAN_CODE:
        return ktp_strip_code(strip, c);

    case KTP_STRIP_SIGNATURE:
        if (--strip->left == 0) {
            strip->state = KTP_STRIP_CHUNK;
        }

        return ktp_store_append(strip->store, &c, 1);
    }

    /* KTP_STRIP_LENGTH, KTP_STRIP_DECIDE and KTP_STRIP_CHUNK */

    strip->head[strip->len++] = c;

    switch (strip->state) {

    case KTP_STRIP_LENGTH:
        return strip->len == 2 ? ktp_strip_length(strip) : KTP_OK;

    case KTP_STRIP_DECIDE:
        strip->left--;
        return strip->len == strip->want ? ktp_strip_decide(strip) : KTP_OK;

    default:
        return strip->len == 8 ? ktp_strip_chunk(strip) : KTP_OK;
    }
}


ktp_code_t
ktp_strip_feed(ktp_strip_t *strip, const unsigned char *p, size_t n)
{
    size_t     used;
    ktp_code_t rc;

    for (rc = KTP_OK; n && rc == KTP_OK; p += used, n -= used) {

        switch (strip->state) {

        case KTP_STRIP_DONE:
            return KTP_OK;

        case KTP_STRIP_SEGMENT:
        case KTP_STRIP_DATA:
            used = n < strip->left ? n : strip->left;
            rc = ktp_strip_part(strip, p, used);
            break;

        case KTP_STRIP_SCAN:
            used = ktp_jpeg_scan_stuffed(p, n);
            rc = ktp_store_append(strip->store, p, used);

            if (used < n) {
                strip->state = KTP_STRIP_SCAN_CODE;
                used++;
            }

            break;

        default:
            used = 1;
            rc = ktp_strip_byte(strip, *p);
        }
    }

    return rc;
}
