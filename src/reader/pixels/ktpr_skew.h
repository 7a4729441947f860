/* The direction of lines of writing, from the profile of their ink. */

#ifndef KTPR_SKEW_H
#define KTPR_SKEW_H

#include "ktpr_blobs.h"


/*
 * The turn, in degrees, that makes lines of writing level: the one with the
 * spikiest profile of ink over y, within limit degrees of level.
 */
double ktpr_skew_level(const ktpr_gray_t *gray, int threshold,
                       const ktpr_blob_t *blobs, int n, double limit);

/*
 * The turn, of any from -89 to 90 degrees, that does so, where it is more
 * than limit degrees and so many times sharper than those within; or 0.  Good
 * to a degree.
 */
double ktpr_skew_turn(const ktpr_gray_t *gray, int threshold,
                      const ktpr_blob_t *blobs, int n, double limit,
                      double sharper);


#endif /* KTPR_SKEW_H */
