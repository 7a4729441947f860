#include "ngx_http_ktp_flights.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_process.h"
#include "ngx_http_ktp_value.h"
#include "ngx_http_ktp_wake.h"
#include <sys/mman.h>


/* What the parameter of ktp_answer_zone must be. */
#define NGX_HTTP_KTP_FLIGHTS_FORM "NAME:SIZE, such as \"answers:4m\""

/*
 * Room that a leader takes for its answer, so that those who wait get it even
 * if the zone is full by then.  An answer of the contract has about 900 bytes.
 */
#define NGX_HTTP_KTP_FLIGHTS_ROOM 2048

/* Entries that may be evicted for an allocation. */
#define NGX_HTTP_KTP_FLIGHTS_EVICT 64

/* Calls of a flight until a failure is that of all who wait. */
#define NGX_HTTP_KTP_FLIGHTS_LEADS 2

/*
 * Milliseconds between two looks for killed workers and expired answers, and
 * what a leader that is late may take beyond its timeout.
 */
#define NGX_HTTP_KTP_FLIGHTS_SWEEP 500
#define NGX_HTTP_KTP_FLIGHTS_LATE  2000

/* Expired entries that are freed under one lock, and milliseconds until more
   are, if there are more. */
#define NGX_HTTP_KTP_FLIGHTS_BATCH 64
#define NGX_HTTP_KTP_FLIGHTS_HASTE 10

typedef enum {
    NGX_HTTP_KTP_FLIGHTS_FLYING = 0,
    NGX_HTTP_KTP_FLIGHTS_IDLE,
    NGX_HTTP_KTP_FLIGHTS_STORED,
    NGX_HTTP_KTP_FLIGHTS_FAILED
} ngx_http_ktp_flights_state_t;

/* What is found by a key: a flight, or a bond of an idempotency key. */
typedef struct {
    ngx_str_node_t    sn;    /* its text is key */
    ngx_rbtree_node_t time;  /* when it expires */
    ngx_queue_t       queue; /* of bonds and stored answers, or active */
    u_char            key[NGX_HTTP_KTP_VAULT_KEY];
    unsigned          bond : 1;
    unsigned          listed : 1; /* can be found */
    unsigned          timed : 1;
} ngx_http_ktp_item_t;

typedef struct {
    ngx_http_ktp_item_t item;
    u_char              digest[NGX_HTTP_KTP_VAULT_KEY]; /* of the request */
} ngx_http_ktp_bond_t;

struct ngx_http_ktp_entry_s {
    ngx_http_ktp_item_t item; /* active if it is in the air or awaited */

    ngx_http_ktp_flights_state_t state;

    u_char id[NGX_HTTP_KTP_FLIGHTS_ID];
    u_char image[NGX_HTTP_KTP_VAULT_KEY];
    u_char hmac[NGX_HTTP_KTP_VAULT_KEY];

    ngx_pid_t  leader; /* 0: none; it holds a pointer to the entry */
    ngx_uint_t place;  /* of the leader's worker */
    ngx_uint_t leads;  /* calls so far */
    ngx_msec_t deadline;
    ngx_msec_t keep;
    ngx_msec_t landed; /* when */

    ngx_queue_t waiters;
    ngx_uint_t  nwaiters;
    ngx_uint_t  nable; /* of those, which can lead */

    u_char *record;
    size_t  room;
    size_t  len; /* 0: there is no answer */

    /* no bits: the leader sets sent without the lock */

    ngx_uint_t sent;
    ngx_uint_t erase; /* not to be stored */
    ngx_uint_t full;  /* the answer found no room */
};

struct ngx_http_ktp_waiter_s {
    ngx_queue_t           queue;
    ngx_http_ktp_entry_t *entry;
    ngx_pid_t             pid;
    ngx_uint_t            place;
    unsigned              able : 1;
};

typedef struct {
    ngx_rbtree_t      keys;
    ngx_rbtree_node_t keys_sentinel;
    ngx_rbtree_t      times;
    ngx_rbtree_node_t times_sentinel;
    ngx_queue_t       active;
    ngx_queue_t       idle; /* bonds and stored answers, the last used first */

    ngx_msec_t swept;

    ngx_uint_t flying;
    ngx_uint_t waiting;
    ngx_uint_t stored;
    ngx_uint_t bonds;
    ngx_uint_t evicted;
    ngx_uint_t full;

    ngx_atomic_t places[NGX_HTTP_KTP_WAKE_MAX]; /* pids; 0: free */
    ngx_uint_t   crowded; /* there may be workers without a place */
} ngx_http_ktp_flights_shared_t;

