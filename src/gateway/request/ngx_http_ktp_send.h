/* A request to the upstream: when its image is whole, or as it arrives. */

#ifndef NGX_HTTP_KTP_SEND_H
#define NGX_HTTP_KTP_SEND_H

#include "ngx_http_ktp_ctx.h"


/*
 * The request is complete and right: begins its call, or lets the one that
 * has begun have its end.
 */
ktp_code_t ngx_http_ktp_send(ngx_http_request_t *r);

/*
 * Bytes of the body arrived at a location that does not buffer: begins the
 * call when the image's header was accepted, and lets it go on.
 */
ktp_code_t ngx_http_ktp_send_part(ngx_http_request_t *r);

/* 1 if the upstream has to take some bytes before more are read. */
ngx_uint_t ngx_http_ktp_send_full(ngx_http_request_t *r);

/* Ends a call that is under way; does nothing if none is. */
void ngx_http_ktp_send_abort(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_SEND_H */
