/* Resampling: an image or a plane seen through a map, or made smaller. */

#ifndef KTPR_WARP_H
#define KTPR_WARP_H

#include "ktpr_gray.h"
#include "ktpr_image.h"
#include "ktpr_map.h"


/*
 * Fills dst: its pixel (x, y) is src at map(x, y), by cubic interpolation
 * when smooth is set and linear when not.  Outside src its border goes on.
 */
void ktpr_warp_gray(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
                    ktpr_gray_t *dst);

/* dst's pixel (x, y) is src at map(x, y), linearly between pixels; 0 or -1. */
int ktpr_warp_image(ktpr_pool_t *pool, const ktpr_image_t *src,
                    const ktpr_map_t *map, int w, int h, ktpr_image_t *dst);

/* The mean over each pixel's share of src; w and h at most src's; 0 or -1. */
int ktpr_warp_reduce(ktpr_pool_t *pool, const ktpr_image_t *src, int w, int h,
                     ktpr_image_t *dst);


#endif /* KTPR_WARP_H */
