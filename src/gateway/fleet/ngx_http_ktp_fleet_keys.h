/*
 * Keys of the fleet, from the files of "ktp_fleet_key": names in Redis are
 * digests under them, and what is stored there is sealed.  The first key is in
 * use; a second one is a former or a next one.
 */

#ifndef NGX_HTTP_KTP_FLEET_KEYS_H
#define NGX_HTTP_KTP_FLEET_KEYS_H

#include "ngx_http_ktp_fleet_script.h"
#include "ngx_http_ktp_vault.h"


#define NGX_HTTP_KTP_FLEET_KEYS 2


/* Derives the keys; there may be none.  For init_process. */
ngx_int_t ngx_http_ktp_fleet_keys_init(ngx_http_ktp_main_conf_t *kmcf,
                                       ngx_log_t                *log);

/* The number of keys. */
ngx_uint_t ngx_http_ktp_fleet_keys_n(void);

/* Key i, for functions of the vault. */
const ngx_http_ktp_vault_keys_t *ngx_http_ktp_fleet_keys(ngx_uint_t i);

/*
 * Adds the key of Redis of a digest; kind is "", or "KIND:".  All are in one
 * slot of a cluster.
 */
void ngx_http_ktp_fleet_keys_add(ngx_http_ktp_fleet_script_args_t *args,
                                 const char                       *kind,
                                 const u_char digest[NGX_HTTP_KTP_VAULT_KEY]);


#endif /* NGX_HTTP_KTP_FLEET_KEYS_H */
