#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_process.h"
#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_variables.h"


/* Of a zone, for the gauges of workers. */
#define NGX_HTTP_KTP_WORKERS_SHARE 32

/* The column of codes that are not told apart. */
#define NGX_HTTP_KTP_CODE_OTHER 1


static ngx_int_t  ngx_http_ktp_metrics_log(ngx_http_request_t *r);
static void       ngx_http_ktp_metrics_count(ngx_http_request_t     *r,
                                             ngx_http_ktp_ctx_t     *ctx,
                                             ngx_http_ktp_metrics_t *metrics);
static ngx_msec_t ngx_http_ktp_metrics_time(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ktp_metrics_column_of(const char *code);
static ngx_http_ktp_counters_t             *
ngx_http_ktp_metrics_counters(ngx_http_ktp_zone_t *zone,
                                          ngx_http_ktp_slot_t *slot);
static void ngx_http_ktp_observe(ngx_http_ktp_histogram_t     *histogram,
                                 const ngx_http_ktp_buckets_t *buckets,
                                 uint64_t                      value);


const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_time_buckets = {
    12, {10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000}};

const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_size_buckets = {
    8, {50000, 100000, 200000, 400000, 800000, 1600000, 3200000, 6400000}};

/* "" and "other", the table's own, and two that only the vendor gives */
static const char *ngx_http_ktp_codes[NGX_HTTP_KTP_METRICS_CODES] = {
    "", "other", "FAIL_ON_1", "INVALID_PAYLOAD_REFERENCE_ID_EXISTS"};
static ngx_uint_t ngx_http_ktp_ncodes = 4;

static ngx_http_ktp_worker_t         *ngx_http_ktp_worker;
static ngx_http_ktp_metrics_t        *ngx_http_ktp_worker_metrics;
static ngx_http_ktp_transport_stat_t *ngx_http_ktp_own_stat;


ngx_http_ktp_metrics_t *
ngx_http_ktp_metrics_create(ngx_slab_pool_t *pool, size_t size)
{
    ngx_uint_t              n;
    ngx_http_ktp_metrics_t *metrics;

    n = size / NGX_HTTP_KTP_WORKERS_SHARE / sizeof(ngx_http_ktp_worker_t);

    metrics = ngx_slab_calloc(pool, sizeof(ngx_http_ktp_metrics_t)
                                        + n * sizeof(ngx_http_ktp_worker_t));
    if (metrics) {
        metrics->nworkers = n;
    }

    return metrics;
}


ngx_int_t
ngx_http_ktp_metrics_init(ngx_conf_t *cf)
{
    ngx_uint_t                 i;
    const char                *name;
    ngx_http_handler_pt       *h;
    ngx_http_core_main_conf_t *cmcf;

    for (i = KTP_OK + 1; i < KTP_CODES; i++) {
        name = ktp_error(i)->name;

        if (ngx_http_ktp_metrics_column_of(name) == NGX_HTTP_KTP_CODE_OTHER) {
            if (ngx_http_ktp_ncodes == NGX_HTTP_KTP_METRICS_CODES) {
                return NGX_ERROR;
            }

            ngx_http_ktp_codes[ngx_http_ktp_ncodes++] = name;
        }
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_ktp_metrics_log;

    return NGX_OK;
}


const char *
ngx_http_ktp_metrics_code(ngx_uint_t n)
{
    return n < ngx_http_ktp_ncodes ? ngx_http_ktp_codes[n] : NULL;
}


static ngx_uint_t
ngx_http_ktp_metrics_column_of(const char *code)
{
    ngx_uint_t i;

    for (i = 0; i < ngx_http_ktp_ncodes; i++) {
        if (ngx_strcmp(ngx_http_ktp_codes[i], code) == 0) {
            return i;
        }
    }

    return NGX_HTTP_KTP_CODE_OTHER;
}


void
ngx_http_ktp_metrics_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_atomic_uint_t         pid;
    ngx_http_ktp_worker_t    *worker;
    ngx_http_ktp_metrics_t   *metrics;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (!ngx_http_ktp_process_is_worker() || kmcf == NULL
        || kmcf->zone == NULL) {
        return;
    }

    metrics = kmcf->zone->shared->metrics;

    for (i = 0; i < metrics->nworkers; i++) {
        worker = &metrics->workers[i];
        pid = worker->pid;

        if ((pid != 0 && ngx_http_ktp_process_alive((ngx_pid_t) worker->pid))
            || !ngx_atomic_cmp_set(&worker->pid, pid, ngx_pid)) {
            continue;
        }

        /* of one that was killed; its connections went with it */

        (void) ngx_atomic_fetch_add(&metrics->opened,
                                    worker->transport.opened);
        ngx_memzero(&worker->transport, sizeof(ngx_http_ktp_transport_stat_t));

        ngx_http_ktp_worker = worker;
        ngx_http_ktp_worker_metrics = metrics;
        ngx_http_ktp_own_stat = ngx_http_ktp_transport_stat;
        ngx_http_ktp_transport_stat = &worker->transport;
        return;
    }
}


ngx_uint_t
ngx_http_ktp_metrics_counting(void)
{
    return ngx_http_ktp_worker != NULL;
}


void
ngx_http_ktp_metrics_exit(void)
{
    ngx_http_ktp_worker_t *worker;

    worker = ngx_http_ktp_worker;

    if (worker == NULL) {
        return;
    }

    (void) ngx_atomic_fetch_add(&ngx_http_ktp_worker_metrics->opened,
                                worker->transport.opened);
    ngx_memzero(&worker->transport, sizeof(ngx_http_ktp_transport_stat_t));

    ngx_http_ktp_transport_stat = ngx_http_ktp_own_stat;
    ngx_http_ktp_worker = NULL;

    ngx_memory_barrier();
    worker->pid = 0;
}


void
ngx_http_ktp_metrics_workers(ngx_http_ktp_metrics_t        *metrics,
                             ngx_http_ktp_transport_stat_t *sum,
                             ngx_uint_t                    *workers)
{
    ngx_uint_t             i;
    ngx_http_ktp_worker_t *worker;

    ngx_memzero(sum, sizeof(ngx_http_ktp_transport_stat_t));
    sum->opened = metrics->opened;
    *workers = 0;

    for (i = 0; i < metrics->nworkers; i++) {
        worker = &metrics->workers[i];

        if (worker->pid == 0) {
            continue;
        }

        sum->opened += worker->transport.opened;

        if (ngx_http_ktp_process_alive((ngx_pid_t) worker->pid)) {
            sum->calls += worker->transport.calls;
            sum->connections += worker->transport.connections;
            (*workers)++;
        }
    }
}


static ngx_int_t
ngx_http_ktp_metrics_log(ngx_http_request_t *r)
{
    ngx_uint_t                outcome, column;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_zone_t      *zone;
    ngx_http_ktp_slot_t      *slot;
    ngx_http_ktp_counters_t  *counters;
    ngx_http_ktp_main_conf_t *kmcf;

    ctx = ngx_http_ktp_get_ctx(r);

    if (!ngx_http_ktp_is_ours(r, ctx) || r != r->main) {
        return NGX_OK;
    }

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);
    zone = kmcf->zone;

    slot = ctx && ctx->client_conf ? ctx->client_conf->slot : zone->nobody;
    counters = ngx_http_ktp_metrics_counters(zone, slot);

    outcome = ngx_http_ktp_outcome(r, ctx);
    column = ngx_http_ktp_metrics_column_of(ngx_http_ktp_error_code(r, ctx));

    if (outcome == NGX_HTTP_KTP_OUTCOME_NONE) {
        outcome = NGX_HTTP_KTP_OUTCOME_ABORTED;
    }

    (void) ngx_atomic_fetch_add(&counters->requests[outcome - 1][column], 1);

    if (ctx && ctx->called) {
        if (ctx->billed == NGX_HTTP_KTP_BILLED_YES) {
            (void) ngx_atomic_fetch_add(&counters->billed, 1);

        } else if (ctx->billed == NGX_HTTP_KTP_BILLED_UNKNOWN) {
            (void) ngx_atomic_fetch_add(&counters->maybe, 1);
        }
    }

    ngx_http_ktp_metrics_count(r, ctx, zone->shared->metrics);

    return NGX_OK;
}