struct ngx_http_ktp_flights_s {
    ngx_cycle_t                   *cycle; /* of the configuration */
    ngx_shm_zone_t                *shm_zone;
    ngx_slab_pool_t               *pool;
    ngx_http_ktp_flights_shared_t *shared;
};


static ngx_int_t ngx_http_ktp_flights_zone_init(ngx_shm_zone_t *shm_zone,
                                                void           *data);
static ngx_int_t ngx_http_ktp_flights_create(ngx_http_ktp_flights_t *flights);
static ngx_http_ktp_item_t              *
ngx_http_ktp_flights_find(ngx_http_ktp_flights_shared_t *sh,
                                       const u_char                  *key);
static void  ngx_http_ktp_flights_list(ngx_http_ktp_flights_shared_t *sh,
                                       ngx_http_ktp_item_t           *item,
                                       const u_char                  *key);
static void  ngx_http_ktp_flights_time(ngx_http_ktp_flights_shared_t *sh,
                                       ngx_http_ktp_item_t           *item,
                                       ngx_msec_t                     keep);
static void  ngx_http_ktp_flights_unlist(ngx_http_ktp_flights_shared_t *sh,
                                         ngx_http_ktp_item_t           *item);
static void  ngx_http_ktp_flights_free(ngx_http_ktp_flights_t *flights,
                                       ngx_http_ktp_item_t    *item);
static void *ngx_http_ktp_flights_alloc(ngx_http_ktp_flights_t *flights,
                                        size_t                  size);
static void  ngx_http_ktp_flights_drop(ngx_http_ktp_flights_t *flights,
                                       u_char *p, size_t size);
static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_choose(ngx_http_ktp_flights_t      *flights,
                            const ngx_http_ktp_ticket_t *ticket,
                            ngx_uint_t                   bound);
static ngx_http_ktp_entry_t *
ngx_http_ktp_flights_entry(ngx_http_ktp_flights_shared_t *sh,
                           const u_char                  *key);
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
static void ngx_http_ktp_flights_touch(ngx_http_ktp_flights_shared_t *sh,
                                       ngx_http_ktp_item_t           *item);
static ngx_int_t ngx_http_ktp_flights_bind(ngx_http_ktp_flights_t *flights,
                                           ngx_http_ktp_ticket_t  *ticket,
                                           ngx_uint_t             *bound);
static ngx_http_ktp_flights_rc_t
            ngx_http_ktp_flights_begin(ngx_http_ktp_flights_t *flights,
                                       ngx_http_ktp_ticket_t  *ticket);
static void ngx_http_ktp_flights_mark(ngx_http_ktp_entry_t        *entry,
                                      const ngx_http_ktp_ticket_t *ticket);
static void ngx_http_ktp_flights_lead(ngx_http_ktp_flights_t *flights,
                                      ngx_http_ktp_entry_t   *entry,
                                      ngx_http_ktp_ticket_t  *ticket);
static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_join(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_ticket_t  *ticket);
static ngx_http_ktp_flights_rc_t
            ngx_http_ktp_flights_replay(ngx_http_ktp_entry_t  *entry,
                                        ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool,
                                        ngx_str_t *sealed);
static void ngx_http_ktp_flights_unwait(ngx_http_ktp_flights_t *flights,
                                        ngx_http_ktp_waiter_t  *waiter);
static void ngx_http_ktp_flights_unlead(ngx_http_ktp_flights_t *flights,
                                        ngx_http_ktp_entry_t   *entry);
static void ngx_http_ktp_flights_settle(ngx_http_ktp_flights_t *flights,
                                        ngx_http_ktp_entry_t   *entry);
static void ngx_http_ktp_flights_wake(ngx_http_ktp_entry_t *entry);
static void ngx_http_ktp_flights_put(ngx_http_ktp_flights_t *flights,
                                     ngx_http_ktp_entry_t   *entry,
                                     const u_char *sealed, size_t len);
static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_open(ngx_http_ktp_ticket_t *ticket, ngx_str_t *sealed,
                          ngx_pool_t *pool);
