/*
 * Fragments: chains of blobs of like height that stand beside each other, with
 * the line they stand on.  Coordinates are those of the level page.
 */

#ifndef KTPR_FRAGMENTS_H
#define KTPR_FRAGMENTS_H

#include "ktpr_blobs.h"


typedef struct {
    ktpr_blob_t *blobs; /* from left to right */
    int          n;
    int          x0, x1;

    /* lower edge: y = bottom + slope * x; upper edge: y = top + slope * x */
    double slope, bottom, top;
    double height; /* median of its blobs' */
} ktpr_fragment_t;


/*
 * Chains blobs (sorted by x) to fragments; height is that of a capital, and
 * gap the distance from a blob to the next, in heights, at most.  The
 * fragments and copies of their blobs belong to the pool.  Their number, or
 * KTPR_NO_MEMORY.
 */
int ktpr_fragments_find(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                        double height, double gap,
                        ktpr_fragment_t **fragments);

/* Sets x0 to height from the fragment's blobs, one at least.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_fragments_fit(ktpr_pool_t *pool, ktpr_fragment_t *fragment);

/*
 * Finds the commonest height, in pixels, of blobs that have neighbours of
 * their height; 0 when no blob can be a letter.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_fragments_text(ktpr_pool_t *pool, const ktpr_blob_t *blobs,
                                  int n, double *text);


#endif /* KTPR_FRAGMENTS_H */
