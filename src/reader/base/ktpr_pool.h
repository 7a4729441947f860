/*
 * The memory of one image's reading: allocated piece by piece, freed at
 * once, and limited, so that no file makes a worker grow.
 */

#ifndef KTPR_POOL_H
#define KTPR_POOL_H

#include <stddef.h>


typedef struct ktpr_pool_s ktpr_pool_t;


/*
 * A pool of at most ceiling bytes, not counting its own bookkeeping; NULL
 * when memory is short.
 */
ktpr_pool_t *ktpr_pool_create(size_t ceiling);

/*
 * Zeroed memory for n items of size bytes, aligned for any type, valid until
 * the next reset.  NULL over the ceiling, when memory is short, or when
 * n * size overflows; ktpr_pool_failed() is true from then on.
 */
void *ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size);

/*
 * Whether an allocation has failed since the last reset.  A reading in which
 * one has is no answer, whatever was read of the card without it.
 */
int ktpr_pool_failed(const ktpr_pool_t *pool);

/* Sets ktpr_pool_failed(), for a step that failed without an allocation. */
void ktpr_pool_fail(ktpr_pool_t *pool);

/* Frees one piece before the others; NULL is allowed. */
void ktpr_pool_free(ktpr_pool_t *pool, void *p);

/* Frees all pieces. */
void ktpr_pool_reset(ktpr_pool_t *pool);

/* Frees the pool with its pieces; NULL is allowed. */
void ktpr_pool_destroy(ktpr_pool_t *pool);


#endif /* KTPR_POOL_H */
