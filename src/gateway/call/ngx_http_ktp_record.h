/*
 * The results of a call as bytes, for other requests, workers and hosts: each
 * stored answer is such a record.
 */

#ifndef NGX_HTTP_KTP_RECORD_H
#define NGX_HTTP_KTP_RECORD_H

#include "ngx_http_ktp_ctx.h"


/*
 * Writes the results of ctx->call, which has this response body, to memory of
 * the request.  NGX_ERROR: there is none, or a text is too long.
 */
ngx_int_t ngx_http_ktp_record_write(ngx_http_ktp_ctx_t        *ctx,
                                    const ngx_http_ktp_call_t *call,
                                    const ngx_str_t *body, ngx_str_t *record);

/*
 * Sets the results of ctx->call to those of a record, which must live as long
 * as the request.  NGX_ERROR: it is not one of this version.
 */
ngx_int_t ngx_http_ktp_record_read(ngx_http_ktp_ctx_t *ctx,
                                   const ngx_str_t    *record);


#endif /* NGX_HTTP_KTP_RECORD_H */
