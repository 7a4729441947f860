#include "ngx_http_ktp_heap.h"
#include "ngx_http_ktp_map.h"
#include <pthread.h>
#include <sys/mman.h>


/*
 * Sizes of blocks: 64, 80, 96, and 112 bytes; from 128 on, eight equal steps
 * between powers of two.
 */
#define NGX_HTTP_KTP_HEAP_MIN    64
#define NGX_HTTP_KTP_HEAP_EIGHTH 16
#define NGX_HTTP_KTP_HEAP_SMALL  4
#define NGX_HTTP_KTP_HEAP_SIZES  (NGX_HTTP_KTP_HEAP_SMALL + 8 * 9 + 1)

/*
 * Size and alignment of a region, a mapping that blocks are taken from: the
 * address of a block gives its region.  A region is unmapped when all its
 * blocks are free, so small ones are returned sooner; it holds at least one
 * block of the maximum size.
 */
#define NGX_HTTP_KTP_HEAP_REGION (128 * 1024)

/*
 * Regions without blocks in use that are kept: calls come and go all the time.
 * With one, most calls of a busy worker over TLS mapped a region and unmapped
 * it again, 4 to 8 % of their CPU time.
 */
#define NGX_HTTP_KTP_HEAP_SPARE 4


/* The beginning of a free block. */
typedef struct {
    ngx_queue_t queue;
    ngx_uint_t  n; /* list of its size */
} ngx_http_ktp_heap_block_t;

typedef struct {
    u_char     *pos;   /* blocks are before, unused space is behind */
    ngx_uint_t  used;  /* blocks in use */
    ngx_queue_t queue; /* of spare regions */
} ngx_http_ktp_heap_region_t;

typedef struct {
    void  *p;
    size_t size;
} ngx_http_ktp_heap_cleanup_t;


static ngx_uint_t                  ngx_http_ktp_heap_regions(size_t size);
static ngx_uint_t                  ngx_http_ktp_heap_keep(void);
static ngx_uint_t                  ngx_http_ktp_heap_list(size_t size);
static size_t                      ngx_http_ktp_heap_size(ngx_uint_t n);
static void                       *ngx_http_ktp_heap_new(size_t size);
static ngx_http_ktp_heap_region_t *ngx_http_ktp_heap_map(void);
static ngx_http_ktp_heap_region_t *ngx_http_ktp_heap_region(void *p);
static void ngx_http_ktp_heap_clear(ngx_http_ktp_heap_region_t *region);
static void ngx_http_ktp_heap_release(ngx_http_ktp_heap_region_t *region);
static void ngx_http_ktp_heap_unmap(ngx_http_ktp_heap_region_t *region);
static void ngx_http_ktp_heap_unspare(ngx_http_ktp_heap_region_t *region);
static void ngx_http_ktp_heap_cleanup(void *data);


/* libcurl resolves names in threads */
static pthread_mutex_t ngx_http_ktp_heap_lock = PTHREAD_MUTEX_INITIALIZER;

/* free blocks by size; a list is initialized when the first block is freed */
static ngx_queue_t ngx_http_ktp_heap_blocks[NGX_HTTP_KTP_HEAP_SIZES];

/* the region that new blocks are taken from */
static ngx_http_ktp_heap_region_t *ngx_http_ktp_heap_current;

/* regions other than the current one without blocks in use */
static ngx_queue_t ngx_http_ktp_heap_spares = {&ngx_http_ktp_heap_spares,
                                               &ngx_http_ktp_heap_spares};
static ngx_uint_t  ngx_http_ktp_heap_nspares;

/* the number of them in the largest reserve since the last trim */
static ngx_uint_t ngx_http_ktp_heap_peak;


void *
ngx_http_ktp_heap_alloc(size_t size)
{
    void                       *p;
    ngx_uint_t                  n;
    ngx_queue_t                *list, *q;
    ngx_http_ktp_heap_region_t *region;

    if (size > NGX_HTTP_KTP_HEAP_MAX) {
        return NULL;
    }

    n = ngx_http_ktp_heap_list(size);
    list = &ngx_http_ktp_heap_blocks[n];

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    if (list->next && !ngx_queue_empty(list)) {
        q = ngx_queue_head(list);
        ngx_queue_remove(q);
        p = ngx_queue_data(q, ngx_http_ktp_heap_block_t, queue);

    } else {
        p = ngx_http_ktp_heap_new(ngx_http_ktp_heap_size(n));
    }

    if (p) {
        region = ngx_http_ktp_heap_region(p);

        if (region->used++ == 0 && region != ngx_http_ktp_heap_current) {
            ngx_http_ktp_heap_unspare(region);
        }
    }

    (void) pthread_mutex_unlock(&ngx_http_ktp_heap_lock);

    return p;
}


