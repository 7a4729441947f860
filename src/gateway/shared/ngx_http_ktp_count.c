#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_lease.h"
#include "ngx_http_ktp_process.h"
#include "ngx_http_ktp_zone.h"
#include <time.h>


/* Marks that are tried to find a free one. */
#define NGX_HTTP_KTP_UNSENT_TRIES 64

/* Minimum time between messages of a worker about the clock. */
#define NGX_HTTP_KTP_COUNT_AHEAD_INTERVAL 60000


static uint32_t  ngx_http_ktp_count_now(ngx_http_ktp_client_t *client,
                                        ktp_quota_period_t     period);
static void      ngx_http_ktp_count_ahead(ngx_http_ktp_client_t *client);
static void      ngx_http_ktp_count_back(ngx_http_ktp_shared_t *sh,
                                         ngx_http_ktp_slot_t   *slot,
                                         const uint32_t *numbers, ngx_uint_t n);
static ngx_int_t ngx_http_ktp_count_lease(ngx_http_ktp_shared_t *sh,
                                          ngx_http_ktp_client_t *client,
                                          ngx_uint_t            *leased);
static void      ngx_http_ktp_count_release(ngx_http_ktp_shared_t *sh,
                                            ngx_http_ktp_slot_t   *slot,
                                            ngx_uint_t            *leased);
static ngx_http_ktp_unsent_t *
ngx_http_ktp_count_mark(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                        const uint32_t *numbers);
static void ngx_http_ktp_count_clear(ngx_http_ktp_unsent_t *unsent);
static void ngx_http_ktp_count_reclaim(ngx_http_ktp_shared_t *sh,
                                       ngx_log_t             *log);


static ngx_uint_t ngx_http_ktp_count_next;


uint64_t
ngx_http_ktp_count_used(ngx_http_ktp_client_t *client,
                        ktp_quota_period_t     period)
{
    return ktp_quota_used(&client->slot->account->quota[period],
                          ngx_http_ktp_count_now(client, period));
}


uint64_t
ngx_http_ktp_count_quota(ngx_http_ktp_client_t *client,
                         ktp_quota_period_t     period)
{
    return client->quota[period].fleet
               ? ngx_http_ktp_lease_used(&client->slot->leases[period])
               : ngx_http_ktp_count_used(client, period);
}


static uint32_t
ngx_http_ktp_count_now(ngx_http_ktp_client_t *client,
                       ktp_quota_period_t     period)
{
    uint32_t number;

    number =
        ktp_quota_number(period, ngx_time(), client->quota[period].offset);

    if (ktp_quota_ahead(&client->slot->account->quota[period], number)) {
        ngx_http_ktp_count_ahead(client);
    }

    return number;
}


/* The clock was set back, or was ahead once. */

static void
ngx_http_ktp_count_ahead(ngx_http_ktp_client_t *client)
{
    static ngx_msec_t logged;

    if (logged
        && ngx_current_msec - logged < NGX_HTTP_KTP_COUNT_AHEAD_INTERVAL) {
        return;
    }

    logged = ngx_current_msec;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "calls of client \"%V\" are counted in a period later than "
                  "that of the system clock, quotas are not reset until the "
                  "clock has passed it",
                  &client->sn.str);
}


ngx_uint_t
ngx_http_ktp_count_exhausted(ngx_http_ktp_client_t *client)
{
    return ngx_http_ktp_count_left(client) == 0;
}


int64_t
ngx_http_ktp_count_left(ngx_http_ktp_client_t *client)
{
    int64_t                      left, n;
    uint64_t                     used;
    ngx_uint_t                   i;
    ngx_http_ktp_client_quota_t *quota;

    left = -1;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        quota = &client->quota[i];

        if (!quota->set || quota->shadow) {
            continue;
        }

        used = ngx_http_ktp_count_quota(client, i);
        n = used < quota->limit ? (int64_t) (quota->limit - used) : 0;

        if (quota->fleet) {

            /* other hosts may have given back what they had leased */

            n = ngx_http_ktp_lease_exhausted(&client->slot->leases[i])
                    ? 0
                    : ngx_max(n, 1);
        }

        if (left == -1 || n < left) {
            left = n;
        }
    }

    return left;
}


