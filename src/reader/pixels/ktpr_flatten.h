/*
 * Flattening: removes uneven light and the printed pattern of the card.  Each
 * channel is divided by its own background, a morphological closing (which
 * removes what is darker and narrower than its window).  Paper becomes
 * KTPR_PAPER, whatever its colour; ink, dark in all three channels, stays
 * dark.
 */

#ifndef KTPR_FLATTEN_H
#define KTPR_FLATTEN_H

#include "ktpr_gray.h"
#include "ktpr_image.h"


/* Grey level of paper in a flattened plane. */
#define KTPR_PAPER 235

typedef enum {
    KTPR_MIX_MEAN,    /* mean of the channels: keeps most of the ink */
    KTPR_MIX_LIGHTEST /* half of it the lightest channel: hides the pattern */
} ktpr_mix_t;


/*
 * Creates gray from image; window is the width of the closing, in pixels of
 * the image.  KTPR_UNFIT when the image is too small for the window;
 * KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_flatten(ktpr_pool_t *pool, const ktpr_image_t *image,
                           int window, ktpr_mix_t mix, ktpr_gray_t *gray);


#endif /* KTPR_FLATTEN_H */
