/* Responses to the client: that of the upstream, or an error. */

#ifndef NGX_HTTP_KTP_ANSWER_H
#define NGX_HTTP_KTP_ANSWER_H

#include "ngx_http_ktp_ctx.h"


/* Sends an error response and finalizes the request. */
void ngx_http_ktp_answer_error(ngx_http_request_t *r, ktp_code_t code);

/* Sends the response of a call, as judged, and finalizes the request. */
void ngx_http_ktp_answer_call(ngx_http_request_t  *r,
                              ngx_http_ktp_call_t *call);

/*
 * Sends a JSON body, which must live as long as the request, and finalizes the
 * request.
 */
void ngx_http_ktp_answer_text(ngx_http_request_t *r, ngx_uint_t status,
                              ngx_str_t *body);

/*
 * Installs filters that convert error pages of nginx, in locations with
 * ktp_pass, to JSON errors of the contract, or returns NGX_ERROR.  For
 * postconfiguration.
 */
ngx_int_t ngx_http_ktp_answer_init_filters(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_ANSWER_H */
