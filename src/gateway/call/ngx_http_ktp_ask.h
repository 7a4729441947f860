/*
 * A call to a location that answers besides the upstream: with its ktp_pass,
 * keys, time limits and breaker.  It takes nothing from a quota.
 */

#ifndef NGX_HTTP_KTP_ASK_H
#define NGX_HTTP_KTP_ASK_H

#include "ngx_http_ktp_ctx.h"


struct ngx_http_ktp_ask_s {
    const ngx_http_ktp_answerer_t *answerer;

    /* set by the caller before start; called when the call has ended */

    void (*done)(ngx_http_ktp_ask_t *ask);
    void *data;

    /* results, when done is called */

    ngx_http_ktp_call_t call;

    /* private */

    ngx_http_request_t         *request; /* NULL: it has ended */
    ktp_request_t               options;
    ktp_outgoing_t              outgoing;
    ngx_http_ktp_ctx_peer_t     peer;
    ngx_http_ktp_breaker_call_t breaker;
    unsigned                    calling : 1;
};


/*
 * Prepares a call of a request, in a pool that it may outlive the request
 * with; NULL if memory is short or keys are not valid.
 */
ngx_http_ktp_ask_t *
ngx_http_ktp_ask_create(ngx_http_request_t            *r,
                        const ngx_http_ktp_answerer_t *answerer,
                        ngx_pool_t *pool, ngx_log_t *log);

/*
 * Starts the call for an image, which stays until it has ended.  KTP_OK, or
 * why it was not made; the latter is logged.
 */
ktp_code_t ngx_http_ktp_ask_start(ngx_http_ktp_ask_t *ask,
                                  const ktp_store_t  *store);

/* Ends the call, if it is in progress; done is not called. */
void ngx_http_ktp_ask_abort(ngx_http_ktp_ask_t *ask);


#endif /* NGX_HTTP_KTP_ASK_H */
