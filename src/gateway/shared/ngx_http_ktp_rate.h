/*
 * A rate of the fleet: units that this host got from it, in shared memory.
 * They are spent without asking, and are valid for a moment.  One worker at a
 * time asks for more.  The script rate.lua has the rules.
 */

#ifndef NGX_HTTP_KTP_RATE_H
#define NGX_HTTP_KTP_RATE_H

#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_zone.h"


/*
 * Time that units are valid for and a host leases for, microseconds.  Those
 * that are left when more are granted, a quarter at most of the last ones, are
 * valid for as long as the new ones: no unit for more than twice this time.
 */
#define NGX_HTTP_KTP_RATE_WINDOW 500000

/* What the host asks for. */
typedef struct {
    uint64_t seq;
    uint64_t want;
    uint64_t time; /* when it asked */
} ngx_http_ktp_rate_ask_t;

/* The answer. */
typedef struct {
    uint64_t granted;
    uint64_t wait; /* microseconds until there may be more */
    uint64_t hosts;
} ngx_http_ktp_rate_answer_t;

/* Times are microseconds of CLOCK_MONOTONIC, those of all workers. */
struct ngx_http_ktp_rate_s {
    ngx_http_ktp_rate_ask_t ask; /* the last one */

    uint64_t held;
    uint64_t granted;  /* by the last answer that granted any */
    uint64_t spent;    /* since the last answer */
    uint64_t hosts;    /* as answered; 0: there was none yet */
    uint64_t expires;  /* what is held */
    uint64_t full;     /* until when nothing is to be had */
    uint64_t asked;    /* until when an answer is awaited */
    uint64_t answered; /* when there was an answer, or none */

    unsigned asking : 1;
    unsigned failed : 1; /* there was no answer */
};


/*
 * Allocates them for clients with a rate of the fleet.  For the master.
 * NGX_ERROR: the zone is full.
 */
ngx_int_t ngx_http_ktp_rate_init(ngx_http_ktp_zone_t *zone);

/*
 * Spends a unit: NGX_OK; NGX_DECLINED, there is none for *wait microseconds;
 * NGX_AGAIN, there is none left and more are to be asked for; NGX_BUSY, there
 * is none, and nobody answers.
 */
ngx_int_t ngx_http_ktp_rate_take(ngx_http_ktp_shared_t *sh,
                                 ngx_http_ktp_rate_t *rate, uint64_t *wait);

/*
 * Takes a request from the share that this host has of the rate when nobody
 * answers: what each of the hosts that were seen last may.  Returns what
 * ngx_http_ktp_count_rate() does.
 */
uint64_t ngx_http_ktp_rate_local(ngx_http_ktp_client_t *client);

/*
 * Begins to ask if there is need for it; the answer is awaited for timeout
 * milliseconds.  none: a request has found none.  NGX_DECLINED: there is no
 * need, or another worker is about it.
 */
ngx_int_t ngx_http_ktp_rate_begin(ngx_http_ktp_shared_t *sh,
                                  ngx_http_ktp_rate_t *rate, ngx_uint_t none,
                                  ngx_msec_t               timeout,
                                  ngx_http_ktp_rate_ask_t *ask);

/* Ends it with its answer, or with NULL if there is none. */
void ngx_http_ktp_rate_end(ngx_http_ktp_shared_t            *sh,
                           ngx_http_ktp_rate_t              *rate,
                           const ngx_http_ktp_rate_ask_t    *ask,
                           const ngx_http_ktp_rate_answer_t *answer);


#endif /* NGX_HTTP_KTP_RATE_H */
