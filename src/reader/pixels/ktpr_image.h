/*
 * From the bytes of a file to pixels: JPEG (libjpeg-turbo, decoded at a
 * reduced size at once) and PNG (libspng), turned upright as EXIF says.
 */

#ifndef KTPR_IMAGE_H
#define KTPR_IMAGE_H

#include <stddef.h>

#include "ktpr_pool.h"


/* Text of 12 pixels' height on a whole card is still 9 after this. */
#define KTPR_MAX_SIDE   2200
#define KTPR_MAX_PIXELS (64 * 1000 * 1000L)

typedef struct {
    int            w, h;
    unsigned char *rgb;   /* three bytes a pixel, rows without padding */
    double         scale; /* pixels of the file that one of these stands for */
} ktpr_image_t;

/*
 * Decodes; the longer side is at most KTPR_MAX_SIDE afterwards.  Pixels
 * belong to the pool.  0, or -1 when the file is neither a JPEG nor a PNG
 * that decodes, has more than KTPR_MAX_PIXELS, or memory is short.  A file
 * that is cut off decodes as far as it goes.
 */
int ktpr_image_decode(ktpr_pool_t *pool, const unsigned char *bytes,
                      size_t len, ktpr_image_t *image);


#endif /* KTPR_IMAGE_H */
