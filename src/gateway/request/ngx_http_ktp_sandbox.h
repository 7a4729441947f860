/* Answers without an upstream call ("ktp_sandbox"), for rehearsal. */

#ifndef NGX_HTTP_KTP_SANDBOX_H
#define NGX_HTTP_KTP_SANDBOX_H

#include "ngx_http_ktp_ctx.h"


/*
 * Takes the place of an upstream call: the request will be answered as its
 * "reference_id" selects, after the time that it selects.  An answer of the
 * upstream is put into ctx->call, for done, as that of a call would be; done
 * is called from an event handler.  The image is freed.
 */
ktp_code_t ngx_http_ktp_sandbox(ngx_http_request_t *r,
                                void (*done)(void                *data,
                                             ngx_http_ktp_call_t *call));


#endif /* NGX_HTTP_KTP_SANDBOX_H */