/* What is not told apart by clients. */

static void
ngx_http_ktp_metrics_count(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx,
                           ngx_http_ktp_metrics_t *metrics)
{
    ngx_http_ktp_call_t *call;

    ngx_http_ktp_observe(&metrics->request_time,
                         &ngx_http_ktp_metrics_time_buckets,
                         ngx_http_ktp_metrics_time(r));

    (void) ngx_atomic_fetch_add(&metrics->received, r->request_length);
    (void) ngx_atomic_fetch_add(&metrics->sent, r->connection->sent);

    if (ctx == NULL) {
        return;
    }

    if (ctx->image_size) {
        ngx_http_ktp_observe(&metrics->image_size,
                             &ngx_http_ktp_metrics_size_buckets,
                             ctx->image_size);
    }

    if (!ctx->called) {
        return;
    }

    call = &ctx->call;

    ngx_http_ktp_observe(&metrics->upstream_time,
                         &ngx_http_ktp_metrics_time_buckets,
                         call->response_time);

    (void) ngx_atomic_fetch_add(&metrics->upstream_sent, call->bytes_sent);
    (void) ngx_atomic_fetch_add(&metrics->upstream_received, ctx->answer.len);

    if (call->retries) {
        (void) ngx_atomic_fetch_add(&metrics->retries, call->retries);
    }
}


/* As nginx's own $request_time has it. */

static ngx_msec_t
ngx_http_ktp_metrics_time(ngx_http_request_t *r)
{
    ngx_time_t    *tp;
    ngx_msec_int_t ms;

    tp = ngx_timeofday();

    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + (tp->msec - r->start_msec));

    return ngx_max(ms, 0);
}


/* Made at the first request of a client: most names may never call. */

static ngx_http_ktp_counters_t *
ngx_http_ktp_metrics_counters(ngx_http_ktp_zone_t *zone,
                              ngx_http_ktp_slot_t *slot)
{
    ngx_http_ktp_counters_t *counters;

    counters = __atomic_load_n(&slot->counters, __ATOMIC_ACQUIRE);

    if (counters) {
        return counters;
    }

    ngx_shmtx_lock(&zone->pool->mutex);

    counters = slot->counters;

    if (counters == NULL) {
        counters = ngx_slab_calloc_locked(zone->pool,
                                          sizeof(ngx_http_ktp_counters_t));
        if (counters == NULL) {
            counters = &zone->shared->metrics->other;
        }

        __atomic_store_n(&slot->counters, counters, __ATOMIC_RELEASE);
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return counters;
}


static void
ngx_http_ktp_observe(ngx_http_ktp_histogram_t     *histogram,
                     const ngx_http_ktp_buckets_t *buckets, uint64_t value)
{
    ngx_uint_t i;

    for (i = 0; i < buckets->n; i++) {
        if (value <= buckets->bound[i]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&histogram->count[i], 1);
    (void) ngx_atomic_fetch_add(&histogram->sum, value);
}
