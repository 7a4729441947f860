#include <ngx_config.h>
#include <ngx_core.h>
#include <sys/mman.h>
#include "ngx_http_ktp_chunks.h"


/* A mapping, aligned to its size, so that a chunk finds the slab it is of. */
#define NGX_HTTP_KTP_SLAB_SIZE (1024 * 1024)

/* The slab's own data take the place of its first chunk. */
#define NGX_HTTP_KTP_SLAB_CHUNKS                                              \
    (NGX_HTTP_KTP_SLAB_SIZE / sizeof(ktp_chunk_t) - 1)

/* Wholly free slabs that a worker keeps: what a burst of photos needs. */
#define NGX_HTTP_KTP_SPARE_SLABS 16


typedef struct {
    ngx_queue_t  queue; /* of one of the two, while it has a free chunk */
    ktp_chunk_t *free;
    ngx_uint_t   used;
} ngx_http_ktp_slab_t;


static ktp_chunk_t *ngx_http_ktp_chunk_alloc(void *ctx);
static void         ngx_http_ktp_chunk_free(void *ctx, ktp_chunk_t *chunk);
static ngx_http_ktp_slab_t *ngx_http_ktp_slab_get(void);
static ngx_http_ktp_slab_t *ngx_http_ktp_slab_create(void);


const ktp_chunks_t ngx_http_ktp_chunks = {ngx_http_ktp_chunk_alloc,
                                          ngx_http_ktp_chunk_free, NULL};

/* slabs that are in use and have free chunks, and those wholly free */
static ngx_queue_t ngx_http_ktp_partial = {&ngx_http_ktp_partial,
                                           &ngx_http_ktp_partial};
static ngx_queue_t ngx_http_ktp_spare = {&ngx_http_ktp_spare,
                                         &ngx_http_ktp_spare};
static ngx_uint_t  ngx_http_ktp_nspare;


static ktp_chunk_t *
ngx_http_ktp_chunk_alloc(void *ctx)
{
    ktp_chunk_t         *chunk;
    ngx_http_ktp_slab_t *slab;

    if (ngx_queue_empty(&ngx_http_ktp_partial)) {
        slab = ngx_http_ktp_slab_get();
        if (slab == NULL) {
            return NULL;
        }

        ngx_queue_insert_head(&ngx_http_ktp_partial, &slab->queue);
    }

    slab = ngx_queue_data(ngx_queue_head(&ngx_http_ktp_partial),
                          ngx_http_ktp_slab_t, queue);

    slab->used++;

    chunk = slab->free;
    slab->free = chunk->next;

    if (slab->free == NULL) {
        ngx_queue_remove(&slab->queue);
    }

    return chunk;
}


static void
ngx_http_ktp_chunk_free(void *ctx, ktp_chunk_t *chunk)
{
    ngx_http_ktp_slab_t *slab;

    slab =
        (ngx_http_ktp_slab_t *) ((uintptr_t) chunk
                                 & ~((uintptr_t) NGX_HTTP_KTP_SLAB_SIZE - 1));

    if (slab->free == NULL) {
        ngx_queue_insert_head(&ngx_http_ktp_partial, &slab->queue);
    }

    chunk->next = slab->free;
    slab->free = chunk;

    if (--slab->used) {
        return;
    }

    ngx_queue_remove(&slab->queue);

    if (ngx_http_ktp_nspare == NGX_HTTP_KTP_SPARE_SLABS) {
        (void) munmap(slab, NGX_HTTP_KTP_SLAB_SIZE);
        return;
    }

    ngx_queue_insert_head(&ngx_http_ktp_spare, &slab->queue);
    ngx_http_ktp_nspare++;
}


/* The slab that was in use last is the one that a cache still has. */

static ngx_http_ktp_slab_t *
ngx_http_ktp_slab_get(void)
{
    ngx_queue_t *q;

    if (ngx_queue_empty(&ngx_http_ktp_spare)) {
        return ngx_http_ktp_slab_create();
    }

    q = ngx_queue_head(&ngx_http_ktp_spare);
    ngx_queue_remove(q);
    ngx_http_ktp_nspare--;

    return ngx_queue_data(q, ngx_http_ktp_slab_t, queue);
}


static ngx_http_ktp_slab_t *
ngx_http_ktp_slab_create(void)
{
    u_char              *p, *aligned;
    size_t               head;
    ngx_uint_t           i;
    ktp_chunk_t         *chunks;
    ngx_http_ktp_slab_t *slab;

    /* twice the size, of which the aligned part stays mapped */

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
    chunks = (ktp_chunk_t *) aligned + 1;

    slab->used = 0;
    slab->free = NULL;

    for (i = NGX_HTTP_KTP_SLAB_CHUNKS; i > 0; i--) {
        chunks[i - 1].next = slab->free;
        slab->free = &chunks[i - 1];
    }

    return slab;
}


void *
ngx_http_ktp_map(size_t size, ngx_log_t *log)
{
    void *p;

    size = ngx_align(size, ngx_pagesize);

    p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0);
    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno, "mmap(%uz) failed", size);
        return NULL;
    }

    if (madvise(p, size, MADV_DONTDUMP) == -1) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "madvise(MADV_DONTDUMP) failed");
    }

    return p;
}
