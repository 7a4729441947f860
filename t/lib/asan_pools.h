/*
 * nginx's pools hide overflows from AddressSanitizer: small allocations come
 * from one large block.  In the asan build each becomes its own malloc().
 */

#ifndef KTP_ASAN_POOLS_H
#define KTP_ASAN_POOLS_H

#include <ngx_config.h>
#include <ngx_core.h>

static inline void *
ktp_asan_pcalloc(ngx_pool_t *pool, size_t size)
{
    void *p;

    p = ngx_pmemalign(pool, size, sizeof(void *) * 2);
    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}

#define ngx_palloc(pool, size)  ngx_pmemalign(pool, size, sizeof(void *) * 2)
#define ngx_pnalloc(pool, size) ngx_pmemalign(pool, size, sizeof(void *) * 2)
#define ngx_pcalloc(pool, size) ktp_asan_pcalloc(pool, size)

#endif /* KTP_ASAN_POOLS_H */
