#include "ngx_http_ktp_variables.h"
#include "ngx_http_ktp_billing.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_outcome.h"
#include "ngx_http_ktp_reference.h"
#include "ngx_http_ktp_trace.h"


/* Kinds of variables. */
typedef enum {
    NGX_HTTP_KTP_VAR_OUTCOME,
    NGX_HTTP_KTP_VAR_BILLED,
    NGX_HTTP_KTP_VAR_COST,
    NGX_HTTP_KTP_VAR_SOURCE,
    NGX_HTTP_KTP_VAR_FLIGHT,
    NGX_HTTP_KTP_VAR_ERROR_CODE,
    NGX_HTTP_KTP_VAR_ERROR_REASON,
    NGX_HTTP_KTP_VAR_STATUS_CODE,
    NGX_HTTP_KTP_VAR_CLIENT,
    NGX_HTTP_KTP_VAR_QUOTA_LEFT,
    NGX_HTTP_KTP_VAR_TRACEPARENT,
    NGX_HTTP_KTP_VAR_IMAGE_HMAC,
    NGX_HTTP_KTP_VAR_NIK_HMAC,
    NGX_HTTP_KTP_VAR_REFERENCE_ID,
    NGX_HTTP_KTP_VAR_INTAKE,
    NGX_HTTP_KTP_VAR_FORMAT,
    NGX_HTTP_KTP_VAR_WIDTH,
    NGX_HTTP_KTP_VAR_HEIGHT,
    NGX_HTTP_KTP_VAR_BYTES,
    NGX_HTTP_KTP_VAR_ADDR,
    NGX_HTTP_KTP_VAR_STATUS,
    NGX_HTTP_KTP_VAR_CONNECT_TIME,
    NGX_HTTP_KTP_VAR_HEADER_TIME,
    NGX_HTTP_KTP_VAR_RESPONSE_TIME,
    NGX_HTTP_KTP_VAR_BYTES_SENT,
    NGX_HTTP_KTP_VAR_RETRIES
} ngx_http_ktp_var_t;


static ngx_int_t ngx_http_ktp_variables_request(ngx_http_request_t        *r,
                                                ngx_http_variable_value_t *v,
                                                uintptr_t data);
static ngx_http_ktp_source_t
                 ngx_http_ktp_variables_source(ngx_http_ktp_ctx_t *ctx);
static ngx_int_t ngx_http_ktp_variables_cost(ngx_http_request_t        *r,
                                             ngx_http_variable_value_t *v,
                                             uintptr_t                  data);
static ngx_int_t ngx_http_ktp_variables_breaker(ngx_http_request_t        *r,
                                                ngx_http_variable_value_t *v,
                                                uintptr_t data);
static ngx_int_t ngx_http_ktp_variables_link(ngx_http_request_t        *r,
                                             ngx_http_variable_value_t *v,
                                             uintptr_t                  data);
