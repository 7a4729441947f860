/* Blobs: connected components of ink. */

#ifndef KTPR_BLOBS_H
#define KTPR_BLOBS_H

#include "ktpr_gray.h"


/* No card has more; a page of newsprint does, and is not read on. */
#define KTPR_MAX_BLOBS 8000

typedef struct {
    int x, y, w, h;
    int area; /* pixels of ink */
} ktpr_blob_t;


/*
 * Blobs of what is darker than threshold and looks like a piece of writing:
 * 4 to max_height pixels high, not nearly empty.  Sorted by x.  How many, 0
 * when there are more than KTPR_MAX_BLOBS, or -1 when memory is short.
 */
int ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                    int max_height, int max_width, ktpr_blob_t **blobs);


#endif /* KTPR_BLOBS_H */