static ngx_uint_t ngx_http_ktp_flights_sweep(ngx_http_ktp_flights_t *flights);
static ngx_pid_t  ngx_http_ktp_flights_dead(ngx_http_ktp_flights_t *flights);
static ngx_uint_t ngx_http_ktp_flights_expire(ngx_http_ktp_flights_t *flights);
static void       ngx_http_ktp_flights_reclaim(ngx_http_ktp_flights_t *flights,
                                               ngx_pid_t pid, ngx_log_t *log);
static void ngx_http_ktp_flights_take_place(ngx_http_ktp_flights_t *flights,
                                            ngx_cycle_t            *cycle);
static void ngx_http_ktp_flights_timer(ngx_event_t *ev);


/* The place of this worker; that of nobody if there is none. */
static ngx_uint_t ngx_http_ktp_flights_place = NGX_HTTP_KTP_WAKE_MAX;

static ngx_event_t      ngx_http_ktp_flights_event;
static ngx_connection_t ngx_http_ktp_flights_dummy;
static void (*ngx_http_ktp_flights_landed)(void);


char *
ngx_http_ktp_flights_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    u_char                 *p;
    ssize_t                 size;
    ngx_str_t              *value, name, s;
    ngx_http_ktp_flights_t *flights;

    if (kmcf->flights) {
        return "is duplicate";
    }

    value = cf->args->elts;

    name = value[1];
    p = (u_char *) ngx_strchr(name.data, ':');
    size = NGX_ERROR;

    if (p && p != name.data) {
        name.len = p - name.data;
        s.data = p + 1;
        s.len = value[1].data + value[1].len - s.data;

        size = ngx_parse_size(&s);
    }

    if (size == NGX_ERROR) {
        return ngx_http_ktp_value_invalid(cf, "invalid zone size", &value[1],
                                          NGX_HTTP_KTP_FLIGHTS_FORM);
    }

    if (size < (ssize_t) (32 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small in \"ktp_answer_zone\" "
                           "directive, it must be at least %uzk",
                           &value[1], 32 * ngx_pagesize / 1024);
        return NGX_CONF_ERROR;
    }

    flights = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_flights_t));
    if (flights == NULL) {
        return NGX_CONF_ERROR;
    }

    flights->shm_zone =
        ngx_shared_memory_add(cf, &name, size, &ngx_http_ktp_flights_event);
    if (flights->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    flights->cycle = cf->cycle;
    flights->shm_zone->init = ngx_http_ktp_flights_zone_init;
    flights->shm_zone->data = flights;
    kmcf->flights = flights;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ktp_flights_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_ktp_flights_t *old = data;

    ngx_log_t              *log;
    ngx_core_conf_t        *ccf;
    ngx_http_ktp_flights_t *flights;

    flights = shm_zone->data;
    flights->pool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    log = shm_zone->shm.log;

    /* two generations of workers, and as many more after another reload */

    ccf = (ngx_core_conf_t *) ngx_get_conf(flights->cycle->conf_ctx,
                                           ngx_core_module);

    if (ngx_http_ktp_vault_create(log) != NGX_OK
        || ngx_http_ktp_wake_create(4 * ngx_max(ccf->worker_processes, 4), log)
               != NGX_OK) {
        return NGX_ERROR;
    }

    if (old) {
        flights->shared = old->shared;
        return NGX_OK;
    }

    return ngx_http_ktp_flights_create(flights);
}


static ngx_int_t
ngx_http_ktp_flights_create(ngx_http_ktp_flights_t *flights)
{
    ngx_shm_t                     *shm;
    ngx_http_ktp_flights_shared_t *sh;

    shm = &flights->shm_zone->shm;

    /* a full zone is no error */
    flights->pool->log_nomem = 0;

    sh = ngx_slab_calloc(flights->pool, sizeof(ngx_http_ktp_flights_shared_t));
    if (sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm->log, 0,
                      "ktp_answer_zone \"%V\" is too small", &shm->name);
        return NGX_ERROR;
    }

    ngx_rbtree_init(&sh->keys, &sh->keys_sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_rbtree_init(&sh->times, &sh->times_sentinel,
                    ngx_rbtree_insert_timer_value);
    ngx_queue_init(&sh->active);
    ngx_queue_init(&sh->idle);

    flights->pool->data = sh;
    flights->shared = sh;

    if (madvise(shm->addr, shm->size, MADV_DONTDUMP) == -1) {
        ngx_log_error(NGX_LOG_WARN, shm->log, ngx_errno,
                      "madvise(MADV_DONTDUMP) failed");
    }

    return NGX_OK;
}


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
            ngx_http_ktp_flights_time(sh, &entry->item, ticket->bound);
        }

        rc = ngx_http_ktp_flights_replay(entry, ticket, pool, &sealed);

        if (entry->nwaiters == 0) {
            ngx_http_ktp_flights_touch(sh, &entry->item);
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
    return (ngx_http_ktp_entry_t *) ngx_http_ktp_flights_find(sh, key);
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
    ngx_http_ktp_flights_list(flights->shared, &entry->item, key);
}


