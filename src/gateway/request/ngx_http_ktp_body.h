/* The request's body: read unbuffered, passed on in pieces, kept nowhere. */

#ifndef NGX_HTTP_KTP_BODY_H
#define NGX_HTTP_KTP_BODY_H

#include "ngx_http_ktp_ctx.h"


struct ngx_http_ktp_body_s {

    /* the next bytes, good until it returns; an error ends the reading */
    ktp_code_t (*piece)(ngx_http_request_t *r, u_char *p, size_t n);

    /*
     * 1 if no more can be taken until ngx_http_ktp_body_resume() is called;
     * NULL: never.
     */
    ngx_uint_t (*full)(ngx_http_request_t *r);

    /*
     * Called once: with KTP_OK when the body is complete, or with the first
     * error; the rest of the body is then unread.
     */
    ngx_http_ktp_done_pt done;
};


/*
 * Reads the body, unbuffered, and calls the functions of body, which must
 * live as long as the request.  The context must have an intake, into whose
 * room bytes are read.  Returns NGX_DONE, or an HTTP status with which the
 * caller's handler ends.
 */
ngx_int_t ngx_http_ktp_body_receive(ngx_http_request_t        *r,
                                    const ngx_http_ktp_body_t *body);

/* Goes on reading where it was stopped for the upstream's sake. */
void ngx_http_ktp_body_resume(ngx_http_request_t *r);

/* Reads no more: the request is answered, though its body is not whole. */
void ngx_http_ktp_body_stop(ngx_http_request_t *r);

/* The worker's buffer that bodies are read through.  For init_process. */
ngx_int_t ngx_http_ktp_body_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_BODY_H */
