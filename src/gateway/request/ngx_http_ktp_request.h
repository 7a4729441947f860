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

/*
 * The context of a request; made in the access phase, or by the content
 * handler if nothing was asked there.  NULL: no memory.
 */
ngx_http_ktp_ctx_t *ngx_http_ktp_create_ctx(ngx_http_request_t *r);

/*
 * The context of a request, also after an internal redirect has cleared the
 * module's slot; NULL if the request never came to us.
 */
ngx_http_ktp_ctx_t *ngx_http_ktp_get_ctx(ngx_http_request_t *r);

/*
 * Whether a request with that context, or NULL, is one for a card: not what
 * ktp_auth has let in to a location of another module.
 */
ngx_uint_t ngx_http_ktp_is_ours(ngx_http_request_t *r,
                                ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_REQUEST_H */
