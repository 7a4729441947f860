/*
 * Removal of metadata from an image file as it arrives, without decoding it:
 * what a decoder needs for the same pixels, their colours and their
 * orientation is kept, and all else is removed.
 *
 *   JPEG   kept: JFIF without its thumbnail, Adobe, ICC profiles, and all
 *          segments that are neither APPn nor COM
 *   PNG    kept: critical chunks, and those of colour, transparency and
 *          pixel density
 *   both   the orientation, in an Exif part that has nothing else
 *
 * What is between the parts of a file, and behind its end, is removed too.
 */

#ifndef KTP_STRIP_H
#define KTP_STRIP_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_probe.h"
#include "ktp_store.h"


/* Bytes of a part that decide whether it is kept. */
#define KTP_STRIP_HEAD 14

typedef struct {
    ktp_store_t  *store;
    int           state;
    unsigned      keep : 1; /* the bytes of the part are passed */
    unsigned      marker;   /* of a JPEG segment */
    uint32_t      type;     /* of a PNG chunk */
    uint32_t      left;     /* bytes of the part to come */
    unsigned char head[KTP_STRIP_HEAD];
    size_t        len;
    size_t        want; /* bytes of the head */
    unsigned      orientation;
    ktp_exif_t    exif;
} ktp_strip_t;


/* store must outlive it. */
void ktp_strip_init(ktp_strip_t *strip, ktp_store_t *store);

/*
 * Appends to the store what is kept of the next n bytes, which the probe has
 * accepted; of other bytes anything is kept, but none is read twice.  Returns
 * what ktp_store_append() does.
 */
ktp_code_t ktp_strip_feed(ktp_strip_t *strip, const unsigned char *p,
                          size_t n);


#endif /* KTP_STRIP_H */
