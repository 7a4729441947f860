#include "ngx_http_ktp_chunks.h"
#include <sys/mman.h>


/* Size and alignment of a slab: masking a chunk's address yields its slab. */
#define NGX_HTTP_KTP_SLAB_SIZE (1024 * 1024)

/* Space of a slab that is left for chunks. */
#define NGX_HTTP_KTP_SLAB_ROOM                                                \
    (NGX_HTTP_KTP_SLAB_SIZE - sizeof(ngx_http_ktp_slab_t))

/* Sizes of chunks with their headers: a slab has 4 large or 128 small ones. */
#define NGX_HTTP_KTP_LARGE_CHUNK (NGX_HTTP_KTP_SLAB_ROOM / 4 & ~15)
#define NGX_HTTP_KTP_SMALL_CHUNK (NGX_HTTP_KTP_SLAB_ROOM / 128 & ~15)

/* Free slabs that a worker keeps for a burst of uploads. */
#define NGX_HTTP_KTP_SPARE_SLABS 16


/* Chunks of one size. */
typedef struct {
    size_t      chunk;   /* bytes, with the head */
    ngx_queue_t partial; /* slabs in use that have a free chunk */
    ngx_queue_t spare;   /* slabs without chunks in use */
    ngx_uint_t  nspare;
} ngx_http_ktp_slabs_t;

typedef struct {
    ngx_queue_t  queue; /* in either queue, while the slab has a free chunk */
    ktp_chunk_t *free;
    ngx_uint_t   used;
} ngx_http_ktp_slab_t;


static ktp_chunk_t *ngx_http_ktp_chunks_alloc(void *ctx);
static void         ngx_http_ktp_chunks_free(void *ctx, ktp_chunk_t *chunk);
static ngx_http_ktp_slab_t *
ngx_http_ktp_chunks_slab_get(ngx_http_ktp_slabs_t *slabs);
static ngx_http_ktp_slab_t *ngx_http_ktp_chunks_slab_create(size_t size);


static ngx_http_ktp_slabs_t ngx_http_ktp_large_slabs = {
    NGX_HTTP_KTP_LARGE_CHUNK,
    {&ngx_http_ktp_large_slabs.partial, &ngx_http_ktp_large_slabs.partial},
    {&ngx_http_ktp_large_slabs.spare, &ngx_http_ktp_large_slabs.spare},
    0};

static ngx_http_ktp_slabs_t ngx_http_ktp_small_slabs = {
    NGX_HTTP_KTP_SMALL_CHUNK,
    {&ngx_http_ktp_small_slabs.partial, &ngx_http_ktp_small_slabs.partial},
    {&ngx_http_ktp_small_slabs.spare, &ngx_http_ktp_small_slabs.spare},
    0};

const ktp_chunks_t ngx_http_ktp_chunks_large = {
    NGX_HTTP_KTP_LARGE_CHUNK - sizeof(ktp_chunk_t), ngx_http_ktp_chunks_alloc,
    ngx_http_ktp_chunks_free, &ngx_http_ktp_large_slabs};

const ktp_chunks_t ngx_http_ktp_chunks_small = {
    NGX_HTTP_KTP_SMALL_CHUNK - sizeof(ktp_chunk_t), ngx_http_ktp_chunks_alloc,
    ngx_http_ktp_chunks_free, &ngx_http_ktp_small_slabs};


static ktp_chunk_t *
ngx_http_ktp_chunks_alloc(void *ctx)
{
    ngx_http_ktp_slabs_t *slabs = ctx;

    ktp_chunk_t         *chunk;
    ngx_http_ktp_slab_t *slab;

    if (ngx_queue_empty(&slabs->partial)) {
        slab = ngx_http_ktp_chunks_slab_get(slabs);
        if (slab == NULL) {
            return NULL;
        }

        ngx_queue_insert_head(&slabs->partial, &slab->queue);
    }

    slab = ngx_queue_data(ngx_queue_head(&slabs->partial), ngx_http_ktp_slab_t,
                          queue);

    slab->used++;

    chunk = slab->free;
    slab->free = chunk->next;

    if (slab->free == NULL) {
        ngx_queue_remove(&slab->queue);
    }

    return chunk;
}


static void
ngx_http_ktp_chunks_free(void *ctx, ktp_chunk_t *chunk)
{
    ngx_http_ktp_slabs_t *slabs = ctx;

    ngx_http_ktp_slab_t *slab;

    slab =
        (ngx_http_ktp_slab_t *) ((uintptr_t) chunk
                                 & ~((uintptr_t) NGX_HTTP_KTP_SLAB_SIZE - 1));

    if (slab->free == NULL) {
        ngx_queue_insert_head(&slabs->partial, &slab->queue);
    }

    chunk->next = slab->free;
    slab->free = chunk;

    if (--slab->used) {
        return;
    }

    ngx_queue_remove(&slab->queue);

    if (slabs->nspare == NGX_HTTP_KTP_SPARE_SLABS) {
        (void) munmap(slab, NGX_HTTP_KTP_SLAB_SIZE);
        return;
    }

    ngx_queue_insert_head(&slabs->spare, &slab->queue);
    slabs->nspare++;
}


/* The most recently used slab is the most likely to be cached. */

static ngx_http_ktp_slab_t *
ngx_http_ktp_chunks_slab_get(ngx_http_ktp_slabs_t *slabs)
{
    ngx_queue_t *q;

    if (ngx_queue_empty(&slabs->spare)) {
        return ngx_http_ktp_chunks_slab_create(slabs->chunk);
    }

    q = ngx_queue_head(&slabs->spare);
    ngx_queue_remove(q);
    slabs->nspare--;

    return ngx_queue_data(q, ngx_http_ktp_slab_t, queue);
}


static ngx_http_ktp_slab_t *
ngx_http_ktp_chunks_slab_create(size_t size)
{
    u_char              *p, *aligned;
    size_t               head;
    ktp_chunk_t         *chunk;
    ngx_http_ktp_slab_t *slab;

    /* twice the size, of which the aligned part is kept */

    p = mmap(NULL, 2 * NGX_HTTP_KTP_SLAB_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }

    aligned = ngx_align_ptr(p, NGX_HTTP_KTP_SLAB_SIZE);
    head = aligned - p;

    if (head) {
        (void) munmap(p, head);
    }

    (void) munmap(aligned + NGX_HTTP_KTP_SLAB_SIZE,
                  NGX_HTTP_KTP_SLAB_SIZE - head);

    (void) madvise(aligned, NGX_HTTP_KTP_SLAB_SIZE, MADV_DONTDUMP);

    slab = (ngx_http_ktp_slab_t *) aligned;

    slab->used = 0;
    slab->free = NULL;

    for (p = aligned + NGX_HTTP_KTP_SLAB_SIZE - size;
         p >= aligned + sizeof(ngx_http_ktp_slab_t); p -= size) {
        chunk = (ktp_chunk_t *) p;
        chunk->next = slab->free;
        slab->free = chunk;
    }

    return slab;
}
