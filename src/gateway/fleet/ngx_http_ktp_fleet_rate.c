#include "ngx_http_ktp_fleet_rate.h"
#include "ngx_http_ktp_fleet_lease.h"
#include "ngx_http_ktp_fleet_script.h"
#include "ngx_http_ktp_rate.h"

/* generated from rate.lua by a rule of config.make */
#include <ngx_http_ktp_fleet_rate_lua.h>


/* Values of an answer. */
#define NGX_HTTP_KTP_FLEET_RATE_VALUES 3

/*
 * Largest values of an answer: hosts, and microseconds, which are those of the
 * largest burst at the lowest rate.
 */
#define NGX_HTTP_KTP_FLEET_RATE_HOSTS 1000000
#define NGX_HTTP_KTP_FLEET_RATE_WAIT  INT64_C(60000000000000)

/* A question that is on its way. */
typedef struct {
    ngx_http_ktp_slot_t    *slot;
    uint64_t                interval;
    ngx_uint_t              burst;
    ngx_http_ktp_rate_ask_t ask;

    ngx_http_ktp_fleet_script_run_t run;
} ngx_http_ktp_fleet_rate_t;


static void ngx_http_ktp_fleet_rate_ask(ngx_http_ktp_client_t *client,
                                        ngx_uint_t             none);
static ngx_uint_t
            ngx_http_ktp_fleet_rate_args(void                             *data,
                                         ngx_http_ktp_fleet_script_args_t *args);
static void ngx_http_ktp_fleet_rate_done(void                       *data,
                                         ngx_http_ktp_redis_reply_t *reply);
static ngx_int_t
ngx_http_ktp_fleet_rate_parse(ngx_http_ktp_fleet_rate_t  *op,
                              ngx_http_ktp_redis_reply_t *reply,
                              ngx_http_ktp_rate_answer_t *answer);


static ngx_http_ktp_redis_t  *ngx_http_ktp_fleet_rate_redis;
static ngx_http_ktp_shared_t *ngx_http_ktp_fleet_rate_shared;

static ngx_http_ktp_fleet_script_t ngx_http_ktp_fleet_rate_script = {
    ngx_string(ngx_http_ktp_fleet_rate_lua),
    ngx_http_ktp_fleet_rate_args,
    ngx_http_ktp_fleet_rate_done,
    {0}};


void
ngx_http_ktp_fleet_rate_init(ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_http_ktp_fleet_rate_redis = kmcf->redis;
    ngx_http_ktp_fleet_rate_shared = kmcf->zone->shared;

    ngx_http_ktp_fleet_script_init(&ngx_http_ktp_fleet_rate_script);
}


ngx_int_t
ngx_http_ktp_fleet_rate(ngx_http_ktp_client_t *client, ngx_uint_t patient,
                        uint64_t *wait)
{
    ngx_int_t              rc;
    ngx_http_ktp_rate_t   *rate;
    ngx_http_ktp_shared_t *sh;

    sh = ngx_http_ktp_fleet_rate_shared;
    rate = client->slot->rate;

    rc = ngx_http_ktp_rate_take(sh, rate, wait);

    ngx_http_ktp_fleet_rate_ask(client, rc != NGX_OK);

    if (rc == NGX_AGAIN) {

        /* without a connection, there is no answer already */

        rc = ngx_http_ktp_rate_take(sh, rate, wait);
    }

    if (rc == NGX_BUSY || (rc == NGX_AGAIN && !patient)) {
        *wait = ngx_http_ktp_rate_local(client);
        rc = *wait ? NGX_DECLINED : NGX_OK;
    }

    return rc;
}


