/* The result of an upstream call: who is to blame, and whether it is billed.
 */

#ifndef NGX_HTTP_KTP_VERDICT_H
#define NGX_HTTP_KTP_VERDICT_H

#include "ngx_http_ktp_ctx.h"


typedef struct {
    ktp_code_t             code; /* KTP_OK: the response goes to the client */
    ngx_http_ktp_outcome_t outcome;
    ktp_code_t             reason; /* KTP_OK if it is of no failure */
    ngx_http_ktp_billed_t  billed;
} ngx_http_ktp_verdict_t;


/*
 * Judges a call that has ended, and logs a failure at the "error" level.  With
 * KTP_OK, call->body is replaced by what the client may see, and lives as long
 * as the request.  Codes of the response are saved in the context.
 */
void ngx_http_ktp_verdict(ngx_http_request_t *r, ngx_http_ktp_call_t *call,
                          ngx_http_ktp_verdict_t *verdict);

/*
 * Whether a call, which may have been aborted, is billed: status_code is that
 * of the response, "" for none.
 */
ngx_http_ktp_billed_t
ngx_http_ktp_verdict_billed(const ngx_http_ktp_call_t *call,
                            const char                *status_code);


#endif /* NGX_HTTP_KTP_VERDICT_H */
