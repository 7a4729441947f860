#include "ngx_http_ktp_rate.h"
#include "ngx_http_ktp_count.h"


/* More units are asked for when this part of the last ones is left. */
#define NGX_HTTP_KTP_RATE_LOW 4

/* Units that are asked for at most; rate.lua takes no more. */
#define NGX_HTTP_KTP_RATE_MAX 1000000

/* Time before a server that has not answered is asked again, microseconds. */
#define NGX_HTTP_KTP_RATE_FAILED_TIME 250000


static void ngx_http_ktp_rate_expire(ngx_http_ktp_rate_t *rate, uint64_t now);
static ngx_uint_t ngx_http_ktp_rate_needed(ngx_http_ktp_rate_t *rate,
                                           uint64_t now, ngx_uint_t none);
static uint64_t   ngx_http_ktp_rate_want(ngx_http_ktp_rate_t *rate,
                                         uint64_t             now);


ngx_int_t
ngx_http_ktp_rate_init(ngx_http_ktp_zone_t *zone)
{
    ngx_uint_t              i;
    ngx_http_ktp_slot_t    *slot;
    ngx_http_ktp_client_t **client;

    client = zone->clients->elts;

    for (i = 0; i < zone->clients->nelts; i++) {
        slot = client[i]->slot;

        if (!client[i]->rate_fleet || slot->rate) {
            continue;
        }

        slot->rate = ngx_slab_calloc(zone->pool, sizeof(ngx_http_ktp_rate_t));
        if (slot->rate == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_rate_take(ngx_http_ktp_shared_t *sh, ngx_http_ktp_rate_t *rate,
                       uint64_t *wait)
{
    uint64_t  now;
    ngx_int_t rc;

    ngx_shmtx_lock(&sh->pool->mutex);

    now = ngx_http_ktp_count_clock();
    ngx_http_ktp_rate_expire(rate, now);

    if (rate->held) {
        rate->held--;
        rate->spent++;
        rc = NGX_OK;

    } else if (rate->failed) {
        rc = NGX_BUSY;

    } else if (now < rate->full) {
        *wait = rate->full - now;
        rc = NGX_DECLINED;

    } else {
        rc = NGX_AGAIN;
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


static void
ngx_http_ktp_rate_expire(ngx_http_ktp_rate_t *rate, uint64_t now)
{
    if (now >= rate->expires) {
        rate->held = 0;
    }
}


uint64_t
ngx_http_ktp_rate_local(ngx_http_ktp_client_t *client)
{
    uint64_t             hosts;
    ngx_http_ktp_slot_t *slot;

    slot = client->slot;
    hosts = ngx_max(slot->rate->hosts, 1);

    return ktp_quota_rate(&slot->account->rate, ngx_http_ktp_count_clock(),
                          client->rate_interval * hosts,
                          ngx_max(client->rate_burst / hosts, 1));
}


ngx_int_t
ngx_http_ktp_rate_begin(ngx_http_ktp_shared_t *sh, ngx_http_ktp_rate_t *rate,
                        ngx_uint_t none, ngx_msec_t timeout,
                        ngx_http_ktp_rate_ask_t *ask)
{
    uint64_t  now;
    ngx_int_t rc;

    rc = NGX_DECLINED;

    ngx_shmtx_lock(&sh->pool->mutex);

    now = ngx_http_ktp_count_clock();
    ngx_http_ktp_rate_expire(rate, now);

    if (ngx_http_ktp_rate_needed(rate, now, none)) {
        rate->asking = 1;
        rate->asked = now + (uint64_t) timeout * 1000;

        rate->ask.seq++;
        rate->ask.want = ngx_http_ktp_rate_want(rate, now);
        rate->ask.time = now;

        *ask = rate->ask;
        rc = NGX_OK;
    }

    ngx_shmtx_unlock(&sh->pool->mutex);

    return rc;
}


/*
 * Single units are not asked for in advance: a client with a low rate would
 * lose those that it does not use.
 */

static ngx_uint_t
ngx_http_ktp_rate_needed(ngx_http_ktp_rate_t *rate, uint64_t now,
                         ngx_uint_t none)
{
    /* a worker that asks may have been killed */

    if (rate->asking && now < rate->asked) {
        return 0;
    }

    if (rate->failed) {
        return now - rate->answered >= NGX_HTTP_KTP_RATE_FAILED_TIME;
    }

    if (now < rate->full) {
        return 0;
    }

    return rate->held == 0
               ? none
               : rate->held <= rate->granted / NGX_HTTP_KTP_RATE_LOW;
}


/* What the host spends in a window, by what it has spent since the answer. */

static uint64_t
ngx_http_ktp_rate_want(ngx_http_ktp_rate_t *rate, uint64_t now)
{
    uint64_t n;

    n = rate->spent * NGX_HTTP_KTP_RATE_WINDOW
        / ngx_max(now - rate->answered, 1);

    return ngx_min(ngx_max(n, 1), NGX_HTTP_KTP_RATE_MAX);
}


void
ngx_http_ktp_rate_end(ngx_http_ktp_shared_t *sh, ngx_http_ktp_rate_t *rate,
                      const ngx_http_ktp_rate_ask_t    *ask,
                      const ngx_http_ktp_rate_answer_t *answer)
{
    uint64_t now, expires;

    ngx_shmtx_lock(&sh->pool->mutex);

    now = ngx_http_ktp_count_clock();
    expires = ask->time + NGX_HTTP_KTP_RATE_WINDOW;

    if (rate->ask.seq != ask->seq) {

        /* it came too late: another worker has asked */

    } else {
        ngx_http_ktp_rate_expire(rate, now);

        rate->asking = 0;
        rate->answered = now;
        rate->spent = 0;

        /* what was granted before the answer came is valid since then */

        rate->failed = answer == NULL || now >= expires;

        if (!rate->failed) {
            rate->hosts = answer->hosts;
            rate->full = answer->wait ? now + answer->wait : 0;
        }

        if (!rate->failed && answer->granted) {
            rate->held += answer->granted;
            rate->granted = answer->granted;
            rate->expires = expires;
        }
    }

    ngx_shmtx_unlock(&sh->pool->mutex);
}
