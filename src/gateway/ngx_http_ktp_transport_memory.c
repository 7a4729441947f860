#include "ngx_http_ktp_transport_curl.h"
#include "ngx_http_ktp_chunks.h"
#include <sys/mman.h>


/*
 * Allocations that an upload buffer may be are mappings, all of one size:
 * the largest buffer and its header.  Pages that are not used cost nothing.
 */
#define NGX_HTTP_KTP_BUFFER_MIN  (32 * 1024)
#define NGX_HTTP_KTP_BUFFER_SIZE (NGX_HTTP_KTP_UPLOAD_MAX + 4096)

/* Mappings kept for use again. */
#define NGX_HTTP_KTP_BUFFERS 32


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

    size_t mapped; /* whether it is a mapping; otherwise malloc()'s */
};


static void                 *ngx_http_ktp_curl_malloc(size_t len);
static void                 *ngx_http_ktp_curl_calloc(size_t n, size_t size);
static void                 *ngx_http_ktp_curl_realloc(void *p, size_t len);
static char                 *ngx_http_ktp_curl_strdup(const char *s);
static void                  ngx_http_ktp_curl_free(void *p);
static ngx_http_ktp_block_t *ngx_http_ktp_buffer_alloc(void);
static void                  ngx_http_ktp_buffer_free(ngx_http_ktp_block_t *b);


static ngx_http_ktp_block_t *ngx_http_ktp_buffers;
static ngx_uint_t            ngx_http_ktp_nbuffers;


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
    ngx_http_ktp_block_t *b;

    while (ngx_http_ktp_buffers) {
        b = ngx_http_ktp_buffers;
        ngx_http_ktp_buffers = b->u.next;
        (void) munmap(b, NGX_HTTP_KTP_BUFFER_SIZE);
    }

    ngx_http_ktp_nbuffers = 0;
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

    if (size >= NGX_HTTP_KTP_BUFFER_MIN && size <= NGX_HTTP_KTP_BUFFER_SIZE) {
        b = ngx_http_ktp_buffer_alloc();

    } else {
        b = malloc(size);

        if (b) {
            b->mapped = 0;
        }
    }

    if (b == NULL) {
        return NULL;
    }

    b->u.len = len;

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

    if (!b->mapped && size < NGX_HTTP_KTP_BUFFER_MIN && size >= len) {
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

    if (b->mapped) {
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
ngx_http_ktp_buffer_alloc(void)
{
    ngx_http_ktp_block_t *b;

    b = ngx_http_ktp_buffers;

    if (b) {
        ngx_http_ktp_buffers = b->u.next;
        ngx_http_ktp_nbuffers--;
        return b;
    }

    b = ngx_http_ktp_map(NGX_HTTP_KTP_BUFFER_SIZE, ngx_http_ktp_transport.log);
    if (b) {
        b->mapped = 1;
    }

    return b;
}


static void
ngx_http_ktp_buffer_free(ngx_http_ktp_block_t *b)
{
    if (ngx_http_ktp_nbuffers == NGX_HTTP_KTP_BUFFERS) {
        (void) munmap(b, NGX_HTTP_KTP_BUFFER_SIZE);
        return;
    }

    b->u.next = ngx_http_ktp_buffers;
    ngx_http_ktp_buffers = b;
    ngx_http_ktp_nbuffers++;
}
