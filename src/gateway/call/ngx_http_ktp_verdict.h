/* The result of an upstream call: who is to blame, and whether it is billed.
 */

#ifndef NGX_HTTP_KTP_VERDICT_H
#define NGX_HTTP_KTP_VERDICT_H

#include "ngx_http_ktp_ctx.h"


struct ngx_http_ktp_verdict_s {
    ktp_code_t             code; /* KTP_OK: the response goes to the client */
    ngx_http_ktp_outcome_t outcome;
    ktp_code_t             reason; /* KTP_OK if it is of no failure */
    ngx_http_ktp_billed_t  billed;
};


/*
 * Judges a call that has ended, and logs a failure at the "error" level.  With
 * KTP_OK, call->body is replaced by what the client may see, and lives as long
 * as the request.  Codes of the response are saved in the context.  If
 * ctx->local is set, the answer is a local reader's: it is always rewritten.
 */
void ngx_http_ktp_verdict(ngx_http_request_t *r, ngx_http_ktp_call_t *call,
                          ngx_http_ktp_verdict_t *verdict);

/* What ngx_http_ktp_transport_start() has returned, as an error; or KTP_OK. */
ktp_code_t ngx_http_ktp_verdict_start(ngx_int_t rc);

/*
 * Why a call failed: KTP_OK if its response is complete and its status below
 * 500.  Logs nothing.
 */
ktp_code_t ngx_http_ktp_verdict_cause(const ngx_http_ktp_call_t *call);

/*
 * Judges the call to a local reader, whose answer need not be one for a
 * client: KTP_OK if it is JSON with status 200, or with an error of the
 * request; or why it is of no use, which is logged at the "error" level.
 */
ktp_code_t ngx_http_ktp_verdict_local(ngx_http_ktp_call_t *call);

/*
 * Whether a call, which may have been aborted, is billed: status_code is that
 * of the response, "" for none.
 */
ngx_http_ktp_billed_t
ngx_http_ktp_verdict_billed(const ngx_http_ktp_call_t *call,
                            const char                *status_code);


#endif /* NGX_HTTP_KTP_VERDICT_H */