uint64_t
ngx_http_ktp_count_wait(ngx_http_ktp_client_t *client)
{
    int64_t                      now, end, latest;
    ngx_uint_t                   i;
    ngx_http_ktp_client_quota_t *quota;

    now = ngx_time();
    latest = now;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        quota = &client->quota[i];

        if (!quota->set || quota->shadow
            || (quota->fleet
                    ? !ngx_http_ktp_lease_exhausted(&client->slot->leases[i])
                    : ngx_http_ktp_count_used(client, i) < quota->limit)) {
            continue;
        }

        end = ktp_quota_end(i, now, quota->offset);

        if (end == 0) {
            return 0;
        }

        latest = ngx_max(latest, end);
    }

    return latest - now;
}


uint64_t
ngx_http_ktp_count_rate(ngx_http_ktp_client_t *client, uint64_t *rate)
{
    if (client->rate_interval == 0) {
        return 0;
    }

    return ktp_quota_rate(rate, ngx_http_ktp_count_clock(),
                          client->rate_interval, client->rate_burst);
}


uint64_t
ngx_http_ktp_count_clock(void)
{
    struct timespec ts;

    /*
     * The cached time of nginx may lag by milliseconds, differently in each
     * worker.  The call cannot fail for this clock.
     */

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/*
 * All periods are counted, even without a quota, so that a quota set by a
 * later reload applies to past calls.
 */

ngx_int_t
ngx_http_ktp_count_take(ngx_http_ktp_shared_t *sh,
                        ngx_http_ktp_client_t *client,
                        ngx_http_ktp_taken_t *taken, ngx_uint_t *over)
{
    uint64_t                     limit;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_ktp_slot_t         *slot;
    ngx_http_ktp_client_quota_t *quota;

    *over = 0;
    slot = client->slot;

    rc = client->fleet ? ngx_http_ktp_count_lease(sh, client, taken->leased)
                       : NGX_OK;

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        quota = &client->quota[i];
        limit = quota->set && !quota->shadow && !quota->fleet ? quota->limit
                                                              : KTP_QUOTA_MAX;

        if (!ktp_quota_take(&slot->account->quota[i],
                            ngx_http_ktp_count_now(client, i), limit,
                            &taken->numbers[i])) {
            ngx_http_ktp_count_back(sh, slot, taken->numbers, i);
            ngx_http_ktp_count_release(sh, slot, taken->leased);
            return NGX_DECLINED;
        }

        if (quota->set && quota->shadow
            && ktp_quota_used(&slot->account->quota[i], taken->numbers[i])
                   > quota->limit) {
            (void) __atomic_add_fetch(&slot->account->shadowed, 1,
                                      __ATOMIC_RELAXED);
            *over = 1;
        }
    }

    (void) __atomic_add_fetch(&sh->ledger->changes, 1, __ATOMIC_RELAXED);

    taken->slot = slot;
    taken->shared = sh;
    taken->unsent = ngx_http_ktp_count_mark(sh, slot, taken->numbers);

    return NGX_OK;
}


/* Takes a unit of each lease, or none. */

static ngx_int_t
ngx_http_ktp_count_lease(ngx_http_ktp_shared_t *sh,
                         ngx_http_ktp_client_t *client, ngx_uint_t *leased)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_http_ktp_lease_t *lease;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {

        if (!client->quota[i].fleet) {
            continue;
        }

        lease = &client->slot->leases[i];
        rc = ngx_http_ktp_lease_take(sh, lease, &leased[i]);

        if (rc == NGX_BUSY && client->quota[i].local) {
            rc = ngx_http_ktp_lease_local(sh, lease, client->quota[i].local,
                                          &leased[i]);
        }

        if (rc != NGX_OK) {
            ngx_http_ktp_count_release(sh, client->slot, leased);
            return rc;
        }
    }

    return NGX_OK;
}