static void
ngx_http_ktp_fleet_rate_ask(ngx_http_ktp_client_t *client, ngx_uint_t none)
{
    ngx_http_ktp_rate_t       *rate;
    ngx_http_ktp_shared_t     *sh;
    ngx_http_ktp_rate_ask_t    ask;
    ngx_http_ktp_fleet_rate_t *op;

    sh = ngx_http_ktp_fleet_rate_shared;
    rate = client->slot->rate;

    if (ngx_http_ktp_rate_begin(sh, rate, none,
                                ngx_http_ktp_fleet_rate_redis->timeout, &ask)
        != NGX_OK) {
        return;
    }

    /* other workers have a connection */

    if (sh->fleet_up) {
        ngx_http_ktp_redis_hurry();
    }

    op = ngx_calloc(sizeof(ngx_http_ktp_fleet_rate_t), ngx_cycle->log);

    if (op) {
        op->slot = client->slot;
        op->interval = client->rate_interval;
        op->burst = client->rate_burst;
        op->ask = ask;

        if (ngx_http_ktp_fleet_script_run(&ngx_http_ktp_fleet_rate_script,
                                          &op->run, op)
            == NGX_OK) {
            return;
        }

        ngx_free(op);
    }

    ngx_http_ktp_rate_end(sh, rate, &ask, NULL);
}


/* The order is that of rate.lua. */

static ngx_uint_t
ngx_http_ktp_fleet_rate_args(void                             *data,
                             ngx_http_ktp_fleet_script_args_t *args)
{
    ngx_http_ktp_fleet_rate_t *op = data;

    ngx_http_ktp_redis_t *redis;

    redis = ngx_http_ktp_fleet_rate_redis;

    ngx_http_ktp_fleet_script_format(args, "%V:{%V}:rate", &redis->prefix,
                                     &op->slot->sn.str);

    ngx_http_ktp_fleet_script_text(args, redis->host.data, redis->host.len);
    ngx_http_ktp_fleet_script_number(args, op->interval);
    ngx_http_ktp_fleet_script_number(args, op->burst);
    ngx_http_ktp_fleet_script_number(args, op->ask.want);
    ngx_http_ktp_fleet_script_number(args, NGX_HTTP_KTP_RATE_WINDOW);

    return 1;
}


static void
ngx_http_ktp_fleet_rate_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_rate_t *op = data;

    ngx_http_ktp_rate_answer_t answer, *known;

    known =
        reply && ngx_http_ktp_fleet_rate_parse(op, reply, &answer) == NGX_OK
            ? &answer
            : NULL;

    if (reply && known == NULL) {
        ngx_http_ktp_fleet_script_complain(ngx_http_ktp_fleet_rate_redis,
                                           "rate", &op->slot->sn.str, reply);
    }

    ngx_http_ktp_rate_end(ngx_http_ktp_fleet_rate_shared, op->slot->rate,
                          &op->ask, known);

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, ngx_cycle->log, 0,
                   "ktp rate of \"%V\": granted %uL of %uL, %s",
                   &op->slot->sn.str, known ? known->granted : 0, op->ask.want,
                   known ? "answered" : "not answered");

    ngx_free(op);

    ngx_http_ktp_fleet_lease_wake();
}


/* granted, time until there may be more, hosts. */

static ngx_int_t
ngx_http_ktp_fleet_rate_parse(ngx_http_ktp_fleet_rate_t  *op,
                              ngx_http_ktp_redis_reply_t *reply,
                              ngx_http_ktp_rate_answer_t *answer)
{
    ngx_uint_t                  i;
    ngx_http_ktp_redis_value_t *v;

    v = reply->values;

    if (reply->error || reply->n != NGX_HTTP_KTP_FLEET_RATE_VALUES) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLEET_RATE_VALUES; i++) {
        if (v[i].is_text || v[i].number < 0) {
            return NGX_ERROR;
        }
    }

    answer->granted = v[0].number;
    answer->wait = v[1].number;
    answer->hosts = v[2].number;

    return answer->granted <= op->ask.want && answer->hosts > 0
                   && answer->hosts <= NGX_HTTP_KTP_FLEET_RATE_HOSTS
                   && answer->wait <= NGX_HTTP_KTP_FLEET_RATE_WAIT
               ? NGX_OK
               : NGX_ERROR;
}
