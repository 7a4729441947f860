#include "ngx_http_ktp_heap.h"
#include "ngx_http_ktp_map.h"
#include <pthread.h>


/*
 * Sizes of blocks: 64, 80, 96, and 112 bytes; from 128 on, eight equal steps
 * between powers of two.
 */
#define NGX_HTTP_KTP_HEAP_MIN    64
#define NGX_HTTP_KTP_HEAP_EIGHTH 16
#define NGX_HTTP_KTP_HEAP_SMALL  4
#define NGX_HTTP_KTP_HEAP_SIZES  (NGX_HTTP_KTP_HEAP_SMALL + 8 * 9 + 1)

/* Size of a mapping that blocks are taken from. */
#define NGX_HTTP_KTP_HEAP_REGION (512 * 1024)


typedef struct ngx_http_ktp_free_s ngx_http_ktp_free_t;

struct ngx_http_ktp_free_s {
    ngx_http_ktp_free_t *next;
};

typedef struct {
    void  *p;
    size_t size;
} ngx_http_ktp_heap_cleanup_t;


static ngx_uint_t ngx_http_ktp_heap_list(size_t size);
static void      *ngx_http_ktp_heap_new(size_t size);
static void       ngx_http_ktp_heap_cleanup(void *data);


/* libcurl resolves names in threads */
static pthread_mutex_t ngx_http_ktp_heap_lock = PTHREAD_MUTEX_INITIALIZER;

static ngx_http_ktp_free_t *ngx_http_ktp_heap_blocks[NGX_HTTP_KTP_HEAP_SIZES];
static u_char              *ngx_http_ktp_heap_pos;
static u_char              *ngx_http_ktp_heap_end;


void *
ngx_http_ktp_heap_alloc(size_t size)
{
    void                *p;
    ngx_uint_t           n;
    ngx_http_ktp_free_t *b;

    if (size > NGX_HTTP_KTP_HEAP_MAX) {
        return NULL;
    }

    n = ngx_http_ktp_heap_list(size);

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    b = ngx_http_ktp_heap_blocks[n];

    if (b) {
        ngx_http_ktp_heap_blocks[n] = b->next;
        p = b;

    } else {
        p = ngx_http_ktp_heap_new(ngx_http_ktp_heap_room(size));
    }

    (void) pthread_mutex_unlock(&ngx_http_ktp_heap_lock);

    return p;
}


size_t
ngx_http_ktp_heap_room(size_t size)
{
    ngx_uint_t n;

    n = ngx_http_ktp_heap_list(size);

    if (n < NGX_HTTP_KTP_HEAP_SMALL) {
        return NGX_HTTP_KTP_HEAP_MIN + n * NGX_HTTP_KTP_HEAP_EIGHTH;
    }

    n -= NGX_HTTP_KTP_HEAP_SMALL;

    return (8 + n % 8) * NGX_HTTP_KTP_HEAP_EIGHTH << n / 8;
}


void
ngx_http_ktp_heap_free(void *p, size_t size)
{
    ngx_uint_t           n;
    ngx_http_ktp_free_t *b;

    n = ngx_http_ktp_heap_list(size);
    b = p;

    ngx_explicit_memzero(p, size);

    (void) pthread_mutex_lock(&ngx_http_ktp_heap_lock);

    b->next = ngx_http_ktp_heap_blocks[n];
    ngx_http_ktp_heap_blocks[n] = b;

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


/* The rest of a region that is too small for a block is not used. */

static void *
ngx_http_ktp_heap_new(size_t size)
{
    u_char *p;

    if ((size_t) (ngx_http_ktp_heap_end - ngx_http_ktp_heap_pos) < size) {
        p = ngx_http_ktp_map(NGX_HTTP_KTP_HEAP_REGION, ngx_cycle->log);
        if (p == NULL) {
            return NULL;
        }

        ngx_http_ktp_heap_pos = p;
        ngx_http_ktp_heap_end = p + NGX_HTTP_KTP_HEAP_REGION;
    }

    p = ngx_http_ktp_heap_pos;
    ngx_http_ktp_heap_pos += size;

    return p;
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
