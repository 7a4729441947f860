/* Applications that may call: the blocks "ktp_client NAME { ... }". */

#ifndef NGX_HTTP_KTP_CLIENT_H
#define NGX_HTTP_KTP_CLIENT_H

#include "ngx_http_ktp_conf.h"
#include "ktp_quota.h"


#define NGX_HTTP_KTP_DIGEST_SIZE 32
#define NGX_HTTP_KTP_CLIENT_KEYS 2

typedef struct {
    uint64_t limit;  /* calls in a period */
    uint64_t local;  /* of a fleet's, that a host makes without a lease */
    int      offset; /* seconds east of UTC at which the period begins */
    unsigned set : 1;
    unsigned fleet : 1;  /* of all hosts of "ktp_redis" together */
    unsigned shadow : 1; /* dry run: counted and logged, not enforced */
} ngx_http_ktp_client_quota_t;

struct ngx_http_ktp_client_s {
    ngx_str_node_t         sn;   /* by name; its key is the hash */
    ngx_http_ktp_client_t *next; /* in its hash bucket */

    /* members read by each request are adjacent, to share cache lines */

    ngx_http_ktp_slot_t *slot; /* NULL: there is no zone */
    unsigned             disabled : 1;
    unsigned             fleet : 1;      /* a quota is of the fleet */
    unsigned             rate_fleet : 1; /* the rate is */

    /* SHA-256 of the keys; a single key is stored twice */
    u_char     keys[NGX_HTTP_KTP_CLIENT_KEYS][NGX_HTTP_KTP_DIGEST_SIZE];
    ngx_uint_t nkeys; /* 0: no key is valid */

    ngx_http_ktp_client_quota_t quota[KTP_QUOTA_PERIODS];

    uint64_t   rate_interval; /* microseconds of one call; 0: no rate */
    ngx_uint_t rate_burst;

    ngx_http_ktp_call_share_t share; /* its maximum is 0 if there is none */

    unsigned    fields; /* bits of fields that pass; 0: as in the location */
    ktp_mask_t *mask;   /* [KTP_FIELD_TEXTS]; NULL: as in the location */

    u_char    *file; /* configuration file in which the block begins */
    ngx_uint_t line;
};


/* The directive; fills kmcf->clients. */
char *ngx_http_ktp_client_block(ngx_conf_t *cf, ngx_command_t *cmd,
                                void *conf);

/*
 * Looks up a client by name, which may contain any bytes; returns NULL if
 * there is none.  If other is not NULL, it is then set to some other client,
 * found in the same time, or to NULL if there are no clients.
 */
ngx_http_ktp_client_t *ngx_http_ktp_client(ngx_http_ktp_main_conf_t *kmcf,
                                           ngx_str_t                *name,
                                           ngx_http_ktp_client_t   **other);

/*
 * Checks that require the whole http block, and the hash table.  For
 * postconfiguration.
 */
ngx_int_t ngx_http_ktp_client_init(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_CLIENT_H */
