#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_conf.h"


ngx_int_t
ngx_http_ktp_headers_valid(ngx_str_t *value)
{
    size_t i;

    if (value->len == 0) {
        return NGX_ERROR;
    }

    for (i = 0; i < value->len; i++) {
        if ((value->data[i] < 0x20 && value->data[i] != '\t')
            || value->data[i] >= 0x7f) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_ktp_headers_find(ngx_http_request_t *r, const char *name, size_t len,
                          ngx_str_t **value)
{
    ngx_uint_t       i, n;
    ngx_list_part_t *part;
    ngx_table_elt_t *h;

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0
                && n++ == 0) {
                *value = &h[i].value;
            }
        }
    }

    return n;
}


ngx_str_t *
ngx_http_ktp_headers_once(ngx_http_request_t *r, const char *name, size_t len)
{
    ngx_str_t *value;

    return ngx_http_ktp_headers_find(r, name, len, &value) == 1 ? value : NULL;
}


ngx_table_elt_t *
ngx_http_ktp_headers_push(ngx_http_request_t *r, const char *name,
                          ngx_str_t *value)
{
    ngx_table_elt_t *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}


ngx_int_t
ngx_http_ktp_headers_retry_after(ngx_http_request_t *r, uint64_t seconds)
{
    ngx_str_t value;

    if (seconds == 0) {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", seconds) - value.data;

    return ngx_http_ktp_headers_push(r, "Retry-After", &value) ? NGX_OK
                                                               : NGX_ERROR;
}


ngx_int_t
ngx_http_ktp_headers_challenge(ngx_http_request_t *r)
{
    static ngx_str_t key = ngx_string("API-Key realm=\"ktp\"");
    static ngx_str_t ticket = ngx_string("Bearer realm=\"ktp\"");

    ngx_str_t               *challenge;
    ngx_table_elt_t         *h;
    ngx_http_ktp_loc_conf_t *klcf;

    if (r->headers_out.www_authenticate
        && r->headers_out.www_authenticate->hash) {
        return NGX_OK;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    challenge = klcf->auth == NGX_HTTP_KTP_AUTH_TICKET ? &ticket : &key;

    h = ngx_http_ktp_headers_push(r, "WWW-Authenticate", challenge);
    if (h == NULL) {
        return NGX_ERROR;
    }

    r->headers_out.www_authenticate = h;

    return NGX_OK;
}
