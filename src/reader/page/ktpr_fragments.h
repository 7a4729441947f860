/*
 * Fragments: chains of blobs of like height that stand beside each other, with
 * the line they stand on.
 */

#ifndef KTPR_FRAGMENTS_H
#define KTPR_FRAGMENTS_H

#include "ktpr_blobs.h"


typedef struct {
    ktpr_blob_t *blobs; /* from left to right */
    int          n;
    int          x0, x1;

    /* its lower edge is y = bottom + slope * x, its upper one top + ... */
    double slope, bottom, top, height;
} ktpr_fragment_t;


/* The commonest height of blobs that have a neighbour of their height. */
double ktpr_fragments_text(ktpr_pool_t *pool, ktpr_blob_t *blobs, int n);

/*
 * Chains blobs (sorted by x) to fragments; height is that of capitals, gap
 * how far apart neighbours may be in heights.  How many, or -1.
 */
int ktpr_fragments_find(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                        double height, double gap,
                        ktpr_fragment_t **fragments);

/* Fits slope, bottom, top and height to the fragment's blobs. */
void ktpr_fragments_fit(ktpr_fragment_t *fragment);


#endif /* KTPR_FRAGMENTS_H */
