#include "ngx_http_ktp_sandbox.h"
#include "ktp_sandbox.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_headers.h"


/* Seconds after which a client may repeat a request that gets 429. */
#define NGX_HTTP_KTP_SANDBOX_RETRY 1

typedef struct {
    ngx_http_request_t *request;
    ngx_event_t         timer;
    ktp_code_t          code; /* KTP_OK: the upstream's, in the call */
} ngx_http_ktp_sandbox_t;


static ktp_code_t ngx_http_ktp_sandbox_call(ngx_http_request_t      *r,
                                            const ktp_sandbox_row_t *row);
static void       ngx_http_ktp_sandbox_cleanup(void *data);
static void       ngx_http_ktp_sandbox_timer(ngx_event_t *ev);
static ktp_code_t ngx_http_ktp_sandbox_headers(ngx_http_request_t *r,
                                               ktp_code_t          code);
static ngx_http_ktp_outcome_t ngx_http_ktp_sandbox_outcome(ktp_code_t code);


ktp_code_t
ngx_http_ktp_sandbox(ngx_http_request_t *r,
                     void (*done)(void *data, ngx_http_ktp_call_t *call))
{
    ktp_code_t               code;
    ngx_msec_t               timeout, delay;
    ktp_sandbox_t            answer;
    ngx_http_cleanup_t      *cln;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_sandbox_t  *sandbox;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ktp_store_free(&ctx->store);

    sandbox = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_sandbox_t));
    if (sandbox == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ktp_sandbox_select(ktp_intake_request(ctx->intake)->reference_id, &answer);

    code = ngx_http_ktp_sandbox_call(r, answer.row);
    if (code != KTP_OK) {
        return code;
    }

    ctx->call.done = done;
    ctx->call.data = ctx;

    timeout = ngx_http_ktp_flight_time(ctx);

    if (timeout == 0) {
        timeout = klcf->timeout;
    }

    if (answer.seconds >= timeout / 1000 + 1) {
        answer.code = KTP_GATEWAY_TIMEOUT;
        delay = timeout;

    } else {
        delay = (ngx_msec_t) answer.seconds * 1000;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_ktp_sandbox_cleanup;
    cln->data = sandbox;

    sandbox->request = r;
    sandbox->code = answer.code;
    sandbox->timer.handler = ngx_http_ktp_sandbox_timer;
    sandbox->timer.data = r->connection;
    sandbox->timer.log = r->connection->log;

    ctx->source = NGX_HTTP_KTP_SOURCE_SANDBOX;
    r->connection->log->action = "waiting for an answer of the ktp sandbox";

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp sandbox: answers in %M ms", delay);

    ngx_add_timer(&sandbox->timer, delay);

    return KTP_OK;
}


/* Sets the results of a call whose answer is that row. */

static ktp_code_t
ngx_http_ktp_sandbox_call(ngx_http_request_t *r, const ktp_sandbox_row_t *row)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    call = &ctx->call;

    call->body.data = ngx_pnalloc(r->pool, KTP_SANDBOX_BODY);
    if (call->body.data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    call->body.len =
        ktp_sandbox_write(row, ktp_intake_request(ctx->intake)->reference_id,
                          (char *) call->body.data);
    if (call->body.len == 0) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    call->upstream = klcf->upstream;
    call->pool = r->pool;
    call->log = r->connection->log;
    call->result = NGX_HTTP_KTP_CALL_OK;
    call->status = row->status;
    ngx_str_set(&call->content_type, "application/json");

    return KTP_OK;
}


static void
ngx_http_ktp_sandbox_cleanup(void *data)
{
    ngx_http_ktp_sandbox_t *sandbox = data;

    if (sandbox->timer.timer_set) {
        ngx_del_timer(&sandbox->timer);
    }
}


static void
ngx_http_ktp_sandbox_timer(ngx_event_t *ev)
{
    ktp_code_t              code;
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_ktp_ctx_t     *ctx;
    ngx_http_ktp_sandbox_t *sandbox;

    sandbox = ngx_queue_data(ev, ngx_http_ktp_sandbox_t, timer);
    r = sandbox->request;
    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ngx_http_set_log_request(c->log, r);

    code = sandbox->code;

    if (code == KTP_OK) {
        ctx->call.done(ctx, &ctx->call);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0, "sandbox answers with %ui %s, %s",
                  (ngx_uint_t) ktp_error(code)->status, ktp_error(code)->name,
                  ktp_error(code)->reason);

    code = ngx_http_ktp_sandbox_headers(r, code);

    ctx->reason = code;
    ngx_http_ktp_ctx_set_outcome(ctx, ngx_http_ktp_sandbox_outcome(code));

    ngx_http_ktp_flight_leave(ctx);
    ngx_http_ktp_answer_error(r, code);

    ngx_http_run_posted_requests(c);
}


/* Those that an error has, beside what each answer with its status has. */

static ktp_code_t
ngx_http_ktp_sandbox_headers(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_int_t rc;

    switch (ktp_error(code)->status) {

    case NGX_HTTP_UNAUTHORIZED:
        rc = ngx_http_ktp_headers_challenge(r);
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        rc = ngx_http_ktp_headers_retry_after(r, NGX_HTTP_KTP_SANDBOX_RETRY);
        break;

    default:
        rc = NGX_OK;
    }

    return rc == NGX_OK ? code : KTP_INTERNAL_SERVER_ERROR;
}


/* The outcome of a request that gets this error. */

static ngx_http_ktp_outcome_t
ngx_http_ktp_sandbox_outcome(ktp_code_t code)
{
    switch (ktp_error(code)->kind) {

    case KTP_UNAUTHORIZED:
    case KTP_FORBIDDEN:
        return NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED;

    case KTP_INSUFFICIENT_QUOTA:
        return NGX_HTTP_KTP_OUTCOME_QUOTA;

    case KTP_BAD_GATEWAY:
        return NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR;

    case KTP_GATEWAY_TIMEOUT:
        return NGX_HTTP_KTP_OUTCOME_TIMEOUT;

    default:
        return NGX_HTTP_KTP_OUTCOME_REJECTED;
    }
}