/* It stays for those who wait for it. */

static void
ngx_http_ktp_flights_remove(ngx_http_ktp_flights_t *flights,
                            ngx_http_ktp_entry_t   *entry)
{
    ngx_http_ktp_flights_unlist(flights->shared, &entry->item);
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

        ngx_http_ktp_flights_time(flights->shared, &entry->item,
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

    bond = (ngx_http_ktp_bond_t *) ngx_http_ktp_flights_find(sh, ticket->name);

    if (bond) {
        *bound = 1;
        ngx_http_ktp_flights_touch(sh, &bond->item);

        return ngx_memcmp(bond->digest, ticket->digest, NGX_HTTP_KTP_VAULT_KEY)
                       == 0
                   ? NGX_OK
                   : NGX_DECLINED;
    }

    /* the answer does not make room for its own key */

    entry = ngx_http_ktp_flights_entry(sh, ticket->key);

    if (entry && entry->state == NGX_HTTP_KTP_FLIGHTS_STORED
        && entry->nwaiters == 0) {
        ngx_http_ktp_flights_touch(sh, &entry->item);
    }

    bond = ngx_http_ktp_flights_alloc(flights, sizeof(ngx_http_ktp_bond_t));

    /* with no room, the key is of this request only */

    if (bond) {
        bond->item.bond = 1;
        ngx_memcpy(bond->digest, ticket->digest, NGX_HTTP_KTP_VAULT_KEY);

        ngx_http_ktp_flights_list(sh, &bond->item, ticket->name);
        ngx_http_ktp_flights_time(sh, &bond->item, ticket->bound);
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

    entry = ngx_http_ktp_flights_alloc(flights, sizeof(ngx_http_ktp_entry_t));
    if (entry == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_FULL;
    }

    record = ngx_http_ktp_flights_alloc(flights, NGX_HTTP_KTP_FLIGHTS_ROOM);

    if (record == NULL
        || ngx_http_ktp_vault_random(id, sizeof(id)) != NGX_OK) {

        if (record) {
            ngx_http_ktp_flights_drop(flights, record,
                                      NGX_HTTP_KTP_FLIGHTS_ROOM);
        }

        ngx_http_ktp_flights_drop(flights, (u_char *) entry,
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

    ngx_http_ktp_flights_list(sh, &entry->item, ticket->key);
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
}


static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_join(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_entry_t   *entry,
                          ngx_http_ktp_ticket_t  *ticket)
{
    ngx_http_ktp_waiter_t *waiter;

    waiter =
        ngx_http_ktp_flights_alloc(flights, sizeof(ngx_http_ktp_waiter_t));
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
        || ngx_http_ktp_vault_open(ticket->key, sealed->data, sealed->len,
                                   ticket->record.data)
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
                          size_t len, ngx_uint_t store, ngx_uint_t repeat)
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
        && ngx_http_ktp_vault_seal(entry->item.key, record, len, sealed)
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
        entry->landed = ngx_current_msec;

        if (store && !entry->erase && entry->len) {
            entry->state = NGX_HTTP_KTP_FLIGHTS_STORED;
            sh->stored++;
            ngx_http_ktp_flights_time(sh, &entry->item, entry->keep);
            ngx_http_ktp_flights_renew(flights, entry);

        } else {
            entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
            ngx_http_ktp_flights_unlist(sh, &entry->item);
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
        p = ngx_http_ktp_flights_alloc(flights, len);

        if (p == NULL) {
            return;
        }

    } else {
        p = NULL;
    }

    if (p) {
        ngx_http_ktp_flights_drop(flights, entry->record, entry->room);
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


static void
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

static void
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

static void
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
        ngx_http_ktp_flights_unlist(sh, &entry->item);
    }

    if (entry->leader || entry->nwaiters) {
        return;
    }

    if (!entry->item.listed) {
        ngx_http_ktp_flights_free(flights, &entry->item);
        return;
    }

    /* stored, and nobody waits for it */

    ngx_http_ktp_flights_touch(sh, &entry->item);
}


/* What is used makes room for others last. */

static void
ngx_http_ktp_flights_touch(ngx_http_ktp_flights_shared_t *sh,
                           ngx_http_ktp_item_t           *item)
{
    ngx_queue_remove(&item->queue);
    ngx_queue_insert_head(&sh->idle, &item->queue);
}


/* Wakes the workers of all who wait. */

static void
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


static ngx_http_ktp_item_t *
ngx_http_ktp_flights_find(ngx_http_ktp_flights_shared_t *sh, const u_char *key)
{
    uint32_t        hash;
    ngx_str_t       text;
    ngx_str_node_t *sn;

    /* keys are digests already */

    ngx_memcpy(&hash, key, sizeof(hash));

    text.data = (u_char *) key;
    text.len = NGX_HTTP_KTP_VAULT_KEY;

    sn = ngx_str_rbtree_lookup(&sh->keys, &text, hash);

    return sn ? ngx_queue_data(sn, ngx_http_ktp_item_t, sn) : NULL;
}


static void
ngx_http_ktp_flights_list(ngx_http_ktp_flights_shared_t *sh,
                          ngx_http_ktp_item_t *item, const u_char *key)
{
    uint32_t hash;

    ngx_memcpy(item->key, key, NGX_HTTP_KTP_VAULT_KEY);
    ngx_memcpy(&hash, key, sizeof(hash));

    item->sn.node.key = hash;
    item->sn.str.data = item->key;
    item->sn.str.len = NGX_HTTP_KTP_VAULT_KEY;

    ngx_rbtree_insert(&sh->keys, &item->sn.node);
    item->listed = 1;
}


/* Keeps an item for that time from now, or for longer if it was so. */

static void
ngx_http_ktp_flights_time(ngx_http_ktp_flights_shared_t *sh,
                          ngx_http_ktp_item_t *item, ngx_msec_t keep)
{
    ngx_msec_t until;

    until = ngx_current_msec + keep;

    if (item->timed) {

        if ((ngx_msec_int_t) (until - item->time.key) <= 0) {
            return;
        }

        ngx_rbtree_delete(&sh->times, &item->time);
    }

    item->time.key = until;
    ngx_rbtree_insert(&sh->times, &item->time);
    item->timed = 1;
}


/* It is not found any more. */

static void
ngx_http_ktp_flights_unlist(ngx_http_ktp_flights_shared_t *sh,
                            ngx_http_ktp_item_t           *item)
{
    ngx_http_ktp_entry_t *entry;

    if (!item->listed) {
        return;
    }

    item->listed = 0;
    ngx_rbtree_delete(&sh->keys, &item->sn.node);

    if (item->timed) {
        item->timed = 0;
        ngx_rbtree_delete(&sh->times, &item->time);
    }

    if (item->bond) {
        sh->bonds--;
        return;
    }

    entry = (ngx_http_ktp_entry_t *) item;

    if (entry->state == NGX_HTTP_KTP_FLIGHTS_STORED) {
        entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
        sh->stored--;
    }
}


/* Frees an item that nobody uses. */

static void
ngx_http_ktp_flights_free(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_item_t    *item)
{
    ngx_http_ktp_entry_t *entry;

    ngx_http_ktp_flights_unlist(flights->shared, item);
    ngx_queue_remove(&item->queue);

    if (item->bond) {
        ngx_http_ktp_flights_drop(flights, (u_char *) item,
                                  sizeof(ngx_http_ktp_bond_t));
        return;
    }

    entry = (ngx_http_ktp_entry_t *) item;

    ngx_http_ktp_flights_drop(flights, entry->record, entry->room);
    ngx_http_ktp_flights_drop(flights, (u_char *) entry,
                              sizeof(ngx_http_ktp_entry_t));
}


/* Zeroed memory; what was used longest ago makes room for it. */

static void *
ngx_http_ktp_flights_alloc(ngx_http_ktp_flights_t *flights, size_t size)
{
    void                          *p;
    ngx_uint_t                     i;
    ngx_http_ktp_item_t           *item;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    for (i = 0;; i++) {
        p = ngx_slab_calloc_locked(flights->pool, size);

        if (p || i == NGX_HTTP_KTP_FLIGHTS_EVICT
            || ngx_queue_empty(&sh->idle)) {
            return p;
        }

        item = ngx_queue_data(ngx_queue_last(&sh->idle), ngx_http_ktp_item_t,
                              queue);

        ngx_http_ktp_flights_free(flights, item);
        sh->evicted++;
    }
}


static void
ngx_http_ktp_flights_drop(ngx_http_ktp_flights_t *flights, u_char *p,
                          size_t size)
{
    ngx_explicit_memzero(p, size);
    ngx_slab_free_locked(flights->pool, p);
}


ngx_int_t
ngx_http_ktp_flights_init(ngx_cycle_t *cycle, void (*landed)(void))
{
    ngx_event_t              *ev;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (kmcf == NULL || kmcf->flights == NULL
        || !ngx_http_ktp_process_is_worker()) {
        return NGX_OK;
    }

    ngx_http_ktp_flights_landed = landed;

    ngx_http_ktp_flights_take_place(kmcf->flights, cycle);

    ev = &ngx_http_ktp_flights_event;

    ngx_http_ktp_flights_dummy.fd = (ngx_socket_t) -1;

    ev->handler = ngx_http_ktp_flights_timer;
    ev->data = &ngx_http_ktp_flights_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_KTP_FLIGHTS_SWEEP);

    return NGX_OK;
}


/* Without a place, the timer is what wakes. */

static void
ngx_http_ktp_flights_take_place(ngx_http_ktp_flights_t *flights,
                                ngx_cycle_t            *cycle)
{
    ngx_uint_t                     i, n;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    /* a former worker may have had this process id */

    ngx_http_ktp_flights_reclaim(flights, ngx_pid, cycle->log);
    (void) ngx_http_ktp_flights_sweep(flights);

    n = ngx_http_ktp_wake_places();

    for (i = 0; i < n; i++) {

        if (sh->places[i] == 0
            && ngx_atomic_cmp_set(&sh->places[i], 0, ngx_pid)) {
            break;
        }
    }

    if (i == n
        || ngx_http_ktp_wake_init(i, ngx_http_ktp_flights_landed, cycle->log)
               != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "no place in \"ktp_answer_zone\" for this worker, "
                      "joined calls are looked at every %d ms",
                      NGX_HTTP_KTP_FLIGHTS_SWEEP);

        if (i < n) {
            sh->places[i] = 0;
        }

        sh->crowded = 1;

        return;
    }

    ngx_http_ktp_flights_place = i;
}


void
ngx_http_ktp_flights_exit(void)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ktp_module);

    if (kmcf == NULL || kmcf->flights == NULL
        || ngx_http_ktp_flights_landed == NULL) {
        return;
    }

    ngx_http_ktp_flights_reclaim(kmcf->flights, ngx_pid, ngx_cycle->log);
    ngx_http_ktp_wake_exit();

    if (ngx_http_ktp_flights_event.timer_set) {
        ngx_del_timer(&ngx_http_ktp_flights_event);
    }
}


