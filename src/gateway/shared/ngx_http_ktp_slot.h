/*
 * Slots of the zone: data of a client shared by workers, in addition to its
 * account in the ledger.  A slot is created when a configuration first names
 * the client, and lives as long as the master process.
 */

#ifndef NGX_HTTP_KTP_SLOT_H
#define NGX_HTTP_KTP_SLOT_H

#include "ngx_http_ktp.h"
#include "ngx_http_ktp_ledger.h"


typedef struct ngx_http_ktp_counters_s ngx_http_ktp_counters_t;
typedef struct ngx_http_ktp_lease_s    ngx_http_ktp_lease_t;
typedef struct ngx_http_ktp_metrics_s  ngx_http_ktp_metrics_t;
typedef struct ngx_http_ktp_rate_s     ngx_http_ktp_rate_t;

/*
 * Shared data of a client, including clients removed from the configuration.
 */
struct ngx_http_ktp_slot_s {
    ngx_str_node_t       sn;   /* by name; used by the master only */
    ngx_http_ktp_slot_t *next; /* of all slots */

    ngx_http_ktp_account_t  *account;
    ngx_http_ktp_counters_t *counters; /* NULL: no request yet */
    ngx_http_ktp_lease_t    *leases;   /* by period; NULL: none of a fleet */
    ngx_http_ktp_rate_t     *rate;     /* of a fleet; NULL: none */
};

/*
 * A call that is counted but not yet sent.  If the worker is killed, its
 * successor returns the call to the quota.
 */
typedef struct {
    ngx_atomic_t         pid;  /* of the worker; 0: free */
    ngx_http_ktp_slot_t *slot; /* NULL: being filled in, or given back */
    uint32_t             numbers[KTP_QUOTA_PERIODS];
} ngx_http_ktp_unsent_t;

typedef struct {
    ngx_uint_t       version;
    ngx_slab_pool_t *pool; /* of the zone */
    size_t           slot_size;

    ngx_rbtree_t         names;
    ngx_rbtree_node_t    sentinel;
    ngx_http_ktp_slot_t *slots;
    ngx_uint_t           nslots;

    ngx_http_ktp_unsent_t *unsent;
    ngx_uint_t             nunsent;

    ngx_http_ktp_metrics_t *metrics;
    ngx_http_ktp_circuit_t *circuits; /* of breakers */
    ngx_http_ktp_uses_t    *uses;     /* of tickets; NULL: none are issued */
    ngx_uint_t              fleet_up; /* the last command to Redis succeeded */
    ngx_uint_t              fleet_cycle; /* configurations with Redis so far */

    ngx_http_ktp_ledger_t *ledger;
    ngx_uint_t             max;     /* accounts that it has room for */
    ngx_fd_t               fd;      /* of the ledger, in the master */
    ngx_uint_t             adopted; /* accounts that have a slot */
} ngx_http_ktp_shared_t;


/*
 * Allocates slots for those of n names that have none, so that
 * ngx_http_ktp_slot() creates them without fail.  Returns n; or, with the zone
 * unchanged, a smaller number of these names that there is room for.  The
 * conditions are those of ngx_http_ktp_slot().
 */
ngx_uint_t ngx_http_ktp_slot_reserve(ngx_http_ktp_zone_t *zone,
                                     ngx_str_t **names, ngx_uint_t n);

/*
 * Returns the slot of a client name, created if there is none; NULL if the
 * zone is full.  For the master, during configuration, with the ledger locked.
 */
ngx_http_ktp_slot_t *ngx_http_ktp_slot(ngx_http_ktp_zone_t *zone,
                                       ngx_str_t           *name);


#endif /* NGX_HTTP_KTP_SLOT_H */
