#include "ngx_http_ktp_metrics.h"
#include "ktp_error.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_process.h"


/* Share of a zone for gauges of workers: 1/32. */
#define NGX_HTTP_KTP_WORKERS_SHARE 32

/* The column of all other codes. */
#define NGX_HTTP_KTP_CODE_OTHER 1


_Static_assert(sizeof(ngx_http_ktp_counters_t) <= NGX_HTTP_KTP_METRICS_CLIENT,
               "counters of a client do not fit");

static ngx_uint_t ngx_http_ktp_metrics_column(const char *code);
static void       ngx_http_ktp_metrics_ended(ngx_http_ktp_metrics_t *metrics,
                                             ngx_http_ktp_outcome_t  outcome);
static ngx_http_ktp_counters_t             *
ngx_http_ktp_metrics_counters(ngx_http_ktp_zone_t *zone,
                                          ngx_http_ktp_slot_t *slot);
static void ngx_http_ktp_metrics_match(ngx_http_ktp_matches_t matches,
                                       unsigned bin, ktp_local_match_t match);
static void ngx_http_ktp_metrics_observe(ngx_http_ktp_histogram_t *histogram,
                                         const ngx_http_ktp_buckets_t *buckets,
                                         uint64_t                      value);


const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_time_buckets = {
    12, {10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000}};

const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_size_buckets = {
    8, {50000, 100000, 200000, 400000, 800000, 1600000, 3200000, 6400000}};

/* "", "other", and two codes that only the vendor returns */
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
        metrics->started = ngx_time();
        metrics->nworkers = n;
    }

    return metrics;
}