ngx_int_t
ngx_http_ktp_heap_reserve(size_t size)
{
    ngx_int_t                   rc;
    ngx_uint_t                  n;
    ngx_http_ktp_heap_region_t *region;

    rc = NGX_OK;
    n = ngx_http_ktp_heap_regions(size);

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    ngx_http_ktp_heap_peak = ngx_max(ngx_http_ktp_heap_peak, n);

    while (ngx_http_ktp_heap_nspares < n) {
        region = ngx_http_ktp_heap_map();

        if (region == NULL) {
            rc = NGX_ERROR;
            break;
        }

        ngx_http_ktp_heap_release(region);
    }

    (void) pthread_mutex_unlock(&ngx_http_ktp_heap_lock);

    return rc;
}


void
ngx_http_ktp_heap_trim(size_t size)
{
    ngx_http_ktp_heap_region_t *region;

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    ngx_http_ktp_heap_peak = ngx_http_ktp_heap_regions(size);

    while (ngx_http_ktp_heap_nspares > ngx_http_ktp_heap_keep()) {
        region = ngx_queue_data(ngx_queue_last(&ngx_http_ktp_heap_spares),
                                ngx_http_ktp_heap_region_t, queue);
        ngx_http_ktp_heap_unspare(region);
        ngx_http_ktp_heap_unmap(region);
    }

    (void) pthread_mutex_unlock(&ngx_http_ktp_heap_lock);
}


/* The number of regions that have size bytes. */

static ngx_uint_t
ngx_http_ktp_heap_regions(size_t size)
{
    return (size + NGX_HTTP_KTP_HEAP_REGION - 1) / NGX_HTTP_KTP_HEAP_REGION;
}


/* The number of regions without blocks in use that are kept, at most. */

static ngx_uint_t
ngx_http_ktp_heap_keep(void)
{
    return ngx_max(NGX_HTTP_KTP_HEAP_SPARE, ngx_http_ktp_heap_peak);
}


size_t
ngx_http_ktp_heap_room(size_t size)
{
    return ngx_http_ktp_heap_size(ngx_http_ktp_heap_list(size));
}


void
ngx_http_ktp_heap_free(void *p, size_t size)
{
    ngx_queue_t                *list;
    ngx_http_ktp_heap_block_t  *b;
    ngx_http_ktp_heap_region_t *region;

    ngx_explicit_memzero(p, size);

    b = p;
    b->n = ngx_http_ktp_heap_list(size);
    list = &ngx_http_ktp_heap_blocks[b->n];
    region = ngx_http_ktp_heap_region(p);

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    if (list->next == NULL) {
        ngx_queue_init(list);
    }

    ngx_queue_insert_head(list, &b->queue);
    region->used--;

    if (region->used == 0 && region != ngx_http_ktp_heap_current) {
        ngx_http_ktp_heap_release(region);
    }

    (void) pthread_mutex_unlock(&ngx_http_ktp_heap_lock);
}


/* The list of the smallest blocks that hold size bytes. */

static ngx_uint_t
ngx_http_ktp_heap_list(size_t size)
{
    size_t     room;
    ngx_uint_t n;

    n = 0;
    room = NGX_HTTP_KTP_HEAP_MIN;

    while (n < NGX_HTTP_KTP_HEAP_SMALL && room < size) {
        room += NGX_HTTP_KTP_HEAP_EIGHTH;
        n++;
    }

    for (/* void */; 2 * room <= size; room *= 2) {
        n += 8;
    }

    if (room < size) {
        n += (size - room + room / 8 - 1) / (room / 8);
    }

    return n;
}


/* Size of the blocks of a list. */

static size_t
ngx_http_ktp_heap_size(ngx_uint_t n)
{
    if (n < NGX_HTTP_KTP_HEAP_SMALL) {
        return NGX_HTTP_KTP_HEAP_MIN + n * NGX_HTTP_KTP_HEAP_EIGHTH;
    }

    n -= NGX_HTTP_KTP_HEAP_SMALL;

    return (8 + n % 8) * NGX_HTTP_KTP_HEAP_EIGHTH << n / 8;
}


/* The rest of a region that is too small for a block is not used. */

