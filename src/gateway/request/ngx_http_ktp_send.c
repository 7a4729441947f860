#include "ngx_http_ktp_send.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_fields.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_outcome.h"
#include "ngx_http_ktp_peer.h"
#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_reference.h"
#include "ngx_http_ktp_sandbox.h"
#include "ngx_http_ktp_verdict.h"


/*
 * Pending bytes of a streamed image above which reading from the client is
 * paused, and the size of libcurl's send buffer.
 */
#define NGX_HTTP_KTP_STREAM_PENDING 8192
#define NGX_HTTP_KTP_STREAM_BUFFER  16384


static ktp_code_t ngx_http_ktp_send_whole(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_send_broken(ngx_http_ktp_ctx_t *ctx,
                                           uint64_t            wait);
static void       ngx_http_ktp_send_cleanup(void *data);
static ktp_code_t ngx_http_ktp_send_start(ngx_http_request_t *r, off_t length);
static size_t     ngx_http_ktp_send_read(void *data, u_char *buf, size_t size);
static ngx_int_t  ngx_http_ktp_send_rewind(void *data);
static void       ngx_http_ktp_send_ended(ngx_http_ktp_ctx_t   *ctx,
                                          ngx_http_ktp_billed_t billed);
static ngx_http_ktp_breaker_event_t
            ngx_http_ktp_send_event(ngx_http_ktp_ctx_t           *ctx,
                                    const ngx_http_ktp_verdict_t *v);
static void ngx_http_ktp_send_done(void *data, ngx_http_ktp_call_t *call);


ktp_code_t
ngx_http_ktp_send_admit(ngx_http_request_t *r)
{
    uint64_t                 wait;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_answerer_t *fallback;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    fallback = klcf->answerer[NGX_HTTP_KTP_FALLBACK];

    /* the answer may be stored, or come from elsewhere */

    if (klcf->dedupe.on || klcf->idempotency.on
        || klcf->answerer[NGX_HTTP_KTP_FIRST]
        || (fallback && (fallback->cases & NGX_HTTP_KTP_CASE_BREAKER))) {
        return KTP_OK;
    }

    wait = ngx_http_ktp_breaker_wait(&klcf->breaker);

    if (wait == 0) {
        return KTP_OK;
    }

    ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR);

    return ngx_http_ktp_send_broken(ctx, wait);
}


/* No call is made; the client may retry in wait milliseconds. */

static ktp_code_t
ngx_http_ktp_send_broken(ngx_http_ktp_ctx_t *ctx, uint64_t wait)
{
    ctx->retry_after = (wait + 999) / 1000;

    return KTP_BREAKER_OPEN;
}


ktp_code_t
ngx_http_ktp_send(ngx_http_request_t *r, ngx_http_ktp_send_pt handler)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ctx->sent = handler;

    return klcf->sandbox ? ngx_http_ktp_sandbox(r, ngx_http_ktp_send_done)
                         : ngx_http_ktp_send_whole(r);
}


/* Starts the call, or completes the one that is being streamed. */

static ktp_code_t
ngx_http_ktp_send_whole(ngx_http_request_t *r)
{
    ktp_code_t          code;
    ktp_request_t       request;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ngx_http_ktp_ctx_request(ctx, &request);

    code = ngx_http_ktp_reference(r, &request, 1);
    if (code != KTP_OK) {
        return code;
    }

    if (ctx->streaming) {
        ktp_outgoing_complete(&ctx->outgoing, &request,
                              ngx_max(ctx->call.body_length, 0));
        ngx_http_ktp_transport_resume(&ctx->call);
        return KTP_OK;
    }

    ktp_outgoing_init(&ctx->outgoing, &ctx->store, &request);

    return ngx_http_ktp_send_start(r, ctx->outgoing.length);
}


