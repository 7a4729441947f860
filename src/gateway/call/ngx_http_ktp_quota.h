/* Enforcement of client quotas and rates on a request. */

#ifndef NGX_HTTP_KTP_QUOTA_H
#define NGX_HTTP_KTP_QUOTA_H

#include "ngx_http_ktp_ctx.h"


typedef void (*ngx_http_ktp_quota_pt)(ngx_http_ktp_ctx_t *ctx);


/*
 * Checks whether the client may call, before the body is read: KTP_OK,
 * KTP_TOO_MANY_REQUESTS, or KTP_INSUFFICIENT_QUOTA.  The request is counted
 * against the rate, not yet against the quota.  KTP_OK with ctx->reserving
 * set: it is not counted yet, the rate is that of a fleet, which was asked;
 * done is called when there may be an answer, to call this again.
 */
ktp_code_t ngx_http_ktp_quota_admit(ngx_http_ktp_ctx_t   *ctx,
                                    ngx_http_ktp_quota_pt done);

/*
 * Counts a call that is about to be made: KTP_OK or KTP_INSUFFICIENT_QUOTA. At
 * most once per request.
 */
ktp_code_t ngx_http_ktp_quota_take(ngx_http_ktp_ctx_t *ctx);

/*
 * Counts a call of a client with a quota of the fleet, before the upstream is
 * called: KTP_OK; or with ctx->reserving set if there is no lease, and done is
 * called when there may be one, to call this again; or an error.  Other
 * clients: KTP_OK, and nothing is counted.
 */
ktp_code_t ngx_http_ktp_quota_reserve(ngx_http_ktp_ctx_t   *ctx,
                                      ngx_http_ktp_quota_pt done);

/* The same without waiting: 0 if there is no lease. */
ngx_uint_t ngx_http_ktp_quota_try(ngx_http_ktp_ctx_t *ctx);

/* The limit of the client's concurrent calls; NULL if it has none. */
ngx_http_ktp_call_share_t *ngx_http_ktp_quota_share(ngx_http_ktp_ctx_t *ctx);

/*
 * The last byte of the call was handed out: it remains counted if the worker
 * is killed.
 */
void ngx_http_ktp_quota_sent(ngx_http_ktp_ctx_t *ctx);

/*
 * The call has ended and ctx->billed is set: returns it to the quota if it is
 * certainly not billed.  May be called repeatedly, and if nothing was taken.
 */
void ngx_http_ktp_quota_settle(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_QUOTA_H */
