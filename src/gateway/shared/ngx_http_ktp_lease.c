#include "ngx_http_ktp_lease.h"
#include <openssl/rand.h>


/*
 * Units that a host holds: those that it spends in a time, in milliseconds, at
 * least 10, and at most a tenth of the quota.  More are asked for when a
 * quarter is left.
 */
#define NGX_HTTP_KTP_LEASE_WINDOW 10000
#define NGX_HTTP_KTP_LEASE_MIN    10
#define NGX_HTTP_KTP_LEASE_SHARE  10
#define NGX_HTTP_KTP_LEASE_LOW    4

/* Times in milliseconds: between two reports of what is held, */
#define NGX_HTTP_KTP_LEASE_REPORT (NGX_HTTP_KTP_LEASE_TIME / 3)

/* before an exhausted quota is asked for again, since hosts give back, */
#define NGX_HTTP_KTP_LEASE_EXHAUSTED_TIME 1000

/* and before a server that has not answered is asked again. */
#define NGX_HTTP_KTP_LEASE_FAILED_TIME 250

/* A bit of the serial of a unit that was not leased. */
#define NGX_HTTP_KTP_LEASE_LOCAL                                              \
    ((ngx_uint_t) 1 << (sizeof(ngx_uint_t) * 8 - 1))

#define ngx_http_ktp_lease_since(time)                                        \
    ((ngx_msec_int_t) (ngx_current_msec - (time)))


static void       ngx_http_ktp_lease_reset(ngx_http_ktp_lease_t *lease);
static ngx_uint_t ngx_http_ktp_lease_over(const ngx_http_ktp_lease_t *lease);
static uint64_t   ngx_http_ktp_lease_target(ngx_http_ktp_lease_t *lease,
                                            uint64_t              limit);
static ngx_uint_t ngx_http_ktp_lease_needed(ngx_http_ktp_lease_t    *lease,
                                            ngx_http_ktp_lease_why_t why);
static void
ngx_http_ktp_lease_accept(ngx_http_ktp_lease_t              *lease,
                          const ngx_http_ktp_lease_report_t *report,
                          const ngx_http_ktp_lease_answer_t *answer);


ngx_int_t
ngx_http_ktp_lease_init(ngx_http_ktp_zone_t *zone)
{
    ngx_uint_t              i, p;
    ngx_http_ktp_slot_t    *slot;
    ngx_http_ktp_client_t **client;

    client = zone->clients->elts;

    for (i = 0; i < zone->clients->nelts; i++) {
        slot = client[i]->slot;

        if (!client[i]->fleet || slot->leases) {
            continue;
        }

        slot->leases = ngx_slab_calloc(
            zone->pool, KTP_QUOTA_PERIODS * sizeof(ngx_http_ktp_lease_t));
        if (slot->leases == NULL) {
            return NGX_ERROR;
        }

        for (p = 0; p < KTP_QUOTA_PERIODS; p++) {
            ngx_http_ktp_lease_reset(&slot->leases[p]);
        }
    }

    return NGX_OK;
}


/* Begins a new incarnation of the host, with nothing spent and held. */

static void
ngx_http_ktp_lease_reset(ngx_http_ktp_lease_t *lease)
{
    uint64_t   id;
    ngx_uint_t serial;

    serial = lease->serial;

    ngx_memzero(lease, sizeof(ngx_http_ktp_lease_t));

    lease->serial = serial + 1;

    if (RAND_bytes((u_char *) &id, sizeof(id)) != 1) {
        id = ((uint64_t) ngx_random() << 32) ^ ngx_time() ^ ngx_pid;
    }

    (void) ngx_hex_dump(lease->now.incarnation, (u_char *) &id, sizeof(id));
}


/* The units belong to a period that has ended. */

static ngx_uint_t
ngx_http_ktp_lease_over(const ngx_http_ktp_lease_t *lease)
{
    return !lease->endless && ngx_http_ktp_lease_since(lease->ends) >= 0;
}


ngx_uint_t
ngx_http_ktp_lease_exhausted(ngx_http_ktp_lease_t *lease)
{
    return lease->exhausted && lease->now.held == 0
           && !ngx_http_ktp_lease_over(lease)
           && ngx_http_ktp_lease_since(lease->answered)
                  < NGX_HTTP_KTP_LEASE_EXHAUSTED_TIME;
}


