#include "ngx_http_ktp_fleet_lease.h"
#include "ngx_http_ktp_fleet_script.h"

/* generated from lease.lua by a rule of config.make */
#include <ngx_http_ktp_fleet_lease_lua.h>


/*
 * An answer that another worker gets is noticed after this time, milliseconds.
 */
#define NGX_HTTP_KTP_FLEET_LEASE_POLL 10

/* Values of an answer. */
#define NGX_HTTP_KTP_FLEET_LEASE_VALUES 7

/* A report that is on its way. */
typedef struct {
    ngx_http_ktp_slot_t        *slot;
    ktp_quota_period_t          period;
    uint64_t                    limit;
    int                         offset;
    ngx_http_ktp_lease_report_t report;
    unsigned                    last : 1; /* the host stops */

    ngx_http_ktp_fleet_script_run_t run;
} ngx_http_ktp_fleet_lease_t;


static void ngx_http_ktp_fleet_lease_report(ngx_http_ktp_client_t   *client,
                                            ktp_quota_period_t       period,
                                            ngx_http_ktp_lease_why_t why);
static ngx_uint_t
            ngx_http_ktp_fleet_lease_args(void                             *data,
                                          ngx_http_ktp_fleet_script_args_t *args);
static void ngx_http_ktp_fleet_lease_done(void                       *data,
                                          ngx_http_ktp_redis_reply_t *reply);
static ngx_int_t
            ngx_http_ktp_fleet_lease_parse(ngx_http_ktp_redis_reply_t  *reply,
                                           ngx_http_ktp_lease_answer_t *answer);
static void ngx_http_ktp_fleet_lease_event(ngx_event_t *ev);


static ngx_http_ktp_redis_t  *ngx_http_ktp_fleet_lease_redis;
static ngx_http_ktp_shared_t *ngx_http_ktp_fleet_lease_shared;
static ngx_array_t           *ngx_http_ktp_fleet_lease_clients;
static ngx_queue_t            ngx_http_ktp_fleet_lease_waiters;

static ngx_http_ktp_fleet_script_t ngx_http_ktp_fleet_lease_script = {
    ngx_string(ngx_http_ktp_fleet_lease_lua),
    ngx_http_ktp_fleet_lease_args,
    ngx_http_ktp_fleet_lease_done,
    {0}};

static ngx_str_t ngx_http_ktp_fleet_lease_kinds[KTP_QUOTA_PERIODS] = {
    ngx_string("day"), ngx_string("month"), ngx_string("total")};


void
ngx_http_ktp_fleet_lease_init(ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_http_ktp_fleet_lease_redis = kmcf->redis;
    ngx_http_ktp_fleet_lease_shared = kmcf->zone->shared;
    ngx_http_ktp_fleet_lease_clients = &kmcf->clients;
    ngx_queue_init(&ngx_http_ktp_fleet_lease_waiters);

    ngx_http_ktp_fleet_script_init(&ngx_http_ktp_fleet_lease_script);
}


void
ngx_http_ktp_fleet_lease(ngx_http_ktp_client_t   *client,
                         ngx_http_ktp_lease_why_t why)
{
    ngx_uint_t i;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        if (client->quota[i].fleet) {
            ngx_http_ktp_fleet_lease_report(client, i, why);
        }
    }
}


void
ngx_http_ktp_fleet_lease_all(ngx_http_ktp_lease_why_t why)
{
    ngx_uint_t              i;
    ngx_http_ktp_client_t **client;

    client = ngx_http_ktp_fleet_lease_clients->elts;

    for (i = 0; i < ngx_http_ktp_fleet_lease_clients->nelts; i++) {
        if (client[i]->fleet) {
            ngx_http_ktp_fleet_lease(client[i], why);
        }
    }
}


