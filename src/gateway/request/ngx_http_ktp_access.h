/* Client authentication ("ktp_auth") in the access phase. */

#ifndef NGX_HTTP_KTP_ACCESS_H
#define NGX_HTTP_KTP_ACCESS_H

#include "ngx_http_ktp_ctx.h"


/*
 * Adds the handler so that it runs last in the access phase.  For
 * postconfiguration.
 */
ngx_int_t ngx_http_ktp_access_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_ACCESS_H */
