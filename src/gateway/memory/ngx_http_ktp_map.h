/* Anonymous mappings that are excluded from core dumps. */

#ifndef NGX_HTTP_KTP_MAP_H
#define NGX_HTTP_KTP_MAP_H

#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Maps size bytes, rounded up to whole pages and filled with zeroes, that are
 * left out of core dumps.  The caller owns the mapping; most live as long as
 * the process.  Returns NULL, with a message in log, if mmap() fails.
 */
void *ngx_http_ktp_map(size_t size, ngx_log_t *log);


#endif /* NGX_HTTP_KTP_MAP_H */