static void
ngx_http_ktp_fleet_lease_report(ngx_http_ktp_client_t   *client,
                                ktp_quota_period_t       period,
                                ngx_http_ktp_lease_why_t why)
{
    ngx_http_ktp_lease_t        *lease;
    ngx_http_ktp_fleet_lease_t  *op;
    ngx_http_ktp_lease_report_t  report;
    ngx_http_ktp_client_quota_t *quota;

    quota = &client->quota[period];
    lease = &client->slot->leases[period];

    if (ngx_http_ktp_lease_begin(
            ngx_http_ktp_fleet_lease_shared, lease, quota->limit,
            ngx_http_ktp_fleet_lease_redis->timeout, why, &report)
        != NGX_OK) {
        return;
    }

    /* other workers have a connection */

    if (ngx_http_ktp_fleet_lease_shared->fleet_up) {
        ngx_http_ktp_redis_hurry();
    }

    op = ngx_calloc(sizeof(ngx_http_ktp_fleet_lease_t), ngx_cycle->log);

    if (op) {
        op->slot = client->slot;
        op->period = period;
        op->limit = quota->limit;
        op->offset = quota->offset;
        op->report = report;
        op->last = why == NGX_HTTP_KTP_LEASE_LAST;

        if (ngx_http_ktp_fleet_script_run(&ngx_http_ktp_fleet_lease_script,
                                          &op->run, op)
            == NGX_OK) {
            return;
        }

        ngx_free(op);
    }

    (void) ngx_http_ktp_lease_end(ngx_http_ktp_fleet_lease_shared, lease,
                                  &report, NULL);
}


/* The order is that of lease.lua. */

static ngx_uint_t
ngx_http_ktp_fleet_lease_args(void                             *data,
                              ngx_http_ktp_fleet_script_args_t *args)
{
    ngx_http_ktp_fleet_lease_t *op = data;

    ngx_http_ktp_redis_t        *redis;
    ngx_http_ktp_lease_report_t *report;

    redis = ngx_http_ktp_fleet_lease_redis;
    report = &op->report;

    ngx_http_ktp_fleet_script_format(
        args, "%V:{%V}:%V", &redis->prefix, &op->slot->sn.str,
        &ngx_http_ktp_fleet_lease_kinds[op->period]);

    ngx_http_ktp_fleet_script_text(args, redis->host.data, redis->host.len);
    ngx_http_ktp_fleet_script_text(args, report->incarnation,
                                   NGX_HTTP_KTP_LEASE_ID);
    ngx_http_ktp_fleet_script_number(args, report->seq);
    ngx_http_ktp_fleet_script_number(args, op->offset);
    ngx_http_ktp_fleet_script_number(args, op->limit);
    ngx_http_ktp_fleet_script_number(args, report->want);
    ngx_http_ktp_fleet_script_number(args, NGX_HTTP_KTP_LEASE_TIME);
    ngx_http_ktp_fleet_script_text(args, report->period, report->period_len);
    ngx_http_ktp_fleet_script_number(args, report->spent);
    ngx_http_ktp_fleet_script_number(args, report->held);
    ngx_http_ktp_fleet_script_number(args, op->last);

    return 1;
}


static void
ngx_http_ktp_fleet_lease_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_lease_t *op = data;

    ngx_http_ktp_lease_t       *lease;
    ngx_http_ktp_lease_answer_t answer, *known;

    known = reply && ngx_http_ktp_fleet_lease_parse(reply, &answer) == NGX_OK
                ? &answer
                : NULL;

    if (reply && known == NULL) {
        ngx_http_ktp_fleet_script_complain(ngx_http_ktp_fleet_lease_redis,
                                           "lease", &op->slot->sn.str, reply);
    }

    lease = &op->slot->leases[op->period];

    if (ngx_http_ktp_lease_end(ngx_http_ktp_fleet_lease_shared, lease,
                               &op->report, known)
        != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "lease of client \"%V\" belongs to another nginx with "
                      "\"host=%V\" of \"ktp_redis\"",
                      &op->slot->sn.str,
                      &ngx_http_ktp_fleet_lease_redis->host);
    }

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, ngx_cycle->log, 0,
                   "ktp lease of \"%V\": report %uL, granted %uL, %s",
                   &op->slot->sn.str, op->report.seq,
                   known ? known->granted : 0,
                   known ? "answered" : "not answered");

    ngx_free(op);

    ngx_http_ktp_fleet_lease_wake();
}


