#include "ngx_http_ktp_status.h"
#include "ngx_http_ktp_flights.h"
#include "ktp_money.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_lease.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_outcome.h"
#include "ngx_http_ktp_samples.h"
#include "ngx_http_ktp_status_answers.h"
#include "ngx_http_ktp_zone.h"


/* Label of unauthenticated requests, as in an access log. */
#define NGX_HTTP_KTP_STATUS_NOBODY "-"

/* Label of clients for which the zone had no room. */
#define NGX_HTTP_KTP_STATUS_OTHER "*"


/* The response being written. */
typedef struct {
    ngx_http_ktp_samples_t samples;
    ngx_http_request_t    *request;
    ngx_http_ktp_zone_t   *zone;
} ngx_http_ktp_status_t;

/* Writes the samples of one client. */
typedef void (*ngx_http_ktp_status_client_pt)(
    ngx_http_ktp_status_t *st, ngx_str_t *client,
    ngx_http_ktp_counters_t *counters);


static ngx_int_t ngx_http_ktp_status_handler(ngx_http_request_t *r);
static void      ngx_http_ktp_status_all(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_errors(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_outcomes(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_rows(ngx_http_ktp_status_t   *st,
                                          ngx_str_t               *client,
                                          ngx_http_ktp_counters_t *counters);
static void      ngx_http_ktp_status_clients(ngx_http_ktp_status_t        *st,
                                             ngx_uint_t                    family,
                                             ngx_http_ktp_status_client_pt handler);
static void      ngx_http_ktp_status_billed(ngx_http_ktp_status_t   *st,
                                            ngx_str_t               *client,
                                            ngx_http_ktp_counters_t *counters);
static void      ngx_http_ktp_status_cost(ngx_http_ktp_status_t   *st,
                                          ngx_str_t               *client,
                                          ngx_http_ktp_counters_t *counters);
static void      ngx_http_ktp_status_saved(ngx_http_ktp_status_t   *st,
                                           ngx_str_t               *client,
                                           ngx_http_ktp_counters_t *counters);
static void      ngx_http_ktp_status_pair(ngx_http_ktp_status_t   *st,
                                          ngx_str_t               *client,
                                          ngx_http_ktp_counters_t *counters);
static void      ngx_http_ktp_status_calls(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_quotas(ngx_http_ktp_status_t *st,
                                            ngx_uint_t             which);
static void      ngx_http_ktp_status_shadowed(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_gauges(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_flights(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_breakers(ngx_http_ktp_status_t *st,
                                              ngx_uint_t             family);
static void      ngx_http_ktp_status_fleet(ngx_http_ktp_status_t *st);
static void      ngx_http_ktp_status_totals(ngx_http_ktp_status_t *st);
static ngx_str_t ngx_http_ktp_status_name(ngx_http_ktp_slot_t *slot);


typedef enum {
    NGX_HTTP_KTP_REQUESTS = 0,
    NGX_HTTP_KTP_ERRORS,
    NGX_HTTP_KTP_UPSTREAM_CALLS,
    NGX_HTTP_KTP_BILLABLE,
    NGX_HTTP_KTP_BILLED,
    NGX_HTTP_KTP_COST,
    NGX_HTTP_KTP_SAVED,
    NGX_HTTP_KTP_CALLS,
    NGX_HTTP_KTP_QUOTA_LIMIT,
    NGX_HTTP_KTP_QUOTA_USED,
    NGX_HTTP_KTP_QUOTA_LEFT,
    NGX_HTTP_KTP_LEASE_HELD,
    NGX_HTTP_KTP_SHADOWED,
    NGX_HTTP_KTP_IN_FLIGHT,
    NGX_HTTP_KTP_FLIGHTS,
    NGX_HTTP_KTP_WAITING,
    NGX_HTTP_KTP_STORED,
    NGX_HTTP_KTP_BONDS,
    NGX_HTTP_KTP_ANSWER_SIZE,
    NGX_HTTP_KTP_ANSWER_FREE,
    NGX_HTTP_KTP_EVICTED,
    NGX_HTTP_KTP_FULL,
    NGX_HTTP_KTP_BREAKER_STATE,
    NGX_HTTP_KTP_BREAKER_OPENED,
    NGX_HTTP_KTP_FLEET_UP,
    NGX_HTTP_KTP_CONNECTIONS,
    NGX_HTTP_KTP_OPENED,
    NGX_HTTP_KTP_WORKERS,
    NGX_HTTP_KTP_START_TIME,
    NGX_HTTP_KTP_STATE_FAILING,
    NGX_HTTP_KTP_RETRIES,
    NGX_HTTP_KTP_UNCLEAR,
    NGX_HTTP_KTP_RECEIVED,
    NGX_HTTP_KTP_SENT,
    NGX_HTTP_KTP_UPSTREAM_SENT,
    NGX_HTTP_KTP_UPSTREAM_RECEIVED,
    NGX_HTTP_KTP_REQUEST_TIME,
    NGX_HTTP_KTP_UPSTREAM_TIME,
    NGX_HTTP_KTP_IMAGE_SIZE
} ngx_http_ktp_family_id_t;

static const ngx_http_ktp_family_t ngx_http_ktp_families[] = {
    {"ktp_requests_total", "counter",
     "Requests completed, by client, outcome and error code."},
    {"ktp_errors_total", "counter",
     "Requests completed with an error, by error code and reason."},
    {"ktp_upstream_calls_total", "counter",
     "Upstream calls that have ended, by outcome."},
    {"ktp_billable_calls_total", "counter",
     "Upstream calls that were billed or may have been billed."},
    {"ktp_billed_calls_total", "counter",
     "Upstream calls that were billed, by outcome."},
    {"ktp_cost_total", "counter",
     "Price of upstream calls that were billed, by currency."},
    {"ktp_saved_calls_total", "counter",
     "Requests answered without an upstream call of their own, by reason."},
    {"ktp_client_calls", "gauge",
     "Calls of a client in the current period that are or may be billed."},
    {"ktp_client_quota_limit_calls", "gauge",
     "Calls allowed to a client per period."},
    {"ktp_client_quota_used_calls", "gauge",
     "Calls counted against the quota of a client in the current period."},
    {"ktp_client_quota_left_calls", "gauge",
     "Calls remaining to a client in the current period."},
    {"ktp_client_lease_held_calls", "gauge",
     "Calls of a quota of the fleet that this host has leased and not made."},
    {"ktp_client_quota_shadowed_calls_total", "counter",
     "Calls over a quota in dry run, which were not rejected."},
    {"ktp_calls_in_flight", "gauge", "Upstream calls in progress."},
    {"ktp_shared_calls_in_flight", "gauge",
     "Upstream calls in progress that identical uploads join."},
    {"ktp_waiting_requests", "gauge",
     "Requests that wait for the upstream call of another."},
    {"ktp_stored_answers", "gauge", "Answers stored in ktp_answer_zone."},
    {"ktp_idempotency_keys", "gauge",
     "Idempotency keys stored in ktp_answer_zone."},
    {"ktp_answer_zone_size_bytes", "gauge", "Size of ktp_answer_zone."},
    {"ktp_answer_zone_free_bytes", "gauge",
     "Bytes of ktp_answer_zone in pages that are free."},
    {"ktp_answers_evicted_total", "counter",
     "Answers and keys removed from ktp_answer_zone before they expired."},
    {"ktp_answer_zone_full_total", "counter",
     "Calls and answers for which ktp_answer_zone had no room."},
    {"ktp_breaker_state", "gauge",
     "State of the breaker of an upstream: 0 closed, 1 half-open, 2 open."},
    {"ktp_breaker_opened_total", "counter",
     "How often the breaker of an upstream has opened."},
    {"ktp_fleet_up", "gauge",
     "1 if the server of ktp_redis answers, otherwise 0."},
    {"ktp_upstream_connections", "gauge",
     "Open connections to the upstream, including idle ones."},
    {"ktp_upstream_connections_opened_total", "counter",
     "Connections opened to the upstream."},
    {"ktp_workers", "gauge",
     "Worker processes, including those shutting down."},
    {"ktp_start_time_seconds", "gauge",
     "Time at which the counters started from zero, since the epoch."},
    {"ktp_state_failing", "gauge",
     "1 if the state file cannot be written, otherwise 0."},
    {"ktp_upstream_retries_total", "counter", "Retries of upstream calls."},
    {"ktp_upstream_unclear_total", "counter",
     "Upstream calls that failed and may nevertheless have been billed."},
    {"ktp_received_bytes_total", "counter", "Bytes received from clients."},
    {"ktp_sent_bytes_total", "counter", "Bytes sent to clients."},
    {"ktp_upstream_sent_bytes_total", "counter",
     "Bytes of request bodies sent to the upstream."},
    {"ktp_upstream_received_bytes_total", "counter",
     "Bytes of response bodies received from the upstream."},
    {"ktp_request_duration_seconds", "histogram", "Request processing time."},
    {"ktp_upstream_duration_seconds", "histogram",
     "Duration of upstream calls."},
    {"ktp_image_size_bytes", "histogram", "Size of accepted images."},
};

static const char *const ngx_http_ktp_period_names[KTP_QUOTA_PERIODS] = {
    "day", "month", "total"};


char *
ngx_http_ktp_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->status++;

    return ngx_http_ktp_page_location(cf, cmd, ngx_http_ktp_status_handler);
}


static ngx_int_t
ngx_http_ktp_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_str_t                 format;
    ngx_uint_t                json;
    ngx_http_ktp_page_t       page;
    ngx_http_ktp_status_t     st;
    ngx_http_ktp_main_conf_t *kmcf;

    rc = ngx_http_ktp_page_begin(&page, r);

    if (rc != NGX_OK) {
        return rc;
    }

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    st.request = r;
    st.zone = kmcf->zone;

    json = ngx_http_arg(r, (u_char *) "format", 6, &format) == NGX_OK
           && format.len == 4 && ngx_strncmp(format.data, "json", 4) == 0;

    if (ngx_http_ktp_samples_begin(&st.samples, &page, json) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_ktp_status_all(&st);

    return ngx_http_ktp_samples_send(&st.samples);
}


static void
ngx_http_ktp_status_all(ngx_http_ktp_status_t *st)
{
    ngx_http_ktp_metrics_t *metrics;

    metrics = st->zone->shared->metrics;

    ngx_http_ktp_status_clients(st, NGX_HTTP_KTP_REQUESTS,
                                ngx_http_ktp_status_rows);
    ngx_http_ktp_status_errors(st);
    ngx_http_ktp_status_outcomes(st);
    ngx_http_ktp_status_clients(st, NGX_HTTP_KTP_BILLABLE,
                                ngx_http_ktp_status_pair);
    ngx_http_ktp_status_clients(st, NGX_HTTP_KTP_BILLED,
                                ngx_http_ktp_status_billed);
    ngx_http_ktp_status_clients(st, NGX_HTTP_KTP_COST,
                                ngx_http_ktp_status_cost);
    ngx_http_ktp_status_clients(st, NGX_HTTP_KTP_SAVED,
                                ngx_http_ktp_status_saved);
    ngx_http_ktp_status_calls(st);
    ngx_http_ktp_status_quotas(st, NGX_HTTP_KTP_QUOTA_LIMIT);
    ngx_http_ktp_status_quotas(st, NGX_HTTP_KTP_QUOTA_USED);
    ngx_http_ktp_status_quotas(st, NGX_HTTP_KTP_QUOTA_LEFT);
    ngx_http_ktp_status_quotas(st, NGX_HTTP_KTP_LEASE_HELD);
    ngx_http_ktp_status_shadowed(st);
    ngx_http_ktp_status_gauges(st);
    ngx_http_ktp_status_flights(st);
    ngx_http_ktp_status_breakers(st, NGX_HTTP_KTP_BREAKER_STATE);
    ngx_http_ktp_status_breakers(st, NGX_HTTP_KTP_BREAKER_OPENED);
    ngx_http_ktp_status_fleet(st);
    ngx_http_ktp_status_totals(st);
    ngx_http_ktp_status_answers(&st->samples, metrics);

    ngx_http_ktp_samples_histogram(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_REQUEST_TIME],
        &metrics->request_time, &ngx_http_ktp_metrics_time_buckets, 1000);
    ngx_http_ktp_samples_histogram(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_UPSTREAM_TIME],
        &metrics->upstream_time, &ngx_http_ktp_metrics_time_buckets, 1000);
    ngx_http_ktp_samples_histogram(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_IMAGE_SIZE],
        &metrics->image_size, &ngx_http_ktp_metrics_size_buckets, 1);
}


static ngx_str_t
ngx_http_ktp_status_name(ngx_http_ktp_slot_t *slot)
{
    ngx_str_t        name;
    static ngx_str_t nobody = ngx_string(NGX_HTTP_KTP_STATUS_NOBODY);

    name.data = slot->account->name;
    name.len = slot->sn.str.len;

    return name.len ? name : nobody;
}


/* A family with samples of each client; those without room are the last. */

static void
ngx_http_ktp_status_clients(ngx_http_ktp_status_t *st, ngx_uint_t family,
                            ngx_http_ktp_status_client_pt handler)
{
    ngx_str_t              name;
    ngx_uint_t             together;
    ngx_http_ktp_slot_t   *slot;
    ngx_http_ktp_shared_t *sh;
    static ngx_str_t       other = ngx_string(NGX_HTTP_KTP_STATUS_OTHER);

    sh = st->zone->shared;

    ngx_http_ktp_samples_family(&st->samples, &ngx_http_ktp_families[family]);

    together = 0;

    for (slot = sh->slots; slot; slot = slot->next) {
        if (slot->counters == &sh->metrics->other) {
            together = 1;

        } else if (slot->counters) {
            name = ngx_http_ktp_status_name(slot);
            handler(st, &name, slot->counters);
        }
    }

    if (together) {
        handler(st, &other, &sh->metrics->other);
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


static void
ngx_http_ktp_status_errors(ngx_http_ktp_status_t *st)
{
    uint64_t             value;
    ktp_code_t           code;
    const ktp_error_t   *e;
    ngx_http_ktp_label_t labels[2];

    labels[0].name = "error_code";
    labels[1].name = "reason";

    ngx_http_ktp_samples_family(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_ERRORS]);

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        value = st->zone->shared->metrics->errors[code];

        if (value == 0) {
            continue;
        }

        e = ktp_error(code);

        labels[0].value.data = (u_char *) e->name;
        labels[0].value.len = ngx_strlen(e->name);
        labels[1].value.data = (u_char *) e->reason;
        labels[1].value.len = ngx_strlen(e->reason);

        ngx_http_ktp_samples_number(&st->samples, "", labels, 2, value);
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


/* All outcomes, so that the first failure of a kind is seen by increase(). */

static void
ngx_http_ktp_status_outcomes(ngx_http_ktp_status_t *st)
{
    ngx_uint_t           i;
    const char          *outcome;
    ngx_http_ktp_label_t label;

    label.name = "outcome";

    ngx_http_ktp_samples_family(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_UPSTREAM_CALLS]);

    for (i = 0; i < NGX_HTTP_KTP_METRICS_OUTCOMES; i++) {
        outcome = ngx_http_ktp_outcome_name(i + 1);

        label.value.data = (u_char *) outcome;
        label.value.len = ngx_strlen(outcome);

        ngx_http_ktp_samples_number(&st->samples, "", &label, 1,
                                    st->zone->shared->metrics->calls[i]);
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


/* Only non-zero counters: most of the table remains empty. */

static void
ngx_http_ktp_status_rows(ngx_http_ktp_status_t *st, ngx_str_t *client,
                         ngx_http_ktp_counters_t *counters)
{
    uint64_t             value;
    ngx_uint_t           i, j;
    const char          *code, *outcome;
    ngx_http_ktp_label_t labels[3];

    labels[0].name = "client";
    labels[0].value = *client;
    labels[1].name = "outcome";
    labels[2].name = "error_code";

    for (i = 0; i < NGX_HTTP_KTP_METRICS_OUTCOMES; i++) {
        for (j = 0; j < NGX_HTTP_KTP_METRICS_CODES; j++) {

            value = counters->requests[i][j];
            code = ngx_http_ktp_metrics_code(j);

            if (value == 0 || code == NULL) {
                continue;
            }

            outcome = ngx_http_ktp_outcome_name(i + 1);

            labels[1].value.data = (u_char *) outcome;
            labels[1].value.len = ngx_strlen(outcome);
            labels[2].value.data = (u_char *) code;
            labels[2].value.len = ngx_strlen(code);

            ngx_http_ktp_samples_number(&st->samples, "", labels, 3, value);
        }
    }
}


static void
ngx_http_ktp_status_pair(ngx_http_ktp_status_t *st, ngx_str_t *client,
                         ngx_http_ktp_counters_t *counters)
{
    uint64_t             billed;
    ngx_uint_t           i;
    ngx_http_ktp_label_t labels[2];

    labels[0].name = "client";
    labels[0].value = *client;
    labels[1].name = "billed";

    billed = 0;

    for (i = 0; i < NGX_HTTP_KTP_METRICS_OUTCOMES; i++) {
        billed += counters->billed[i];
    }

    ngx_str_set(&labels[1].value, "yes");
    ngx_http_ktp_samples_number(&st->samples, "", labels, 2, billed);

    ngx_str_set(&labels[1].value, "unknown");
    ngx_http_ktp_samples_number(&st->samples, "", labels, 2, counters->maybe);
}


/* What is "ok" was of use. */

static void
ngx_http_ktp_status_billed(ngx_http_ktp_status_t *st, ngx_str_t *client,
                           ngx_http_ktp_counters_t *counters)
{
    ngx_uint_t           i;
    const char          *outcome;
    ngx_http_ktp_label_t labels[2];

    labels[0].name = "client";
    labels[0].value = *client;
    labels[1].name = "outcome";

    for (i = 0; i < NGX_HTTP_KTP_METRICS_OUTCOMES; i++) {
        if (counters->billed[i] == 0) {
            continue;
        }

        outcome = ngx_http_ktp_outcome_name(i + 1);

        labels[1].value.data = (u_char *) outcome;
        labels[1].value.len = ngx_strlen(outcome);

        ngx_http_ktp_samples_number(&st->samples, "", labels, 2,
                                    counters->billed[i]);
    }
}


static void
ngx_http_ktp_status_cost(ngx_http_ktp_status_t *st, ngx_str_t *client,
                         ngx_http_ktp_counters_t *counters)
{
    u_char                  buf[KTP_MONEY_TEXT];
    ngx_str_t               sum;
    ngx_uint_t              i, n;
    ngx_http_ktp_label_t    labels[2];
    ngx_http_ktp_metrics_t *metrics;

    metrics = st->zone->shared->metrics;

    labels[0].name = "client";
    labels[0].value = *client;
    labels[1].name = "currency";
    labels[1].value.len = NGX_HTTP_KTP_CURRENCY;

    sum.data = buf;

    n = __atomic_load_n(&metrics->ncurrencies, __ATOMIC_ACQUIRE);

    for (i = 0; i < n; i++) {
        labels[1].value.data = metrics->currencies[i];
        sum.len = ktp_money_print((char *) buf, counters->cost[i]);
        ngx_http_ktp_samples_text(&st->samples, "", labels, 2, &sum);
    }
}


static void
ngx_http_ktp_status_saved(ngx_http_ktp_status_t *st, ngx_str_t *client,
                          ngx_http_ktp_counters_t *counters)
{
    ngx_uint_t           i;
    const char          *reason;
    ngx_http_ktp_label_t labels[2];

    labels[0].name = "client";
    labels[0].value = *client;
    labels[1].name = "reason";

    for (i = 0; i < NGX_HTTP_KTP_METRICS_SAVED; i++) {
        if (counters->saved[i] == 0) {
            continue;
        }

        reason = ngx_http_ktp_metrics_saved(i + 1);

        labels[1].value.data = (u_char *) reason;
        labels[1].value.len = ngx_strlen(reason);

        ngx_http_ktp_samples_number(&st->samples, "", labels, 2,
                                    counters->saved[i]);
    }
}


/*
 * Also of clients without a quota, and of clients that were removed: what they
 * called is on the invoice.  The offset of the latter is not known any more.
 */

static void
ngx_http_ktp_status_calls(ngx_http_ktp_status_t *st)
{
    uint64_t                  used;
    ngx_uint_t                p;
    ngx_http_ktp_slot_t      *slot;
    ngx_http_ktp_label_t      labels[2];
    ngx_http_ktp_client_t    *client;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_get_module_main_conf(st->request, ngx_http_ktp_module);

    labels[0].name = "client";
    labels[1].name = "period";

    ngx_http_ktp_samples_family(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_CALLS]);

    for (slot = st->zone->shared->slots; slot; slot = slot->next) {

        if (slot == st->zone->nobody) {
            continue;
        }

        labels[0].value = ngx_http_ktp_status_name(slot);
        client = ngx_http_ktp_client(kmcf, &labels[0].value, NULL);

        for (p = 0; p < KTP_QUOTA_PERIODS; p++) {
            used = client ? ngx_http_ktp_count_used(client, p)
                          : ktp_quota_used(&slot->account->quota[p],
                                           ktp_quota_number(p, ngx_time(), 0));

            if (used == 0 && slot->counters == NULL) {
                continue;
            }

            labels[1].value.data = (u_char *) ngx_http_ktp_period_names[p];
            labels[1].value.len = ngx_strlen(labels[1].value.data);

            ngx_http_ktp_samples_number(&st->samples, "", labels, 2, used);
        }
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


/*
 * Only clients that have called, or whose quota was used before a restart, to
 * keep the output short with many clients.
 */

static void
ngx_http_ktp_status_quotas(ngx_http_ktp_status_t *st, ngx_uint_t which)
{
    uint64_t                     value, used;
    ngx_uint_t                   i, p;
    ngx_http_ktp_label_t         labels[2];
    ngx_http_ktp_client_t      **client;
    ngx_http_ktp_main_conf_t    *kmcf;
    ngx_http_ktp_client_quota_t *quota;

    kmcf = ngx_http_get_module_main_conf(st->request, ngx_http_ktp_module);

    if (which == NGX_HTTP_KTP_LEASE_HELD && kmcf->redis == NULL) {
        return;
    }

    ngx_http_ktp_samples_family(&st->samples, &ngx_http_ktp_families[which]);

    client = st->zone->clients->elts;

    for (i = 0; i < st->zone->clients->nelts; i++) {

        for (p = 0; p < KTP_QUOTA_PERIODS; p++) {
            quota = &client[i]->quota[p];

            if (!quota->set
                || (which == NGX_HTTP_KTP_LEASE_HELD && !quota->fleet)) {
                continue;
            }

            used = ngx_http_ktp_count_quota(client[i], p);

            if (used == 0 && client[i]->slot->counters == NULL) {
                continue;
            }

            value = which == NGX_HTTP_KTP_LEASE_HELD
                        ? ngx_http_ktp_lease_held(&client[i]->slot->leases[p])
                    : which == NGX_HTTP_KTP_QUOTA_LIMIT ? quota->limit
                    : which == NGX_HTTP_KTP_QUOTA_USED  ? used
                    : used < quota->limit               ? quota->limit - used
                                                        : 0;

            labels[0].name = "client";
            labels[0].value = client[i]->sn.str;
            labels[1].name = "period";
            labels[1].value.data = (u_char *) ngx_http_ktp_period_names[p];
            labels[1].value.len = ngx_strlen(labels[1].value.data);

            ngx_http_ktp_samples_number(&st->samples, "", labels, 2, value);
        }
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


static void
ngx_http_ktp_status_shadowed(ngx_http_ktp_status_t *st)
{
    ngx_http_ktp_slot_t *slot;
    ngx_http_ktp_label_t label;

    ngx_http_ktp_samples_family(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_SHADOWED]);

    for (slot = st->zone->shared->slots; slot; slot = slot->next) {
        if (slot->account->shadowed) {
            label.name = "client";
            label.value = ngx_http_ktp_status_name(slot);
            ngx_http_ktp_samples_number(&st->samples, "", &label, 1,
                                        slot->account->shadowed);
        }
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


static void
ngx_http_ktp_status_gauges(ngx_http_ktp_status_t *st)
{
    ngx_uint_t                    workers;
    ngx_http_ktp_transport_stat_t sum;

    ngx_http_ktp_metrics_workers(st->zone->shared->metrics, &sum, &workers);

    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_IN_FLIGHT],
                                sum.calls);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_CONNECTIONS],
        sum.connections);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_OPENED], sum.opened);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_WORKERS], workers);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_START_TIME],
        st->zone->shared->metrics->started);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_STATE_FAILING],
        st->zone->shared->ledger->failing);
}


