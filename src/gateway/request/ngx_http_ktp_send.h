/* The upstream call: buffered, or streamed while the image arrives. */

#ifndef NGX_HTTP_KTP_SEND_H
#define NGX_HTTP_KTP_SEND_H

#include "ngx_http_ktp_ctx.h"


/*
 * Checks the breaker of the upstream before the body is read: KTP_OK, or
 * KTP_BREAKER_OPEN.
 */
ktp_code_t ngx_http_ktp_send_admit(ngx_http_request_t *r);

/*
 * The request is complete and valid: starts the call, or completes the one
 * that is being streamed.  KTP_OK, and the handler will be called from an
 * event; or why there is no call.
 */
ktp_code_t ngx_http_ktp_send(ngx_http_request_t  *r,
                             ngx_http_ktp_send_pt handler);

/*
 * Part of a body that is streamed has arrived: starts the call once the image
 * header was accepted, or resumes it.  The call may end before the body does.
 */
ktp_code_t ngx_http_ktp_send_part(ngx_http_request_t  *r,
                                  ngx_http_ktp_send_pt handler);

/* 1 if reading has to wait until the upstream has taken some bytes. */
ngx_uint_t ngx_http_ktp_send_full(ngx_http_request_t *r);

/* Aborts the call, if there is one in progress. */
void ngx_http_ktp_send_abort(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_SEND_H */
