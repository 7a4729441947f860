/* The content handler: body, decision, call, response. */

#ifndef NGX_HTTP_KTP_REQUEST_H
#define NGX_HTTP_KTP_REQUEST_H

#include "ngx_http_ktp_ctx.h"


/* The content handler of a location with ktp_pass. */
ngx_int_t ngx_http_ktp_request_handler(ngx_http_request_t *r);

/*
 * Creates ctx->intake for the body declared by the request header.  Returns
 * KTP_OK, or the error that is certain before the body is read.
 */
ktp_code_t ngx_http_ktp_request_intake(ngx_http_request_t *r);

/*
 * Sends an error before the body is read, for a content handler, whose return
 * value it returns.
 */
ngx_int_t ngx_http_ktp_request_refuse(ngx_http_request_t *r, ktp_code_t code);


#endif /* NGX_HTTP_KTP_REQUEST_H */