static ngx_int_t ngx_http_ktp_variables_quota_left(
    ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_ktp_variables_nik_hmac(ngx_http_request_t *r,
                                                 ngx_http_ktp_ctx_t *ctx,
                                                 ngx_str_t          *value);
static ngx_int_t ngx_http_ktp_variables_image(ngx_http_request_t        *r,
                                              ngx_http_variable_value_t *v,
                                              uintptr_t                  data);
static ngx_int_t ngx_http_ktp_variables_call(ngx_http_request_t        *r,
                                             ngx_http_variable_value_t *v,
                                             uintptr_t                  data);
static ngx_int_t ngx_http_ktp_variables_text(ngx_http_variable_value_t *v,
                                             const char                *text);
static ngx_int_t ngx_http_ktp_variables_number(ngx_http_request_t        *r,
                                               ngx_http_variable_value_t *v,
                                               off_t                      n);
static ngx_int_t ngx_http_ktp_variables_nonzero(ngx_http_request_t        *r,
                                                ngx_http_variable_value_t *v,
                                                off_t                      n);
static ngx_int_t ngx_http_ktp_variables_time(ngx_http_request_t        *r,
                                             ngx_http_variable_value_t *v,
                                             ngx_msec_int_t             ms);


/* not cacheable, since they change during a request */

/* clang-format off */
#define ngx_http_ktp_var(name, get, kind)                                     \
    { ngx_string(name), NULL, get, kind, NGX_HTTP_VAR_NOCACHEABLE, 0 }
/* clang-format on */

static ngx_http_variable_t ngx_http_ktp_vars[] = {

    ngx_http_ktp_var("ktp_outcome", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_OUTCOME),
    ngx_http_ktp_var("ktp_billed", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_BILLED),
    ngx_http_ktp_var("ktp_cost", ngx_http_ktp_variables_cost,
                     NGX_HTTP_KTP_VAR_COST),
    ngx_http_ktp_var("ktp_source", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_SOURCE),
    ngx_http_ktp_var("ktp_breaker", ngx_http_ktp_variables_breaker, 0),
    ngx_http_ktp_var("ktp_flight", ngx_http_ktp_variables_link,
                     NGX_HTTP_KTP_VAR_FLIGHT),
    ngx_http_ktp_var("ktp_error_code", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_ERROR_CODE),
    ngx_http_ktp_var("ktp_error_reason", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_ERROR_REASON),
    ngx_http_ktp_var("ktp_status_code", ngx_http_ktp_variables_request,
                     NGX_HTTP_KTP_VAR_STATUS_CODE),
    ngx_http_ktp_var("ktp_client", ngx_http_ktp_variables_link,
                     NGX_HTTP_KTP_VAR_CLIENT),
    ngx_http_ktp_var("ktp_quota_left", ngx_http_ktp_variables_quota_left,
                     NGX_HTTP_KTP_VAR_QUOTA_LEFT),
    ngx_http_ktp_var("ktp_traceparent", ngx_http_ktp_variables_link,
                     NGX_HTTP_KTP_VAR_TRACEPARENT),
    ngx_http_ktp_var("ktp_image_hmac", ngx_http_ktp_variables_link,
                     NGX_HTTP_KTP_VAR_IMAGE_HMAC),
    ngx_http_ktp_var("ktp_nik_hmac", ngx_http_ktp_variables_link,
                     NGX_HTTP_KTP_VAR_NIK_HMAC),

    ngx_http_ktp_var("ktp_reference_id", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_REFERENCE_ID),
    ngx_http_ktp_var("ktp_intake", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_INTAKE),
    ngx_http_ktp_var("ktp_image_format", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_FORMAT),
    ngx_http_ktp_var("ktp_image_width", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_WIDTH),
    ngx_http_ktp_var("ktp_image_height", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_HEIGHT),
    ngx_http_ktp_var("ktp_image_bytes", ngx_http_ktp_variables_image,
                     NGX_HTTP_KTP_VAR_BYTES),

    ngx_http_ktp_var("ktp_upstream_addr", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_ADDR),
    ngx_http_ktp_var("ktp_upstream_status", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_STATUS),
    ngx_http_ktp_var("ktp_upstream_connect_time", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_CONNECT_TIME),
    ngx_http_ktp_var("ktp_upstream_header_time", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_HEADER_TIME),
    ngx_http_ktp_var("ktp_upstream_response_time", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_RESPONSE_TIME),
    ngx_http_ktp_var("ktp_upstream_bytes_sent", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_BYTES_SENT),
    ngx_http_ktp_var("ktp_retries", ngx_http_ktp_variables_call,
                     NGX_HTTP_KTP_VAR_RETRIES),

    ngx_http_null_variable};


ngx_uint_t
ngx_http_ktp_variables_used(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_http_variable_t       *v;
    ngx_http_core_main_conf_t *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (v[i].name.len == name->len
            && ngx_strncmp(v[i].name.data, name->data, name->len) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_ktp_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t *var, *v;

    for (v = ngx_http_ktp_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_variables_request(ngx_http_request_t        *r,
                               ngx_http_variable_value_t *v, uintptr_t data)
{
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_ktp_ctx_get(r);

    /* nginx may reject a request before it reaches this module */

    if (!ngx_http_ktp_ctx_is_ours(r, ctx)) {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (data) {

    case NGX_HTTP_KTP_VAR_OUTCOME:
        return ngx_http_ktp_variables_text(
            v, ngx_http_ktp_outcome_name(ngx_http_ktp_ctx_outcome(r, ctx)));

    case NGX_HTTP_KTP_VAR_BILLED:
        return ngx_http_ktp_variables_text(
            v, ngx_http_ktp_outcome_billed(ctx ? ctx->billed
                                               : NGX_HTTP_KTP_BILLED_NO));

    case NGX_HTTP_KTP_VAR_SOURCE:
        return ngx_http_ktp_variables_text(
            v, ctx ? ngx_http_ktp_outcome_source(
                   ngx_http_ktp_variables_source(ctx))
                   : NULL);

    case NGX_HTTP_KTP_VAR_STATUS_CODE:
        return ngx_http_ktp_variables_text(v, ctx ? ctx->answer.status_code
                                                  : NULL);

    case NGX_HTTP_KTP_VAR_ERROR_REASON:
        code = ngx_http_ktp_ctx_reason(r, ctx);

        return ngx_http_ktp_variables_text(
            v, code == KTP_OK ? "" : ktp_error(code)->reason);

    default: /* NGX_HTTP_KTP_VAR_ERROR_CODE */
        return ngx_http_ktp_variables_text(
            v, ngx_http_ktp_ctx_error_code(r, ctx));
    }
}


/* That of a rehearsal is the same if its answer was joined or stored. */

static ngx_http_ktp_source_t
ngx_http_ktp_variables_source(ngx_http_ktp_ctx_t *ctx)
{
    return ctx->sandbox && ctx->source != NGX_HTTP_KTP_SOURCE_NONE
               ? NGX_HTTP_KTP_SOURCE_SANDBOX
               : ctx->source;
}


/* The price of the location in which the call was made. */

static ngx_int_t
ngx_http_ktp_variables_cost(ngx_http_request_t        *r,
                            ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_price_t    *price;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_ktp_ctx_get(r);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    price = ctx ? ctx->price : klcf->price;

    if (price == NULL || !ngx_http_ktp_ctx_is_ours(r, ctx)
        || (ctx && ctx->billed == NGX_HTTP_KTP_BILLED_UNKNOWN)) {
        v->not_found = 1;
        return NGX_OK;
    }

    if (ctx == NULL || ctx->billed == NGX_HTTP_KTP_BILLED_NO) {
        return ngx_http_ktp_variables_text(v, "0");
    }

    v->data = price->text.data;
    v->len = price->text.len;
    v->valid = 1;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_variables_breaker(ngx_http_request_t        *r,
                               ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    return ngx_http_ktp_variables_text(
        v, klcf->breaker.breaker ? ngx_http_ktp_breaker_name(
               ngx_http_ktp_breaker_state(klcf->breaker.breaker))
                                 : NULL);
}


static ngx_int_t
ngx_http_ktp_variables_link(ngx_http_request_t        *r,
                            ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t           rc;
    ngx_str_t           value;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_ktp_ctx_get(r);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    rc = NGX_OK;

    switch (data) {

    case NGX_HTTP_KTP_VAR_CLIENT:
        value = ctx->client;
        break;

    case NGX_HTTP_KTP_VAR_TRACEPARENT:
        value = *ngx_http_ktp_trace_parent(r, ctx);
        break;

    case NGX_HTTP_KTP_VAR_IMAGE_HMAC:
        value = ctx->image_hmac;
        break;

    case NGX_HTTP_KTP_VAR_FLIGHT:
        ngx_http_ktp_flight_id(ctx, &value);
        break;

    default: /* NGX_HTTP_KTP_VAR_NIK_HMAC */
        rc = ngx_http_ktp_variables_nik_hmac(r, ctx, &value);
        break;
    }

    v->data = value.data;
    v->len = value.len;
    v->valid = value.len ? 1 : 0;
    v->not_found = !v->valid;

    return rc;
}


static ngx_int_t
ngx_http_ktp_variables_quota_left(ngx_http_request_t        *r,
                                  ngx_http_variable_value_t *v, uintptr_t data)
{
    int64_t             left;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_ktp_ctx_get(r);

    left = ctx && ctx->client_conf && ctx->client_conf->slot
               ? ngx_http_ktp_count_left(ctx->client_conf)
               : -1;

    return ngx_http_ktp_variables_number(r, v, left);
}


/* Computed on demand. */

static ngx_int_t
ngx_http_ktp_variables_nik_hmac(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx,
                                ngx_str_t *value)
{
    u_char digest[KTP_HMAC_SIZE];

    ngx_str_null(value);

    if (ctx->answer.nik[0] == '\0'
        || ngx_http_ktp_digest_hmac(r, (u_char *) ctx->answer.nik,
                                    ngx_strlen(ctx->answer.nik), digest)
               != 0) {
        return NGX_OK;
    }

    value->data = ngx_pnalloc(r->pool, KTP_HMAC_HEX);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = KTP_HMAC_HEX;
    ktp_hmac_hex((char *) value->data, digest);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_variables_image(ngx_http_request_t        *r,
                             ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t            value;
    ngx_http_ktp_ctx_t  *ctx;
    const ktp_request_t *image;

    ctx = ngx_http_ktp_ctx_get(r);

    /* the body of an unauthenticated request is not examined */

    if (ctx == NULL || ctx->intake == NULL
        || ctx->outcome == NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED) {
        v->not_found = 1;
        return NGX_OK;
    }

    image = ngx_http_ktp_ctx_image(ctx);

    switch (data) {

    case NGX_HTTP_KTP_VAR_REFERENCE_ID:
        value = ngx_http_ktp_reference_value(ctx);

        v->data = value.data;
        v->len = value.len;
        v->valid = value.len ? 1 : 0;
        v->not_found = !v->valid;
        return NGX_OK;

    case NGX_HTTP_KTP_VAR_INTAKE:
        return ngx_http_ktp_variables_text(v, ngx_http_ktp_ctx_type(ctx));

    case NGX_HTTP_KTP_VAR_FORMAT:
        return ngx_http_ktp_variables_text(v, ngx_http_ktp_ctx_format(ctx));

    case NGX_HTTP_KTP_VAR_WIDTH:
        return ngx_http_ktp_variables_nonzero(r, v, image->width);

    case NGX_HTTP_KTP_VAR_HEIGHT:
        return ngx_http_ktp_variables_nonzero(r, v, image->height);

    default: /* NGX_HTTP_KTP_VAR_BYTES */
        return ngx_http_ktp_variables_nonzero(r, v, ctx->image_size);
    }
}


static ngx_int_t
ngx_http_ktp_variables_call(ngx_http_request_t        *r,
                            ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_ktp_ctx_t  *ctx;
    ngx_http_ktp_call_t *call;

    ctx = ngx_http_ktp_ctx_get(r);

    if (ctx == NULL || !ctx->called) {
        v->not_found = 1;
        return NGX_OK;
    }

    call = &ctx->call;

    switch (data) {

    case NGX_HTTP_KTP_VAR_ADDR:
        v->data = call->addr.data;
        v->len = call->addr.len;
        v->valid = call->addr.len ? 1 : 0;
        v->not_found = !v->valid;
        return NGX_OK;

    case NGX_HTTP_KTP_VAR_STATUS:
        return ngx_http_ktp_variables_nonzero(r, v, call->status);

    case NGX_HTTP_KTP_VAR_CONNECT_TIME:
        return ngx_http_ktp_variables_time(r, v, call->connect_time);

    case NGX_HTTP_KTP_VAR_HEADER_TIME:
        return ngx_http_ktp_variables_time(r, v, call->header_time);

    case NGX_HTTP_KTP_VAR_RESPONSE_TIME:
        return ngx_http_ktp_variables_time(r, v, call->response_time);

    case NGX_HTTP_KTP_VAR_BYTES_SENT:
        return ngx_http_ktp_variables_nonzero(r, v, call->bytes_sent);

    default: /* NGX_HTTP_KTP_VAR_RETRIES */
        return ngx_http_ktp_variables_number(r, v, call->retries);
    }
}


static ngx_int_t
ngx_http_ktp_variables_text(ngx_http_variable_value_t *v, const char *text)
{
    if (text == NULL || *text == '\0') {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = (u_char *) text;
    v->len = ngx_strlen(text);
    v->valid = 1;
    v->not_found = 0;

    return NGX_OK;
}


/* 0 means that there is no value. */

static ngx_int_t
ngx_http_ktp_variables_nonzero(ngx_http_request_t        *r,
                               ngx_http_variable_value_t *v, off_t n)
{
    return ngx_http_ktp_variables_number(r, v, n ? n : -1);
}


/* A negative number means that there is no value. */

static ngx_int_t
ngx_http_ktp_variables_number(ngx_http_request_t        *r,
                              ngx_http_variable_value_t *v, off_t n)
{
    if (n < 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%O", n) - v->data;
    v->valid = 1;
    v->not_found = 0;

    return NGX_OK;
}


/* Seconds with milliseconds resolution, as in $upstream_response_time. */

static ngx_int_t
ngx_http_ktp_variables_time(ngx_http_request_t        *r,
                            ngx_http_variable_value_t *v, ngx_msec_int_t ms)
{
    if (ms < 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%T.%03M", (time_t) ms / 1000,
                         (ngx_msec_t) ms % 1000)
             - v->data;
    v->valid = 1;
    v->not_found = 0;

    return NGX_OK;
}
