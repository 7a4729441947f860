/*
 * The orientation of a photo, from its Exif segment: "Exif" NUL NUL, a TIFF
 * header, and tag 0x0112 in the first directory (TIFF 6.0, 2; JEITA CP-3451,
 * 4.6.4).  Read as it streams by, forward only, which is how it is written.
 */

#include <string.h>
#include "ktp_probe.h"


#define KTP_EXIF_HEADER      14 /* "Exif" NUL NUL, order, 42, offset */
#define KTP_EXIF_ENTRY       12
#define KTP_EXIF_ORIENTATION 0x0112
#define KTP_EXIF_SHORT       3

enum {
    KTP_EXIF_START,
    KTP_EXIF_COUNT,
    KTP_EXIF_ENTRIES,
    KTP_EXIF_DONE
};


static uint32_t
ktp_exif_short(const ktp_exif_t *exif, const unsigned char *p)
{
    return exif->big ? p[0] << 8 | p[1] : p[1] << 8 | p[0];
}


static uint32_t
ktp_exif_long(const ktp_exif_t *exif, const unsigned char *p)
{
    uint32_t first, second;

    first = ktp_exif_short(exif, p);
    second = ktp_exif_short(exif, p + 2);

    return exif->big ? first << 16 | second : second << 16 | first;
}


void
ktp_exif_init(ktp_exif_t *exif)
{
    memset(exif, 0, sizeof(*exif));

    exif->state = KTP_EXIF_START;
    exif->want = KTP_EXIF_HEADER;
}


static void
ktp_exif_start(ktp_exif_t *exif)
{
    uint32_t             offset;
    const unsigned char *tiff;

    exif->state = KTP_EXIF_DONE;

    if (memcmp(exif->buf, "Exif\0\0", 6) != 0) {
        return;
    }

    tiff = exif->buf + 6;

    if (memcmp(tiff, "MM\0\x2a", 4) == 0) {
        exif->big = 1;

    } else if (memcmp(tiff, "II\x2a\0", 4) != 0) {
        return;
    }

    /* the offset counts from the TIFF header, 8 bytes of which are read */

    offset = ktp_exif_long(exif, tiff + 4);
    if (offset < 8) {
        return;
    }

    exif->skip = offset - 8;
    exif->want = 2;
    exif->state = KTP_EXIF_COUNT;
}


static void
ktp_exif_entry(ktp_exif_t *exif, unsigned *orientation)
{
    uint32_t             value;
    const unsigned char *p;

    p = exif->buf;

    if (ktp_exif_short(exif, p) == KTP_EXIF_ORIENTATION) {
        value = ktp_exif_short(exif, p + 8);

        if (ktp_exif_short(exif, p + 2) == KTP_EXIF_SHORT
            && ktp_exif_long(exif, p + 4) == 1 && value >= 1 && value <= 8) {
            *orientation = value;
        }

        exif->state = KTP_EXIF_DONE;
        return;
    }

    if (--exif->entries == 0) {
        exif->state = KTP_EXIF_DONE;
    }
}


/* The bytes that were wanted are in exif->buf. */

static void
ktp_exif_next(ktp_exif_t *exif, unsigned *orientation)
{
    switch (exif->state) {

    case KTP_EXIF_START:
        ktp_exif_start(exif);
        break;

    case KTP_EXIF_COUNT:
        exif->entries = ktp_exif_short(exif, exif->buf);
        exif->want = KTP_EXIF_ENTRY;
        exif->state = exif->entries ? KTP_EXIF_ENTRIES : KTP_EXIF_DONE;
        break;

    case KTP_EXIF_ENTRIES:
        ktp_exif_entry(exif, orientation);
        break;
    }

    exif->len = 0;
}


void
ktp_exif_feed(ktp_exif_t *exif, const unsigned char *p, size_t n,
              unsigned *orientation)
{
    size_t k;

    while (n && exif->state != KTP_EXIF_DONE) {

        if (exif->skip) {
            k = n < exif->skip ? n : exif->skip;
            exif->skip -= k;

        } else {
            k = exif->want - exif->len;
            k = n < k ? n : k;
            memcpy(exif->buf + exif->len, p, k);
            exif->len += k;

            if (exif->len == exif->want) {
                ktp_exif_next(exif, orientation);
            }
        }

        p += k;
        n -= k;
    }
}
