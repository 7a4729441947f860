/* Clients ("ktp_auth"): authentication by key, identification by name. */

#ifndef NGX_HTTP_KTP_ACCESS_H
#define NGX_HTTP_KTP_ACCESS_H

#include "ngx_http_ktp_ctx.h"


/*
 * Adds the handlers: one that runs last in the access phase, for keys and
 * tickets, and one that runs after it, for names.  For postconfiguration.
 */
ngx_int_t ngx_http_ktp_access_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_ACCESS_H */