uint64_t
ngx_http_ktp_lease_held(ngx_http_ktp_lease_t *lease)
{
    return ngx_http_ktp_lease_over(lease) ? 0 : lease->now.held;
}


uint64_t
ngx_http_ktp_lease_used(ngx_http_ktp_lease_t *lease)
{
    if (ngx_http_ktp_lease_over(lease)) {
        return 0;
    }

    return lease->fleet - ngx_min(lease->fleet, lease->reported)
           + lease->now.spent;
}


ngx_int_t
ngx_http_ktp_lease_take(ngx_http_ktp_shared_t *sh, ngx_http_ktp_lease_t *lease,
                        ngx_uint_t *serial)
{
    ngx_int_t rc;

    ngx_shmtx_lock(&sh->pool->mutex);

    if (lease->now.held && !ngx_http_ktp_lease_over(lease)) {

        /* a worker that is killed here loses a unit, and spends none */

        lease->now.held--;
        ngx_memory_barrier();
        lease->now.spent++;
        *serial = lease->serial;
        rc = NGX_OK;

    } else if (ngx_http_ktp_lease_exhausted(lease)) {
        rc = NGX_DECLINED;

    } else if (lease->failed && !lease->asking
               && ngx_http_ktp_lease_since(lease->answered)
                      < NGX_HTTP_KTP_LEASE_FAILED_TIME) {
        rc = NGX_BUSY;

    } else {
        rc = NGX_AGAIN;
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


void
ngx_http_ktp_lease_give(ngx_http_ktp_shared_t *sh, ngx_http_ktp_lease_t *lease,
                        ngx_uint_t serial)
{
    ngx_shmtx_lock(&sh->pool->mutex);

    if (lease->serial == (serial & ~NGX_HTTP_KTP_LEASE_LOCAL)
        && lease->now.spent) {
        lease->now.spent--;
        ngx_memory_barrier();

        if (serial & NGX_HTTP_KTP_LEASE_LOCAL) {
            lease->local -= ngx_min(lease->local, 1);

        } else {
            lease->now.held++;
        }
    }

    ngx_shmtx_unlock(&sh->pool->mutex);
}


ngx_int_t
ngx_http_ktp_lease_local(ngx_http_ktp_shared_t *sh,
                         ngx_http_ktp_lease_t *lease, uint64_t limit,
                         ngx_uint_t *serial)
{
    ngx_int_t rc;

    rc = NGX_BUSY;

    ngx_shmtx_lock(&sh->pool->mutex);

    if (lease->local < limit) {
        lease->local++;
        lease->now.spent++;
        *serial = lease->serial | NGX_HTTP_KTP_LEASE_LOCAL;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


ngx_int_t
ngx_http_ktp_lease_begin(ngx_http_ktp_shared_t *sh,
                         ngx_http_ktp_lease_t *lease, uint64_t limit,
                         ngx_msec_t timeout, ngx_http_ktp_lease_why_t why,
                         ngx_http_ktp_lease_report_t *report)
{
    ngx_int_t  rc;
    ngx_uint_t idle;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&sh->pool->mutex);

    if (ngx_http_ktp_lease_needed(lease, why)) {
        lease->target = ngx_http_ktp_lease_target(lease, limit);

        idle = why == NGX_HTTP_KTP_LEASE_LAST
               || (why == NGX_HTTP_KTP_LEASE_TIMER
                   && lease->now.spent == lease->reported);

        if (idle) {
            lease->now.held = 0;
        }

        lease->asking = 1;
        lease->asked = ngx_current_msec + timeout;
        lease->now.seq++;
        lease->now.time = ngx_current_msec;

        *report = lease->now;

        /* what is held in a period that is over is of no use in this one */

        report->want =
            idle ? 0
            : ngx_http_ktp_lease_over(lease)
                ? lease->target
                : lease->target - ngx_min(lease->target, lease->now.held);

        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


/* What the host spends in a window, by what it has spent since the answer. */

static uint64_t
ngx_http_ktp_lease_target(ngx_http_ktp_lease_t *lease, uint64_t limit)
{
    uint64_t       n, most;
    ngx_msec_int_t since;

    most = ngx_min(limit / NGX_HTTP_KTP_LEASE_SHARE, NGX_HTTP_KTP_LEASE_MAX);
    most = ngx_max(most, 1);

    since = ngx_http_ktp_lease_since(lease->answered);

    n = lease->now.spent - ngx_min(lease->now.spent, lease->reported);
    n = n * NGX_HTTP_KTP_LEASE_WINDOW / ngx_max(since, 1);
    n = ngx_max(n, NGX_HTTP_KTP_LEASE_MIN);

    return ngx_min(n, most);
}


static ngx_uint_t
ngx_http_ktp_lease_needed(ngx_http_ktp_lease_t    *lease,
                          ngx_http_ktp_lease_why_t why)
{
    ngx_uint_t     news;
    ngx_msec_int_t since;

    since = ngx_http_ktp_lease_since(lease->answered);
    news = lease->now.held || lease->now.spent != lease->reported;

    if (why == NGX_HTTP_KTP_LEASE_LAST) {
        return news;
    }

    /* a worker that asks may have been killed */

    if (lease->asking && ngx_http_ktp_lease_since(lease->asked) < 0) {
        return 0;
    }

    if (lease->failed && since < NGX_HTTP_KTP_LEASE_FAILED_TIME) {
        return 0;
    }

    if (why == NGX_HTTP_KTP_LEASE_TIMER) {
        return news && since >= NGX_HTTP_KTP_LEASE_REPORT;
    }

    if (ngx_http_ktp_lease_over(lease)) {
        return 1;
    }

    return lease->now.held <= lease->target / NGX_HTTP_KTP_LEASE_LOW
           && (!lease->exhausted
               || since >= NGX_HTTP_KTP_LEASE_EXHAUSTED_TIME);
}


ngx_int_t
ngx_http_ktp_lease_end(ngx_http_ktp_shared_t *sh, ngx_http_ktp_lease_t *lease,
                       const ngx_http_ktp_lease_report_t *report,
                       const ngx_http_ktp_lease_answer_t *answer)
{
    ngx_int_t rc;

    rc = NGX_OK;

    ngx_shmtx_lock(&sh->pool->mutex);

    if (lease->now.seq != report->seq
        || ngx_memcmp(lease->now.incarnation, report->incarnation,
                      NGX_HTTP_KTP_LEASE_ID)
               != 0) {

        /* it came too late: another worker has asked */

    } else if (answer == NULL) {
        lease->asking = 0;
        lease->failed = 1;
        lease->answered = ngx_current_msec;

    } else if (answer->status == NGX_HTTP_KTP_LEASE_STALE) {
        ngx_http_ktp_lease_reset(lease);
        lease->failed = 1;
        lease->answered = ngx_current_msec;
        rc = NGX_DECLINED;

    } else {
        ngx_http_ktp_lease_accept(lease, report, answer);
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


static void
ngx_http_ktp_lease_accept(ngx_http_ktp_lease_t              *lease,
                          const ngx_http_ktp_lease_report_t *report,
                          const ngx_http_ktp_lease_answer_t *answer)
{
    lease->reported = report->spent;

    if (lease->now.period_len != answer->period.len
        || ngx_memcmp(lease->now.period, answer->period.data,
                      answer->period.len)
               != 0) {

        /* what is held is worth nothing in another period */

        /* but what was spent before the first answer is counted in this one */

        if (report->period_len) {
            lease->now.spent = 0;
            lease->reported = 0;
            lease->serial++;
        }

        lease->now.held = 0;
        lease->now.period_len = answer->period.len;
        ngx_memcpy(lease->now.period, answer->period.data, answer->period.len);
    }

    lease->now.held += answer->granted;
    lease->local = 0;
    lease->fleet = answer->spent;
    lease->exhausted = answer->status == NGX_HTTP_KTP_LEASE_EXHAUSTED;
    lease->endless = answer->endless;

    /* the clock of Redis has gone on since the report was made */

    lease->ends = report->time + answer->left;
    lease->asking = 0;
    lease->failed = 0;
    lease->answered = ngx_current_msec;
}
