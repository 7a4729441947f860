/*
 * Who answers: a check, a reader that is asked first, the upstream, a
 * fallback.
 */

#ifndef NGX_HTTP_KTP_ANSWERERS_H
#define NGX_HTTP_KTP_ANSWERERS_H

#include "ngx_http_ktp_ctx.h"


/*
 * The request is complete and valid, and leads: asks those that its location
 * has, in their order, until one has answered the client.  Returns KTP_OK, and
 * the rest happens in events; or an error for ngx_http_ktp_answerers_fail().
 */
ktp_code_t ngx_http_ktp_answerers(ngx_http_request_t *r);

/*
 * A part of the body has arrived: starts or resumes the upstream's call, if
 * nobody else can be asked.
 */
ktp_code_t ngx_http_ktp_answerers_part(ngx_http_request_t *r);

/*
 * Answers the request with the results of ctx->call, which another request has
 * made.
 */
void ngx_http_ktp_answerers_replay(ngx_http_request_t *r);

/* Ends whatever is in progress, and answers with an error of this module. */
void ngx_http_ktp_answerers_fail(ngx_http_request_t *r, ktp_code_t code);


#endif /* NGX_HTTP_KTP_ANSWERERS_H */
