/* Resampling: an image or a grey plane seen through a map, or reduced. */

#ifndef KTPR_WARP_H
#define KTPR_WARP_H

#include "ktpr_gray.h"
#include "ktpr_image.h"
#include "ktpr_map.h"


/*
 * Fills dst, whose size is set: its pixel (x, y) is src at map(x, y), by cubic
 * interpolation when smooth is set and by linear interpolation otherwise.
 * Beyond the border of src its outermost pixels repeat.
 */
void ktpr_warp_gray(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
                    ktpr_gray_t *dst);

/* The same for a new image of w x h pixels, linearly.  KTPR_NO_MEMORY. */
ktpr_status_t ktpr_warp_image(ktpr_pool_t *pool, const ktpr_image_t *src,
                              const ktpr_map_t *map, int w, int h,
                              ktpr_image_t *dst);

/*
 * Reduces src to w x h pixels, at least 1 and at most those of src: each is
 * the mean over its share of src.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_warp_reduce(ktpr_pool_t *pool, const ktpr_image_t *src,
                               int w, int h, ktpr_image_t *dst);


#endif /* KTPR_WARP_H */
