/*
 * Memory of one image's reading: given out piece by piece, freed at once,
 * and never more than a ceiling, so that no file makes a worker grow.
 */

#ifndef KTPD_POOL_H
#define KTPD_POOL_H

#include <stddef.h>


typedef struct ktpd_pool_s ktpd_pool_t;


/* A pool that gives out at most ceiling bytes; NULL with no memory. */
ktpd_pool_t *ktpd_pool_create(size_t ceiling);

/*
 * Zeroed memory, aligned for any type, valid until the next reset; NULL over
 * the ceiling, with no memory, or when n * size overflows.
 */
void *ktpd_pool_alloc(ktpd_pool_t *pool, size_t n, size_t size);

/* Gives one piece back early; NULL is allowed. */
void ktpd_pool_free(ktpd_pool_t *pool, void *p);

void ktpd_pool_reset(ktpd_pool_t *pool);
void ktpd_pool_destroy(ktpd_pool_t *pool);


#endif /* KTPD_POOL_H */
