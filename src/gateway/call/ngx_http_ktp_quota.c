#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_fleet_lease.h"
#include "ngx_http_ktp_fleet_rate.h"
#include "ngx_http_ktp_headers.h"


static ngx_int_t  ngx_http_ktp_quota_rate(ngx_http_ktp_ctx_t   *ctx,
                                          ngx_http_ktp_quota_pt done,
                                          uint64_t             *wait);
static ktp_code_t ngx_http_ktp_quota_wait(ngx_http_ktp_ctx_t *ctx,
                                          uint64_t            wait);
static ktp_code_t ngx_http_ktp_quota_refused(ngx_http_ktp_ctx_t *ctx);
static ngx_int_t  ngx_http_ktp_quota_count(ngx_http_ktp_ctx_t *ctx);
static ktp_code_t ngx_http_ktp_quota_code(ngx_http_ktp_ctx_t *ctx,
                                          ngx_int_t           rc);
static ktp_code_t ngx_http_ktp_quota_no_lease(ngx_http_ktp_ctx_t *ctx);
static ngx_uint_t ngx_http_ktp_quota_patient(ngx_http_ktp_ctx_t   *ctx,
                                             ngx_http_ktp_quota_pt done);
static ktp_code_t ngx_http_ktp_quota_lease(ngx_http_ktp_ctx_t   *ctx,
                                           ngx_http_ktp_quota_pt done);
static void       ngx_http_ktp_quota_leased(void *data);
static void       ngx_http_ktp_quota_cleanup(void *data);

/* A request that waits for a lease, or for units of a rate. */
struct ngx_http_ktp_quota_wait_s {
    ngx_http_ktp_fleet_waiter_t waiter;
    ngx_http_ktp_quota_pt       done;
    ngx_msec_t                  until;
};


ktp_code_t
ngx_http_ktp_quota_admit(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_quota_pt done)
{
    uint64_t               wait;
    ngx_int_t              rc;
    ngx_http_ktp_client_t *client;

    ctx->reserving = 0;
    client = ctx->client_conf;

    if (client == NULL || client->slot == NULL) {
        return KTP_OK;
    }

    if (!ctx->sandbox && ngx_http_ktp_count_exhausted(client)) {
        return ngx_http_ktp_quota_refused(ctx);
    }

    rc = ngx_http_ktp_quota_rate(ctx, done, &wait);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp quota: client \"%V\" %s", &ctx->client,
                   rc == NGX_DECLINED ? "is over its rate"
                   : rc == NGX_AGAIN  ? "waits for its rate"
                                      : "may call");

    switch (rc) {

    case NGX_OK:
        return KTP_OK;

    case NGX_DECLINED:
        return ngx_http_ktp_quota_wait(ctx, wait);

    default: /* NGX_AGAIN */
        return ngx_http_ktp_quota_lease(ctx, done);
    }
}


/* Returns what ngx_http_ktp_fleet_rate() does. */

static ngx_int_t
ngx_http_ktp_quota_rate(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_quota_pt done,
                        uint64_t *wait)
{
    ngx_http_ktp_client_t *client;

    client = ctx->client_conf;

    if (client->rate_fleet) {
        return ngx_http_ktp_fleet_rate(
            client, ngx_http_ktp_quota_patient(ctx, done), wait);
    }

    *wait = ngx_http_ktp_count_rate(client, &client->slot->account->rate);

    return *wait ? NGX_DECLINED : NGX_OK;
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
    ngx_http_ktp_client_t *client;

    client = ctx->client_conf;

    if (client == NULL || client->slot == NULL || ctx->taken.slot) {
        return KTP_OK;
    }

    return ngx_http_ktp_quota_code(ctx, ngx_http_ktp_quota_count(ctx));
}


