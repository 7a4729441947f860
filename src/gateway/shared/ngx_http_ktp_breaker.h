/*
 * The circuit breaker of an upstream, shared by all workers and by all
 * locations with the same ktp_pass.
 */

#ifndef NGX_HTTP_KTP_BREAKER_H
#define NGX_HTTP_KTP_BREAKER_H

#include "ngx_http_ktp.h"
#include "ktp_error.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_zone.h"


/* The values of the metric. */
typedef enum {
    NGX_HTTP_KTP_BREAKER_CLOSED = 0, /* calls are made */
    NGX_HTTP_KTP_BREAKER_HALF_OPEN,  /* one call is made, to try */
    NGX_HTTP_KTP_BREAKER_OPEN        /* no call is made */
} ngx_http_ktp_breaker_state_t;

/* What a call says about its upstream. */
typedef enum {
    NGX_HTTP_KTP_BREAKER_NOTHING = 0, /* not sent, or aborted */
    NGX_HTTP_KTP_BREAKER_SUCCESS,
    NGX_HTTP_KTP_BREAKER_FAILURE
} ngx_http_ktp_breaker_event_t;

/* A call that is watched by a breaker; zeroed: none is. */
typedef struct {
    const ngx_http_ktp_breaker_conf_t *conf;  /* NULL: none */
    uint64_t                           trial; /* its number; 0: it is none */
} ngx_http_ktp_breaker_call_t;


/*
 * Finds or creates the shared states of n breakers; NGX_ERROR if the zone has
 * no room.  For the master, with the ledger locked.  A state lives as long as
 * the master process.
 */
ngx_int_t ngx_http_ktp_breaker_init(ngx_http_ktp_zone_t     *zone,
                                    ngx_http_ktp_breaker_t **breaker,
                                    ngx_uint_t               n);

/*
 * Milliseconds until a call may be made; 0: now, also if the location has no
 * breaker.  Takes no place: another call may be first.
 */
uint64_t ngx_http_ktp_breaker_wait(const ngx_http_ktp_breaker_conf_t *conf);

/*
 * A call is about to be made, which takes at most timeout milliseconds: 0,
 * and call is filled for ngx_http_ktp_breaker_leave(); or the milliseconds
 * until one may be made.
 */
uint64_t ngx_http_ktp_breaker_enter(const ngx_http_ktp_breaker_conf_t *conf,
                                    ngx_http_ktp_breaker_call_t       *call,
                                    ngx_msec_t timeout, ngx_log_t *log);

/*
 * The call has ended; reason is for the log, and KTP_OK unless it failed.  May
 * be called again, and for a call that is not watched.
 */
void ngx_http_ktp_breaker_leave(ngx_http_ktp_breaker_call_t *call,
                                ngx_http_ktp_breaker_event_t event,
                                ktp_code_t reason, ngx_log_t *log);

/* 1 if calls are made as usual, also if the location has no breaker. */
ngx_uint_t
ngx_http_ktp_breaker_closed(const ngx_http_ktp_breaker_conf_t *conf);

/* The state: half-open as well if the next request will be the trial. */
ngx_http_ktp_breaker_state_t
ngx_http_ktp_breaker_state(ngx_http_ktp_breaker_t *breaker);

/* "closed", "half-open", or "open": constant text. */
const char *ngx_http_ktp_breaker_name(ngx_http_ktp_breaker_state_t state);

/* How often it has opened since the start. */
ngx_uint_t ngx_http_ktp_breaker_opened(ngx_http_ktp_breaker_t *breaker);


#endif /* NGX_HTTP_KTP_BREAKER_H */
