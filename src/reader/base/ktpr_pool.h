/*
 * Memory of one image's reading: given out piece by piece, freed at once,
 * and never more than a ceiling, so that no file makes a worker grow.
 */

#ifndef KTPR_POOL_H
#define KTPR_POOL_H

#include <stddef.h>


typedef struct ktpr_pool_s ktpr_pool_t;


/* A pool that gives out at most ceiling bytes; NULL with no memory. */
ktpr_pool_t *ktpr_pool_create(size_t ceiling);

/*
 * Zeroed memory, aligned for any type, valid until the next reset; NULL over
 * the ceiling, with no memory, or when n * size overflows.
 */
void *ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size);

/* Gives one piece back early; NULL is allowed. */
void ktpr_pool_free(ktpr_pool_t *pool, void *p);

void ktpr_pool_reset(ktpr_pool_t *pool);
void ktpr_pool_destroy(ktpr_pool_t *pool);


#endif /* KTPR_POOL_H */