static void
ngx_http_ktp_count_release(ngx_http_ktp_shared_t *sh,
                           ngx_http_ktp_slot_t *slot, ngx_uint_t *leased)
{
    ngx_uint_t i;

    for (i = 0; i < KTP_QUOTA_PERIODS; i++) {
        if (leased[i]) {
            ngx_http_ktp_lease_give(sh, &slot->leases[i], leased[i]);
            leased[i] = 0;
        }
    }
}


void
ngx_http_ktp_count_sent(ngx_http_ktp_taken_t *taken)
{
    ngx_http_ktp_count_clear(taken->unsent);
    taken->unsent = NULL;
}


void
ngx_http_ktp_count_give(ngx_http_ktp_taken_t *taken)
{
    ngx_http_ktp_count_back(taken->shared, taken->slot, taken->numbers,
                            KTP_QUOTA_PERIODS);
    ngx_http_ktp_count_release(taken->shared, taken->slot, taken->leased);
}


/* Returns a call in its first n periods. */

static void
ngx_http_ktp_count_back(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                        const uint32_t *numbers, ngx_uint_t n)
{
    ngx_uint_t i;

    for (i = 0; i < n; i++) {
        ktp_quota_give(&slot->account->quota[i], numbers[i]);
    }

    (void) __atomic_add_fetch(&sh->ledger->changes, 1, __ATOMIC_RELAXED);
}


/*
 * Marks a call that is counted but not sent.  Returns NULL if the zone has no
 * room; such a call remains counted if the worker is killed.
 */

static ngx_http_ktp_unsent_t *
ngx_http_ktp_count_mark(ngx_http_ktp_shared_t *sh, ngx_http_ktp_slot_t *slot,
                        const uint32_t *numbers)
{
    ngx_uint_t             i, n;
    ngx_http_ktp_unsent_t *unsent;

    for (i = 0; i < NGX_HTTP_KTP_UNSENT_TRIES; i++) {
        n = ngx_http_ktp_count_next++ % sh->nunsent;
        unsent = &sh->unsent[n];

        if (unsent->pid == 0 && ngx_atomic_cmp_set(&unsent->pid, 0, ngx_pid)) {
            ngx_memcpy(unsent->numbers, numbers, sizeof(unsent->numbers));
            __atomic_store_n(&unsent->slot, slot, __ATOMIC_RELEASE);

            return unsent;
        }
    }

    return NULL;
}


static void
ngx_http_ktp_count_clear(ngx_http_ktp_unsent_t *unsent)
{
    if (unsent) {
        __atomic_store_n(&unsent->slot, NULL, __ATOMIC_RELEASE);
        __atomic_store_n(&unsent->pid, 0, __ATOMIC_RELEASE);
    }
}


static void
ngx_http_ktp_count_reclaim(ngx_http_ktp_shared_t *sh, ngx_log_t *log)
{
    uint32_t               numbers[KTP_QUOTA_PERIODS];
    ngx_pid_t              pid;
    ngx_uint_t             i, n;
    ngx_http_ktp_slot_t   *slot;
    ngx_http_ktp_unsent_t *unsent;

    n = 0;

    for (i = 0; i < sh->nunsent; i++) {
        unsent = &sh->unsent[i];
        pid = unsent->pid;

        if (pid == 0) {
            continue;
        }

        /* marks with this pid belong to an earlier process */

        if (pid != ngx_pid) {
            if (ngx_http_ktp_process_alive(pid)
                || !ngx_atomic_cmp_set(&unsent->pid, pid, ngx_pid)) {
                continue;
            }
        }

        slot = __atomic_load_n(&unsent->slot, __ATOMIC_ACQUIRE);
        ngx_memcpy(numbers, unsent->numbers, sizeof(numbers));
        ngx_http_ktp_count_clear(unsent);

        if (slot) {
            ngx_http_ktp_count_back(sh, slot, numbers, KTP_QUOTA_PERIODS);
            n++;
        }
    }

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "returned %ui calls that a killed worker had "
                      "counted but not sent",
                      n);
    }
}


void
ngx_http_ktp_count_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (kmcf && kmcf->zone && ngx_http_ktp_process_is_worker()) {
        ngx_http_ktp_count_reclaim(kmcf->zone->shared, cycle->log);
    }
}
