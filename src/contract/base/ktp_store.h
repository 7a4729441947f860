/*
 * The decoded image of a request in memory: a chain of chunks that grows as
 * bytes arrive.  No other copy of the image is made.
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
 * The allocator of chunks.  alloc returns sizeof(ktp_chunk_t) + size bytes,
 * or NULL if there is no memory; both functions get ctx.  NULL in place of
 * the struct selects malloc(), free() and KTP_CHUNK_SIZE.
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
 * Reserves room at the end.  Sets *avail to the number of bytes that can be
 * written to the returned address, at least 1; ktp_store_commit() is called
 * with the number written, and checks the maximum size.  Returns NULL if
 * there is no memory.
 */
unsigned char *ktp_store_reserve(ktp_store_t *st, size_t *avail);

/*
 * Appends n bytes that were written to the reserved room.  Returns
 * KTP_INVALID_PAYLOAD_IMAGE_SIZE if the maximum size is exceeded.
 */
ktp_code_t ktp_store_commit(ktp_store_t *st, size_t n);

/* Whether p is the address that ktp_store_reserve() would return. */
int ktp_store_is_room(const ktp_store_t *st, const unsigned char *p);

/*
 * Appends a copy of n bytes.  Returns KTP_INVALID_PAYLOAD_IMAGE_SIZE if the
 * maximum size is exceeded, KTP_INTERNAL_SERVER_ERROR if there is no memory.
 */
ktp_code_t ktp_store_append(ktp_store_t *st, const unsigned char *p, size_t n);

/* Frees the first chunk; size does not change. */
void ktp_store_shift(ktp_store_t *st);

/* Frees all chunks and empties the store; may be called again. */
void ktp_store_free(ktp_store_t *st);


#endif /* KTP_STORE_H */
