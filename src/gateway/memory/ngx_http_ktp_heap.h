/*
 * Small memory for secrets, and for what passes them on: left out of core
 * dumps, and wiped when it is freed.
 */

#ifndef NGX_HTTP_KTP_HEAP_H
#define NGX_HTTP_KTP_HEAP_H

#include <ngx_config.h>
#include <ngx_core.h>


/* Bytes of one allocation at most. */
#define NGX_HTTP_KTP_HEAP_MAX 65536

/* Aligned as malloc() does; NULL: no memory, or too large.  Thread-safe. */
void *ngx_http_ktp_heap_alloc(size_t size);

/* Bytes that an allocation of a size really has. */
size_t ngx_http_ktp_heap_room(size_t size);

/* size is that which was asked for. */
void ngx_http_ktp_heap_free(void *p, size_t size);

/* An allocation that ends with a pool. */
void *ngx_http_ktp_heap_palloc(ngx_pool_t *pool, size_t size);


#endif /* NGX_HTTP_KTP_HEAP_H */
