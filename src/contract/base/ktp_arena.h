/*
 * Memory for a library that does not check the result of its allocator.
 * Memory is reserved beforehand, where a failure can be handled; allocations
 * from it cannot fail, and are freed together with the arena.
 */

#ifndef KTP_ARENA_H
#define KTP_ARENA_H

#include <stddef.h>


typedef struct ktp_arena_block_s ktp_arena_block_t;

typedef struct {
    ktp_arena_block_t *block; /* the newest, linked to the older ones */
    size_t             taken; /* bytes in all */
} ktp_arena_t;


void ktp_arena_init(ktp_arena_t *arena);

/*
 * Reserves memory for allocations of total bytes, counted from the creation
 * of the arena.  Each allocation takes 16 to 31 bytes more than its size.
 * Returns 0, or -1 if there is no memory.
 */
int ktp_arena_reserve(ktp_arena_t *arena, size_t total);

/* Never return NULL; abort the process if the reserved size is exceeded. */
void *ktp_arena_alloc(ktp_arena_t *arena, size_t size);
void *ktp_arena_realloc(ktp_arena_t *arena, void *p, size_t size);

/* Wipes and frees all allocations. */
void ktp_arena_destroy(ktp_arena_t *arena);


#endif /* KTP_ARENA_H */
