/* Images: pixels in memory, a reduced copy of those of a file. */

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

typedef struct {
    int            w, h;
    unsigned char *rgb;   /* three bytes a pixel, rows without padding */
    double         scale; /* pixels of the file to one of these, as a length */
} ktpr_image_t;


/*
 * Sets the size of an image, its scale to 1, and allocates its pixels, which
 * belong to the pool.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_image_create(ktpr_pool_t *pool, int w, int h,
                                ktpr_image_t *image);

/* Turns an image upright by an orientation of EXIF; KTPR_NO_MEMORY. */
ktpr_status_t ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image,
                              int orientation);


#endif /* KTPR_IMAGE_H */
