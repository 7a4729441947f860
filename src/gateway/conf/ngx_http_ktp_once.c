#include "ngx_http_ktp_once.h"
#include "ngx_http_ktp_value.h"


/* How long answers and keys are kept by default, milliseconds. */
#define NGX_HTTP_KTP_ONCE_DEDUPE_TTL      (10 * 60 * 1000)
#define NGX_HTTP_KTP_ONCE_IDEMPOTENCY_TTL (24 * 60 * 60 * 1000)

/* And at most: a week. */
#define NGX_HTTP_KTP_ONCE_TTL_MAX (7 * 24 * 60 * 60 * 1000)

#define NGX_HTTP_KTP_ONCE_TTL_FORM                                            \
    "\"ttl=TIME\", such as \"ttl=10m\", from 1ms to 7d"


static char      *ngx_http_ktp_once_ttl(ngx_conf_t *cf, ngx_str_t *value,
                                        ngx_msec_t *ttl);
static ngx_uint_t ngx_http_ktp_once_is(ngx_str_t *value, const char *text);


char *
ngx_http_ktp_once_dedupe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    ngx_http_ktp_once_t *once;

    once = &klcf->dedupe;

    if (once->on != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    once->on = ngx_http_ktp_once_is(&value[1], "on");
    once->ttl = NGX_HTTP_KTP_ONCE_DEDUPE_TTL;

    if (!once->on
        && (!ngx_http_ktp_once_is(&value[1], "off") || cf->args->nelts > 2)) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid value", &value[cf->args->nelts > 2 ? 2 : 1],
            "\"off\", or \"on\" with parameters");
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "ttl=", 4) == 0) {
            if (ngx_http_ktp_once_ttl(cf, &value[i], &once->ttl)
                != NGX_CONF_OK) {
                return NGX_CONF_ERROR;
            }

        } else if (ngx_http_ktp_once_is(&value[i], "fleet")) {
            once->fleet = 1;

        } else if (ngx_http_ktp_once_is(&value[i], "scope=all")) {
            once->all = 1;

        } else if (ngx_http_ktp_once_is(&value[i], "scope=client")) {
            once->all = 0;

        } else if (ngx_http_ktp_once_is(&value[i], "reference_id=ignore")) {
            once->ignore = 1;

        } else if (ngx_http_ktp_once_is(&value[i], "reference_id=distinct")) {
            once->ignore = 0;

        } else {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i],
                "\"fleet\", " NGX_HTTP_KTP_ONCE_TTL_FORM
                ", \"scope=client\", \"scope=all\", "
                "\"reference_id=distinct\", or \"reference_id=ignore\"");
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_once_idempotency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t           *value;
    ngx_http_ktp_once_t *once;

    once = &klcf->idempotency;

    if (once->on != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    once->ttl = NGX_HTTP_KTP_ONCE_IDEMPOTENCY_TTL;

    if (ngx_http_ktp_once_is(&value[1], "on")) {
        once->on = NGX_HTTP_KTP_IDEMPOTENCY_ON;

    } else if (ngx_http_ktp_once_is(&value[1], "required")) {
        once->on = NGX_HTTP_KTP_IDEMPOTENCY_REQUIRED;

    } else if (ngx_http_ktp_once_is(&value[1], "off")
               && cf->args->nelts == 2) {
        once->on = NGX_HTTP_KTP_IDEMPOTENCY_OFF;

    } else {
        return ngx_http_ktp_value_invalid(
            cf, "invalid value", &value[cf->args->nelts > 2 ? 2 : 1],
            "\"off\", or \"on\" or \"required\" with "
            "\"ttl=TIME\"");
    }

    return cf->args->nelts > 2
               ? ngx_http_ktp_once_ttl(cf, &value[2], &once->ttl)
               : NGX_CONF_OK;
}


static char *
ngx_http_ktp_once_ttl(ngx_conf_t *cf, ngx_str_t *value, ngx_msec_t *ttl)
{
    if (ngx_http_ktp_value_time(value, "ttl=", NGX_HTTP_KTP_ONCE_TTL_MAX, ttl)
        != NGX_OK) {
        return ngx_http_ktp_value_invalid(cf, "invalid parameter", value,
                                          NGX_HTTP_KTP_ONCE_TTL_FORM);
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_ktp_once_is(ngx_str_t *value, const char *text)
{
    return ngx_strcmp(value->data, text) == 0;
}


void
ngx_http_ktp_once_merge(ngx_http_ktp_loc_conf_t *prev,
                        ngx_http_ktp_loc_conf_t *conf)
{
    if (conf->dedupe.on == NGX_CONF_UNSET_UINT) {
        conf->dedupe = prev->dedupe;
        ngx_conf_init_uint_value(conf->dedupe.on, 0);
    }

    if (conf->idempotency.on == NGX_CONF_UNSET_UINT) {
        conf->idempotency = prev->idempotency;
        ngx_conf_init_uint_value(conf->idempotency.on,
                                 NGX_HTTP_KTP_IDEMPOTENCY_OFF);
    }
}
