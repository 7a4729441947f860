/* Reading of the request body: unbuffered, passed on in pieces, not kept. */

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

/*
 * Reads the rest of the body over HTTP/2 or later, before an answer is sent:
 * many clients drop an answer that arrives while they are sending.  The
 * functions of body are called as above; done with KTP_OK, or with the reason
 * why the rest was given up, after "lingering_time" at the latest.
 * NGX_DECLINED: there is no rest, or it need not be read.
 */
ngx_int_t ngx_http_ktp_body_drain(ngx_http_request_t        *r,
                                  const ngx_http_ktp_body_t *body);

/* Resumes reading that was paused for the upstream. */
void ngx_http_ktp_body_resume(ngx_http_request_t *r);

/* Stops reading: the request is answered before its body is complete. */
void ngx_http_ktp_body_stop(ngx_http_request_t *r);

/* Allocates the shared read buffer of the worker.  For init_process. */
ngx_int_t ngx_http_ktp_body_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_BODY_H */