ktp_code_t
ngx_http_ktp_send_part(ngx_http_request_t *r, ngx_http_ktp_send_pt handler)
{
    off_t                    length;
    size_t                   size;
    ktp_code_t               code;
    ktp_request_t            request;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (ctx->streaming) {
        ngx_http_ktp_transport_resume(&ctx->call);
        return KTP_OK;
    }

    /* one call may be made to try the upstream: no slow client delays it */

    if (!ngx_http_ktp_breaker_closed(&klcf->breaker)) {
        return KTP_OK;
    }

    ngx_http_ktp_ctx_request(ctx, &request);

    /* the dimensions are set once they were accepted */

    if (request.width == 0) {
        return KTP_OK;
    }

    /* it may wait for a lease only when its body is complete */

    if (!ngx_http_ktp_quota_try(ctx)) {
        return KTP_OK;
    }

    code = ngx_http_ktp_reference(r, &request, 0);
    if (code != KTP_OK) {
        ngx_http_ktp_quota_settle(ctx);
        return code;
    }

    /*
     * If the body is a bare file of which nothing is removed, its length
     * determines that of the JSON; otherwise the transfer is chunked.  For a
     * chunked body, content_length_n is the number of bytes received so far.
     */

    if (request.type == KTP_INTAKE_BINARY && !klcf->strip_metadata
        && !r->headers_in.chunked && r->headers_in.content_length_n > 0) {
        size = r->headers_in.content_length_n;
        ktp_outgoing_stream(&ctx->outgoing, &ctx->store, &request, size);
        length = ctx->outgoing.length;

    } else {
        size = ctx->store.max;
        ktp_outgoing_stream(&ctx->outgoing, &ctx->store, &request, size);
        length = -1;
    }

    ctx->sent = handler;
    ctx->call.buffer = NGX_HTTP_KTP_STREAM_BUFFER;
    ctx->call.kind = NGX_HTTP_KTP_CALL_STREAMED;

    code = ngx_http_ktp_send_start(r, length);

    if (code == KTP_OK) {
        ctx->streaming = 1;

    } else {
        ngx_http_ktp_quota_settle(ctx);
    }

    return code;
}


ngx_uint_t
ngx_http_ktp_send_full(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    return ctx->streaming
           && ktp_outgoing_pending(&ctx->outgoing)
                  >= ngx_min(NGX_HTTP_KTP_STREAM_PENDING, ctx->call.part);
}


void
ngx_http_ktp_send_abort(ngx_http_ktp_ctx_t *ctx)
{
    if (ctx->calling) {
        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "ktp send: aborted");

        ngx_http_ktp_transport_abort(&ctx->call);
        ngx_http_ktp_peer_free(&ctx->peer, 0);
        ngx_http_ktp_breaker_leave(&ctx->breaker, NGX_HTTP_KTP_BREAKER_NOTHING,
                                   KTP_OK, ctx->request->connection->log);
        ngx_http_ktp_send_ended(ctx,
                                ngx_http_ktp_verdict_billed(&ctx->call, ""));
    }
}


static void
ngx_http_ktp_send_cleanup(void *data)
{
    ngx_http_ktp_send_abort(data);
}


static ktp_code_t
ngx_http_ktp_send_start(ngx_http_request_t *r, off_t length)
{
    uint64_t                 wait;
    ngx_int_t                rc;
    ktp_code_t               code;
    ngx_http_cleanup_t      *cln;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    call = &ctx->call;

    call->headers = ngx_http_ktp_fields(r, r->pool, klcf);
    if (call->headers == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    call->upstream = klcf->upstream;
    call->pool = r->pool;
    call->log = r->connection->log;
    call->share = ngx_http_ktp_quota_share(ctx);
    call->timeout = ngx_min(ngx_http_ktp_flight_time(ctx), klcf->timeout);
    call->body_length = length;
    call->read = ngx_http_ktp_send_read;
    call->rewind = ngx_http_ktp_send_rewind;
    call->done = ngx_http_ktp_send_done;
    call->data = ctx;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_ktp_send_cleanup;
    cln->data = ctx;

    wait = ngx_http_ktp_breaker_enter(&klcf->breaker, &ctx->breaker,
                                      klcf->timeout, call->log);
    if (wait) {
        return ngx_http_ktp_send_broken(ctx, wait);
    }

    code = ngx_http_ktp_quota_take(ctx);
    if (code != KTP_OK) {
        ngx_http_ktp_breaker_leave(&ctx->breaker, NGX_HTTP_KTP_BREAKER_NOTHING,
                                   KTP_OK, call->log);
        return code;
    }

    code = ngx_http_ktp_peer(r, klcf, &ctx->peer, call);

    if (code != KTP_OK) {
        ngx_http_ktp_breaker_leave(&ctx->breaker,
                                   code == KTP_UPSTREAM_CONNECT
                                       ? NGX_HTTP_KTP_BREAKER_FAILURE
                                       : NGX_HTTP_KTP_BREAKER_NOTHING,
                                   code, call->log);
        ngx_http_ktp_quota_settle(ctx);
        return code;
    }

    r->connection->log->action = "calling ktp upstream";

    rc = ngx_http_ktp_transport_start(call);

    if (rc != NGX_OK) {
        ngx_http_ktp_peer_free(&ctx->peer, 0);
        ngx_http_ktp_breaker_leave(&ctx->breaker, NGX_HTTP_KTP_BREAKER_NOTHING,
                                   KTP_OK, call->log);
        ngx_http_ktp_quota_settle(ctx);

        return ngx_http_ktp_verdict_start(rc);
    }

    ctx->calling = 1;
    ctx->called = 1;
    ctx->source = NGX_HTTP_KTP_SOURCE_UPSTREAM;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp send: started, %s image, length %O",
                   ctx->outgoing.open ? "streaming" : "whole", length);

    return KTP_OK;
}


