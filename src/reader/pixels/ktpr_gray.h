/* A plane of grey levels: one byte a pixel, 0 (black) to 255 (white). */

#ifndef KTPR_GRAY_H
#define KTPR_GRAY_H

#include "ktpr_pool.h"
#include "ktpr_status.h"


/* Rows have no padding; px belongs to the pool. */
typedef struct {
    int            w, h;
    unsigned char *px;
} ktpr_gray_t;


/* Allocates w x h pixels, all zero.  KTPR_NO_MEMORY. */
ktpr_status_t ktpr_gray_create(ktpr_pool_t *pool, int w, int h,
                               ktpr_gray_t *gray);

/*
 * Creates dst at half the size of src; each pixel is the mean of four.
 * KTPR_UNFIT when src is less than two pixels wide or high; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_gray_halve(ktpr_pool_t *pool, const ktpr_gray_t *src,
                              ktpr_gray_t *dst);

/*
 * Creates dst as src without its grain: a 3x3 binomial filter, applied twice.
 * The outermost pixels are copied.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_gray_smooth(ktpr_pool_t *pool, const ktpr_gray_t *src,
                               ktpr_gray_t *dst);


#endif /* KTPR_GRAY_H */
