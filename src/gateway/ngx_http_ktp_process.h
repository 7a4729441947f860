/* Functions about this and other processes of nginx. */

#ifndef NGX_HTTP_KTP_PROCESS_H
#define NGX_HTTP_KTP_PROCESS_H

#include <ngx_config.h>
#include <ngx_core.h>


/* 1 if this process serves requests: a worker, or "master_process off". */
ngx_uint_t ngx_http_ktp_process_is_worker(void);

/*
 * 1 if a process with this identifier exists, also if it belongs to another
 * user; it may be another one than before, since identifiers are reused.
 */
ngx_uint_t ngx_http_ktp_process_alive(ngx_pid_t pid);


#endif /* NGX_HTTP_KTP_PROCESS_H */
