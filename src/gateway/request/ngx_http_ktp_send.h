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
 * that is being streamed.
 */
ktp_code_t ngx_http_ktp_send(ngx_http_request_t *r);

/*
 * Part of a body that is streamed has arrived: starts the call once the image
 * header was accepted, or resumes it.
 */
ktp_code_t ngx_http_ktp_send_part(ngx_http_request_t *r);

/*
 * Answers the request with the results of ctx->call, which another request has
 * made.
 */
void ngx_http_ktp_send_replay(ngx_http_request_t *r);

/* 1 if reading has to wait until the upstream has taken some bytes. */
ngx_uint_t ngx_http_ktp_send_full(ngx_http_request_t *r);

/* Aborts the call, if there is one in progress. */
void ngx_http_ktp_send_abort(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_SEND_H */
