#include "ngx_http_ktp_cors.h"
#include "ktp_origin.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_headers.h"


typedef struct {
    const char *name;
    ngx_str_t   value;
} ngx_http_ktp_cors_header_t;


static ngx_int_t  ngx_http_ktp_cors_handler(ngx_http_request_t *r);
static ngx_int_t  ngx_http_ktp_cors_header_filter(ngx_http_request_t *r);
static ngx_str_t *ngx_http_ktp_cors_origin(ngx_http_request_t      *r,
                                           ngx_http_ktp_loc_conf_t *klcf);
static ngx_int_t  ngx_http_ktp_cors_push(ngx_http_request_t *r,
                                         ngx_str_t          *origin);
static ngx_uint_t ngx_http_ktp_cors_is_preflight(ngx_http_request_t *r);
static ngx_uint_t ngx_http_ktp_cors_is_any(ngx_str_t *origin);


static ngx_http_output_header_filter_pt ngx_http_next_header_filter;

/*
 * The answer to a preflight request; browsers ask again after ten minutes, so
 * that an origin that was removed is soon out.
 */
static ngx_http_ktp_cors_header_t ngx_http_ktp_cors_preflight[] = {
    {"Access-Control-Allow-Methods", ngx_string("POST")},
    {"Access-Control-Allow-Headers",
     ngx_string("App-ID, API-Key, Authorization, Content-Type, "
                "Idempotency-Key, traceparent")},
    {"Access-Control-Max-Age", ngx_string("600")},
    {NULL, ngx_null_string}};

/* Header fields of the contract that a page may read in any other answer. */
static ngx_http_ktp_cors_header_t ngx_http_ktp_cors_exposed[] = {
    {"Access-Control-Expose-Headers",
     ngx_string("Idempotency-Replayed, Retry-After, WWW-Authenticate")},
    {NULL, ngx_null_string}};


ngx_int_t
ngx_http_ktp_cors_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt       *h;
    ngx_http_core_main_conf_t *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_ktp_cors_handler;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_ktp_cors_header_filter;

    return NGX_OK;
}


/* Answers a preflight request of a page that is allowed. */

static ngx_int_t
ngx_http_ktp_cors_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->cors == NULL || !ngx_http_ktp_conf_is_contract(klcf)
        || r != r->main || !ngx_http_ktp_cors_is_preflight(r)
        || ngx_http_ktp_cors_origin(r, klcf) == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* no status for nginx to make a page of: it is no request for a card */

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    ngx_http_finalize_request(r, ngx_http_send_header(r));

    return NGX_DONE;
}


static ngx_int_t
ngx_http_ktp_cors_header_filter(ngx_http_request_t *r)
{
    static ngx_str_t vary = ngx_string("Origin");

    ngx_str_t               *origin, *allowed;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->cors == NULL || !ngx_http_ktp_conf_is_contract(klcf)
        || r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    origin = klcf->cors->elts;

    /* also without "Origin": with one, the answer would be another */

    if (!ngx_http_ktp_cors_is_any(origin)
        && ngx_http_ktp_headers_push(r, "Vary", &vary) == NULL) {
        return NGX_ERROR;
    }

    allowed = ngx_http_ktp_cors_origin(r, klcf);

    if (allowed && ngx_http_ktp_cors_push(r, allowed) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/* The origin of the directive that the request has; NULL: none. */

static ngx_str_t *
ngx_http_ktp_cors_origin(ngx_http_request_t *r, ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_str_t *value, *origin;
    ngx_uint_t i;

    value = ngx_http_ktp_headers_once(r, "Origin", sizeof("Origin") - 1);
    origin = klcf->cors->elts;

    for (i = 0; value && i < klcf->cors->nelts; i++) {
        if (ngx_http_ktp_cors_is_any(&origin[i])
            || ktp_origin_match((char *) origin[i].data, origin[i].len,
                                (char *) value->data, value->len)) {
            return &origin[i];
        }
    }

    return NULL;
}


/*
 * Cookies are for origins that are named in full only: whoever owns some host
 * of a domain should not act for a user who is logged in.
 */

static ngx_int_t
ngx_http_ktp_cors_push(ngx_http_request_t *r, ngx_str_t *origin)
{
    static ngx_str_t yes = ngx_string("true");

    ngx_str_t                  *value;
    ngx_uint_t                  any, wild;
    ngx_http_ktp_cors_header_t *h;

    any = ngx_http_ktp_cors_is_any(origin);
    wild = any || ktp_origin_is_wild((char *) origin->data, origin->len);

    value = any ? origin
                : ngx_http_ktp_headers_once(r, "Origin", sizeof("Origin") - 1);

    if (ngx_http_ktp_headers_push(r, "Access-Control-Allow-Origin", value)
            == NULL
        || (!wild
            && ngx_http_ktp_headers_push(r, "Access-Control-Allow-Credentials",
                                         &yes)
                   == NULL)) {
        return NGX_ERROR;
    }

    h = ngx_http_ktp_cors_is_preflight(r) ? ngx_http_ktp_cors_preflight
                                          : ngx_http_ktp_cors_exposed;

    for (/* void */; h->name; h++) {
        if (ngx_http_ktp_headers_push(r, h->name, &h->value) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_ktp_cors_is_preflight(ngx_http_request_t *r)
{
    ngx_str_t *value;

    return r->method == NGX_HTTP_OPTIONS
           && ngx_http_ktp_headers_find(
               r, "Access-Control-Request-Method",
               sizeof("Access-Control-Request-Method") - 1, &value);
}


static ngx_uint_t
ngx_http_ktp_cors_is_any(ngx_str_t *origin)
{
    return origin->len == 1;
}
