/*
 * The shared memory: a slot for each client, which lives from the first
 * start that knew its name to the end of the master process.  A reload finds
 * the slots of before by name, so that old and new workers count together;
 * the binary that is started by an upgrade finds their accounts.
 */

#ifndef NGX_HTTP_KTP_ZONE_H
#define NGX_HTTP_KTP_ZONE_H

#include "ngx_http_ktp.h"
#include "ngx_http_ktp_slot.h"


struct ngx_http_ktp_zone_s {
    ngx_shm_zone_t        *shm_zone;
    ngx_slab_pool_t       *pool;
    ngx_http_ktp_shared_t *shared;
    ngx_http_ktp_slot_t   *nobody;  /* of requests that are no client's */
    ngx_array_t           *clients; /* of ngx_http_ktp_client_t * */
    ngx_str_t              state;   /* null-terminated path; may be empty */
};


/* The directive "ktp_zone NAME:SIZE [state=FILE]". */
char *ngx_http_ktp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_ZONE_H */
