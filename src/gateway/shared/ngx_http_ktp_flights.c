#include "ngx_http_ktp_flights.h"
#include "ngx_http_ktp_flights_table.h"


/*
 * Room that a leader takes for its answer, so that those who wait get it even
 * if the zone is full by then.  An answer of the contract has about 900 bytes.
 */
#define NGX_HTTP_KTP_FLIGHTS_ROOM 2048

/* Calls of a flight until a failure is that of all who wait. */
#define NGX_HTTP_KTP_FLIGHTS_LEADS 2

/* Milliseconds that a leader may take beyond its timeout. */
#define NGX_HTTP_KTP_FLIGHTS_LATE 2000


static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_entry(ngx_http_ktp_flights_shared_t *sh,
                           const u_char                  *key);
static ngx_http_ktp_flights_rc_t
            ngx_http_ktp_flights_begin(ngx_http_ktp_flights_t *flights,
                                       ngx_http_ktp_ticket_t  *ticket);
static void ngx_http_ktp_flights_lead(ngx_http_ktp_flights_t *flights,
                                      ngx_http_ktp_entry_t   *entry,
                                      ngx_http_ktp_ticket_t  *ticket);
static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_join(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_ticket_t  *ticket);
static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_open(ngx_http_ktp_ticket_t *ticket, ngx_str_t *sealed,
                          ngx_pool_t *pool);
static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_choose(ngx_http_ktp_flights_t      *flights,
                            const ngx_http_ktp_ticket_t *ticket,
                            ngx_uint_t                   bound);
static ngx_uint_t
            ngx_http_ktp_flights_is_young(const ngx_http_ktp_entry_t *entry,
                                          ngx_msec_t                  age);
static void ngx_http_ktp_flights_aside(const u_char *key, u_char *aside);
static void ngx_http_ktp_flights_move(ngx_http_ktp_flights_t *flights,
                                      ngx_http_ktp_entry_t   *entry,
                                      ngx_http_ktp_entry_t   *former,
                                      const u_char           *key);
static void ngx_http_ktp_flights_remove(ngx_http_ktp_flights_t *flights,
                                        ngx_http_ktp_entry_t   *entry);
static void ngx_http_ktp_flights_renew(ngx_http_ktp_flights_t *flights,
                                       ngx_http_ktp_entry_t   *entry);
static ngx_int_t ngx_http_ktp_flights_bind(ngx_http_ktp_flights_t *flights,
                                           ngx_http_ktp_ticket_t  *ticket,
                                           ngx_uint_t             *bound);
static void      ngx_http_ktp_flights_mark(ngx_http_ktp_entry_t        *entry,
                                           const ngx_http_ktp_ticket_t *ticket);
static ngx_http_ktp_flights_rc_t
            ngx_http_ktp_flights_replay(ngx_http_ktp_entry_t  *entry,
                                        ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool,
                                        ngx_str_t *sealed);
static void ngx_http_ktp_flights_put(ngx_http_ktp_flights_t *flights,
                                     ngx_http_ktp_entry_t   *entry,
                                     const u_char *sealed, size_t len);


