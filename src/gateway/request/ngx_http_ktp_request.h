/* A request's way: body in, decision, call, answer. */

#ifndef NGX_HTTP_KTP_REQUEST_H
#define NGX_HTTP_KTP_REQUEST_H

#include "ngx_http_ktp_ctx.h"


/* The content handler of a location with ktp_pass. */
ngx_int_t ngx_http_ktp_request_handler(ngx_http_request_t *r);

/*
 * Answers 401; what the access phase returns.  other is some client, to
 * take as long as with the one that there is not.
 */
ngx_int_t ngx_http_ktp_unauthorized(ngx_http_ktp_ctx_t    *ctx,
                                    ngx_http_ktp_client_t *other);


#endif /* NGX_HTTP_KTP_REQUEST_H */
