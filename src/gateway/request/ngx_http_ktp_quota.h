/*
 * Quotas and rates of clients: enforced in shared memory, exact over
 * workers, and kept over a restart in a file.
 */

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

/*
 * Calls counted for a client in the present period, which is what its quota
 * is compared with.  The client must have a slot.
 */
uint64_t ngx_http_ktp_quota_used(ngx_http_ktp_client_t *client,
                                 ktp_quota_period_t     period);

/*
 * Gives back what workers that were killed had counted and not sent.  For
 * init_process.
 */
void ngx_http_ktp_quota_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_QUOTA_H */
