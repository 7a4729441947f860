/*
 * The direction of lines of writing: the turn that makes the profile of ink
 * over y sharpest.  Angles are in degrees, clockwise from level.
 */

#ifndef KTPR_SKEW_H
#define KTPR_SKEW_H

#include "ktpr_blobs.h"


/*
 * Finds the angle of lines of writing, within limit degrees of level, to a
 * tenth of a degree.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_skew_level(ktpr_pool_t *pool, const ktpr_gray_t *gray,
                              int threshold, const ktpr_blob_t *blobs, int n,
                              double limit, double *turn);

/*
 * Finds the angle of lines of writing in any direction, -89 to 90 degrees, to
 * a degree.  0 when the profile is not sharper times as sharp there as within
 * limit degrees of level.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_skew_turn(ktpr_pool_t *pool, const ktpr_gray_t *gray,
                             int threshold, const ktpr_blob_t *blobs, int n,
                             double limit, double sharper, double *turn);


#endif /* KTPR_SKEW_H */
