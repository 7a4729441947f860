#include "ngx_http_ktp_log.h"
#include "ngx_http_ktp_ctx.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_outcome.h"


static ngx_int_t            ngx_http_ktp_log_handler(ngx_http_request_t *r);
static ngx_http_ktp_saved_t ngx_http_ktp_log_saved(ngx_http_ktp_ctx_t *ctx);
static ngx_msec_t           ngx_http_ktp_log_time(ngx_http_request_t *r);


ngx_int_t
ngx_http_ktp_log_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt       *h;
    ngx_http_core_main_conf_t *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_ktp_log_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_log_handler(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t            *ctx;
    ngx_http_ktp_slot_t           *slot;
    ngx_http_ktp_loc_conf_t       *klcf;
    ngx_http_ktp_main_conf_t      *kmcf;
    ngx_http_ktp_metrics_request_t request;

    ctx = ngx_http_ktp_ctx_get(r);

    if (!ngx_http_ktp_ctx_is_ours(r, ctx) || r != r->main) {
        return NGX_OK;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    /* a failure that is rehearsed must raise no alert */

    if (ctx ? ctx->sandbox : klcf->sandbox) {
        return NGX_OK;
    }

    ngx_memzero(&request, sizeof(ngx_http_ktp_metrics_request_t));

    request.outcome = ngx_http_ktp_ctx_outcome(r, ctx);

    if (request.outcome == NGX_HTTP_KTP_OUTCOME_NONE) {
        request.outcome = NGX_HTTP_KTP_OUTCOME_ABORTED;
    }

    request.code = ngx_http_ktp_ctx_error_code(r, ctx);
    request.reason = ngx_http_ktp_ctx_reason(r, ctx);
    request.time = ngx_http_ktp_log_time(r);
    request.received = r->request_length;
    request.sent = r->connection->sent;

    slot = NULL;

    if (ctx) {
        request.image_size = ctx->image_size;
        request.checked = ctx->checked;

        if (ngx_http_ktp_outcome_is_answer(request.outcome)) {
            request.source = ctx->source;
            request.saved = ngx_http_ktp_log_saved(ctx);
        }

        if (ctx->client_conf) {
            slot = ctx->client_conf->slot;
        }

        if (ctx->called) {
            request.call = &ctx->call;
            request.call_outcome =
                ctx->call_outcome == NGX_HTTP_KTP_OUTCOME_NONE
                    ? request.outcome
                    : ctx->call_outcome;
            request.billed = ctx->billed;
            request.price = ctx->price;
            request.answer_size = ctx->answer.len;
        }
    }

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    ngx_http_ktp_metrics_count(kmcf->zone, slot, &request);

    return NGX_OK;
}


/* A call that failed would perhaps have cost nothing. */

static ngx_http_ktp_saved_t
ngx_http_ktp_log_saved(ngx_http_ktp_ctx_t *ctx)
{
    switch (ctx->source) {

    case NGX_HTTP_KTP_SOURCE_JOINED:
        return ctx->saved ? NGX_HTTP_KTP_SAVED_JOINED
                          : NGX_HTTP_KTP_SAVED_NONE;

    case NGX_HTTP_KTP_SOURCE_REPLAYED:
        return ctx->saved ? NGX_HTTP_KTP_SAVED_REPLAYED
                          : NGX_HTTP_KTP_SAVED_NONE;

    case NGX_HTTP_KTP_SOURCE_PRECHECK:
        return NGX_HTTP_KTP_SAVED_PRECHECK;

    case NGX_HTTP_KTP_SOURCE_FIRST:
        return NGX_HTTP_KTP_SAVED_FIRST;

    default:
        return NGX_HTTP_KTP_SAVED_NONE;
    }
}


/* Milliseconds, computed as nginx's own $request_time. */

static ngx_msec_t
ngx_http_ktp_log_time(ngx_http_request_t *r)
{
    ngx_time_t    *tp;
    ngx_msec_int_t ms;

    tp = ngx_timeofday();

    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + (tp->msec - r->start_msec));

    return ngx_max(ms, 0);
}
