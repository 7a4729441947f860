#include <stdint.h>
#include <stdlib.h>

#include "ktpd_pool.h"


typedef struct ktpd_piece_s ktpd_piece_t;

struct ktpd_piece_s {
    ktpd_piece_t *next;
    ktpd_piece_t *prev;
    size_t        size;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct ktpd_pool_s {
    ktpd_piece_t *pieces;
    size_t        used;
    size_t        ceiling;
};


ktpd_pool_t *
ktpd_pool_create(size_t ceiling)
{
    ktpd_pool_t *pool;

    pool = calloc(1, sizeof(ktpd_pool_t));
    if (pool != NULL) {
        pool->ceiling = ceiling;
    }

    return pool;
}


void *
ktpd_pool_alloc(ktpd_pool_t *pool, size_t n, size_t size)
{
    ktpd_piece_t *piece;

    if (size != 0 && n > (pool->ceiling - pool->used) / size) {
        return NULL;
    }

    size *= n;

    piece = calloc(1, sizeof(ktpd_piece_t) + size);
    if (piece == NULL) {
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
ktpd_pool_free(ktpd_pool_t *pool, void *p)
{
    ktpd_piece_t *piece;

    if (p == NULL) {
        return;
    }

    piece = (ktpd_piece_t *) (void *) ((unsigned char *) p
                                       - offsetof(ktpd_piece_t, bytes));

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
ktpd_pool_reset(ktpd_pool_t *pool)
{
    while (pool->pieces != NULL) {
        ktpd_pool_free(pool, pool->pieces->bytes);
    }
}


void
ktpd_pool_destroy(ktpd_pool_t *pool)
{
    if (pool != NULL) {
        ktpd_pool_reset(pool);
        free(pool);
    }
}
