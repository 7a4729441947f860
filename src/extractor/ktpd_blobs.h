/*
 * Ink to blobs (connected components), blobs to fragments: chains of blobs
 * of like height that stand beside each other, with the line they stand on.
 */

#ifndef KTPD_BLOBS_H
#define KTPD_BLOBS_H

#include "ktpd_warp.h"


/* No card has more; a page of newsprint does, and is not read on. */
#define KTPD_MAX_BLOBS 8000

typedef struct {
    int x, y, w, h;
    int area; /* pixels of ink */
} ktpd_blob_t;

typedef struct {
    ktpd_blob_t *blobs; /* from left to right */
    int          n;
    int          x0, x1;

    /* its lower edge is y = bottom + slope * x, its upper one top + ... */
    double slope, bottom, top, height;
} ktpd_fragment_t;


/*
 * Blobs of what is darker than threshold and looks like a piece of writing:
 * 4 to max_height pixels high, not nearly empty.  Sorted by x.  How many, 0
 * when there are more than KTPD_MAX_BLOBS, or -1 when memory is short.
 */
int ktpd_blobs_find(ktpd_pool_t *pool, const ktpd_gray_t *gray, int threshold,
                    int max_height, int max_width, ktpd_blob_t **blobs);

/*
 * The turn, in degrees, that makes lines of writing level: the one with the
 * spikiest profile of ink over y, within limit degrees of level.
 */
double ktpd_blobs_skew(const ktpd_gray_t *gray, int threshold,
                       const ktpd_blob_t *blobs, int n, double limit);

/*
 * The turn, of any from -89 to 90 degrees, that does so, where it is more
 * than limit degrees and so many times sharper than those within; or 0.  Good
 * to a degree.
 */
double ktpd_blobs_turn(const ktpd_gray_t *gray, int threshold,
                       const ktpd_blob_t *blobs, int n, double limit,
                       double sharper);

/* The commonest height of blobs that have a neighbour of their height. */
double ktpd_blobs_height(ktpd_pool_t *pool, ktpd_blob_t *blobs, int n);

/*
 * Chains blobs (sorted by x) to fragments; height is that of capitals, gap
 * how far apart neighbours may be in heights.  How many, or -1.
 */
int ktpd_fragments_find(ktpd_pool_t *pool, const ktpd_blob_t *blobs, int n,
                        double height, double gap,
                        ktpd_fragment_t **fragments);

/* Fits slope, bottom, top and height to the fragment's blobs. */
void ktpd_fragment_fit(ktpd_fragment_t *fragment);

/* The middle one (lower of two) of n numbers, which it reorders; n > 0. */
double ktpd_median(double *v, int n);


#endif /* KTPD_BLOBS_H */
