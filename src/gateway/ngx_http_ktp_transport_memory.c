#include "ngx_http_ktp_transport_curl.h"
#include "ngx_http_ktp_chunks.h"
#include <sys/mman.h>


/* From this size on an allocation is a mapping. */
#define NGX_HTTP_KTP_BUFFER_MIN (32 * 1024)

/* Mappings have 64 KB, 128 KB, and so on to 4 MB. */
#define NGX_HTTP_KTP_BUFFER_SHIFT 16
#define NGX_HTTP_KTP_BUFFER_SIZES 7

/* Bytes of mappings kept for use again: 512 KB for each of 32 calls. */
#define NGX_HTTP_KTP_BUFFER_SPARE (16 * 1024 * 1024)


/*
 * In front of every allocation, so that it is freed as it was made; its size
 * keeps malloc()'s alignment.
 */
typedef struct ngx_http_ktp_block_s ngx_http_ktp_block_t;

struct ngx_http_ktp_block_s {
    union {
        size_t                len;  /* that was asked for */
        ngx_http_ktp_block_t *next; /* of those that are spare */
    } u;

    size_t order; /* of the mapping's size, from 1; 0: malloc() */
};


static void                 *ngx_http_ktp_curl_malloc(size_t len);
static void                 *ngx_http_ktp_curl_calloc(size_t n, size_t size);
static void                 *ngx_http_ktp_curl_realloc(void *p, size_t len);
static char                 *ngx_http_ktp_curl_strdup(const char *s);
static void                  ngx_http_ktp_curl_free(void *p);
static ngx_http_ktp_block_t *ngx_http_ktp_buffer_alloc(size_t size);
static void                  ngx_http_ktp_buffer_free(ngx_http_ktp_block_t *b);


static ngx_http_ktp_block_t
             *ngx_http_ktp_buffers[NGX_HTTP_KTP_BUFFER_SIZES + 1];
static size_t ngx_http_ktp_buffers_spare;


CURLcode
ngx_http_ktp_memory_init(void)
{
    return curl_global_init_mem(
        CURL_GLOBAL_DEFAULT, ngx_http_ktp_curl_malloc, ngx_http_ktp_curl_free,
        ngx_http_ktp_curl_realloc, ngx_http_ktp_curl_strdup,
        ngx_http_ktp_curl_calloc);
}


void
ngx_http_ktp_memory_exit(void)
{
    ngx_uint_t            order;
    ngx_http_ktp_block_t *b;

    for (order = 1; order <= NGX_HTTP_KTP_BUFFER_SIZES; order++) {
        while (ngx_http_ktp_buffers[order]) {
            b = ngx_http_ktp_buffers[order];
            ngx_http_ktp_buffers[order] = b->u.next;

            (void) munmap(b, (size_t) 1
                                 << (NGX_HTTP_KTP_BUFFER_SHIFT + order - 1));
        }
    }

    ngx_http_ktp_buffers_spare = 0;
}


static void *
ngx_http_ktp_curl_malloc(size_t len)
{
    size_t                size;
    ngx_http_ktp_block_t *b;

    size = len + sizeof(ngx_http_ktp_block_t);

    if (size < len) {
        return NULL;
    }

    if (size >= NGX_HTTP_KTP_BUFFER_MIN) {
        b = ngx_http_ktp_buffer_alloc(size);

        if (b) {
            b->u.len = len;
            return b + 1;
        }

        /* too large, or no memory, which malloc() will tell */
    }

    b = malloc(size);
    if (b == NULL) {
        return NULL;
    }

    b->u.len = len;
    b->order = 0;

    return b + 1;
}


static void *
ngx_http_ktp_curl_calloc(size_t n, size_t size)
{
    void  *p;
    size_t len;

    if (__builtin_mul_overflow(n, size, &len)) {
        return NULL;
    }

    p = ngx_http_ktp_curl_malloc(len);
    if (p) {
        ngx_memzero(p, len);
    }

    return p;
}


static void *
ngx_http_ktp_curl_realloc(void *p, size_t len)
{
    void *new;
    size_t                size;
    ngx_http_ktp_block_t *b;

    if (p == NULL) {
        return ngx_http_ktp_curl_malloc(len);
    }

    b = (ngx_http_ktp_block_t *) p - 1;
    size = len + sizeof(ngx_http_ktp_block_t);

    if (b->order == 0 && size < NGX_HTTP_KTP_BUFFER_MIN && size >= len) {
        b = realloc(b, size);
        if (b == NULL) {
            return NULL;
        }

        b->u.len = len;

        return b + 1;
    }

    new = ngx_http_ktp_curl_malloc(len);
    if (new == NULL) {
        return NULL;
    }

    ngx_memcpy(new, p, ngx_min(len, b->u.len));
    ngx_http_ktp_curl_free(p);

    return new;
}


static char *
ngx_http_ktp_curl_strdup(const char *s)
{
    char  *p;
    size_t len;

    len = ngx_strlen(s) + 1;

    p = ngx_http_ktp_curl_malloc(len);
    if (p) {
        ngx_memcpy(p, s, len);
    }

    return p;
}


static void
ngx_http_ktp_curl_free(void *p)
{
    ngx_http_ktp_block_t *b;

    if (p == NULL) {
        return;
    }

    b = (ngx_http_ktp_block_t *) p - 1;

    if (b->order) {
        ngx_http_ktp_buffer_free(b);

    } else {
        free(b);
    }
}


/*
 * An upload buffer lives as long as a call.  malloc() would map and unmap it,
 * and the kernel clear its pages, for each; here it is used again while it is
 * warm, and is left out of core dumps as the image itself is.
 */

static ngx_http_ktp_block_t *
ngx_http_ktp_buffer_alloc(size_t size)
{
    size_t                mapped;
    ngx_uint_t            order;
    ngx_http_ktp_block_t *b;

    mapped = (size_t) 1 << NGX_HTTP_KTP_BUFFER_SHIFT;

    for (order = 1; mapped < size; order++) {
        mapped <<= 1;
    }

    if (order > NGX_HTTP_KTP_BUFFER_SIZES) {
        return NULL;
    }

    b = ngx_http_ktp_buffers[order];

    if (b) {
        ngx_http_ktp_buffers[order] = b->u.next;
        ngx_http_ktp_buffers_spare -= mapped;
        return b;
    }

    b = ngx_http_ktp_map(mapped, ngx_http_ktp_transport.log);
    if (b) {
        b->order = order;
    }

    return b;
}


static void
ngx_http_ktp_buffer_free(ngx_http_ktp_block_t *b)
{
    size_t mapped;

    mapped = (size_t) 1 << (NGX_HTTP_KTP_BUFFER_SHIFT + b->order - 1);

    if (ngx_http_ktp_buffers_spare + mapped > NGX_HTTP_KTP_BUFFER_SPARE) {
        (void) munmap(b, mapped);
        return;
    }

    b->u.next = ngx_http_ktp_buffers[b->order];
    ngx_http_ktp_buffers[b->order] = b;
    ngx_http_ktp_buffers_spare += mapped;
}