static void
ngx_http_ktp_flights_timer(ngx_event_t *ev)
{
    ngx_uint_t                more;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ktp_module);

    more = ngx_http_ktp_flights_sweep(kmcf->flights);
    ngx_http_ktp_flights_landed();

    /* also in a worker that leaves: its requests may wait */

    ngx_add_timer(ev, more ? NGX_HTTP_KTP_FLIGHTS_HASTE
                           : NGX_HTTP_KTP_FLIGHTS_SWEEP);
}


/*
 * One worker at a time looks for those that are dead, and for what is over;
 * 1: there is more of it.
 */

static ngx_uint_t
ngx_http_ktp_flights_sweep(ngx_http_ktp_flights_t *flights)
{
    ngx_uint_t                     i;
    ngx_pid_t                      pid;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    if (sh->crowded) {
        pid = ngx_http_ktp_flights_dead(flights);

        if (pid) {
            ngx_http_ktp_flights_reclaim(flights, pid, ngx_cycle->log);
        }
    }

    for (i = 0; i < ngx_http_ktp_wake_places(); i++) {
        pid = sh->places[i];

        if (pid && !ngx_http_ktp_process_alive(pid)) {
            ngx_http_ktp_flights_reclaim(flights, pid, ngx_cycle->log);
        }
    }

    return ngx_http_ktp_flights_expire(flights);
}


