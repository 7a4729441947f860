/* The "reference_id" that is sent if the client sent none. */

#ifndef NGX_HTTP_KTP_REFERENCE_H
#define NGX_HTTP_KTP_REFERENCE_H

#include "ngx_http_ktp_ctx.h"


/*
 * Sets request->reference_id as ktp_reference_id requires, unless the client
 * sent one, and saves it in the context.  While the image is not complete, a
 * derived one has its length only.
 */
ktp_code_t ngx_http_ktp_reference(ngx_http_request_t *r,
                                  ktp_request_t *request, ngx_uint_t complete);

/*
 * The reference_id of the call: of the client, or of this module.  Without a
 * call it is that of the client.  It is empty if there is none, and lives as
 * long as the request.
 */
ngx_str_t ngx_http_ktp_reference_value(ngx_http_ktp_ctx_t *ctx);

/*
 * 1 if the call, also of another request that this one has joined, has a
 * reference_id that was derived: an upstream that has seen it before has seen
 * the image before.
 */
ngx_uint_t ngx_http_ktp_reference_derived(ngx_http_request_t *r);


#endif /* NGX_HTTP_KTP_REFERENCE_H */
