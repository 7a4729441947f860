/*
 * The trace that a request belongs to: W3C Trace Context, level 1, of the
 * header "traceparent".
 */

#ifndef NGX_HTTP_KTP_TRACE_H
#define NGX_HTTP_KTP_TRACE_H

#include "ngx_http_ktp_ctx.h"


/*
 * Our own part of the client's trace: its identifier and flags, and a span
 * of ours, the same for the whole request.  Empty when the client sent none
 * that is right.  The string lives as long as the request.
 */
ngx_str_t *ngx_http_ktp_trace_parent(ngx_http_request_t *r,
                                     ngx_http_ktp_ctx_t *ctx);

/* Adds it to the headers of the call, where ktp_pass_trace is on. */
ktp_code_t ngx_http_ktp_trace_header(ngx_http_request_t *r,
                                     ngx_array_t        *headers);


#endif /* NGX_HTTP_KTP_TRACE_H */
