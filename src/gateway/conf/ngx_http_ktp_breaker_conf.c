#include "ngx_http_ktp_breaker_conf.h"
#include "ngx_http_ktp_value.h"


/* Defaults, milliseconds. */
#define NGX_HTTP_KTP_BREAKER_CONF_WINDOW 30000
#define NGX_HTTP_KTP_BREAKER_CONF_OPEN   5000
#define NGX_HTTP_KTP_BREAKER_CONF_MAX    60000

/* What a parameter must be. */
#define NGX_HTTP_KTP_BREAKER_CONF_FORM                                        \
    "\"failures=NUMBER\" from 1 to 100, \"window=TIME\", \"open=TIME\", or "  \
    "\"max=TIME\" from 1ms to 1d, or \"fleet\", each at most once"


static ngx_int_t ngx_http_ktp_breaker_conf_number(ngx_str_t  *value,
                                                  const char *name,
                                                  ngx_uint_t *number);
static ngx_int_t ngx_http_ktp_breaker_conf_time(ngx_str_t  *value,
                                                const char *name,
                                                ngx_msec_t *time);
static ngx_int_t
ngx_http_ktp_breaker_conf_label(ngx_conf_t             *cf,
                                ngx_http_ktp_breaker_t *breaker);


char *
ngx_http_ktp_breaker_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_http_ktp_breaker_conf_t *breaker;

    breaker = &klcf->breaker;

    if (breaker->failures != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        breaker->failures = 0;
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_strcmp(value[i].data, "fleet") == 0 && !breaker->fleet) {
            breaker->fleet = 1;

        } else if (ngx_http_ktp_breaker_conf_number(
                       &value[i], "failures=", &breaker->failures)
                       != NGX_OK
                   && ngx_http_ktp_breaker_conf_time(
                          &value[i], "window=", &breaker->window)
                          != NGX_OK
                   && ngx_http_ktp_breaker_conf_time(&value[i],
                                                     "open=", &breaker->open)
                          != NGX_OK
                   && ngx_http_ktp_breaker_conf_time(&value[i],
                                                     "max=", &breaker->max)
                          != NGX_OK) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i],
                i == 1 ? "\"off\", or " NGX_HTTP_KTP_BREAKER_CONF_FORM
                       : NGX_HTTP_KTP_BREAKER_CONF_FORM);
        }
    }

    if (breaker->failures == NGX_CONF_UNSET_UINT) {
        return ngx_http_ktp_value_invalid(cf, "invalid parameter", &value[1],
                                          "\"off\", or \"failures=NUMBER\" "
                                          "with other parameters");
    }

    ngx_conf_init_msec_value(breaker->window,
                             NGX_HTTP_KTP_BREAKER_CONF_WINDOW);
    ngx_conf_init_msec_value(
        breaker->open,
        breaker->max == NGX_CONF_UNSET_MSEC
            ? NGX_HTTP_KTP_BREAKER_CONF_OPEN
            : ngx_min(NGX_HTTP_KTP_BREAKER_CONF_OPEN, breaker->max));
    ngx_conf_init_msec_value(
        breaker->max, ngx_max(NGX_HTTP_KTP_BREAKER_CONF_MAX, breaker->open));

    if (breaker->max < breaker->open) {
        return "has \"max\" less than \"open\"";
    }

    return NGX_CONF_OK;
}


/* NGX_DECLINED: it is another parameter, invalid, or duplicate. */

static ngx_int_t
ngx_http_ktp_breaker_conf_number(ngx_str_t *value, const char *name,
                                 ngx_uint_t *number)
{
    size_t    len;
    ngx_int_t n;

    len = ngx_strlen(name);

    if (*number != NGX_CONF_UNSET_UINT || value->len <= len
        || ngx_strncmp(value->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    n = ngx_atoi(value->data + len, value->len - len);

    if (n < 1 || n > NGX_HTTP_KTP_BREAKER_FAILURES) {
        return NGX_DECLINED;
    }

    *number = n;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_breaker_conf_time(ngx_str_t *value, const char *name,
                               ngx_msec_t *time)
{
    if (*time != NGX_CONF_UNSET_MSEC) {
        return NGX_DECLINED;
    }

    return ngx_http_ktp_value_time(value, name, NGX_HTTP_KTP_BREAKER_LONGEST,
                                   time);
}


void
ngx_http_ktp_breaker_conf_merge(ngx_http_ktp_loc_conf_t *prev,
                                ngx_http_ktp_loc_conf_t *conf)
{
    if (conf->breaker.failures == NGX_CONF_UNSET_UINT) {
        conf->breaker = prev->breaker;
        ngx_conf_init_uint_value(conf->breaker.failures, 0);
    }
}


char *
ngx_http_ktp_breaker_conf_finish(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_str_t                *name;
    ngx_uint_t                i;
    ngx_http_ktp_breaker_t   *breaker, **breakers, **b;
    ngx_http_ktp_main_conf_t *kmcf;

    /* a sandbox makes no calls */

    if (klcf->breaker.failures == 0 || klcf->sandbox) {
        return NGX_CONF_OK;
    }

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    name = &klcf->upstream->name;
    breakers = kmcf->breakers.elts;

    for (i = 0; i < kmcf->breakers.nelts; i++) {
        if (breakers[i]->name.len == name->len
            && ngx_memcmp(breakers[i]->name.data, name->data, name->len)
                   == 0) {
            breakers[i]->fleet |= klcf->breaker.fleet;
            klcf->breaker.breaker = breakers[i];
            return NGX_CONF_OK;
        }
    }

    b = ngx_array_push(&kmcf->breakers);
    breaker = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_breaker_t));

    if (b == NULL || breaker == NULL) {
        return NGX_CONF_ERROR;
    }

    *b = breaker;
    breaker->name = *name;
    breaker->fleet = klcf->breaker.fleet;
    klcf->breaker.breaker = breaker;

    /* a URL may say more than others are to know */
    ngx_http_ktp_sha1_hex(name, breaker->hash);

    return ngx_http_ktp_breaker_conf_label(cf, breaker) == NGX_OK
               ? NGX_CONF_OK
               : NGX_CONF_ERROR;
}


/* Without characters that the formats of metrics would have to escape. */

static ngx_int_t
ngx_http_ktp_breaker_conf_label(ngx_conf_t             *cf,
                                ngx_http_ktp_breaker_t *breaker)
{
    u_char    *p, c;
    ngx_uint_t i;

    p = ngx_pnalloc(cf->pool, breaker->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < breaker->name.len; i++) {
        c = breaker->name.data[i];
        p[i] = c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '?' : c;
    }

    breaker->label.data = p;
    breaker->label.len = breaker->name.len;

    return NGX_OK;
}
