#include "ngx_http_ktp_fields.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_heap.h"
#include "ngx_http_ktp_secret.h"
#include "ngx_http_ktp_trace.h"


/* Two of content, "traceparent", and two keys. */
#define NGX_HTTP_KTP_FIELDS_MAX 5


static ngx_int_t ngx_http_ktp_fields_key(ngx_http_request_t *r,
                                         ngx_pool_t *pool, ngx_array_t *fields,
                                         const char            *name,
                                         ngx_http_ktp_secret_t *secret);


ngx_array_t *
ngx_http_ktp_fields(ngx_http_request_t *r, ngx_pool_t *pool,
                    ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_str_t               *h;
    ngx_array_t             *fields;
    ngx_http_ktp_secret_t   *app_id, *api_key;
    ngx_http_ktp_loc_conf_t *own;

    fields =
        ngx_array_create(pool, NGX_HTTP_KTP_FIELDS_MAX, sizeof(ngx_str_t));
    if (fields == NULL) {
        return NULL;
    }

    /* there is room for all of them */

    h = ngx_array_push_n(fields, 2);

    ngx_str_set(&h[0], "Content-Type: application/json");
    ngx_str_set(&h[1], "Accept: application/json");

    own = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    app_id = klcf->app_id;
    api_key = klcf->api_key;

    if (klcf != own) {
        app_id = app_id == own->app_id ? NULL : app_id;
        api_key = api_key == own->api_key ? NULL : api_key;
    }

    return ngx_http_ktp_trace_header(r, fields) == KTP_OK
                   && ngx_http_ktp_fields_key(r, pool, fields, "App-ID",
                                              app_id)
                          == NGX_OK
                   && ngx_http_ktp_fields_key(r, pool, fields, "API-Key",
                                              api_key)
                          == NGX_OK
               ? fields
               : NULL;
}


static ngx_int_t
ngx_http_ktp_fields_key(ngx_http_request_t *r, ngx_pool_t *pool,
                        ngx_array_t *fields, const char *name,
                        ngx_http_ktp_secret_t *secret)
{
    u_char    *p;
    size_t     len;
    ngx_str_t *h, value;

    if (secret == NULL) {
        return NGX_OK;
    }

    if (ngx_http_ktp_secret(r, secret, &value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_ktp_headers_valid(&value) != NGX_OK) {

        /* the value is not logged: it is a secret */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "value of upstream header \"%s\" is empty or "
                      "contains control characters",
                      name);
        return NGX_ERROR;
    }

    h = ngx_array_push(fields);
    if (h == NULL) {
        return NGX_ERROR;
    }

    len = ngx_strlen(name) + sizeof(": ") - 1 + value.len;

    p = ngx_http_ktp_heap_palloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h->len = len;
    h->data = p;

    p = ngx_sprintf(p, "%s: %V", name, &value);
    *p = '\0';

    return NGX_OK;
}