static void *
ngx_http_ktp_heap_new(size_t size)
{
    void                       *p;
    ngx_http_ktp_heap_region_t *region, *last;

    region = ngx_http_ktp_heap_current;

    if (region == NULL
        || (size_t) ((u_char *) region + NGX_HTTP_KTP_HEAP_REGION
                     - region->pos)
               < size) {

        last = region;

        if (ngx_http_ktp_heap_nspares) {
            region = ngx_queue_data(ngx_queue_head(&ngx_http_ktp_heap_spares),
                                    ngx_http_ktp_heap_region_t, queue);
            ngx_http_ktp_heap_unspare(region);
            ngx_http_ktp_heap_clear(region);

        } else {
            region = ngx_http_ktp_heap_map();
            if (region == NULL) {
                return NULL;
            }
        }

        ngx_http_ktp_heap_current = region;

        if (last && last->used == 0) {
            ngx_http_ktp_heap_release(last);
        }
    }

    p = region->pos;
    region->pos += size;

    return p;
}


static ngx_http_ktp_heap_region_t *
ngx_http_ktp_heap_map(void)
{
    u_char                     *p;
    size_t                      before;
    ngx_http_ktp_heap_region_t *region;

    p = ngx_http_ktp_map(2 * NGX_HTTP_KTP_HEAP_REGION, ngx_cycle->log);
    if (p == NULL) {
        return NULL;
    }

    region = ngx_http_ktp_heap_region(p + NGX_HTTP_KTP_HEAP_REGION - 1);
    before = (u_char *) region - p;

    if (before) {
        (void) munmap(p, before);
    }

    (void) munmap((u_char *) region + NGX_HTTP_KTP_HEAP_REGION,
                  NGX_HTTP_KTP_HEAP_REGION - before);

    region->pos = (u_char *) region + NGX_HTTP_KTP_HEAP_MIN;
    region->used = 0;

    return region;
}


static ngx_http_ktp_heap_region_t *
ngx_http_ktp_heap_region(void *p)
{
    return (
        ngx_http_ktp_heap_region_t *) ((uintptr_t) p
                                       & ~((uintptr_t) NGX_HTTP_KTP_HEAP_REGION
                                           - 1));
}


/* Takes the blocks of a region, which are all free, from their lists. */

static void
ngx_http_ktp_heap_clear(ngx_http_ktp_heap_region_t *region)
{
    u_char                    *p;
    ngx_http_ktp_heap_block_t *b;

    p = (u_char *) region + NGX_HTTP_KTP_HEAP_MIN;

    while (p < region->pos) {
        b = (ngx_http_ktp_heap_block_t *) p;
        p += ngx_http_ktp_heap_size(b->n);
        ngx_queue_remove(&b->queue);
    }

    region->pos = (u_char *) region + NGX_HTTP_KTP_HEAP_MIN;
}


/* Keeps a region whose blocks are all free, or unmaps it if enough are kept.
 */

static void
ngx_http_ktp_heap_release(ngx_http_ktp_heap_region_t *region)
{
    if (ngx_http_ktp_heap_nspares < ngx_http_ktp_heap_keep()) {
        ngx_queue_insert_head(&ngx_http_ktp_heap_spares, &region->queue);
        ngx_http_ktp_heap_nspares++;
        return;
    }

    ngx_http_ktp_heap_unmap(region);
}


static void
ngx_http_ktp_heap_unmap(ngx_http_ktp_heap_region_t *region)
{
    ngx_http_ktp_heap_clear(region);
    (void) munmap(region, NGX_HTTP_KTP_HEAP_REGION);
}


static void
ngx_http_ktp_heap_unspare(ngx_http_ktp_heap_region_t *region)
{
    ngx_queue_remove(&region->queue);
    ngx_http_ktp_heap_nspares--;
}


void *
ngx_http_ktp_heap_palloc(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t          *cln;
    ngx_http_ktp_heap_cleanup_t *data;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_http_ktp_heap_cleanup_t));
    if (cln == NULL) {
        return NULL;
    }

    data = cln->data;

    data->p = ngx_http_ktp_heap_alloc(size);
    if (data->p == NULL) {
        return NULL;
    }

    data->size = size;
    cln->handler = ngx_http_ktp_heap_cleanup;

    return data->p;
}


static void
ngx_http_ktp_heap_cleanup(void *data)
{
    ngx_http_ktp_heap_cleanup_t *c = data;

    ngx_http_ktp_heap_free(c->p, c->size);
}
