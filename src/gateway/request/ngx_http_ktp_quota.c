#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_process.h"
#include <time.h>


/* Marks that are looked at for a free one. */
#define NGX_HTTP_KTP_UNSENT_TRIES 64


static uint32_t   ngx_http_ktp_quota_now(ngx_http_ktp_client_t *client,
                                         ktp_quota_period_t     period);
static ktp_code_t ngx_http_ktp_rate_admit(ngx_http_ktp_ctx_t    *ctx,
                                          ngx_http_ktp_client_t *client);
static ktp_code_t ngx_http_ktp_quota_refused(ngx_http_ktp_ctx_t *ctx);
static void       ngx_http_ktp_quota_give(ngx_http_ktp_shared_t *sh,
                                          ngx_http_ktp_slot_t   *slot,
                                          const uint32_t *numbers, ngx_uint_t n);
static ngx_http_ktp_unsent_t *
ngx_http_ktp_unsent_mark(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                         const uint32_t *numbers);
static void ngx_http_ktp_unsent_clear(ngx_http_ktp_unsent_t *unsent);
static void ngx_http_ktp_unsent_reclaim(ngx_http_ktp_shared_t *sh,
                                        ngx_log_t             *log);


static ngx_uint_t ngx_http_ktp_unsent_next;


ktp_code_t
ngx_http_ktp_quota_admit(ngx_http_ktp_ctx_t *ctx)
{
    ngx_uint_t                   i;
    ngx_http_ktp_client_t       *client;
    ngx_http_ktp_client_quota_t *quota;

    client = ctx->refused ? ctx->refused : ctx->client_conf;

    if (client == NULL || client->slot == NULL) {
        return KTP_OK;
    }

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        quota = &client->quota[i];

        if (quota->set && !quota->shadow
            && ngx_http_ktp_quota_used(client, i) >= quota->limit) {
            return ngx_http_ktp_quota_refused(ctx);
        }
    }

    return client->rate_interval ? ngx_http_ktp_rate_admit(ctx, client)
                                 : KTP_OK;
}


static ktp_code_t
ngx_http_ktp_rate_admit(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_client_t *client)
{
    uint64_t            now, wait, rate;
    struct timespec     ts;
    ngx_str_t           value;
    ngx_http_request_t *r;

    r = ctx->request;

    /* nginx's own clock may be some milliseconds behind, in each worker */

    if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    now = (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

    /* a stranger takes nothing of a client's rate */

    rate = client->slot->account->rate;

    wait = ktp_quota_rate(ctx->refused ? &rate : &client->slot->account->rate,
                          now, client->rate_interval, client->rate_burst);

    if (wait == 0 || ctx->refused) {
        return KTP_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "rate of client \"%V\" is exceeded", &ctx->client);

    /* RFC 9110, 10.2.3 */

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    value.len =
        ngx_sprintf(value.data, "%uL", (wait + 999999) / 1000000) - value.data;

    if (ngx_http_ktp_headers_push(r, "Retry-After", &value) == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    return KTP_TOO_MANY_REQUESTS;
}


static ktp_code_t
ngx_http_ktp_quota_refused(ngx_http_ktp_ctx_t *ctx)
{
    if (ctx->refused) {
        return KTP_UNAUTHORIZED;
    }

    ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                  "quota of client \"%V\" is used up", &ctx->client);

    ctx->outcome = NGX_HTTP_KTP_OUTCOME_QUOTA;

    return KTP_INSUFFICIENT_QUOTA;
}


/*
 * All periods are counted, whether the client has a quota for them or not:
 * one that is set later by a reload goes on from what was counted.
 */

ktp_code_t
ngx_http_ktp_quota_take(ngx_http_ktp_ctx_t *ctx)
{
    uint64_t                     limit;
    ngx_uint_t                   i;
    ngx_http_ktp_slot_t         *slot;
    ngx_http_ktp_taken_t        *taken;
    ngx_http_ktp_client_t       *client;
    ngx_http_ktp_shared_t       *sh;
    ngx_http_ktp_client_quota_t *quota;
    ngx_http_ktp_main_conf_t    *kmcf;

    client = ctx->client_conf;
    taken = &ctx->taken;

    if (client == NULL || client->slot == NULL || taken->slot) {
        return KTP_OK;
    }

    slot = client->slot;
    kmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_ktp_module);
    sh = kmcf->zone->shared;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        quota = &client->quota[i];
        limit = quota->set && !quota->shadow ? quota->limit : KTP_QUOTA_MAX;

        if (!ktp_quota_take(&slot->account->quota[i],
                            ngx_http_ktp_quota_now(client, i), limit,
                            &taken->numbers[i])) {
            ngx_http_ktp_quota_give(sh, slot, taken->numbers, i);
            return ngx_http_ktp_quota_refused(ctx);
        }

        if (quota->set && quota->shadow
            && ktp_quota_used(&slot->account->quota[i], taken->numbers[i])
                   > quota->limit) {
            (void) __atomic_add_fetch(&slot->account->shadowed, 1,
                                      __ATOMIC_RELAXED);

            ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                          "quota of client \"%V\" is exceeded, in shadow",
                          &ctx->client);
        }
    }

    (void) __atomic_add_fetch(&sh->ledger->changes, 1, __ATOMIC_RELAXED);

    taken->slot = slot;
    taken->shared = sh;
    taken->unsent = ngx_http_ktp_unsent_mark(sh, slot, taken->numbers);

    return KTP_OK;
}