ktp_code_t
ngx_http_ktp_quota_reserve(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_quota_pt done)
{
    ngx_int_t rc;

    ctx->reserving = 0;

    if (ctx->client_conf == NULL || !ctx->client_conf->fleet || ctx->sandbox
        || ctx->taken.slot) {
        return KTP_OK;
    }

    rc = ngx_http_ktp_quota_count(ctx);

    return rc == NGX_AGAIN ? ngx_http_ktp_quota_lease(ctx, done)
                           : ngx_http_ktp_quota_code(ctx, rc);
}


ngx_uint_t
ngx_http_ktp_quota_try(ngx_http_ktp_ctx_t *ctx)
{
    return ctx->client_conf == NULL || !ctx->client_conf->fleet
           || ctx->taken.slot || ngx_http_ktp_quota_count(ctx) == NGX_OK;
}


/* 0 if the request has waited for long enough to have done called. */

static ngx_uint_t
ngx_http_ktp_quota_patient(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_quota_pt done)
{
    ngx_http_ktp_quota_wait_t *wait;

    wait = ctx->quota_wait;

    return wait == NULL || wait->done != done
           || (ngx_msec_int_t) (wait->until - ngx_current_msec) > 0;
}


/* No lease came: waits, unless the request has waited for long enough. */

static ktp_code_t
ngx_http_ktp_quota_lease(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_quota_pt done)
{
    ngx_http_cleanup_t        *cln;
    ngx_http_request_t        *r;
    ngx_http_ktp_quota_wait_t *wait;

    if (!ngx_http_ktp_quota_patient(ctx, done)) {
        return ngx_http_ktp_quota_no_lease(ctx);
    }

    r = ctx->request;
    wait = ctx->quota_wait;

    if (wait == NULL) {
        wait = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_quota_wait_t));
        cln = ngx_http_cleanup_add(r, 0);

        if (wait == NULL || cln == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }

        wait->waiter.handler = ngx_http_ktp_quota_leased;
        wait->waiter.data = ctx;
        wait->waiter.log = r->connection->log;

        cln->handler = ngx_http_ktp_quota_cleanup;
        cln->data = &wait->waiter;

        ctx->quota_wait = wait;
    }

    if (wait->done != done) {
        wait->done = done;
        wait->until = ngx_current_msec + ngx_http_ktp_fleet_lease_patience();
    }

    ctx->reserving = 1;
    ngx_http_ktp_fleet_lease_wait(&wait->waiter);

    return KTP_OK;
}


static void
ngx_http_ktp_quota_leased(void *data)
{
    ngx_http_ktp_ctx_t *ctx = data;

    ngx_connection_t *c;

    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ctx->quota_wait->done(ctx);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_ktp_quota_cleanup(void *data)
{
    ngx_http_ktp_fleet_lease_leave(data);
}


static ktp_code_t
ngx_http_ktp_quota_no_lease(ngx_http_ktp_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "no lease of the quota of client \"%V\"", &ctx->client);

    return KTP_NO_LEASE;
}


/* Counts a call; returns what ngx_http_ktp_count_take() does. */

static ngx_int_t
ngx_http_ktp_quota_count(ngx_http_ktp_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_uint_t                over;
    ngx_http_ktp_client_t    *client;
    ngx_http_ktp_main_conf_t *kmcf;

    client = ctx->client_conf;
    kmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_ktp_module);

    rc = ngx_http_ktp_count_take(kmcf->zone->shared, client, &ctx->taken,
                                 &over);

    if (client->fleet) {
        ngx_http_ktp_fleet_lease(client, NGX_HTTP_KTP_LEASE_TAKE);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp quota: client \"%V\" takes a call", &ctx->client);

    if (over) {
        ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                      "quota of client \"%V\" is exceeded, dry run",
                      &ctx->client);
    }

    return NGX_OK;
}


static ktp_code_t
ngx_http_ktp_quota_code(ngx_http_ktp_ctx_t *ctx, ngx_int_t rc)
{
    return rc == NGX_OK         ? KTP_OK
           : rc == NGX_DECLINED ? ngx_http_ktp_quota_refused(ctx)
                                : ngx_http_ktp_quota_no_lease(ctx);
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