/* A worker without a place that is dead, and has left requests; 0: none. */

static ngx_pid_t
ngx_http_ktp_flights_dead(ngx_http_ktp_flights_t *flights)
{
    ngx_pid_t                      dead;
    ngx_queue_t                   *q, *w;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_waiter_t         *waiter;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    dead = 0;

    ngx_shmtx_lock(&flights->pool->mutex);

    for (q = ngx_queue_head(&sh->active);
         q != ngx_queue_sentinel(&sh->active) && dead == 0;
         q = ngx_queue_next(q)) {

        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        if (entry->leader && entry->place == NGX_HTTP_KTP_WAKE_MAX
            && !ngx_http_ktp_process_alive(entry->leader)) {
            dead = entry->leader;
        }

        for (w = ngx_queue_head(&entry->waiters);
             w != ngx_queue_sentinel(&entry->waiters) && dead == 0;
             w = ngx_queue_next(w)) {

            waiter = ngx_queue_data(w, ngx_http_ktp_waiter_t, queue);

            if (waiter->place == NGX_HTTP_KTP_WAKE_MAX
                && !ngx_http_ktp_process_alive(waiter->pid)) {
                dead = waiter->pid;
            }
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    return dead;
}


static ngx_uint_t
ngx_http_ktp_flights_expire(ngx_http_ktp_flights_t *flights)
{
    ngx_uint_t                     i;
    ngx_queue_t                   *q, *next;
    ngx_rbtree_node_t             *node;
    ngx_http_ktp_item_t           *item;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    if ((ngx_msec_int_t) (ngx_current_msec - sh->swept)
            < NGX_HTTP_KTP_FLIGHTS_SWEEP / 2
        || !ngx_shmtx_trylock(&flights->pool->mutex)) {
        return 0;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLIGHTS_BATCH; i++) {

        if (sh->times.root == &sh->times_sentinel) {
            break;
        }

        node = ngx_rbtree_min(sh->times.root, &sh->times_sentinel);

        if ((ngx_msec_int_t) (node->key - ngx_current_msec) > 0) {
            break;
        }

        item = ngx_queue_data(node, ngx_http_ktp_item_t, time);

        ngx_http_ktp_flights_unlist(sh, item);

        if (item->bond) {
            ngx_http_ktp_flights_free(flights, item);

        } else {
            ngx_http_ktp_flights_settle(flights,
                                        (ngx_http_ktp_entry_t *) item);
        }
    }

    if (i < NGX_HTTP_KTP_FLIGHTS_BATCH) {
        sh->swept = ngx_current_msec;
    }

    /* a leader that is late holds its entry, but nobody waits any longer */

    for (q = ngx_queue_head(&sh->active); q != ngx_queue_sentinel(&sh->active);
         q = next) {
        next = ngx_queue_next(q);
        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        if (entry->state == NGX_HTTP_KTP_FLIGHTS_FLYING
            && (ngx_msec_int_t) (entry->deadline - ngx_current_msec) <= 0) {
            entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
            ngx_http_ktp_flights_wake(entry);
            ngx_http_ktp_flights_settle(flights, entry);
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    return i == NGX_HTTP_KTP_FLIGHTS_BATCH;
}


/* A worker has gone: its requests are in no flight any more. */

static void
ngx_http_ktp_flights_reclaim(ngx_http_ktp_flights_t *flights, ngx_pid_t pid,
                             ngx_log_t *log)
{
    ngx_uint_t                     i, calls;
    ngx_queue_t                   *q, *next, *w, *after;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_waiter_t         *waiter;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    calls = 0;

    ngx_shmtx_lock(&flights->pool->mutex);

    for (q = ngx_queue_head(&sh->active); q != ngx_queue_sentinel(&sh->active);
         q = next) {
        next = ngx_queue_next(q);
        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        for (w = ngx_queue_head(&entry->waiters);
             w != ngx_queue_sentinel(&entry->waiters); w = after) {
            after = ngx_queue_next(w);
            waiter = ngx_queue_data(w, ngx_http_ktp_waiter_t, queue);

            if (waiter->pid == pid) {
                ngx_http_ktp_flights_unwait(flights, waiter);
            }
        }

        if (entry->leader == pid) {
            ngx_http_ktp_flights_unlead(flights, entry);
            calls++;
        }

        ngx_http_ktp_flights_settle(flights, entry);
    }

    for (i = 0; i < NGX_HTTP_KTP_WAKE_MAX; i++) {
        (void) ngx_atomic_cmp_set(&sh->places[i], pid, 0);
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    if (calls) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "worker %P has ended with %ui calls in the air", pid,
                      calls);
    }
}
