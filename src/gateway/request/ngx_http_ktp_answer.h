/* Answers to the client: the upstream's, or an error of the contract. */

#ifndef NGX_HTTP_KTP_ANSWER_H
#define NGX_HTTP_KTP_ANSWER_H

#include "ngx_http_ktp_ctx.h"


/* Answers with an error and ends the request. */
void ngx_http_ktp_answer_error(ngx_http_request_t *r, ktp_code_t code);

/* Answers with what the call brought and ends the request. */
void ngx_http_ktp_answer_call(ngx_http_request_t  *r,
                              ngx_http_ktp_call_t *call);

/*
 * Puts the filters in place that give nginx's own errors at a location with
 * ktp_pass the contract's shape.  For postconfiguration.
 */
void ngx_http_ktp_answer_init_filters(void);


#endif /* NGX_HTTP_KTP_ANSWER_H */
