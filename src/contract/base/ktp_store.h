/*
 * The image of one request in memory: a chain of chunks that grows as bytes
 * arrive.  There is one copy of the image, decoded, and it is here.
 */

#ifndef KTP_STORE_H
#define KTP_STORE_H

#include <stddef.h>
#include "ktp_error.h"
#include "ktp_limits.h"


typedef struct ktp_chunk_s ktp_chunk_t;

struct ktp_chunk_s {
    ktp_chunk_t  *next;
    size_t        len; /* bytes filled */
    unsigned char data[];
};

/*
 * Where chunks come from.  alloc returns sizeof(ktp_chunk_t) + size bytes,
 * or NULL when there is no memory; both get ctx.  NULL in place of the whole
 * struct means malloc and free, and KTP_CHUNK_SIZE.
 */
typedef struct {
    size_t size; /* bytes of an image that a chunk takes */
    ktp_chunk_t *(*alloc)(void *ctx);
    void (*free)(void *ctx, ktp_chunk_t *chunk);
    void *ctx;
} ktp_chunks_t;

typedef struct {
    const ktp_chunks_t *chunks;
    ktp_chunk_t        *first;
    ktp_chunk_t        *last;
    size_t              room; /* bytes that a chunk takes */
    size_t              size; /* bytes appended in all */
    size_t              max;  /* ceiling of size */
} ktp_store_t;


/* An empty store that takes at most max bytes.  chunks must outlive it. */
void ktp_store_init(ktp_store_t *st, const ktp_chunks_t *chunks, size_t max);

/*
 * Room at the end: *avail is set to the bytes that can be written at the
 * returned address, at least 1, followed by ktp_store_commit() with what was
 * written.  NULL: no memory.  The ceiling is checked by commit.
 */
unsigned char *ktp_store_reserve(ktp_store_t *st, size_t *avail);

/*
 * Takes n bytes that were written to the reserved room.
 * KTP_INVALID_PAYLOAD_IMAGE_SIZE when the ceiling is passed.
 */
ktp_code_t ktp_store_commit(ktp_store_t *st, size_t n);

/* Whether p is the address that ktp_store_reserve() would return. */
int ktp_store_is_room(const ktp_store_t *st, const unsigned char *p);

/*
 * Appends a copy.  KTP_INVALID_PAYLOAD_IMAGE_SIZE over the ceiling,
 * KTP_INTERNAL_SERVER_ERROR without memory.
 */
ktp_code_t ktp_store_append(ktp_store_t *st, const unsigned char *p, size_t n);

/* Gives the first chunk back to where it came from; size does not change. */
void ktp_store_shift(ktp_store_t *st);

/* Gives every chunk back and empties the store; may be called again. */
void ktp_store_free(ktp_store_t *st);


#endif /* KTP_STORE_H */
