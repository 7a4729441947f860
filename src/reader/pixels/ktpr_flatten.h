/*
 * Uneven light and the card's printed pattern taken away: each channel is
 * divided by its own background, which is what a morphological closing
 * leaves (darker things narrower than the window are gone).  Paper becomes
 * KTPR_PAPER, whatever its colour was; ink, dark in all three channels,
 * stays dark.
 */

#ifndef KTPR_FLATTEN_H
#define KTPR_FLATTEN_H

#include "ktpr_gray.h"
#include "ktpr_image.h"


#define KTPR_PAPER 235

typedef enum {
    KTPR_MIX_MEAN,    /* the mean of the channels: keeps the most of the ink */
    KTPR_MIX_LIGHTEST /* half of it the lightest channel: hides the pattern */
} ktpr_mix_t;

/* window is in pixels; 0 or -1 (no memory). */
int ktpr_flatten(ktpr_pool_t *pool, const ktpr_image_t *image, int window,
                 ktpr_mix_t mix, ktpr_gray_t *gray);


#endif /* KTPR_FLATTEN_H */