/*
 * status, period, granted, time left of the lease, spent and leased by the
 * fleet, time left of the period.
 */

static ngx_int_t
ngx_http_ktp_fleet_lease_parse(ngx_http_ktp_redis_reply_t  *reply,
                               ngx_http_ktp_lease_answer_t *answer)
{
    ngx_uint_t                  i;
    ngx_http_ktp_redis_value_t *v;

    static ngx_str_t statuses[] = {
        [NGX_HTTP_KTP_LEASE_OK] = ngx_string("ok"),
        [NGX_HTTP_KTP_LEASE_STALE] = ngx_string("stale"),
        [NGX_HTTP_KTP_LEASE_EXHAUSTED] = ngx_string("exhausted"),
    };

    v = reply->values;

    if (reply->error || reply->n != NGX_HTTP_KTP_FLEET_LEASE_VALUES) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLEET_LEASE_VALUES; i++) {
        if (v[i].is_text != (i < 2)
            || (i >= 2 && v[i].number < (i == 6 ? -1 : 0))) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (v[0].text.len == statuses[i].len
            && ngx_strncmp(v[0].text.data, statuses[i].data, statuses[i].len)
                   == 0) {
            break;
        }
    }

    if (i == sizeof(statuses) / sizeof(statuses[0]) || v[1].text.len == 0
        || v[1].text.len > NGX_HTTP_KTP_LEASE_PERIOD
        || v[2].number > NGX_HTTP_KTP_LEASE_MAX) {
        return NGX_ERROR;
    }

    answer->status = i;
    answer->period = v[1].text;
    answer->granted = v[2].number;
    answer->spent = v[4].number;
    answer->endless = v[6].number == -1;
    answer->left = answer->endless ? 0 : v[6].number;

    return NGX_OK;
}


void
ngx_http_ktp_fleet_lease_wait(ngx_http_ktp_fleet_waiter_t *waiter)
{
    ngx_event_t *ev;

    ev = &waiter->event;

    waiter->dummy.fd = (ngx_socket_t) -1;
    waiter->dummy.data = waiter;
    ev->data = &waiter->dummy;
    ev->handler = ngx_http_ktp_fleet_lease_event;
    ev->log = waiter->log;

    waiter->waiting = 1;
    ngx_queue_insert_tail(&ngx_http_ktp_fleet_lease_waiters, &waiter->queue);
    ngx_add_timer(ev, NGX_HTTP_KTP_FLEET_LEASE_POLL);
}


void
ngx_http_ktp_fleet_lease_leave(ngx_http_ktp_fleet_waiter_t *waiter)
{
    if (!waiter->waiting) {
        return;
    }

    waiter->waiting = 0;
    ngx_queue_remove(&waiter->queue);

    if (waiter->event.timer_set) {
        ngx_del_timer(&waiter->event);
    }

    if (waiter->event.posted) {
        ngx_delete_posted_event(&waiter->event);
    }
}


void
ngx_http_ktp_fleet_lease_wake(void)
{
    ngx_queue_t                 *q;
    ngx_http_ktp_fleet_waiter_t *waiter;

    for (q = ngx_queue_head(&ngx_http_ktp_fleet_lease_waiters);
         q != ngx_queue_sentinel(&ngx_http_ktp_fleet_lease_waiters);
         q = ngx_queue_next(q)) {
        waiter = ngx_queue_data(q, ngx_http_ktp_fleet_waiter_t, queue);

        ngx_post_event(&waiter->event, &ngx_posted_events);
    }
}


static void
ngx_http_ktp_fleet_lease_event(ngx_event_t *ev)
{
    ngx_connection_t            *dummy;
    ngx_http_ktp_fleet_waiter_t *waiter;

    dummy = ev->data;
    waiter = dummy->data;

    ngx_http_ktp_fleet_lease_leave(waiter);

    waiter->handler(waiter->data);
}


ngx_msec_t
ngx_http_ktp_fleet_lease_patience(void)
{
    return ngx_http_ktp_fleet_lease_redis->timeout;
}
