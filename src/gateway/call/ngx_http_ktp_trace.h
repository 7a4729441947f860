/* Trace of a request: header "traceparent" of W3C Trace Context, level 1. */

#ifndef NGX_HTTP_KTP_TRACE_H
#define NGX_HTTP_KTP_TRACE_H

#include "ngx_http_ktp_ctx.h"


/*
 * The "traceparent" of the upstream call: trace identifier and flags of the
 * client, and a new span, the same for the whole request.  Empty if the client
 * sent no valid one.  The string lives as long as the request.
 */
ngx_str_t *ngx_http_ktp_trace_parent(ngx_http_request_t *r,
                                     ngx_http_ktp_ctx_t *ctx);

/* Adds it to the headers of the call if ktp_pass_trace is on. */
ktp_code_t ngx_http_ktp_trace_header(ngx_http_request_t *r,
                                     ngx_array_t        *headers);


#endif /* NGX_HTTP_KTP_TRACE_H */
