#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_headers.h"


static ktp_code_t ngx_http_ktp_quota_wait(ngx_http_ktp_ctx_t *ctx,
                                          uint64_t            wait);
static ktp_code_t ngx_http_ktp_quota_refused(ngx_http_ktp_ctx_t *ctx);


ktp_code_t
ngx_http_ktp_quota_admit(ngx_http_ktp_ctx_t *ctx)
{
    uint64_t               wait;
    ngx_http_ktp_client_t *client;

    client = ctx->client_conf;

    if (client == NULL || client->slot == NULL) {
        return KTP_OK;
    }

    if (!ctx->sandbox && ngx_http_ktp_count_exhausted(client)) {
        return ngx_http_ktp_quota_refused(ctx);
    }

    wait = ngx_http_ktp_count_rate(client, &client->slot->account->rate);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp quota: client \"%V\" %s", &ctx->client,
                   wait ? "is over its rate" : "may call");

    return wait ? ngx_http_ktp_quota_wait(ctx, wait) : KTP_OK;
}


/* Rejects a request; the client may retry in wait microseconds. */

static ktp_code_t
ngx_http_ktp_quota_wait(ngx_http_ktp_ctx_t *ctx, uint64_t wait)
{
    ngx_http_request_t *r;

    r = ctx->request;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "rate of client \"%V\" is exceeded", &ctx->client);

    if (ngx_http_ktp_headers_retry_after(r, (wait + 999999) / 1000000)
        != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    return KTP_TOO_MANY_REQUESTS;
}


static ktp_code_t
ngx_http_ktp_quota_refused(ngx_http_ktp_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "quota of client \"%V\" is exhausted", &ctx->client);

    ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_QUOTA);

    if (ngx_http_ktp_headers_retry_after(
            ctx->request, ngx_http_ktp_count_wait(ctx->client_conf))
        != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    return KTP_INSUFFICIENT_QUOTA;
}


ktp_code_t
ngx_http_ktp_quota_take(ngx_http_ktp_ctx_t *ctx)
{
    ngx_uint_t                over;
    ngx_http_ktp_client_t    *client;
    ngx_http_ktp_main_conf_t *kmcf;

    client = ctx->client_conf;

    if (client == NULL || client->slot == NULL || ctx->taken.slot) {
        return KTP_OK;
    }

    kmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_ktp_module);

    if (ngx_http_ktp_count_take(kmcf->zone->shared, client, &ctx->taken, &over)
        != NGX_OK) {
        return ngx_http_ktp_quota_refused(ctx);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp quota: client \"%V\" takes a call", &ctx->client);

    if (over) {
        ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                      "quota of client \"%V\" is exceeded, dry run",
                      &ctx->client);
    }

    return KTP_OK;
}


ngx_http_ktp_call_share_t *
ngx_http_ktp_quota_share(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_client_t *client;

    client = ctx->client_conf;

    return client && client->share.max ? &client->share : NULL;
}


void
ngx_http_ktp_quota_sent(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_count_sent(&ctx->taken);
}


void
ngx_http_ktp_quota_settle(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_taken_t *taken;

    taken = &ctx->taken;

    if (taken->slot == NULL) {
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp quota: call %s",
                   ctx->billed == NGX_HTTP_KTP_BILLED_NO ? "given back"
                                                         : "stays counted");

    ngx_http_ktp_count_sent(taken);

    if (ctx->billed == NGX_HTTP_KTP_BILLED_NO) {
        ngx_http_ktp_count_give(taken);
    }

    taken->slot = NULL;
}
