/* Quotas and rates of clients, as a request is held to them. */

#ifndef NGX_HTTP_KTP_QUOTA_H
#define NGX_HTTP_KTP_QUOTA_H

#include "ngx_http_ktp_ctx.h"


/*
 * Whether a client may call now, before its body is read: KTP_OK,
 * KTP_TOO_MANY_REQUESTS or KTP_INSUFFICIENT_QUOTA.  A request is counted for
 * the rate here; for the quota it is not.
 */
ktp_code_t ngx_http_ktp_quota_admit(ngx_http_ktp_ctx_t *ctx);

/*
 * Counts a call that is about to be made; KTP_OK or KTP_INSUFFICIENT_QUOTA.
 * Once a request.
 */
ktp_code_t ngx_http_ktp_quota_take(ngx_http_ktp_ctx_t *ctx);

/* The call's last byte is handed out: it stays counted. */
void ngx_http_ktp_quota_sent(ngx_http_ktp_ctx_t *ctx);

/*
 * The call has ended and ctx->billed is set; gives it back if it is known
 * that it is not billed.  May be called again, and when nothing was taken.
 */
void ngx_http_ktp_quota_settle(ngx_http_ktp_ctx_t *ctx);


#endif /* NGX_HTTP_KTP_QUOTA_H */
