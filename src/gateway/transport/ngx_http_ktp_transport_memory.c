#include "ngx_http_ktp_transport_curl.h"
#include "ngx_http_ktp_map.h"
#include "ngx_http_ktp_heap.h"
#include <malloc.h>
#include <sys/mman.h>


/*
 * libcurl's allocator.  Small allocations are wiped when freed: libcurl
 * composes the head of a request, credentials included, in them.
 *
 * Allocations of the size of an upload buffer are mappings, all of the size of
 * the largest buffer with its header.  Pages that are not written to take no
 * memory.
 */
#define NGX_HTTP_KTP_BUFFER_MIN  (32 * 1024)
#define NGX_HTTP_KTP_BUFFER_SIZE (NGX_HTTP_KTP_UPLOAD_MAX + 4096)

/* Spare mappings, at most. */
#define NGX_HTTP_KTP_BUFFERS 32

/*
 * Memory in reserve for each call until its request has been sent, in bytes:
 * libcurl 7.88 allocates 26 to 50 KB by then, nothing much later.  It does not
 * survive everywhere that memory is short: some calls would hang, others
 * crash.
 */
#define NGX_HTTP_KTP_CALL_MEMORY (64 * 1024)

/*
 * Milliseconds for which a reserve is kept for the next calls: mapping and
 * unmapping it for each call would take some percent of a busy worker's time.
 */
#define NGX_HTTP_KTP_RESERVE_DELAY 1000

/*
 * The heap is trimmed after this number of TLS handshakes, when there were
 * none for this time in milliseconds: what OpenSSL allocated for concurrent
 * handshakes would stay with the worker.  A trim costs some microseconds per
 * handshake.
 */
#define NGX_HTTP_KTP_TRIM_HANDSHAKES 64
#define NGX_HTTP_KTP_TRIM_DELAY      1000


/*
 * Precedes every allocation and says how it was made.  Its size keeps the
 * alignment of malloc().
 */
typedef struct ngx_http_ktp_block_s ngx_http_ktp_block_t;

typedef enum {
    NGX_HTTP_KTP_BLOCK_SMALL,  /* ngx_http_ktp_heap_alloc() */
    NGX_HTTP_KTP_BLOCK_BUFFER, /* a mapping */
    NGX_HTTP_KTP_BLOCK_LARGE   /* malloc() */
} ngx_http_ktp_block_kind_t;

struct ngx_http_ktp_block_s {
    union {
        size_t                len;  /* requested */
        ngx_http_ktp_block_t *next; /* in the list of spare mappings */
    } u;

    size_t kind; /* ngx_http_ktp_block_kind_t */
};


static void                 *ngx_http_ktp_memory_malloc(size_t len);
static void                 *ngx_http_ktp_memory_calloc(size_t n, size_t size);
static void                 *ngx_http_ktp_memory_realloc(void *p, size_t len);
static char                 *ngx_http_ktp_memory_strdup(const char *s);
static void                  ngx_http_ktp_memory_free(void *p);
static ngx_http_ktp_block_t *ngx_http_ktp_memory_map(void);
static void ngx_http_ktp_memory_unmap(ngx_http_ktp_block_t *b);
static void ngx_http_ktp_memory_event(ngx_event_t         *ev,
                                      ngx_event_handler_pt handler);
static void ngx_http_ktp_memory_reserve_event(ngx_event_t *ev);
static void ngx_http_ktp_memory_trim_event(ngx_event_t *ev);


static ngx_http_ktp_block_t *ngx_http_ktp_memory_maps;
static ngx_uint_t            ngx_http_ktp_memory_nmaps;

static ngx_event_t ngx_http_ktp_memory_reserve; /* trims it */
static ngx_event_t ngx_http_ktp_memory_trim;
static ngx_uint_t  ngx_http_ktp_memory_handshakes; /* since the last trim */


