#include "ngx_http_ktp_map.h"
#include <sys/mman.h>


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
