/*
 * Memory for a library that does not check what its allocator returns.  Room
 * is asked for beforehand, where a failure can be handled; what is taken
 * from it cannot fail then, and goes when the arena goes.
 */

#ifndef KTP_ARENA_H
#define KTP_ARENA_H

#include <stddef.h>


typedef struct ktp_arena_block_s ktp_arena_block_t;

typedef struct {
    ktp_arena_block_t *block; /* the newest; older ones behind it */
    size_t             taken; /* bytes in all */
} ktp_arena_t;


void ktp_arena_init(ktp_arena_t *arena);

/*
 * Sees to it that bytes can be taken until they are total in all, counted
 * from the beginning, with 16 to 31 more an allocation; -1 without memory.
 */
int ktp_arena_reserve(ktp_arena_t *arena, size_t total);

/* Never NULL; aborts where more is taken than was reserved. */
void *ktp_arena_alloc(ktp_arena_t *arena, size_t size);
void *ktp_arena_realloc(ktp_arena_t *arena, void *p, size_t size);

void ktp_arena_destroy(ktp_arena_t *arena);


#endif /* KTP_ARENA_H */
