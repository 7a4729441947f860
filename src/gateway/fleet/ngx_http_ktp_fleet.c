#include "ngx_http_ktp_fleet.h"
#include "ngx_http_ktp_fleet_breaker.h"
#include "ngx_http_ktp_fleet_flight.h"
#include "ngx_http_ktp_fleet_forget.h"
#include "ngx_http_ktp_fleet_lease.h"
#include "ngx_http_ktp_fleet_rate.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_process.h"
#include "ngx_http_ktp_redis.h"
#include "ngx_http_ktp_zone.h"


/*
 * Interval of PING and of reports, milliseconds: a connection whose other end
 * has disappeared is noticed before a request needs it.
 */
#define NGX_HTTP_KTP_FLEET_TICK 5000


static void ngx_http_ktp_fleet_connection(ngx_uint_t up);
static void ngx_http_ktp_fleet_state(ngx_uint_t up);
static void ngx_http_ktp_fleet_tick(ngx_event_t *ev);
static void ngx_http_ktp_fleet_pong(void                       *data,
                                    ngx_http_ktp_redis_reply_t *reply);


static ngx_http_ktp_shared_t *ngx_http_ktp_fleet_shared;
static ngx_uint_t             ngx_http_ktp_fleet_cycle;
static ngx_event_t            ngx_http_ktp_fleet_timer;
static ngx_connection_t       ngx_http_ktp_fleet_dummy;


/* Workers have the number of their configuration from the master. */

ngx_int_t
ngx_http_ktp_fleet_init_module(ngx_cycle_t *cycle)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (kmcf && kmcf->redis) {
        ngx_http_ktp_fleet_cycle = ++kmcf->zone->shared->fleet_cycle;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_fleet_init(ngx_cycle_t *cycle)
{
    ngx_event_t              *ev;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (!ngx_http_ktp_process_is_worker() || kmcf == NULL
        || kmcf->redis == NULL) {
        return NGX_OK;
    }

    ngx_http_ktp_fleet_shared = kmcf->zone->shared;
    ngx_http_ktp_fleet_dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_ktp_fleet_timer;
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_http_ktp_fleet_tick;
    ev->data = &ngx_http_ktp_fleet_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_KTP_FLEET_TICK);

    ngx_http_ktp_fleet_lease_init(kmcf);
    ngx_http_ktp_fleet_rate_init(kmcf);
    ngx_http_ktp_fleet_breaker_init(kmcf);

    if (ngx_http_ktp_fleet_keys_init(kmcf, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_ktp_fleet_flight_init(kmcf);
    ngx_http_ktp_fleet_forget_init(kmcf);

    return ngx_http_ktp_redis_init(kmcf->redis, ngx_http_ktp_fleet_connection,
                                   cycle->log);
}


static void
ngx_http_ktp_fleet_connection(ngx_uint_t up)
{
    ngx_http_ktp_fleet_state(up);
    ngx_http_ktp_fleet_flight_state(up);

    if (up) {
        ngx_http_ktp_fleet_breaker_sync();
    }
}


/* One line for all workers of the host. */

static void
ngx_http_ktp_fleet_state(ngx_uint_t up)
{
    if (__atomic_exchange_n(&ngx_http_ktp_fleet_shared->fleet_up, up,
                            __ATOMIC_RELAXED)
        == up) {
        return;
    }

    if (up) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "fleet is reachable, quotas are leased");
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "fleet is not reachable, leases of quotas are spent");
}


static void
ngx_http_ktp_fleet_tick(ngx_event_t *ev)
{
    static ngx_str_t ping = ngx_string("PING");

    (void) ngx_http_ktp_redis_command(&ping, 1, ngx_http_ktp_fleet_pong, NULL);
    ngx_http_ktp_redis_probe();

    ngx_http_ktp_fleet_lease_all(NGX_HTTP_KTP_LEASE_TIMER);

    ngx_add_timer(ev, NGX_HTTP_KTP_FLEET_TICK);
}


/* Another worker may have lost its connection meanwhile. */

static void
ngx_http_ktp_fleet_pong(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    if (reply && !reply->error) {
        ngx_http_ktp_fleet_state(1);
    }
}


void
ngx_http_ktp_fleet_exit(void)
{
    ngx_uint_t last;

    if (ngx_http_ktp_fleet_shared == NULL) {
        return;
    }

    /* after a reload, workers of the new configuration may not be there yet */

    last = ngx_http_ktp_fleet_cycle == ngx_http_ktp_fleet_shared->fleet_cycle
           && ngx_http_ktp_metrics_last(ngx_http_ktp_fleet_shared->metrics);

    if (last) {
        ngx_http_ktp_fleet_lease_all(NGX_HTTP_KTP_LEASE_LAST);
    }

    if (last || ngx_http_ktp_fleet_flight_landing()) {
        ngx_http_ktp_redis_finish();
    }

    if (ngx_http_ktp_fleet_timer.timer_set) {
        ngx_del_timer(&ngx_http_ktp_fleet_timer);
    }

    ngx_http_ktp_redis_exit();
}


ngx_uint_t
ngx_http_ktp_fleet_running(void)
{
    return ngx_http_ktp_fleet_shared != NULL;
}
