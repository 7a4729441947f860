/*
 * Counting of calls against client quotas and rates in the zone.  The
 * consequences for a request are in request/quota.
 */

#ifndef NGX_HTTP_KTP_COUNT_H
#define NGX_HTTP_KTP_COUNT_H

#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_slot.h"


/* A call that was counted and has not been settled; zeroed: none. */
typedef struct {
    ngx_http_ktp_slot_t   *slot; /* NULL: nothing is counted */
    ngx_http_ktp_shared_t *shared;
    ngx_http_ktp_unsent_t *unsent; /* NULL: sent, or not marked */
    uint32_t               numbers[KTP_QUOTA_PERIODS];
    ngx_uint_t leased[KTP_QUOTA_PERIODS]; /* serial of a lease; 0: none */
} ngx_http_ktp_taken_t;


/*
 * Calls counted for a client in the current period, on this host.  The client
 * must have a slot, here and below.
 */
uint64_t ngx_http_ktp_count_used(ngx_http_ktp_client_t *client,
                                 ktp_quota_period_t     period);

/* The same to be compared with its quota: with "fleet", of all hosts. */
uint64_t ngx_http_ktp_count_quota(ngx_http_ktp_client_t *client,
                                  ktp_quota_period_t     period);

/* 1 if an enforced quota of the client is exhausted. */
ngx_uint_t ngx_http_ktp_count_exhausted(ngx_http_ktp_client_t *client);

/*
 * Seconds until every enforced quota that is exhausted begins anew; 0 if one
 * of them never does, or if there is none.
 */
uint64_t ngx_http_ktp_count_wait(ngx_http_ktp_client_t *client);

/*
 * Calls that the client has left in its enforced quotas, -1 if it has none.
 */
int64_t ngx_http_ktp_count_left(ngx_http_ktp_client_t *client);

/*
 * Takes one request from a rate, whose state is *rate: that of the client's
 * account, or a copy.  Returns the microseconds until there is one to take,
 * 0 if it was taken or the client has no rate.
 */
uint64_t ngx_http_ktp_count_rate(ngx_http_ktp_client_t *client,
                                 uint64_t              *rate);

/* The time of rates: microseconds of CLOCK_MONOTONIC. */
uint64_t ngx_http_ktp_count_clock(void);

/*
 * Counts a call in all periods and fills taken, which must be zeroed.
 * NGX_OK; or, with nothing counted, NGX_DECLINED if an enforced quota has
 * nothing left, and what ngx_http_ktp_lease_take() returns.  *over is set to 1
 * if a shadow quota is exceeded, which is counted as well, else to 0.
 */
ngx_int_t ngx_http_ktp_count_take(ngx_http_ktp_shared_t *sh,
                                  ngx_http_ktp_client_t *client,
                                  ngx_http_ktp_taken_t  *taken,
                                  ngx_uint_t            *over);

/*
 * The call was sent: it stays counted if this worker is killed.  May be
 * called again.
 */
void ngx_http_ktp_count_sent(ngx_http_ktp_taken_t *taken);

/* The call is not billed: counts it back.  Once, after a take. */
void ngx_http_ktp_count_give(ngx_http_ktp_taken_t *taken);

/*
 * Counts back what killed workers had taken and not sent.  For
 * init_process.
 */
void ngx_http_ktp_count_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_COUNT_H */
