#include <stdint.h>
#include <stdlib.h>

#include "ktpr_pool.h"


typedef struct ktpr_piece_s ktpr_piece_t;

struct ktpr_piece_s {
    ktpr_piece_t *next;
    ktpr_piece_t *prev;
    size_t        size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct ktpr_pool_s {
    ktpr_piece_t *pieces;
    size_t        used;
    size_t        ceiling;
    unsigned      failed : 1;
};


ktpr_pool_t *
ktpr_pool_create(size_t ceiling)
{
    ktpr_pool_t *pool;

    pool = calloc(1, sizeof(ktpr_pool_t));
    if (pool != NULL) {
        pool->ceiling = ceiling;
    }

    return pool;
}


void *
ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size)
{
    ktpr_piece_t *piece;

    piece = NULL;

    if (size == 0 || n <= (pool->ceiling - pool->used) / size) {
        size *= n;
        piece = calloc(1, sizeof(ktpr_piece_t) + size);
    }

    if (piece == NULL) {
        pool->failed = 1;
        return NULL;
    }

    piece->size = size;
    piece->next = pool->pieces;
    if (piece->next != NULL) {
        piece->next->prev = piece;
    }

    pool->pieces = piece;
    pool->used += size;

    return piece->bytes;
}


void
ktpr_pool_free(ktpr_pool_t *pool, void *p)
{
    ktpr_piece_t *piece;

    if (p == NULL) {
        return;
    }

    piece = (ktpr_piece_t *) (void *) ((unsigned char *) p
                                       - offsetof(ktpr_piece_t, bytes));

    if (piece->prev != NULL) {
        piece->prev->next = piece->next;

    } else {
        pool->pieces = piece->next;
    }

    if (piece->next != NULL) {
        piece->next->prev = piece->prev;
    }

    pool->used -= piece->size;
    free(piece);
}


void
ktpr_pool_reset(ktpr_pool_t *pool)
{
    while (pool->pieces != NULL) {
        ktpr_pool_free(pool, pool->pieces->bytes);
    }

    pool->failed = 0;
}


void
ktpr_pool_fail(ktpr_pool_t *pool)
{
    pool->failed = 1;
}


int
ktpr_pool_failed(const ktpr_pool_t *pool)
{
    return pool->failed;
}


void
ktpr_pool_destroy(ktpr_pool_t *pool)
{
    if (pool != NULL) {
        ktpr_pool_reset(pool);
        free(pool);
    }
}