void
ngx_http_ktp_quota_sent(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_unsent_clear(ctx->taken.unsent);
    ctx->taken.unsent = NULL;
}


void
ngx_http_ktp_quota_settle(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_taken_t *taken;

    taken = &ctx->taken;

    if (taken->slot == NULL) {
        return;
    }

    ngx_http_ktp_quota_sent(ctx);

    if (ctx->billed == NGX_HTTP_KTP_BILLED_NO) {
        ngx_http_ktp_quota_give(taken->shared, taken->slot, taken->numbers,
                                KTP_QUOTA_PERIODS);
    }

    taken->slot = NULL;
}


uint64_t
ngx_http_ktp_quota_used(ngx_http_ktp_client_t *client,
                        ktp_quota_period_t     period)
{
    return ktp_quota_used(&client->slot->account->quota[period],
                          ngx_http_ktp_quota_now(client, period));
}


static uint32_t
ngx_http_ktp_quota_now(ngx_http_ktp_client_t *client,
                       ktp_quota_period_t     period)
{
    return ktp_quota_number(period, ngx_time(), client->quota[period].offset);
}


/* Gives back the first n periods of a call. */

static void
ngx_http_ktp_quota_give(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                        const uint32_t *numbers, ngx_uint_t n)
{
    ngx_uint_t i;

    for (i = 0; i < n; i++) {
        ktp_quota_give(&slot->account->quota[i], numbers[i]);
    }

    (void) __atomic_add_fetch(&sh->ledger->changes, 1, __ATOMIC_RELAXED);
}


/*
 * Marks a call that is counted and not sent.  NULL when there are more than
 * the zone has room for: were the worker killed, they would stay counted.
 */

static ngx_http_ktp_unsent_t *
ngx_http_ktp_unsent_mark(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                         const uint32_t *numbers)
{
    ngx_uint_t             i, n;
    ngx_http_ktp_unsent_t *unsent;

    for (i = 0; i < NGX_HTTP_KTP_UNSENT_TRIES; i++) {
        n = ngx_http_ktp_unsent_next++ % sh->nunsent;
        unsent = &sh->unsent[n];

        if (unsent->pid == 0 && ngx_atomic_cmp_set(&unsent->pid, 0, ngx_pid)) {
            ngx_memcpy(unsent->numbers, numbers, sizeof(unsent->numbers));
            __atomic_store_n(&unsent->slot, slot, __ATOMIC_RELEASE);

            return unsent;
        }
    }

    return NULL;
}


static void
ngx_http_ktp_unsent_clear(ngx_http_ktp_unsent_t *unsent)
{
    if (unsent) {
        __atomic_store_n(&unsent->slot, NULL, __ATOMIC_RELEASE);
        __atomic_store_n(&unsent->pid, 0, __ATOMIC_RELEASE);
    }
}


static void
ngx_http_ktp_unsent_reclaim(ngx_http_ktp_shared_t *sh, ngx_log_t *log)
{
    uint32_t               numbers[KTP_QUOTA_PERIODS];
    ngx_pid_t              pid;
    ngx_uint_t             i, n;
    ngx_http_ktp_slot_t   *slot;
    ngx_http_ktp_unsent_t *unsent;

    n = 0;

    for (i = 0; i < sh->nunsent; i++) {
        unsent = &sh->unsent[i];
        pid = unsent->pid;

        if (pid == 0) {
            continue;
        }

        /* marks with the number of this process are of one before it */

        if (pid != ngx_pid) {
            if (ngx_http_ktp_process_alive(pid)
                || !ngx_atomic_cmp_set(&unsent->pid, pid, ngx_pid)) {
                continue;
            }
        }

        slot = __atomic_load_n(&unsent->slot, __ATOMIC_ACQUIRE);
        ngx_memcpy(numbers, unsent->numbers, sizeof(numbers));
        ngx_http_ktp_unsent_clear(unsent);

        if (slot) {
            ngx_http_ktp_quota_give(sh, slot, numbers, KTP_QUOTA_PERIODS);
            n++;
        }
    }

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "gave back %ui calls that a worker had counted and not "
                      "sent when it was killed",
                      n);
    }
}


void
ngx_http_ktp_quota_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (kmcf && kmcf->zone && ngx_http_ktp_process_is_worker()) {
        ngx_http_ktp_unsent_reclaim(kmcf->zone->shared, cycle->log);
    }
}
