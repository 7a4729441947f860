/*
 * reason              | condition                                 | status
 * --------------------+-------------------------------------------+---------
 * breakers_open       | there are breakers, and all are open      | failing
 * breaker_not_closed  | a breaker is open or half-open, not all   | degraded
 *                     | are open                                  |
 * upstream_failing    | the last call failed                      | degraded
 * calls_at_limit      | as many calls are in progress as there    | degraded
 *                     | may be of a kind                          |
 * state_not_written   | the state file cannot be written          | degraded
 * fleet_unreachable   | the server of "ktp_redis" does not answer | degraded
 *
 * Only the first is a reason to send uploads elsewhere.  Clients hold calls of
 * some kinds for as long as they like, and a single failure is no outage.  A
 * breaker whose time has passed is half-open: the trial has to come from
 * somewhere.  Redis is away for all hosts at once, and each goes on with its
 * leases.
 */

#include "ngx_http_ktp_health.h"
#include "ktp_json_writer.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_flights.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_page.h"


/* What the rules are about. */
typedef struct {
    ngx_uint_t breakers[NGX_HTTP_KTP_BREAKER_OPEN + 1]; /* by state */
    ngx_uint_t workers;
    ngx_uint_t calls;
    ngx_uint_t limit;   /* of calls; 0: no location makes any */
    uint64_t   success; /* see ngx_http_ktp_metrics_t */
    uint64_t   failure;
    unsigned   state_failing : 1;
    unsigned   fleet_down : 1;
} ngx_http_ktp_health_t;


static ngx_int_t  ngx_http_ktp_health_handler(ngx_http_request_t *r);
static void       ngx_http_ktp_health_read(ngx_http_ktp_main_conf_t *kmcf,
                                           ngx_http_ktp_health_t    *health);
static ngx_uint_t ngx_http_ktp_health_limit(ngx_http_ktp_main_conf_t *kmcf);
static ngx_uint_t ngx_http_ktp_health_write(ktp_json_writer_t        *json,
                                            ngx_http_ktp_main_conf_t *kmcf,
                                            ngx_http_ktp_health_t    *health);
static void       ngx_http_ktp_health_upstream(ktp_json_writer_t     *json,
                                               ngx_http_ktp_health_t *health);
static void       ngx_http_ktp_health_zones(ktp_json_writer_t        *json,
                                            ngx_http_ktp_main_conf_t *kmcf);
static void ngx_http_ktp_health_age(ktp_json_writer_t *json, const char *name,
                                    uint64_t time);
static void ngx_http_ktp_health_text(ktp_json_writer_t *json, const char *name,
                                     const char *value);
static void ngx_http_ktp_health_number(ktp_json_writer_t *json,
                                       const char *name, uint64_t value);
static void ngx_http_ktp_health_string(ktp_json_writer_t *json, const char *p);


char *
ngx_http_ktp_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->health++;

    return ngx_http_ktp_page_location(cf, cmd, ngx_http_ktp_health_handler);
}


static ngx_int_t
ngx_http_ktp_health_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_uint_t                status;
    ktp_json_writer_t        *json;
    ngx_http_ktp_page_t       page;
    ngx_http_ktp_health_t     health;
    ngx_http_ktp_main_conf_t *kmcf;
    static ngx_str_t          type = ngx_string("application/json");

    rc = ngx_http_ktp_page_begin(&page, r);

    if (rc != NGX_OK) {
        return rc;
    }

    json = ktp_json_writer_create(ngx_http_ktp_page_write, &page);
    if (json == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    ngx_http_ktp_health_read(kmcf, &health);
    status = ngx_http_ktp_health_write(json, kmcf, &health);

    ktp_json_writer_destroy(json);

    return ngx_http_ktp_page_send(&page, status, &type);
}


static void
ngx_http_ktp_health_read(ngx_http_ktp_main_conf_t *kmcf,
                         ngx_http_ktp_health_t    *health)
{
    ngx_uint_t                    i;
    ngx_http_ktp_breaker_t      **breaker;
    ngx_http_ktp_shared_t        *sh;
    ngx_http_ktp_transport_stat_t sum;

    ngx_memzero(health, sizeof(ngx_http_ktp_health_t));

    sh = kmcf->zone->shared;
    breaker = kmcf->breakers.elts;

    for (i = 0; i < kmcf->breakers.nelts; i++) {
        health->breakers[ngx_http_ktp_breaker_state(breaker[i])]++;
    }

    ngx_http_ktp_metrics_workers(sh->metrics, &sum, &health->workers);

    health->calls = sum.calls;
    health->limit = health->workers * ngx_http_ktp_health_limit(kmcf);
    health->success = __atomic_load_n(&sh->metrics->success, __ATOMIC_RELAXED);
    health->failure = __atomic_load_n(&sh->metrics->failure, __ATOMIC_RELAXED);
    health->state_failing = sh->ledger->failing != 0;
    health->fleet_down = kmcf->redis && !sh->fleet_up;
}


/* Calls of a kind in a worker, above which no location makes one. */

static ngx_uint_t
ngx_http_ktp_health_limit(ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_uint_t           i, max;
    ngx_http_ktp_pass_t *pass;

    max = 0;
    pass = kmcf->passes ? kmcf->passes->elts : NULL;

    for (i = 0; pass && i < kmcf->passes->nelts; i++) {
        if (!pass[i].klcf->sandbox) {
            max = ngx_max(max, (ngx_uint_t) pass[i].klcf->max_inflight);
        }
    }

    return max;
}


/* Returns the status of the response. */