ngx_uint_t ngx_http_ktp_flights_place = NGX_HTTP_KTP_WAKE_MAX;


ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_enter(ngx_http_ktp_flights_t *flights,
                           ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool)
{
    ngx_str_t                      sealed;
    ngx_uint_t                     bound;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_rc_t      rc;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    ticket->entry = NULL;
    ticket->waiter = NULL;

    ngx_shmtx_lock(&flights->pool->mutex);

    if (ngx_http_ktp_flights_bind(flights, ticket, &bound) != NGX_OK) {
        ngx_shmtx_unlock(&flights->pool->mutex);
        return NGX_HTTP_KTP_FLIGHTS_REUSED;
    }

    entry = ngx_http_ktp_flights_choose(flights, ticket, bound);

    if (entry) {
        entry->keep = ngx_max(entry->keep, ticket->keep);
        ngx_http_ktp_flights_mark(entry, ticket);
        ngx_memcpy(ticket->id, entry->id, NGX_HTTP_KTP_FLIGHTS_ID);
    }

    if (entry == NULL) {
        rc = ngx_http_ktp_flights_begin(flights, ticket);

    } else if (entry->state == NGX_HTTP_KTP_FLIGHTS_STORED) {

        if (ticket->bound && !bound) {
            ngx_http_ktp_flights_table_time(sh, &entry->item, ticket->bound);
        }

        rc = ngx_http_ktp_flights_replay(entry, ticket, pool, &sealed);

        if (entry->nwaiters == 0) {
            ngx_http_ktp_flights_table_touch(sh, &entry->item);
        }

    } else if (entry->state == NGX_HTTP_KTP_FLIGHTS_IDLE) {
        ngx_http_ktp_flights_lead(flights, entry, ticket);
        rc = NGX_HTTP_KTP_FLIGHTS_LEAD;

    } else {
        rc = ngx_http_ktp_flights_join(flights, entry, ticket);
    }

    if (rc == NGX_HTTP_KTP_FLIGHTS_FULL) {
        sh->full++;
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    if (rc == NGX_HTTP_KTP_FLIGHTS_REPLAY) {
        rc = ngx_http_ktp_flights_open(ticket, &sealed, pool);
    }

    return rc;
}


/*
 * What a ticket enters: a stored answer that is young enough for it, or of any
 * age if its idempotency key has been bound before; or the flight of its key;
 * NULL, one begins.
 */

static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_choose(ngx_http_ktp_flights_t      *flights,
                            const ngx_http_ktp_ticket_t *ticket,
                            ngx_uint_t                   bound)
{
    u_char                key[NGX_HTTP_KTP_VAULT_KEY];
    ngx_msec_t            age;
    ngx_http_ktp_entry_t *entry, *aside;

    age = bound ? NGX_MAX_INT_T_VALUE : ticket->age;

    entry = ngx_http_ktp_flights_entry(flights->shared, ticket->key);

    if (ngx_http_ktp_flights_is_young(entry, age)) {
        return entry;
    }

    ngx_http_ktp_flights_aside(ticket->key, key);

    aside = ngx_http_ktp_flights_entry(flights->shared, key);

    if (ngx_http_ktp_flights_is_young(aside, age)) {
        return aside;
    }

    if (entry && entry->state == NGX_HTTP_KTP_FLIGHTS_STORED) {

        /* too old for this request, but not for all */

        ngx_http_ktp_flights_move(flights, entry, aside, key);
        entry = NULL;
    }

    return entry;
}


static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_entry(ngx_http_ktp_flights_shared_t *sh,
                           const u_char                  *key)
{
    return (ngx_http_ktp_entry_t *) ngx_http_ktp_flights_table_find(sh, key);
}


/* entry may be NULL. */

static ngx_uint_t
ngx_http_ktp_flights_is_young(const ngx_http_ktp_entry_t *entry,
                              ngx_msec_t                  age)
{
    /* another worker's clock may be ahead of this one's */

    return entry && entry->state == NGX_HTTP_KTP_FLIGHTS_STORED
           && (ngx_msec_int_t) (ngx_current_msec - entry->landed)
                  <= (ngx_msec_int_t) age;
}


/* The key of an older answer, while a newer one is asked for. */

static void
ngx_http_ktp_flights_aside(const u_char *key, u_char *aside)
{
    ngx_uint_t i;

    for (i = 0; i < NGX_HTTP_KTP_VAULT_KEY; i++) {
        aside[i] = ~key[i];
    }
}


/* Puts a stored answer aside, in place of another or of NULL. */

static void
ngx_http_ktp_flights_move(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_entry_t *former, const u_char *key)
{
    if (former) {
        ngx_http_ktp_flights_remove(flights, former);
    }

    ngx_rbtree_delete(&flights->shared->keys, &entry->item.sn.node);
    ngx_http_ktp_flights_table_list(flights->shared, &entry->item, key);
}


/* It stays for those who wait for it. */

static void
ngx_http_ktp_flights_remove(ngx_http_ktp_flights_t *flights,
                            ngx_http_ktp_entry_t   *entry)
{
    ngx_http_ktp_flights_table_unlist(flights->shared, &entry->item);
    ngx_http_ktp_flights_settle(flights, entry);
}


/* A newer answer takes the place of one that was put aside, for its time. */

static void
ngx_http_ktp_flights_renew(ngx_http_ktp_flights_t *flights,
                           ngx_http_ktp_entry_t   *entry)
{
    u_char                key[NGX_HTTP_KTP_VAULT_KEY];
    ngx_msec_int_t        left;
    ngx_http_ktp_entry_t *aside;

    ngx_http_ktp_flights_aside(entry->item.key, key);

    aside = ngx_http_ktp_flights_entry(flights->shared, key);

    if (aside) {
        left = (ngx_msec_int_t) (aside->item.time.key - ngx_current_msec);

        ngx_http_ktp_flights_table_time(flights->shared, &entry->item,
                                        ngx_max(left, 0));
        ngx_http_ktp_flights_remove(flights, aside);
    }
}


/*
 * Binds the idempotency key of a ticket to its request; *bound is 1 if it has
 * been before.  NGX_DECLINED: it is bound to another.
 */

static ngx_int_t
ngx_http_ktp_flights_bind(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_ticket_t *ticket, ngx_uint_t *bound)
{
    ngx_http_ktp_bond_t           *bond;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    *bound = 0;

    if (ticket->bound == 0) {
        return NGX_OK;
    }

    bond = (ngx_http_ktp_bond_t *) ngx_http_ktp_flights_table_find(
        sh, ticket->name);

    if (bond) {
        *bound = 1;
        ngx_http_ktp_flights_table_touch(sh, &bond->item);

        return ngx_memcmp(bond->digest, ticket->digest, NGX_HTTP_KTP_VAULT_KEY)
                       == 0
                   ? NGX_OK
                   : NGX_DECLINED;
    }

    /* the answer does not make room for its own key */

    entry = ngx_http_ktp_flights_entry(sh, ticket->key);

    if (entry && entry->state == NGX_HTTP_KTP_FLIGHTS_STORED
        && entry->nwaiters == 0) {
        ngx_http_ktp_flights_table_touch(sh, &entry->item);
    }

    bond =
        ngx_http_ktp_flights_table_alloc(flights, sizeof(ngx_http_ktp_bond_t));

    /* with no room, the key is of this request only */

    if (bond) {
        bond->item.bond = 1;
        ngx_memcpy(bond->digest, ticket->digest, NGX_HTTP_KTP_VAULT_KEY);

        ngx_http_ktp_flights_table_list(sh, &bond->item, ticket->name);
        ngx_http_ktp_flights_table_time(sh, &bond->item, ticket->bound);
        ngx_queue_insert_head(&sh->idle, &bond->item.queue);
        sh->bonds++;
    }

    return NGX_OK;
}


static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_begin(ngx_http_ktp_flights_t *flights,
                           ngx_http_ktp_ticket_t  *ticket)
{
    u_char                         id[NGX_HTTP_KTP_FLIGHTS_ID / 2], *record;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    entry = ngx_http_ktp_flights_table_alloc(flights,
                                             sizeof(ngx_http_ktp_entry_t));
    if (entry == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_FULL;
    }

    record =
        ngx_http_ktp_flights_table_alloc(flights, NGX_HTTP_KTP_FLIGHTS_ROOM);

    if (record == NULL
        || ngx_http_ktp_vault_random(id, sizeof(id)) != NGX_OK) {

        if (record) {
            ngx_http_ktp_flights_table_drop(flights, record,
                                            NGX_HTTP_KTP_FLIGHTS_ROOM);
        }

        ngx_http_ktp_flights_table_drop(flights, (u_char *) entry,
                                        sizeof(ngx_http_ktp_entry_t));
        return NGX_HTTP_KTP_FLIGHTS_FULL;
    }

    entry->record = record;
    entry->room = NGX_HTTP_KTP_FLIGHTS_ROOM;
    entry->keep = ticket->keep;
    ngx_queue_init(&entry->waiters);

    (void) ngx_hex_dump(entry->id, id, sizeof(id));
    ngx_memcpy(entry->image, ticket->image, NGX_HTTP_KTP_VAULT_KEY);
    ngx_http_ktp_flights_mark(entry, ticket);
    ngx_memcpy(ticket->id, entry->id, NGX_HTTP_KTP_FLIGHTS_ID);

    ngx_http_ktp_flights_table_list(sh, &entry->item, ticket->key);
    ngx_queue_insert_tail(&sh->active, &entry->item.queue);
    entry->state = NGX_HTTP_KTP_FLIGHTS_IDLE;

    ngx_http_ktp_flights_lead(flights, entry, ticket);

    return NGX_HTTP_KTP_FLIGHTS_LEAD;
}


/* Not all locations compute the digest of the log. */

static void
ngx_http_ktp_flights_mark(ngx_http_ktp_entry_t        *entry,
                          const ngx_http_ktp_ticket_t *ticket)
{
    static const u_char none[NGX_HTTP_KTP_VAULT_KEY];

    if (ngx_memcmp(ticket->hmac, none, NGX_HTTP_KTP_VAULT_KEY) != 0) {
        ngx_memcpy(entry->hmac, ticket->hmac, NGX_HTTP_KTP_VAULT_KEY);
    }
}


static void
ngx_http_ktp_flights_lead(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_ticket_t  *ticket)
{
    flights->shared->flying++;

    entry->state = NGX_HTTP_KTP_FLIGHTS_FLYING;
    entry->leader = ngx_pid;
    entry->place = ngx_http_ktp_flights_place;
    entry->leads++;
    entry->sent = 0;
    entry->deadline =
        ngx_current_msec + ticket->timeout + NGX_HTTP_KTP_FLIGHTS_LATE;

    ticket->entry = entry;
    ticket->waiter = NULL;
    ticket->leads = entry->leads;
}


static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_join(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_ticket_t  *ticket)
{
    ngx_http_ktp_waiter_t *waiter;

    waiter = ngx_http_ktp_flights_table_alloc(flights,
                                              sizeof(ngx_http_ktp_waiter_t));
    if (waiter == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_FULL;
    }

    waiter->entry = entry;
    waiter->pid = ngx_pid;
    waiter->place = ngx_http_ktp_flights_place;
    waiter->able = ticket->able;

    ngx_queue_insert_tail(&entry->waiters, &waiter->queue);
    entry->nwaiters++;
    entry->nable += waiter->able;
    flights->shared->waiting++;

    ticket->entry = entry;
    ticket->waiter = waiter;

    return NGX_HTTP_KTP_FLIGHTS_JOIN;
}


/* Copies the answer, which is opened without the lock. */

static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_replay(ngx_http_ktp_entry_t  *entry,
                            ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool,
                            ngx_str_t *sealed)
{
    sealed->len = entry->len;
    sealed->data = ngx_pnalloc(pool, entry->len);

    if (sealed->data == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_LOST;
    }

    ngx_memcpy(sealed->data, entry->record, entry->len);

    return NGX_HTTP_KTP_FLIGHTS_REPLAY;
}


static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_open(ngx_http_ktp_ticket_t *ticket, ngx_str_t *sealed,
                          ngx_pool_t *pool)
{
    ticket->record.len = sealed->len - NGX_HTTP_KTP_VAULT_EXTRA;
    ticket->record.data = ngx_pnalloc(pool, ticket->record.len);

    if (ticket->record.data == NULL
        || ngx_http_ktp_vault_open(NULL, ticket->key, sealed->data,
                                   sealed->len, ticket->record.data)
               != NGX_OK) {
        return NGX_HTTP_KTP_FLIGHTS_LOST;
    }

    return NGX_HTTP_KTP_FLIGHTS_REPLAY;
}


ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_look(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool)
{
    ngx_str_t                 sealed;
    ngx_http_ktp_entry_t     *entry;
    ngx_http_ktp_waiter_t    *waiter;
    ngx_http_ktp_flights_rc_t rc;

    entry = ticket->entry;
    waiter = ticket->waiter;

    /* most looks end here; the state is read again under the lock */

    if (*(volatile ngx_http_ktp_flights_state_t *) &entry->state
        == NGX_HTTP_KTP_FLIGHTS_FLYING) {
        return NGX_HTTP_KTP_FLIGHTS_WAIT;
    }

    ngx_shmtx_lock(&flights->pool->mutex);

    switch (entry->state) {

    case NGX_HTTP_KTP_FLIGHTS_FLYING:
        rc = NGX_HTTP_KTP_FLIGHTS_WAIT;
        break;

    case NGX_HTTP_KTP_FLIGHTS_IDLE:
        rc = waiter->able ? NGX_HTTP_KTP_FLIGHTS_LEAD
                          : NGX_HTTP_KTP_FLIGHTS_WAIT;
        break;

    default: /* STORED, FAILED */

        if (entry->len) {
            ngx_memcpy(ticket->id, entry->id, NGX_HTTP_KTP_FLIGHTS_ID);
            rc = ngx_http_ktp_flights_replay(entry, ticket, pool, &sealed);

        } else {
            rc = entry->full && waiter->able ? NGX_HTTP_KTP_FLIGHTS_FULL
                 : entry->sent               ? NGX_HTTP_KTP_FLIGHTS_LOST
                                             : NGX_HTTP_KTP_FLIGHTS_UNSENT;
        }
    }

    if (rc == NGX_HTTP_KTP_FLIGHTS_LEAD) {
        ngx_http_ktp_flights_lead(flights, entry, ticket);
    }

    if (rc != NGX_HTTP_KTP_FLIGHTS_WAIT) {
        ngx_http_ktp_flights_unwait(flights, waiter);
        ticket->waiter = NULL;

        if (rc != NGX_HTTP_KTP_FLIGHTS_LEAD) {
            ticket->entry = NULL;
            ngx_http_ktp_flights_settle(flights, entry);
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    if (rc == NGX_HTTP_KTP_FLIGHTS_REPLAY) {
        rc = ngx_http_ktp_flights_open(ticket, &sealed, pool);
    }

    return rc;
}


void
ngx_http_ktp_flights_sent(ngx_http_ktp_ticket_t *ticket)
{
    if (ticket->entry && ticket->waiter == NULL) {
        ticket->entry->sent = 1;
    }
}


void
ngx_http_ktp_flights_land(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_ticket_t *ticket, const u_char *record,
                          size_t len, ngx_msec_t since, ngx_uint_t store,
                          ngx_uint_t repeat)
{
    size_t                         size;
    u_char                        *sealed;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    entry = ticket->entry;
    ticket->entry = NULL;

    size = len + NGX_HTTP_KTP_VAULT_EXTRA;
    sealed = ngx_alloc(size, ngx_cycle->log);

    if (sealed
        && ngx_http_ktp_vault_seal(NULL, entry->item.key, record, len, sealed)
               != NGX_OK) {
        ngx_free(sealed);
        sealed = NULL;
    }

    ngx_shmtx_lock(&flights->pool->mutex);

    if (entry->state != NGX_HTTP_KTP_FLIGHTS_FLYING) {

        /* it was given up, being late */

    } else if (repeat && entry->nable
               && entry->leads < NGX_HTTP_KTP_FLIGHTS_LEADS) {
        entry->state = NGX_HTTP_KTP_FLIGHTS_IDLE;

    } else {

        if (sealed) {
            ngx_http_ktp_flights_put(flights, entry, sealed, size);
        }

        /* an error is not worth a call of each who waits for it */

        entry->full = store && entry->len == 0;
        sh->full += entry->len == 0;
        entry->landed = ngx_current_msec - since;
        ngx_memcpy(entry->id, ticket->id, NGX_HTTP_KTP_FLIGHTS_ID);

        if (store && !entry->erase && entry->len) {
            entry->state = NGX_HTTP_KTP_FLIGHTS_STORED;
            sh->stored++;
            ngx_http_ktp_flights_table_time(
                sh, &entry->item, entry->keep - ngx_min(entry->keep, since));
            ngx_http_ktp_flights_renew(flights, entry);

        } else {
            entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
            ngx_http_ktp_flights_table_unlist(sh, &entry->item);
        }
    }

    sh->flying--;
    entry->leader = 0;

    ngx_http_ktp_flights_wake(entry);
    ngx_http_ktp_flights_settle(flights, entry);

    ngx_shmtx_unlock(&flights->pool->mutex);

    ngx_free(sealed);
}


/* Puts an answer where it takes the least room, if there is any. */

static void
ngx_http_ktp_flights_put(ngx_http_ktp_flights_t *flights,
                         ngx_http_ktp_entry_t *entry, const u_char *sealed,
                         size_t len)
{
    u_char *p;

    if (len <= NGX_HTTP_KTP_FLIGHTS_ROOM / 2) {
        p = ngx_slab_alloc_locked(flights->pool, len);

    } else if (len > entry->room) {
        p = ngx_http_ktp_flights_table_alloc(flights, len);

        if (p == NULL) {
            return;
        }

    } else {
        p = NULL;
    }

    if (p) {
        ngx_http_ktp_flights_table_drop(flights, entry->record, entry->room);
        entry->record = p;
        entry->room = len;
    }

    ngx_memcpy(entry->record, sealed, len);
    entry->len = len;
}


void
ngx_http_ktp_flights_leave(ngx_http_ktp_flights_t *flights,
                           ngx_http_ktp_ticket_t  *ticket)
{
    ngx_http_ktp_entry_t *entry;

    entry = ticket->entry;

    if (entry == NULL) {
        return;
    }

    ngx_shmtx_lock(&flights->pool->mutex);

    if (ticket->waiter) {
        ngx_http_ktp_flights_unwait(flights, ticket->waiter);

        if (entry->nwaiters == 0 && entry->leader) {

            /* its client may have left */

            ngx_http_ktp_wake(entry->place);
        }

    } else {
        ngx_http_ktp_flights_unlead(flights, entry);
    }

    ngx_http_ktp_flights_settle(flights, entry);

    ngx_shmtx_unlock(&flights->pool->mutex);

    ticket->entry = NULL;
    ticket->waiter = NULL;
}


void
ngx_http_ktp_flights_unwait(ngx_http_ktp_flights_t *flights,
                            ngx_http_ktp_waiter_t  *waiter)
{
    ngx_http_ktp_entry_t *entry;

    entry = waiter->entry;

    ngx_queue_remove(&waiter->queue);
    entry->nwaiters--;
    entry->nable -= waiter->able;
    flights->shared->waiting--;

    ngx_slab_free_locked(flights->pool, waiter);
}


/* The leader goes without a result. */

void
ngx_http_ktp_flights_unlead(ngx_http_ktp_flights_t *flights,
                            ngx_http_ktp_entry_t   *entry)
{
    flights->shared->flying--;
    entry->leader = 0;

    if (entry->state != NGX_HTTP_KTP_FLIGHTS_FLYING) {
        return;
    }

    entry->state =
        entry->sent ? NGX_HTTP_KTP_FLIGHTS_FAILED : NGX_HTTP_KTP_FLIGHTS_IDLE;

    ngx_http_ktp_flights_wake(entry);
}


/* Sees to what follows from the state and from who is left. */

void
ngx_http_ktp_flights_settle(ngx_http_ktp_flights_t *flights,
                            ngx_http_ktp_entry_t   *entry)
{
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    if (entry->state == NGX_HTTP_KTP_FLIGHTS_IDLE && entry->nable == 0) {
        entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
        ngx_http_ktp_flights_wake(entry);
    }

    if (entry->state == NGX_HTTP_KTP_FLIGHTS_FAILED) {
        ngx_http_ktp_flights_table_unlist(sh, &entry->item);
    }

    if (entry->leader || entry->nwaiters) {
        return;
    }

    if (!entry->item.listed) {
        ngx_http_ktp_flights_table_free(flights, &entry->item);
        return;
    }

    /* stored, and nobody waits for it */

    ngx_http_ktp_flights_table_touch(sh, &entry->item);
}


/* Wakes the workers of all who wait. */

void
ngx_http_ktp_flights_wake(ngx_http_ktp_entry_t *entry)
{
    u_char                 woken[NGX_HTTP_KTP_WAKE_MAX / 8 + 1];
    ngx_queue_t           *q;
    ngx_http_ktp_waiter_t *waiter;

    ngx_memzero(woken, sizeof(woken));

    for (q = ngx_queue_head(&entry->waiters);
         q != ngx_queue_sentinel(&entry->waiters); q = ngx_queue_next(q)) {

        waiter = ngx_queue_data(q, ngx_http_ktp_waiter_t, queue);

        if ((woken[waiter->place / 8] & (1 << (waiter->place % 8))) == 0) {
            woken[waiter->place / 8] |= 1 << (waiter->place % 8);
            ngx_http_ktp_wake(waiter->place);
        }
    }
}


ngx_uint_t
ngx_http_ktp_flights_awaited(const ngx_http_ktp_ticket_t *ticket)
{
    return ticket->entry && ticket->waiter == NULL
           && *(volatile ngx_uint_t *) &ticket->entry->nwaiters != 0;
}


ngx_int_t
ngx_http_ktp_flights_tag(const u_char digest[KTP_FLIGHT_DIGEST],
                         u_char       tag[NGX_HTTP_KTP_VAULT_KEY])
{
    return ngx_http_ktp_vault_key(NULL, "image", digest, KTP_FLIGHT_DIGEST,
                                  tag);
}


ngx_uint_t
ngx_http_ktp_flights_forget(ngx_http_ktp_flights_t *flights, const u_char *tag,
                            ngx_uint_t hmac)
{
    ngx_uint_t                     i, n;
    ngx_queue_t                   *q, *next, *queues[2];
    ngx_http_ktp_item_t           *item;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    queues[0] = &sh->active;
    queues[1] = &sh->idle;
    n = 0;

    ngx_shmtx_lock(&flights->pool->mutex);

    for (i = 0; i < 2; i++) {

        for (q = ngx_queue_head(queues[i]); q != ngx_queue_sentinel(queues[i]);
             q = next) {
            next = ngx_queue_next(q);
            item = ngx_queue_data(q, ngx_http_ktp_item_t, queue);
            entry = (ngx_http_ktp_entry_t *) item;

            if (item->bond
                || ngx_memcmp(hmac ? entry->hmac : entry->image, tag,
                              NGX_HTTP_KTP_VAULT_KEY)
                       != 0) {
                continue;
            }

            entry->erase = 1;

            if (entry->state == NGX_HTTP_KTP_FLIGHTS_STORED) {
                n++;
                ngx_http_ktp_flights_remove(flights, entry);
            }
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    return n;
}


void
ngx_http_ktp_flights_stat(ngx_http_ktp_flights_t      *flights,
                          ngx_http_ktp_flights_stat_t *stat)
{
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    ngx_shmtx_lock(&flights->pool->mutex);

    stat->flights = sh->flying;
    stat->waiting = sh->waiting;
    stat->stored = sh->stored;
    stat->bonds = sh->bonds;
    stat->evicted = sh->evicted;
    stat->full = sh->full;
    stat->size = flights->shm_zone->shm.size;
    stat->free = flights->pool->pfree * ngx_pagesize;

    ngx_shmtx_unlock(&flights->pool->mutex);
}
