/* Blobs: connected components of ink. */

#ifndef KTPR_BLOBS_H
#define KTPR_BLOBS_H

#include "ktpr_gray.h"


/*
 * Blobs of a page, at most.  No photo of a card has as many; a page of
 * newsprint has, and is not read on.
 */
#define KTPR_MAX_BLOBS 8000

typedef struct {
    int x, y, w, h;
    int area; /* pixels of ink */
} ktpr_blob_t;


/*
 * Finds blobs of pixels darker than threshold that may be a piece of writing:
 * at most max_height x max_width pixels, no speck, and not nearly empty.
 * Sorted by x, in the pool.  Their number, 0 when there are more than
 * KTPR_MAX_BLOBS, or KTPR_NO_MEMORY.
 */
int ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                    int max_height, int max_width, ktpr_blob_t **blobs);


#endif /* KTPR_BLOBS_H */