/* Called from within libcurl, so the request must not be finalized here. */

static size_t
ngx_http_ktp_send_read(void *data, u_char *buf, size_t size)
{
    ngx_http_ktp_ctx_t *ctx = data;

    size_t n;

    n = ktp_outgoing_read(&ctx->outgoing, buf, size);

    if (ctx->outgoing.open) {

        if (!ngx_http_ktp_send_full(ctx->request)) {
            ngx_http_ktp_body_resume(ctx->request);
        }

        return n ? n : NGX_HTTP_KTP_READ_AGAIN;
    }

    if (ctx->outgoing.written == ctx->outgoing.length) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "ktp send: last byte of %uL handed out",
                       (uint64_t) ctx->outgoing.length);

        ngx_http_ktp_quota_sent(ctx);
        ngx_http_ktp_flight_sent(ctx);

        if (ctx->call.body_length >= 0 && !ctx->keep) {

            /* the call cannot be repeated: the image is no longer needed */

            ktp_store_free(&ctx->store);
        }
    }

    return n;
}


static ngx_int_t
ngx_http_ktp_send_rewind(void *data)
{
    ngx_http_ktp_ctx_t *ctx = data;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp send: back to the first byte");

    return ktp_outgoing_rewind(&ctx->outgoing) == 0 ? NGX_OK : NGX_DECLINED;
}


/* The call has ended, be it by an abort. */

static void
ngx_http_ktp_send_ended(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_billed_t billed)
{
    ctx->calling = 0;
    ctx->streaming = 0;
    ctx->billed = billed;

    if (!ctx->keep) {
        ktp_store_free(&ctx->store);
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp send: ended, status %ui, attempts %ui, billed %s",
                   ctx->call.status, ctx->call.retries + 1,
                   ngx_http_ktp_outcome_billed(ctx->billed));

    ngx_http_ktp_quota_settle(ctx);
}


static void
ngx_http_ktp_send_done(void *data, ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_ctx_t *ctx = data;

    ngx_str_t                    body;
    ngx_connection_t            *c;
    ngx_http_request_t          *r;
    ngx_http_ktp_verdict_t       verdict;
    ngx_http_ktp_breaker_event_t event;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    /* others have masks of their own */

    body = call->body;

    ngx_http_ktp_verdict(r, call, &verdict);
    event = ngx_http_ktp_send_event(ctx, &verdict);

    ngx_http_ktp_peer_free(&ctx->peer, event == NGX_HTTP_KTP_BREAKER_FAILURE);
    ngx_http_ktp_breaker_leave(&ctx->breaker, event, verdict.reason, c->log);
    ngx_http_ktp_send_ended(ctx, verdict.billed);

    ctx->call_outcome = verdict.outcome;
    ctx->sent(r, &verdict, &body);

    ngx_http_run_posted_requests(c);
}


/*
 * What the call says about its upstream.  A status from 400 to 499 is about
 * the request, the keys or the rate: the upstream works.
 */

static ngx_http_ktp_breaker_event_t
ngx_http_ktp_send_event(ngx_http_ktp_ctx_t           *ctx,
                        const ngx_http_ktp_verdict_t *v)
{
    ngx_http_ktp_call_t *call;

    call = &ctx->call;

    switch (call->result) {

    case NGX_HTTP_KTP_CALL_OK:
        if (v->code == KTP_INTERNAL_SERVER_ERROR) {
            return NGX_HTTP_KTP_BREAKER_NOTHING;
        }

        return v->outcome == NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR
                       && (call->status < NGX_HTTP_BAD_REQUEST
                           || call->status >= NGX_HTTP_INTERNAL_SERVER_ERROR)
                   ? NGX_HTTP_KTP_BREAKER_FAILURE
                   : NGX_HTTP_KTP_BREAKER_SUCCESS;

    case NGX_HTTP_KTP_CALL_BUSY:
    case NGX_HTTP_KTP_CALL_STOPPED:
        return NGX_HTTP_KTP_BREAKER_NOTHING;

    case NGX_HTTP_KTP_CALL_TIMEOUT:

        /* a body that its client sends slowly */

        return ctx->outgoing.open && call->bytes_sent
                   ? NGX_HTTP_KTP_BREAKER_NOTHING
                   : NGX_HTTP_KTP_BREAKER_FAILURE;

    default:
        return NGX_HTTP_KTP_BREAKER_FAILURE;
    }
}
