/*
 * The memory of "ktp_answer_zone": flights and bonds of idempotency keys,
 * found by a key, kept for a time, and removed in the order of their use.
 * Private to the files of flights.  The zone is locked by the caller, but
 * where it is told.
 */

#ifndef NGX_HTTP_KTP_FLIGHTS_TABLE_H
#define NGX_HTTP_KTP_FLIGHTS_TABLE_H

#include "ngx_http_ktp_flights.h"
#include "ngx_http_ktp_wake.h"


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


/* The place of this worker; NGX_HTTP_KTP_WAKE_MAX: it has none. */
extern ngx_uint_t ngx_http_ktp_flights_place;


/* What is used makes room for others last. */
void ngx_http_ktp_flights_table_touch(ngx_http_ktp_flights_shared_t *sh,
                                      ngx_http_ktp_item_t           *item);

/* What has a key, or NULL. */
ngx_http_ktp_item_t *
ngx_http_ktp_flights_table_find(ngx_http_ktp_flights_shared_t *sh,
                                const u_char                  *key);

/* Has an item found by a key. */
void ngx_http_ktp_flights_table_list(ngx_http_ktp_flights_shared_t *sh,
                                     ngx_http_ktp_item_t           *item,
                                     const u_char                  *key);

/* Keeps an item for that time from now, or for longer if it was so. */
void ngx_http_ktp_flights_table_time(ngx_http_ktp_flights_shared_t *sh,
                                     ngx_http_ktp_item_t           *item,
                                     ngx_msec_t                     keep);

/* It is not found any more. */
void ngx_http_ktp_flights_table_unlist(ngx_http_ktp_flights_shared_t *sh,
                                       ngx_http_ktp_item_t           *item);

/* Frees an item that nobody uses. */
void ngx_http_ktp_flights_table_free(ngx_http_ktp_flights_t *flights,
                                     ngx_http_ktp_item_t    *item);

/* Zeroed memory; what was used longest ago makes room for it. */
void *ngx_http_ktp_flights_table_alloc(ngx_http_ktp_flights_t *flights,
                                       size_t                  size);

/* Wipes and frees memory of that size. */
void ngx_http_ktp_flights_table_drop(ngx_http_ktp_flights_t *flights,
                                     u_char *p, size_t size);


/* Of a flight, in ngx_http_ktp_flights.c. */

/* A waiter leaves; who is left is to be settled. */
void ngx_http_ktp_flights_unwait(ngx_http_ktp_flights_t *flights,
                                 ngx_http_ktp_waiter_t  *waiter);

/* The leader goes without a result. */
void ngx_http_ktp_flights_unlead(ngx_http_ktp_flights_t *flights,
                                 ngx_http_ktp_entry_t   *entry);

/* Sees to what follows from the state and from who is left. */
void ngx_http_ktp_flights_settle(ngx_http_ktp_flights_t *flights,
                                 ngx_http_ktp_entry_t   *entry);

/* Wakes the workers of all who wait. */
void ngx_http_ktp_flights_wake(ngx_http_ktp_entry_t *entry);


#endif /* NGX_HTTP_KTP_FLIGHTS_TABLE_H */
