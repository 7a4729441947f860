#include "ngx_http_ktp_trace.h"
#include "ngx_http_ktp_headers.h"
#include <openssl/rand.h>


/*
 * traceparent = version "-" trace-id "-" parent-id "-" flags
 * version     = 2HEXDIGLC          ; "00"; "ff" is forbidden
 * trace-id    = 32HEXDIGLC         ; not all zeroes
 * parent-id   = 16HEXDIGLC         ; not all zeroes
 * flags       = 2HEXDIGLC
 *
 * A later version may have more behind another "-"; of those only the parts
 * of this one are taken.
 */

#define NGX_HTTP_KTP_TRACE_LEN    (2 + 1 + 32 + 1 + 16 + 1 + 2)
#define NGX_HTTP_KTP_TRACE_PARENT (2 + 1 + 32 + 1)
#define NGX_HTTP_KTP_SPAN_SIZE    8


static ngx_int_t  ngx_http_ktp_trace_valid(ngx_str_t *value);
static ngx_uint_t ngx_http_ktp_trace_hex(u_char *p, size_t len);


ngx_str_t *
ngx_http_ktp_trace_parent(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    u_char    *p, span[NGX_HTTP_KTP_SPAN_SIZE];
    ngx_str_t *value;

    if (ctx->traced) {
        return &ctx->traceparent;
    }

    ctx->traced = 1;

    /* with several, none is used */

    value =
        ngx_http_ktp_headers_once(r, "traceparent", sizeof("traceparent") - 1);

    if (value == NULL || ngx_http_ktp_trace_valid(value) != NGX_OK
        || RAND_bytes(span, sizeof(span)) != 1) {
        return &ctx->traceparent;
    }

    p = ngx_pnalloc(r->pool, NGX_HTTP_KTP_TRACE_LEN);
    if (p == NULL) {
        return &ctx->traceparent;
    }

    /* an unknown version is replaced by version 00 */

    ngx_memcpy(p, value->data, NGX_HTTP_KTP_TRACE_LEN);
    p[0] = '0';
    p[1] = '0';
    ngx_hex_dump(p + NGX_HTTP_KTP_TRACE_PARENT, span, sizeof(span));

    ctx->traceparent.data = p;
    ctx->traceparent.len = NGX_HTTP_KTP_TRACE_LEN;

    return &ctx->traceparent;
}


static ngx_int_t
ngx_http_ktp_trace_valid(ngx_str_t *value)
{
    u_char *p;

    if (value->len < NGX_HTTP_KTP_TRACE_LEN) {
        return NGX_ERROR;
    }

    p = value->data;

    if (p[2] != '-' || p[35] != '-' || p[52] != '-'
        || ngx_strncmp(p, "ff", 2) == 0) {
        return NGX_ERROR;
    }

    if (value->len > NGX_HTTP_KTP_TRACE_LEN
        && (ngx_strncmp(p, "00", 2) == 0
            || p[NGX_HTTP_KTP_TRACE_LEN] != '-')) {
        return NGX_ERROR;
    }

    if (ngx_http_ktp_trace_hex(p, 2) == 0
        || ngx_http_ktp_trace_hex(p + 53, 2) == 0
        || ngx_http_ktp_trace_hex(p + 3, 32) != 2
        || ngx_http_ktp_trace_hex(p + 36, 16) != 2) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* 0: not lower-case hexadecimal; 1: all zeroes; 2: not all zeroes. */

static ngx_uint_t
ngx_http_ktp_trace_hex(u_char *p, size_t len)
{
    ngx_uint_t rc;

    rc = 1;

    for (; len; p++, len--) {
        if ((*p < '0' || *p > '9') && (*p < 'a' || *p > 'f')) {
            return 0;
        }

        if (*p != '0') {
            rc = 2;
        }
    }

    return rc;
}


ktp_code_t
ngx_http_ktp_trace_header(ngx_http_request_t *r, ngx_array_t *headers)
{
    ngx_str_t               *h, *value;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (!klcf->pass_trace) {
        return KTP_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    value = ngx_http_ktp_trace_parent(r, ctx);

    if (value->len == 0) {
        return KTP_OK;
    }

    h = ngx_array_push(headers);
    if (h == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    h->len = sizeof("traceparent: ") - 1 + value->len;
    h->data = ngx_pnalloc(headers->pool, h->len + 1);
    if (h->data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_sprintf(h->data, "traceparent: %V%Z", value);

    return KTP_OK;
}
