/*
 * Ink to blobs (connected components), blobs to fragments: chains of blobs
 * of like height that stand beside each other, with the line they stand on.
 */

#ifndef KTPR_FRAGMENTS_H
#define KTPR_FRAGMENTS_H

#include "ktpr_warp.h"


/* No card has more; a page of newsprint does, and is not read on. */
#define KTPR_MAX_BLOBS 8000

typedef struct {
    int x, y, w, h;
    int area; /* pixels of ink */
} ktpr_blob_t;

typedef struct {
    ktpr_blob_t *blobs; /* from left to right */
    int          n;
    int          x0, x1;

    /* its lower edge is y = bottom + slope * x, its upper one top + ... */
    double slope, bottom, top, height;
} ktpr_fragment_t;


/*
 * Blobs of what is darker than threshold and looks like a piece of writing:
 * 4 to max_height pixels high, not nearly empty.  Sorted by x.  How many, 0
 * when there are more than KTPR_MAX_BLOBS, or -1 when memory is short.
 */
int ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                    int max_height, int max_width, ktpr_blob_t **blobs);

/*
 * The turn, in degrees, that makes lines of writing level: the one with the
 * spikiest profile of ink over y, within limit degrees of level.
 */
double ktpr_blobs_skew(const ktpr_gray_t *gray, int threshold,
                       const ktpr_blob_t *blobs, int n, double limit);

/*
 * The turn, of any from -89 to 90 degrees, that does so, where it is more
 * than limit degrees and so many times sharper than those within; or 0.  Good
 * to a degree.
 */
double ktpr_blobs_turn(const ktpr_gray_t *gray, int threshold,
                       const ktpr_blob_t *blobs, int n, double limit,
                       double sharper);

/* The commonest height of blobs that have a neighbour of their height. */
double ktpr_blobs_height(ktpr_pool_t *pool, ktpr_blob_t *blobs, int n);

/*
 * Chains blobs (sorted by x) to fragments; height is that of capitals, gap
 * how far apart neighbours may be in heights.  How many, or -1.
 */
int ktpr_fragments_find(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                        double height, double gap,
                        ktpr_fragment_t **fragments);

/* Fits slope, bottom, top and height to the fragment's blobs. */
void ktpr_fragment_fit(ktpr_fragment_t *fragment);

/* The middle one (lower of two) of n numbers, which it reorders; n > 0. */
double ktpr_median(double *v, int n);


#endif /* KTPR_FRAGMENTS_H */
