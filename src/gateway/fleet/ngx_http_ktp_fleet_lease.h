/* Leases of quotas from Redis, in the background, and requests that wait. */

#ifndef NGX_HTTP_KTP_FLEET_LEASE_H
#define NGX_HTTP_KTP_FLEET_LEASE_H

#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_lease.h"


typedef struct ngx_http_ktp_fleet_waiter_s ngx_http_ktp_fleet_waiter_t;

typedef void (*ngx_http_ktp_fleet_waiter_pt)(void *data);

/* Someone who waits for a lease, or units of a rate; zeroed before its first
 * use. */
struct ngx_http_ktp_fleet_waiter_s {
    ngx_http_ktp_fleet_waiter_pt handler; /* called from an event, once */
    void                        *data;
    ngx_log_t                   *log;

    /* private */
    ngx_queue_t      queue;
    ngx_event_t      event;
    ngx_connection_t dummy;
    unsigned         waiting : 1;
};


/* For init_process. */
void ngx_http_ktp_fleet_lease_init(ngx_http_ktp_main_conf_t *kmcf);

/*
 * Reports what the client has spent and asks for more, for each of its quotas
 * of the fleet that needs it.
 */
void ngx_http_ktp_fleet_lease(ngx_http_ktp_client_t   *client,
                              ngx_http_ktp_lease_why_t why);

/* The same for all clients. */
void ngx_http_ktp_fleet_lease_all(ngx_http_ktp_lease_why_t why);

/*
 * Has the waiter's handler called when leases have changed, or in a moment.
 */
void ngx_http_ktp_fleet_lease_wait(ngx_http_ktp_fleet_waiter_t *waiter);

/* Leases or rates have changed: those who wait in this worker look again. */
void ngx_http_ktp_fleet_lease_wake(void);

/* It does not wait any more; may be called again. */
void ngx_http_ktp_fleet_lease_leave(ngx_http_ktp_fleet_waiter_t *waiter);

/* How long a request waits at most, milliseconds. */
ngx_msec_t ngx_http_ktp_fleet_lease_patience(void);


#endif /* NGX_HTTP_KTP_FLEET_LEASE_H */
