/* A plane of grey levels: one byte a pixel, 0 (black) to 255 (white). */

#ifndef KTPR_GRAY_H
#define KTPR_GRAY_H

#include "ktpr_pool.h"


/* Rows have no padding; px belongs to the pool. */
typedef struct {
    int            w, h;
    unsigned char *px;
} ktpr_gray_t;


/* Pixels of a size, all zero; 0 or -1. */
int ktpr_gray_create(ktpr_pool_t *pool, int w, int h, ktpr_gray_t *gray);

/* Half the size, each pixel the mean of four; 0 or -1. */
int ktpr_gray_halve(ktpr_pool_t *pool, const ktpr_gray_t *src,
                    ktpr_gray_t *dst);

/* Twice a 3x3 binomial mean, against grain; 0 or -1. */
int ktpr_gray_smooth(ktpr_pool_t *pool, const ktpr_gray_t *src,
                     ktpr_gray_t *dst);


#endif /* KTPR_GRAY_H */
