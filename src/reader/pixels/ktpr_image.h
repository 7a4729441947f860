/*
 * Decoding: the bytes of a JPEG file (libjpeg-turbo, reduced while it is
 * decoded) or of a PNG file (libspng) to pixels, upright as EXIF says.
 */

#ifndef KTPR_IMAGE_H
#define KTPR_IMAGE_H

#include <stddef.h>

#include "ktpr_pool.h"
#include "ktpr_status.h"


/*
 * The longer side of a decoded image, in pixels, at most.  Text 12 pixels high
 * on a card of the largest size is still 9 pixels high.
 */
#define KTPR_MAX_SIDE 2200

/* Pixels of a file, at most; a larger one is rejected unread. */
#define KTPR_MAX_PIXELS (64 * 1000 * 1000L)

typedef struct {
    int            w, h;
    unsigned char *rgb;   /* three bytes a pixel, rows without padding */
    double         scale; /* pixels of the file to one of these, as a length */
} ktpr_image_t;


/*
 * Decodes a file; pixels belong to the pool.  A truncated file is decoded as
 * far as it goes.  KTPR_UNFIT when the file is neither a JPEG nor a PNG file,
 * is damaged, or has more than KTPR_MAX_PIXELS; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_image_decode(ktpr_pool_t *pool, const unsigned char *bytes,
                                size_t len, ktpr_image_t *image);


#endif /* KTPR_IMAGE_H */