CURLcode
ngx_http_ktp_transport_memory_init(void)
{
    ngx_http_ktp_memory_event(&ngx_http_ktp_memory_reserve,
                              ngx_http_ktp_memory_reserve_event);
    ngx_http_ktp_memory_event(&ngx_http_ktp_memory_trim,
                              ngx_http_ktp_memory_trim_event);

    return curl_global_init_mem(
        CURL_GLOBAL_DEFAULT, ngx_http_ktp_memory_malloc,
        ngx_http_ktp_memory_free, ngx_http_ktp_memory_realloc,
        ngx_http_ktp_memory_strdup, ngx_http_ktp_memory_calloc);
}


void
ngx_http_ktp_transport_memory_exit(void)
{
    ngx_http_ktp_block_t *b;

    if (ngx_http_ktp_memory_reserve.timer_set) {
        ngx_del_timer(&ngx_http_ktp_memory_reserve);
    }

    if (ngx_http_ktp_memory_trim.timer_set) {
        ngx_del_timer(&ngx_http_ktp_memory_trim);
    }

    while (ngx_http_ktp_memory_maps) {
        b = ngx_http_ktp_memory_maps;
        ngx_http_ktp_memory_maps = b->u.next;
        (void) munmap(b, NGX_HTTP_KTP_BUFFER_SIZE);
    }

    ngx_http_ktp_memory_nmaps = 0;
}


static void *
ngx_http_ktp_memory_malloc(size_t len)
{
    size_t                    size;
    ngx_http_ktp_block_t     *b;
    ngx_http_ktp_block_kind_t kind;

    size = len + sizeof(ngx_http_ktp_block_t);

    if (size < len) {
        return NULL;
    }

    if (size < NGX_HTTP_KTP_BUFFER_MIN) {
        kind = NGX_HTTP_KTP_BLOCK_SMALL;
        b = ngx_http_ktp_heap_alloc(size);

    } else if (size <= NGX_HTTP_KTP_BUFFER_SIZE) {
        kind = NGX_HTTP_KTP_BLOCK_BUFFER;
        b = ngx_http_ktp_memory_map();

    } else {
        kind = NGX_HTTP_KTP_BLOCK_LARGE;
        b = malloc(size);
    }

    if (b == NULL) {
        return NULL;
    }

    b->u.len = len;
    b->kind = kind;

    return b + 1;
}


static void *
ngx_http_ktp_memory_calloc(size_t n, size_t size)
{
    void  *p;
    size_t len;

    if (__builtin_mul_overflow(n, size, &len)) {
        return NULL;
    }

    p = ngx_http_ktp_memory_malloc(len);
    if (p) {
        ngx_memzero(p, len);
    }

    return p;
}


static void *
ngx_http_ktp_memory_realloc(void *p, size_t len)
{
    void *new;
    size_t                size;
    ngx_http_ktp_block_t *b;

    if (p == NULL) {
        return ngx_http_ktp_memory_malloc(len);
    }

    b = (ngx_http_ktp_block_t *) p - 1;
    size = len + sizeof(ngx_http_ktp_block_t);

    /*
     * Only a line of a response grows to such a size: libcurl collects it
     * until its end, and may read much of it without a callback.
     */

    if (len > NGX_HTTP_KTP_HEAD_MAX) {
        ngx_http_ktp_transport.long_line = 1;
        return NULL;
    }

    if (b->kind == NGX_HTTP_KTP_BLOCK_SMALL && len > b->u.len && size > len
        && size <= ngx_http_ktp_heap_room(b->u.len
                                          + sizeof(ngx_http_ktp_block_t))) {
        b->u.len = len;
        return p;
    }

    new = ngx_http_ktp_memory_malloc(len);
    if (new == NULL) {
        return NULL;
    }

    ngx_memcpy(new, p, ngx_min(len, b->u.len));
    ngx_http_ktp_memory_free(p);

    return new;
}


