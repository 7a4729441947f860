#include "ngx_http_ktp_cors_conf.h"
#include "ktp_origin.h"
#include "ngx_http_ktp_value.h"


char *
ngx_http_ktp_cors_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t                *value, *origin;
    ngx_uint_t                i, alone;
    ngx_http_ktp_main_conf_t *kmcf;

    if (klcf->cors != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    alone = cf->args->nelts == 2;
    klcf->cors = NULL;

    if (alone && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    klcf->cors =
        ngx_array_create(cf->pool, cf->args->nelts - 1, sizeof(ngx_str_t));
    if (klcf->cors == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (!(alone && ngx_strcmp(value[i].data, "*") == 0)
            && !ktp_origin_valid((char *) value[i].data, value[i].len)) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid value", &value[i],
                "\"off\", \"*\", or origins as browsers send them, such as "
                "\"https://app.example.id\" or \"https://*.example.id\", "
                "in lower case, without path and default port");
        }

        origin = ngx_array_push(klcf->cors);
        *origin = value[i];
    }

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->cors++;

    return NGX_CONF_OK;
}
