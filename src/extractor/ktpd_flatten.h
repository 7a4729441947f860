/*
 * Uneven light and the card's printed pattern taken away: each channel is
 * divided by its own background, which is what a morphological closing
 * leaves (darker things narrower than the window are gone).  Paper becomes
 * KTPD_PAPER, whatever its colour was; ink, dark in all three channels,
 * stays dark.
 */

#ifndef KTPD_FLATTEN_H
#define KTPD_FLATTEN_H

#include "ktpd_image.h"


#define KTPD_PAPER 235

typedef enum {
    KTPD_MIX_MEAN,    /* the mean of the channels: keeps the most of the ink */
    KTPD_MIX_LIGHTEST /* half of it the lightest channel: hides the pattern */
} ktpd_mix_t;

/* window is in pixels; 0 or -1 (no memory). */
int ktpd_flatten(ktpd_pool_t *pool, const ktpd_image_t *image, int window,
                 ktpd_mix_t mix, ktpd_gray_t *gray);


#endif /* KTPD_FLATTEN_H */
