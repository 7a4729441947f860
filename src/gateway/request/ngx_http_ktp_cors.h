/* CORS ("ktp_cors"): preflight requests, and header fields of responses. */

#ifndef NGX_HTTP_KTP_CORS_H
#define NGX_HTTP_KTP_CORS_H

#include "ngx_http_ktp.h"


/*
 * Adds the handler of preflight requests, which runs before access checks and
 * limits, since browsers send no credentials with them; and the filter of
 * headers, for errors of nginx too.  For postconfiguration.
 */
ngx_int_t ngx_http_ktp_cors_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_CORS_H */
