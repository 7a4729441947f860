/* The request's body: read unbuffered, fed to the intake, kept nowhere. */

#ifndef NGX_HTTP_KTP_BODY_H
#define NGX_HTTP_KTP_BODY_H

#include "ngx_http_ktp_ctx.h"


/*
 * Reads the body into ctx->intake and calls handler.  Returns NGX_DONE, or
 * an HTTP status with which the content handler ends.
 */
ngx_int_t ngx_http_ktp_body_receive(ngx_http_request_t  *r,
                                    ngx_http_ktp_body_pt handler);

/* Goes on reading where it was stopped for the upstream's sake. */
void ngx_http_ktp_body_resume(ngx_http_request_t *r);

/* Reads no more: the request is answered, though its body is not whole. */
void ngx_http_ktp_body_stop(ngx_http_request_t *r);

/* The worker's buffer that bodies are read through.  For init_process. */
ngx_int_t ngx_http_ktp_body_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_BODY_H */
