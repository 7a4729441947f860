/* Images: pixels in memory, a reduced copy of a file's, or of a part of it. */

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
    double         x, y;  /* of its upper left corner in the file */
} ktpr_image_t;

/* A part of an image or of a file, in its pixels. */
typedef struct {
    int x, y, w, h;
} ktpr_area_t;


/*
 * Sets the size of an image, its scale to 1 and its corner to 0, and allocates
 * its pixels, which belong to the pool.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_image_create(ktpr_pool_t *pool, int w, int h,
                                ktpr_image_t *image);

/*
 * Where an area of the upright file, NULL for all of it, is in a file that has
 * w x h pixels as stored: what of it is in the file, at least one pixel.
 */
ktpr_area_t ktpr_image_stored(const ktpr_area_t *upright, int w, int h,
                              int orientation);

/*
 * Turns an image upright by an orientation of EXIF; its corner is left.
 * KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image,
                              int orientation);


#endif /* KTPR_IMAGE_H */
