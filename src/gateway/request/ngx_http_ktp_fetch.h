/* Fetching of an image given by URL, which is then handled as an upload. */

#ifndef NGX_HTTP_KTP_FETCH_H
#define NGX_HTTP_KTP_FETCH_H

#include "ngx_http_ktp_ctx.h"


/*
 * Fetches the image that the request names, into ctx->store and
 * ctx->fetched, under the policy that an image of the body is under.
 * KTP_OK: handler will be called once with the code, unless the request ends
 * before.
 */
ktp_code_t ngx_http_ktp_fetch(ngx_http_request_t  *r,
                              ngx_http_ktp_done_pt handler);


#endif /* NGX_HTTP_KTP_FETCH_H */
