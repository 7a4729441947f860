/* The log phase: a request has ended and is counted. */

#ifndef NGX_HTTP_KTP_LOG_H
#define NGX_HTTP_KTP_LOG_H

#include "ngx_http_ktp.h"


/*
 * Adds the handler to the log phase; requires a zone.  For
 * postconfiguration.
 */
ngx_int_t ngx_http_ktp_log_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_LOG_H */
