/* The image in memory: a chain of chunks. */

#include <stdlib.h>
#include <string.h>
#include "ktp_store.h"


static ktp_chunk_t *
ktp_store_alloc(const ktp_store_t *st)
{
    if (st->chunks) {
        return st->chunks->alloc(st->chunks->ctx);
    }

    return malloc(sizeof(ktp_chunk_t) + st->room);
}


static void
ktp_store_release(const ktp_store_t *st, ktp_chunk_t *chunk)
{
    if (st->chunks) {
        st->chunks->free(st->chunks->ctx, chunk);
        return;
    }

    free(chunk);
}


void
ktp_store_init(ktp_store_t *st, const ktp_chunks_t *chunks, size_t max)
{
    st->chunks = chunks;
    st->first = NULL;
    st->last = NULL;
    st->room = chunks ? chunks->size : KTP_CHUNK_SIZE;
    st->size = 0;
    st->max = max;
}


unsigned char *
ktp_store_reserve(ktp_store_t *st, size_t *avail)
{
    ktp_chunk_t *chunk;

    chunk = st->last;

    if (chunk == NULL || chunk->len == st->room) {
        chunk = ktp_store_alloc(st);
        if (chunk == NULL) {
            return NULL;
        }

        chunk->next = NULL;
        chunk->len = 0;

        if (st->last) {
            st->last->next = chunk;

        } else {
            st->first = chunk;
        }

        st->last = chunk;
    }

    *avail = st->room - chunk->len;

    return chunk->data + chunk->len;
}


ktp_code_t
ktp_store_commit(ktp_store_t *st, size_t n)
{
    if (n > st->max - st->size) {
        return KTP_INVALID_PAYLOAD_IMAGE_SIZE;
    }

    st->last->len += n;
    st->size += n;

    return KTP_OK;
}


int
ktp_store_is_room(const ktp_store_t *st, const unsigned char *p)
{
    const ktp_chunk_t *chunk;

    chunk = st->last;

    return chunk && chunk->len < st->room && p == chunk->data + chunk->len;
}


ktp_code_t
ktp_store_append(ktp_store_t *st, const unsigned char *p, size_t n)
{
    size_t         avail;
    unsigned char *room;

    if (n > st->max - st->size) {
        return KTP_INVALID_PAYLOAD_IMAGE_SIZE;
    }

    while (n) {
        room = ktp_store_reserve(st, &avail);
        if (room == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }

        if (avail > n) {
            avail = n;
        }

        memcpy(room, p, avail);
        (void) ktp_store_commit(st, avail);

        p += avail;
        n -= avail;
    }

    return KTP_OK;
}


void
ktp_store_shift(ktp_store_t *st)
{
    ktp_chunk_t *chunk;

    chunk = st->first;
    if (chunk == NULL) {
        return;
    }

    st->first = chunk->next;
    if (st->first == NULL) {
        st->last = NULL;
    }

    ktp_store_release(st, chunk);
}


void
ktp_store_free(ktp_store_t *st)
{
    while (st->first) {
        ktp_store_shift(st);
    }

    st->size = 0;
}
