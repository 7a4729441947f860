/*
 * Comparison of an answer of the upstream with that of a local reader, after
 * the client has got the former.  Only counts of agreement are kept.  A worker
 * makes a limited number of such calls at a time; an answer for which there is
 * no place is not compared.
 */

#ifndef NGX_HTTP_KTP_SHADOW_H
#define NGX_HTTP_KTP_SHADOW_H

#include "ngx_http_ktp_ctx.h"


/* Calls of a worker at a time, at most; each holds an image. */
#define NGX_HTTP_KTP_SHADOW_CALLS 4

typedef struct ngx_http_ktp_shadow_s ngx_http_ktp_shadow_t;


/*
 * Takes the image out of the context of a request, with a copy of the
 * upstream's response body as it came.  NULL: there is no place or no memory,
 * which is counted.
 */
ngx_http_ktp_shadow_t *
ngx_http_ktp_shadow_create(ngx_http_request_t            *r,
                           const ngx_http_ktp_answerer_t *answerer,
                           const ngx_str_t               *body);

/* Makes the call; it outlives the request, and frees itself. */
void ngx_http_ktp_shadow_start(ngx_http_ktp_shadow_t *shadow);


#endif /* NGX_HTTP_KTP_SHADOW_H */
