/* Variables of a request, for logs, maps and headers. */

#ifndef NGX_HTTP_KTP_VARIABLES_H
#define NGX_HTTP_KTP_VARIABLES_H

#include "ngx_http_ktp_ctx.h"


/* For preconfiguration. */
ngx_int_t ngx_http_ktp_variables_add(ngx_conf_t *cf);

/* Whether a configuration uses a variable.  For postconfiguration. */
ngx_uint_t ngx_http_ktp_variables_used(ngx_conf_t *cf, ngx_str_t *name);

/*
 * The outcome of a request, also of one that nginx refused before it came to
 * us; NONE while it has no answer.  ctx may be NULL.
 */
ngx_http_ktp_outcome_t ngx_http_ktp_outcome(ngx_http_request_t *r,
                                            ngx_http_ktp_ctx_t *ctx);

/*
 * The error code that the client got, "" for none: constant text, or the
 * upstream's, which lives as long as the request.
 */
const char *ngx_http_ktp_error_code(ngx_http_request_t *r,
                                    ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_VARIABLES_H */