static char *
ngx_http_ktp_memory_strdup(const char *s)
{
    char  *p;
    size_t len;

    len = ngx_strlen(s) + 1;

    p = ngx_http_ktp_memory_malloc(len);
    if (p) {
        ngx_memcpy(p, s, len);
    }

    return p;
}


static void
ngx_http_ktp_memory_free(void *p)
{
    ngx_http_ktp_block_t *b;

    if (p == NULL) {
        return;
    }

    b = (ngx_http_ktp_block_t *) p - 1;

    switch (b->kind) {

    case NGX_HTTP_KTP_BLOCK_SMALL:
        ngx_http_ktp_heap_free(b, b->u.len + sizeof(ngx_http_ktp_block_t));
        break;

    case NGX_HTTP_KTP_BLOCK_BUFFER:
        ngx_http_ktp_memory_unmap(b);
        break;

    default:
        free(b);
    }
}


/*
 * An upload buffer exists for one call.  malloc() would map and unmap it each
 * time, and the kernel clear its pages; here mappings are reused.  They are
 * excluded from core dumps, as images are.
 */

static ngx_http_ktp_block_t *
ngx_http_ktp_memory_map(void)
{
    ngx_http_ktp_block_t *b;

    b = ngx_http_ktp_memory_maps;

    if (b) {
        ngx_http_ktp_memory_maps = b->u.next;
        ngx_http_ktp_memory_nmaps--;
        return b;
    }

    return ngx_http_ktp_map(NGX_HTTP_KTP_BUFFER_SIZE,
                            ngx_http_ktp_transport.log);
}


static void
ngx_http_ktp_memory_unmap(ngx_http_ktp_block_t *b)
{
    if (ngx_http_ktp_memory_nmaps == NGX_HTTP_KTP_BUFFERS) {
        (void) munmap(b, NGX_HTTP_KTP_BUFFER_SIZE);
        return;
    }

    b->u.next = ngx_http_ktp_memory_maps;
    ngx_http_ktp_memory_maps = b;
    ngx_http_ktp_memory_nmaps++;
}


/* A timer of the worker, which does not delay its exit. */

static void
ngx_http_ktp_memory_event(ngx_event_t *ev, ngx_event_handler_pt handler)
{
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = handler;
    ev->data = &ngx_http_ktp_transport.dummy;
    ev->log = ngx_http_ktp_transport.log;
    ev->cancelable = 1;
}


ngx_int_t
ngx_http_ktp_transport_memory_reserve(void)
{
    if (ngx_http_ktp_heap_reserve((ngx_http_ktp_transport.ngrowing + 1)
                                  * NGX_HTTP_KTP_CALL_MEMORY)
        != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ngx_http_ktp_memory_reserve.timer_set) {
        ngx_add_timer(&ngx_http_ktp_memory_reserve,
                      NGX_HTTP_KTP_RESERVE_DELAY);
    }

    return NGX_OK;
}


static void
ngx_http_ktp_memory_reserve_event(ngx_event_t *ev)
{
    ngx_uint_t n;

    n = ngx_http_ktp_transport.ngrowing;

    ngx_http_ktp_heap_trim(n * NGX_HTTP_KTP_CALL_MEMORY);

    if (n) {
        ngx_add_timer(ev, NGX_HTTP_KTP_RESERVE_DELAY);
    }
}


void
ngx_http_ktp_transport_memory_trim(void)
{
    if (++ngx_http_ktp_memory_handshakes >= NGX_HTTP_KTP_TRIM_HANDSHAKES) {
        ngx_add_timer(&ngx_http_ktp_memory_trim, NGX_HTTP_KTP_TRIM_DELAY);
    }
}


static void
ngx_http_ktp_memory_trim_event(ngx_event_t *ev)
{
    ngx_http_ktp_memory_handshakes = 0;

#if defined(__GLIBC__)
    (void) malloc_trim(0);
#endif
}
