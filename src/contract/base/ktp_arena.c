/* An arena whose allocations cannot fail. */

#include <stdlib.h>
#include <string.h>
#include "ktp_arena.h"


#define KTP_ARENA_ALIGN 16

struct ktp_arena_block_s {
    ktp_arena_block_t *next;
    size_t             size;
    size_t             used;
    _Alignas(KTP_ARENA_ALIGN) unsigned char data[];
};

/* before each allocation: its size */
typedef union {
    size_t size;
    _Alignas(KTP_ARENA_ALIGN) unsigned char align[KTP_ARENA_ALIGN];
} ktp_arena_head_t;


void
ktp_arena_init(ktp_arena_t *arena)
{
    arena->block = NULL;
    arena->taken = 0;
}


int
ktp_arena_reserve(ktp_arena_t *arena, size_t total)
{
    size_t             size;
    ktp_arena_block_t *block;

    if (total <= arena->taken) {
        return 0;
    }

    size = total - arena->taken;
    block = arena->block;

    if (block && block->size - block->used >= size) {
        return 0;
    }

    block = malloc(sizeof(ktp_arena_block_t) + size);
    if (block == NULL) {
        return -1;
    }

    block->size = size;
    block->used = 0;
    block->next = arena->block;
    arena->block = block;

    return 0;
}


void *
ktp_arena_alloc(ktp_arena_t *arena, size_t size)
{
    size_t             need;
    ktp_arena_head_t  *head;
    ktp_arena_block_t *block;

    block = arena->block;

    need = sizeof(ktp_arena_head_t)
           + (size + KTP_ARENA_ALIGN - 1) / KTP_ARENA_ALIGN * KTP_ARENA_ALIGN;

    if (block == NULL || block->size - block->used < need) {
        abort();
    }

    head = (ktp_arena_head_t *) (block->data + block->used);
    head->size = size;
    block->used += need;
    arena->taken += need;

    return head + 1;
}


void *
ktp_arena_realloc(ktp_arena_t *arena, void *p, size_t size)
{
    void *new;
    size_t old;

    new = ktp_arena_alloc(arena, size);

    if (p) {
        old = ((ktp_arena_head_t *) p - 1)->size;
        memcpy(new, p, old < size ? old : size);
    }

    return new;
}


void
ktp_arena_destroy(ktp_arena_t *arena)
{
    ktp_arena_block_t *block;

    while (arena->block) {
        block = arena->block;
        arena->block = block->next;
        explicit_bzero(block->data, block->used);
        free(block);
    }
}
