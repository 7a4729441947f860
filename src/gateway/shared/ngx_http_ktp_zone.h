/*
 * The shared memory zone.  A reload finds existing slots by client name, so
 * that old and new workers use the same counters; a new binary started by an
 * upgrade finds the accounts of the ledger.
 */

#ifndef NGX_HTTP_KTP_ZONE_H
#define NGX_HTTP_KTP_ZONE_H

#include "ngx_http_ktp.h"
#include "ngx_http_ktp_slot.h"


struct ngx_http_ktp_zone_s {
    ngx_shm_zone_t        *shm_zone;
    ngx_slab_pool_t       *pool;
    ngx_http_ktp_shared_t *shared;
    ngx_http_ktp_slot_t   *spare;      /* allocated, without a name yet */
    ngx_http_ktp_slot_t   *nobody;     /* of unauthenticated requests */
    ngx_array_t           *clients;    /* of ngx_http_ktp_client_t * */
    ngx_array_t           *currencies; /* of ngx_http_ktp_currency_t * */
    ngx_array_t           *breakers;   /* of ngx_http_ktp_breaker_t * */
    ngx_uint_t            *tickets;    /* count of "ktp_ticket" */
    ngx_str_t              state;      /* null-terminated path; may be empty */
};


/* The directive "ktp_zone NAME:SIZE [state=FILE]". */
char *ngx_http_ktp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_ZONE_H */
