/*
 * The circuit breaker of an upstream, shared by all workers and by all
 * locations with the same ktp_pass; with "fleet", its openings are those of
 * all hosts.
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

/* What a host says to its fleet; the rules are those of breaker.lua. */
typedef enum {
    NGX_HTTP_KTP_BREAKER_SAY_READ = 0, /* nothing: it asks */
    NGX_HTTP_KTP_BREAKER_SAY_OPEN,     /* it has opened its breaker */
    NGX_HTTP_KTP_BREAKER_SAY_TRY,      /* it is to make the trial */
    NGX_HTTP_KTP_BREAKER_SAY_CLOSE     /* the trial has succeeded */
} ngx_http_ktp_breaker_say_t;

typedef struct {
    ngx_http_ktp_breaker_say_t say;
    uint64_t                   opening; /* number of the last one known */
    uint64_t                   time;    /* milliseconds, of OPEN and TRY */
    uint64_t                   again;   /* openings since it was closed */
} ngx_http_ktp_breaker_report_t;

/* What is known in the fleet. */
typedef struct {
    ngx_http_ktp_breaker_state_t state;   /* half-open: another host tries */
    uint64_t                     opening; /* number of the last one */
    uint64_t                     left;    /* milliseconds until its end */
    uint64_t                     again;
    unsigned                     granted : 1; /* this host is to try */
} ngx_http_ktp_breaker_news_t;

/*
 * Sends a report, whose end is ngx_http_ktp_breaker_told().  NGX_DECLINED: the
 * fleet is not reachable.
 */
typedef ngx_int_t (*ngx_http_ktp_breaker_tell_pt)(
    ngx_http_ktp_breaker_t              *breaker,
    const ngx_http_ktp_breaker_report_t *report);


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
 * breaker.  Takes no place: another call may be first.  With "fleet", asks for
 * the right to make the trial when it is due, or is so in a moment.
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

/* How often it has opened since the start, also because another host's has. */
ngx_uint_t ngx_http_ktp_breaker_opened(ngx_http_ktp_breaker_t *breaker);

/* Has breakers with "fleet" send reports, from this process. */
void ngx_http_ktp_breaker_fleet(ngx_http_ktp_breaker_tell_pt tell);

/* The fleet is reachable: asks for what is known, or says that it is open. */
void ngx_http_ktp_breaker_sync(ngx_http_ktp_breaker_t *breaker);

/*
 * Something has come from the fleet, in any order, and to any worker: what is
 * not new changes nothing.
 */
void ngx_http_ktp_breaker_learn(ngx_http_ktp_breaker_t            *breaker,
                                const ngx_http_ktp_breaker_news_t *news,
                                ngx_log_t                         *log);

/*
 * A report has ended; news is NULL if it was not answered.  A host that is not
 * told otherwise goes on by itself.
 */
void ngx_http_ktp_breaker_told(ngx_http_ktp_breaker_t            *breaker,
                               ngx_http_ktp_breaker_say_t         say,
                               const ngx_http_ktp_breaker_news_t *news,
                               ngx_log_t                         *log);


#endif /* NGX_HTTP_KTP_BREAKER_H */