static ngx_uint_t
ngx_http_ktp_health_write(ktp_json_writer_t        *json,
                          ngx_http_ktp_main_conf_t *kmcf,
                          ngx_http_ktp_health_t    *health)
{
    ngx_uint_t  i, n, failing, open, half_open;
    const char *reasons[5];

    n = 0;
    open = health->breakers[NGX_HTTP_KTP_BREAKER_OPEN];
    half_open = health->breakers[NGX_HTTP_KTP_BREAKER_HALF_OPEN];

    failing = open && open == kmcf->breakers.nelts;

    if (failing) {
        reasons[n++] = "breakers_open";

    } else if (open || half_open) {
        reasons[n++] = "breaker_not_closed";
    }

    if (health->failure > health->success) {
        reasons[n++] = "upstream_failing";
    }

    if (health->limit && health->calls >= health->limit) {
        reasons[n++] = "calls_at_limit";
    }

    if (health->state_failing) {
        reasons[n++] = "state_not_written";
    }

    if (health->fleet_down) {
        reasons[n++] = "fleet_unreachable";
    }

    ktp_json_writer_open(json);
    ngx_http_ktp_health_text(json, "status",
                             failing ? "failing"
                             : n     ? "degraded"
                                     : "ok");

    ngx_http_ktp_health_string(json, "reasons");
    ktp_json_writer_open_array(json);

    for (i = 0; i < n; i++) {
        ngx_http_ktp_health_string(json, reasons[i]);
    }

    ktp_json_writer_close_array(json);

    ngx_http_ktp_health_text(json, "version", NGX_HTTP_KTP_VERSION);
    ngx_http_ktp_health_number(json, "workers", health->workers);
    ngx_http_ktp_health_upstream(json, health);
    ngx_http_ktp_health_text(json, "state_file",
                             kmcf->state == NULL     ? "none"
                             : health->state_failing ? "not_written"
                                                     : "ok");
    ngx_http_ktp_health_text(json, "fleet",
                             kmcf->redis == NULL  ? "none"
                             : health->fleet_down ? "unreachable"
                                                  : "ok");
    ngx_http_ktp_health_zones(json, kmcf);
    ktp_json_writer_close(json);

    return failing ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_OK;
}


static void
ngx_http_ktp_health_upstream(ktp_json_writer_t     *json,
                             ngx_http_ktp_health_t *health)
{
    ngx_http_ktp_health_text(json, "upstream",
                             health->failure > health->success ? "failing"
                             : health->success                 ? "ok"
                                                               : "unknown");
    ngx_http_ktp_health_age(json, "last_success_s", health->success);
    ngx_http_ktp_health_age(json, "last_failure_s", health->failure);

    ngx_http_ktp_health_string(json, "breakers");
    ktp_json_writer_open(json);
    ngx_http_ktp_health_number(json, "closed",
                               health->breakers[NGX_HTTP_KTP_BREAKER_CLOSED]);
    ngx_http_ktp_health_number(
        json, "half_open", health->breakers[NGX_HTTP_KTP_BREAKER_HALF_OPEN]);
    ngx_http_ktp_health_number(json, "open",
                               health->breakers[NGX_HTTP_KTP_BREAKER_OPEN]);
    ktp_json_writer_close(json);

    ngx_http_ktp_health_string(json, "calls");
    ktp_json_writer_open(json);
    ngx_http_ktp_health_number(json, "in_flight", health->calls);
    ngx_http_ktp_health_number(json, "limit", health->limit);
    ktp_json_writer_close(json);
}


static void
ngx_http_ktp_health_zones(ktp_json_writer_t        *json,
                          ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_http_ktp_flights_stat_t stat;

    ngx_http_ktp_health_string(json, "zone");
    ktp_json_writer_open(json);
    ngx_http_ktp_health_number(json, "size_bytes",
                               kmcf->zone->shm_zone->shm.size);
    ngx_http_ktp_health_number(json, "free_bytes",
                               kmcf->zone->pool->pfree * ngx_pagesize);
    ktp_json_writer_close(json);

    ngx_http_ktp_health_string(json, "answer_zone");

    if (kmcf->flights == NULL) {
        ktp_json_writer_null(json);
        return;
    }

    ngx_http_ktp_flights_stat(kmcf->flights, &stat);

    ktp_json_writer_open(json);
    ngx_http_ktp_health_number(json, "size_bytes", stat.size);
    ngx_http_ktp_health_number(json, "free_bytes", stat.free);
    ktp_json_writer_close(json);
}


/* The cached times of workers may differ by milliseconds. */

static void
ngx_http_ktp_health_age(ktp_json_writer_t *json, const char *name,
                        uint64_t time)
{
    if (time) {
        ngx_http_ktp_health_number(
            json, name,
            ngx_current_msec > time ? (ngx_current_msec - time) / 1000 : 0);
        return;
    }

    ngx_http_ktp_health_string(json, name);
    ktp_json_writer_null(json);
}


static void
ngx_http_ktp_health_text(ktp_json_writer_t *json, const char *name,
                         const char *value)
{
    ngx_http_ktp_health_string(json, name);
    ngx_http_ktp_health_string(json, value);
}


static void
ngx_http_ktp_health_number(ktp_json_writer_t *json, const char *name,
                           uint64_t value)
{
    u_char buf[NGX_INT64_LEN];

    ngx_http_ktp_health_string(json, name);
    ktp_json_writer_number(json, (char *) buf,
                           ngx_sprintf(buf, "%uL", value) - buf);
}


static void
ngx_http_ktp_health_string(ktp_json_writer_t *json, const char *p)
{
    ktp_json_writer_string(json, p, ngx_strlen(p));
}
