/*
 * Small allocations for secrets and for code that handles them: excluded from
 * core dumps and wiped when freed.  Memory is returned to the system when all
 * allocations of a region of 128 KB are freed; some such regions are kept.
 */

#ifndef NGX_HTTP_KTP_HEAP_H
#define NGX_HTTP_KTP_HEAP_H

#include <ngx_config.h>
#include <ngx_core.h>


/* Maximum size of an allocation. */
#define NGX_HTTP_KTP_HEAP_MAX 65536

/*
 * Allocates memory aligned as by malloc().  Returns NULL if memory is short or
 * size is over NGX_HTTP_KTP_HEAP_MAX.  Thread-safe.
 */
void *ngx_http_ktp_heap_alloc(size_t size);

/*
 * Sees to it that the next size bytes of small allocations do not fail.
 * NGX_ERROR: memory is short.  The memory of the largest reserve is kept until
 * the next trim, for those that follow.
 */
ngx_int_t ngx_http_ktp_heap_reserve(size_t size);

/* Returns memory that was in reserve to the system, except size bytes. */
void ngx_http_ktp_heap_trim(size_t size);

/* The usable size of an allocation of size bytes. */
size_t ngx_http_ktp_heap_room(size_t size);

/* Wipes and frees an allocation; size is the one requested.  Thread-safe. */
void ngx_http_ktp_heap_free(void *p, size_t size);

/* Allocates memory that is freed with the pool. */
void *ngx_http_ktp_heap_palloc(ngx_pool_t *pool, size_t size);


#endif /* NGX_HTTP_KTP_HEAP_H */