ngx_int_t
ngx_http_ktp_metrics_currencies(ngx_http_ktp_metrics_t   *metrics,
                                ngx_http_ktp_currency_t **currency,
                                ngx_uint_t                n)
{
    ngx_uint_t i, j;

    for (i = 0; i < n; i++) {

        for (j = 0; j < metrics->ncurrencies; j++) {
            if (ngx_memcmp(metrics->currencies[j], currency[i]->code,
                           NGX_HTTP_KTP_CURRENCY)
                == 0) {
                break;
            }
        }

        if (j == NGX_HTTP_KTP_CURRENCIES) {
            return NGX_ERROR;
        }

        if (j == metrics->ncurrencies) {
            ngx_memcpy(metrics->currencies[j], currency[i]->code,
                       NGX_HTTP_KTP_CURRENCY);

            /* workers of the previous configuration may be reading */

            __atomic_store_n(&metrics->ncurrencies, j + 1, __ATOMIC_RELEASE);
        }

        currency[i]->column = j;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_metrics_init(void)
{
    ngx_uint_t  i;
    const char *name;

    for (i = KTP_OK + 1; i < KTP_KINDS; i++) {
        name = ktp_error(i)->name;

        if (ngx_http_ktp_metrics_column(name) == NGX_HTTP_KTP_CODE_OTHER) {
            if (ngx_http_ktp_ncodes == NGX_HTTP_KTP_METRICS_CODES) {
                return NGX_ERROR;
            }

            ngx_http_ktp_codes[ngx_http_ktp_ncodes++] = name;
        }
    }

    return NGX_OK;
}


const char *
ngx_http_ktp_metrics_code(ngx_uint_t n)
{
    return n < ngx_http_ktp_ncodes ? ngx_http_ktp_codes[n] : NULL;
}


const char *
ngx_http_ktp_metrics_saved(ngx_http_ktp_saved_t saved)
{
    static const char *const reasons[] = {NULL, "joined", "replayed",
                                          "precheck", "first"};

    return reasons[saved];
}


static ngx_uint_t
ngx_http_ktp_metrics_column(const char *code)
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

        /* left by a killed worker, whose connections are closed */

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


ngx_uint_t
ngx_http_ktp_metrics_last(ngx_http_ktp_metrics_t *metrics)
{
    ngx_uint_t        i;
    ngx_atomic_uint_t pid;

    for (i = 0; i < metrics->nworkers; i++) {
        pid = metrics->workers[i].pid;

        if (pid != 0 && (ngx_pid_t) pid != ngx_pid
            && ngx_http_ktp_process_alive((ngx_pid_t) pid)) {
            return 0;
        }
    }

    return 1;
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


void
ngx_http_ktp_metrics_count(ngx_http_ktp_zone_t                  *zone,
                           ngx_http_ktp_slot_t                  *slot,
                           const ngx_http_ktp_metrics_request_t *request)
{
    ngx_uint_t               column;
    ngx_http_ktp_outcome_t   outcome;
    ngx_http_ktp_metrics_t  *metrics;
    ngx_http_ktp_counters_t *counters;

    metrics = zone->shared->metrics;
    counters = ngx_http_ktp_metrics_counters(zone, slot ? slot : zone->nobody);
    column = ngx_http_ktp_metrics_column(request->code);

    (void) __atomic_fetch_add(
        &counters->requests[request->outcome - 1][column], 1,
        __ATOMIC_RELAXED);

    if (request->source != NGX_HTTP_KTP_SOURCE_NONE) {
        (void) ngx_atomic_fetch_add(&metrics->answers[request->source - 1], 1);
    }

    if (request->checked != NGX_HTTP_KTP_CHECK_NONE) {
        (void) ngx_atomic_fetch_add(&metrics->checks[request->checked - 1], 1);
    }

    if (request->saved != NGX_HTTP_KTP_SAVED_NONE) {
        (void) ngx_atomic_fetch_add(&counters->saved[request->saved - 1], 1);
    }

    if (request->reason != KTP_OK) {
        (void) ngx_atomic_fetch_add(&metrics->errors[request->reason], 1);
    }

    ngx_http_ktp_metrics_observe(&metrics->request_time,
                                 &ngx_http_ktp_metrics_time_buckets,
                                 request->time);

    (void) ngx_atomic_fetch_add(&metrics->received, request->received);
    (void) ngx_atomic_fetch_add(&metrics->sent, request->sent);

    if (request->image_size) {
        ngx_http_ktp_metrics_observe(&metrics->image_size,
                                     &ngx_http_ktp_metrics_size_buckets,
                                     request->image_size);
    }

    if (request->call == NULL) {
        return;
    }

    outcome = request->call_outcome;

    (void) ngx_atomic_fetch_add(&metrics->calls[outcome - 1], 1);

    if (request->checked != NGX_HTTP_KTP_CHECK_NONE) {
        (void) ngx_atomic_fetch_add(
            &metrics->checked[request->checked - 1][outcome - 1], 1);
    }

    ngx_http_ktp_metrics_ended(metrics, outcome);

    if (request->billed == NGX_HTTP_KTP_BILLED_YES) {
        (void) ngx_atomic_fetch_add(&counters->billed[outcome - 1], 1);

        if (request->price) {
            (void) __atomic_fetch_add(
                &counters->cost[request->price->currency->column],
                request->price->amount, __ATOMIC_RELAXED);
        }

    } else if (request->billed == NGX_HTTP_KTP_BILLED_UNKNOWN) {
        (void) ngx_atomic_fetch_add(&counters->maybe, 1);

        if (outcome != NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED) {
            (void) ngx_atomic_fetch_add(&metrics->unclear, 1);
        }
    }

    ngx_http_ktp_metrics_observe(&metrics->upstream_time,
                                 &ngx_http_ktp_metrics_time_buckets,
                                 request->call->response_time);

    (void) ngx_atomic_fetch_add(&metrics->upstream_sent,
                                request->call->bytes_sent);
    (void) ngx_atomic_fetch_add(&metrics->upstream_received,
                                request->answer_size);

    if (request->call->retries) {
        (void) ngx_atomic_fetch_add(&metrics->retries, request->call->retries);
    }
}


void
ngx_http_ktp_metrics_shadow(ngx_http_ktp_zone_t         *zone,
                            ngx_http_ktp_shadow_result_t result,
                            const ktp_local_compare_t   *compare)
{
    ktp_field_t             field;
    ngx_http_ktp_metrics_t *metrics;

    if (zone == NULL) {
        return;
    }

    metrics = zone->shared->metrics;

    (void) ngx_atomic_fetch_add(&metrics->shadows[result], 1);

    if (compare == NULL) {
        return;
    }

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {
        ngx_http_ktp_metrics_match(metrics->fields[field], compare->bin[field],
                                   compare->match[field]);
    }

    ngx_http_ktp_metrics_match(metrics->cards, compare->card_bin,
                               compare->card);
}


static void
ngx_http_ktp_metrics_match(ngx_http_ktp_matches_t matches, unsigned bin,
                           ktp_local_match_t match)
{
    if (match != KTP_LOCAL_NOT_COMPARED) {
        (void) ngx_atomic_fetch_add(&matches[bin][match == KTP_LOCAL_AGREES],
                                    1);
    }
}


/* A limited rate, or a client that has left, says neither. */

static void
ngx_http_ktp_metrics_ended(ngx_http_ktp_metrics_t *metrics,
                           ngx_http_ktp_outcome_t  outcome)
{
    switch (outcome) {

    case NGX_HTTP_KTP_OUTCOME_OK:
    case NGX_HTTP_KTP_OUTCOME_BAD_QUALITY:
    case NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED:
        __atomic_store_n(&metrics->success, ngx_current_msec,
                         __ATOMIC_RELAXED);
        break;

    case NGX_HTTP_KTP_OUTCOME_UPSTREAM_REFUSED:
    case NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR:
    case NGX_HTTP_KTP_OUTCOME_TIMEOUT:
        __atomic_store_n(&metrics->failure, ngx_current_msec,
                         __ATOMIC_RELAXED);
        break;

    default:
        break;
    }
}


/* Allocated at the first request of a client: most may never call. */

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
ngx_http_ktp_metrics_observe(ngx_http_ktp_histogram_t     *histogram,
                             const ngx_http_ktp_buckets_t *buckets,
                             uint64_t                      value)
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
