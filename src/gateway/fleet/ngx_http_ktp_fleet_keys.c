#include "ngx_http_ktp_fleet_keys.h"
#include "ngx_http_ktp_secret.h"


static ngx_http_ktp_redis_t *ngx_http_ktp_fleet_keys_redis;

static const ngx_http_ktp_vault_keys_t
                 *ngx_http_ktp_fleet_keys_derived[NGX_HTTP_KTP_FLEET_KEYS];
static ngx_uint_t ngx_http_ktp_fleet_keys_count;


ngx_int_t
ngx_http_ktp_fleet_keys_init(ngx_http_ktp_main_conf_t *kmcf, ngx_log_t *log)
{
    ngx_uint_t                       i;
    const ngx_http_ktp_vault_keys_t *keys;

    ngx_http_ktp_fleet_keys_redis = kmcf->redis;

    /* the vault is made with the zone */

    if (kmcf->flights == NULL || kmcf->fleet_keys[0] == NULL) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLEET_KEYS && kmcf->fleet_keys[i]; i++) {
        keys = ngx_http_ktp_vault_derive(
            ngx_http_ktp_secret_value(kmcf->fleet_keys[i]), log);
        if (keys == NULL) {
            return NGX_ERROR;
        }

        ngx_http_ktp_fleet_keys_derived[i] = keys;
    }

    ngx_http_ktp_fleet_keys_count = i;

    return NGX_OK;
}


ngx_uint_t
ngx_http_ktp_fleet_keys_n(void)
{
    return ngx_http_ktp_fleet_keys_count;
}


const ngx_http_ktp_vault_keys_t *
ngx_http_ktp_fleet_keys(ngx_uint_t i)
{
    return ngx_http_ktp_fleet_keys_derived[i];
}


void
ngx_http_ktp_fleet_keys_add(ngx_http_ktp_fleet_script_args_t *args,
                            const char                       *kind,
                            const u_char digest[NGX_HTTP_KTP_VAULT_KEY])
{
    ngx_http_ktp_fleet_script_format(
        args, "%V:{flight}:%s%*xs", &ngx_http_ktp_fleet_keys_redis->prefix,
        kind, (size_t) NGX_HTTP_KTP_VAULT_KEY, digest);
}
