#include "ngx_http_ktp_ask.h"
#include "ngx_http_ktp_fields.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_peer.h"
#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_verdict.h"


static ktp_code_t ngx_http_ktp_ask_call(ngx_http_ktp_ask_t *ask);
static size_t     ngx_http_ktp_ask_read(void *data, u_char *buf, size_t size);
static ngx_int_t  ngx_http_ktp_ask_rewind(void *data);
static void       ngx_http_ktp_ask_done(void *data, ngx_http_ktp_call_t *call);
static void       ngx_http_ktp_ask_leave(ngx_http_ktp_ask_t          *ask,
                                         ngx_http_ktp_breaker_event_t event,
                                         ktp_code_t                   reason);


ngx_http_ktp_ask_t *
ngx_http_ktp_ask_create(ngx_http_request_t            *r,
                        const ngx_http_ktp_answerer_t *answerer,
                        ngx_pool_t *pool, ngx_log_t *log)
{
    ngx_msec_t           left;
    ngx_http_ktp_ctx_t  *ctx;
    ngx_http_ktp_ask_t  *ask;
    ngx_http_ktp_call_t *call;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ask = ngx_pcalloc(pool, sizeof(ngx_http_ktp_ask_t));
    if (ask == NULL) {
        return NULL;
    }

    ask->answerer = answerer;
    ask->request = r;
    ngx_http_ktp_ctx_request(ctx, &ask->options);

    left = ngx_http_ktp_flight_time(ctx);
    call = &ask->call;

    call->upstream = &answerer->upstream;
    call->pool = pool;
    call->log = log;
    call->timeout = left ? ngx_min(left, call->upstream->timeout) : 0;
    call->share = ngx_http_ktp_quota_share(ctx);
    call->read = ngx_http_ktp_ask_read;
    call->rewind = ngx_http_ktp_ask_rewind;
    call->done = ngx_http_ktp_ask_done;
    call->data = ask;
    call->headers = ngx_http_ktp_fields(r, pool, answerer->klcf);

    return call->headers ? ask : NULL;
}


ktp_code_t
ngx_http_ktp_ask_start(ngx_http_ktp_ask_t *ask, const ktp_store_t *store)
{
    uint64_t             wait;
    ktp_code_t           code;
    ngx_uint_t           level;
    ngx_http_ktp_call_t *call;

    call = &ask->call;

    ktp_outgoing_init(&ask->outgoing, store, &ask->options);
    call->body_length = ask->outgoing.length;

    wait = ngx_http_ktp_breaker_enter(&ask->answerer->klcf->breaker,
                                      &ask->breaker, call->upstream->timeout,
                                      call->log);

    code = wait ? KTP_BREAKER_OPEN : ngx_http_ktp_ask_call(ask);

    if (code != KTP_OK) {
        ngx_http_ktp_ask_leave(ask,
                               code == KTP_UPSTREAM_CONNECT
                                   ? NGX_HTTP_KTP_BREAKER_FAILURE
                                   : NGX_HTTP_KTP_BREAKER_NOTHING,
                               code);

        /* an open breaker has logged why */

        level = wait ? NGX_LOG_INFO : NGX_LOG_ERR;

        ngx_log_error(level, call->log, 0,
                      "call was not made (%s), upstream: \"%V\"",
                      ktp_error(code)->reason, &call->upstream->name);
        return code;
    }

    ask->calling = 1;

    return KTP_OK;
}


static ktp_code_t
ngx_http_ktp_ask_call(ngx_http_ktp_ask_t *ask)
{
    ktp_code_t           code;
    ngx_http_ktp_call_t *call;

    call = &ask->call;

    if (ask->request) {
        code = ngx_http_ktp_peer(ask->request, ask->answerer->klcf, &ask->peer,
                                 call);
        if (code != KTP_OK) {
            return code;
        }
    }

    return ngx_http_ktp_verdict_start(ngx_http_ktp_transport_start(call));
}


void
ngx_http_ktp_ask_abort(ngx_http_ktp_ask_t *ask)
{
    if (ask->calling) {
        ask->calling = 0;
        ngx_http_ktp_transport_abort(&ask->call);
        ngx_http_ktp_ask_leave(ask, NGX_HTTP_KTP_BREAKER_NOTHING, KTP_OK);
    }
}


static size_t
ngx_http_ktp_ask_read(void *data, u_char *buf, size_t size)
{
    ngx_http_ktp_ask_t *ask = data;

    return ktp_outgoing_read(&ask->outgoing, buf, size);
}


static ngx_int_t
ngx_http_ktp_ask_rewind(void *data)
{
    ngx_http_ktp_ask_t *ask = data;

    return ktp_outgoing_rewind(&ask->outgoing) == 0 ? NGX_OK : NGX_DECLINED;
}


static void
ngx_http_ktp_ask_done(void *data, ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_ask_t *ask = data;

    ktp_code_t reason;

    reason = ngx_http_ktp_verdict_cause(call);

    ask->calling = 0;
    ngx_http_ktp_ask_leave(ask,
                           reason == KTP_OK ? NGX_HTTP_KTP_BREAKER_SUCCESS
                           : call->result == NGX_HTTP_KTP_CALL_BUSY
                               ? NGX_HTTP_KTP_BREAKER_NOTHING
                               : NGX_HTTP_KTP_BREAKER_FAILURE,
                           reason);

    ask->done(ask);
}


static void
ngx_http_ktp_ask_leave(ngx_http_ktp_ask_t          *ask,
                       ngx_http_ktp_breaker_event_t event, ktp_code_t reason)
{
    ngx_http_ktp_peer_free(&ask->peer, event == NGX_HTTP_KTP_BREAKER_FAILURE);
    ngx_http_ktp_breaker_leave(&ask->breaker, event, reason, ask->call.log);
}