/* Only if there is a zone for answers. */

static void
ngx_http_ktp_status_flights(ngx_http_ktp_status_t *st)
{
    ngx_http_ktp_main_conf_t   *kmcf;
    ngx_http_ktp_flights_stat_t stat;

    kmcf = ngx_http_get_module_main_conf(st->request, ngx_http_ktp_module);

    if (kmcf->flights == NULL) {
        return;
    }

    ngx_http_ktp_flights_stat(kmcf->flights, &stat);

    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_FLIGHTS],
                                stat.flights);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_WAITING],
                                stat.waiting);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_STORED],
                                stat.stored);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_BONDS], stat.bonds);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_ANSWER_SIZE],
        stat.size);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_ANSWER_FREE],
        stat.free);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_EVICTED],
                                stat.evicted);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_FULL], stat.full);
}


/* Those of the current configuration. */

static void
ngx_http_ktp_status_breakers(ngx_http_ktp_status_t *st, ngx_uint_t family)
{
    ngx_uint_t               i;
    ngx_http_ktp_label_t     label;
    ngx_http_ktp_breaker_t **breaker;

    breaker = st->zone->breakers->elts;

    ngx_http_ktp_samples_family(&st->samples, &ngx_http_ktp_families[family]);

    for (i = 0; i < st->zone->breakers->nelts; i++) {
        label.name = "upstream";
        label.value = breaker[i]->label;

        ngx_http_ktp_samples_number(
            &st->samples, "", &label, 1,
            family == NGX_HTTP_KTP_BREAKER_STATE
                ? (uint64_t) ngx_http_ktp_breaker_state(breaker[i])
                : ngx_http_ktp_breaker_opened(breaker[i]));
    }

    ngx_http_ktp_samples_family_end(&st->samples);
}


static void
ngx_http_ktp_status_fleet(ngx_http_ktp_status_t *st)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_get_module_main_conf(st->request, ngx_http_ktp_module);

    if (kmcf->redis) {
        ngx_http_ktp_samples_single(
            &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_FLEET_UP],
            st->zone->shared->fleet_up);
    }
}


static void
ngx_http_ktp_status_totals(ngx_http_ktp_status_t *st)
{
    ngx_http_ktp_metrics_t *metrics;

    metrics = st->zone->shared->metrics;

    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_RETRIES],
                                metrics->retries);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_UNCLEAR],
                                metrics->unclear);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_RECEIVED],
                                metrics->received);
    ngx_http_ktp_samples_single(&st->samples,
                                &ngx_http_ktp_families[NGX_HTTP_KTP_SENT],
                                metrics->sent);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_UPSTREAM_SENT],
        metrics->upstream_sent);
    ngx_http_ktp_samples_single(
        &st->samples, &ngx_http_ktp_families[NGX_HTTP_KTP_UPSTREAM_RECEIVED],
        metrics->upstream_received);
}
