/*
 * The order of answerers, as a state machine.  A state whose directive the
 * location does not have goes on at once; its call not being made is the same
 * as its call failing.
 *
 *   state      event                                          next
 *   ---------  ---------------------------------------------  --------
 *   PRECHECK   refuses the image                              END (1)
 *              passes it, is not sure, failed, is a shadow    FIRST
 *   FIRST      is sure of all fields that are asked for       END (1)
 *              is not, failed                                 UPSTREAM
 *   UPSTREAM   answered: fields, or an error of the image     END (1)
 *              failed in a case that "on=" of FALLBACK names  FALLBACK
 *              failed in another way                          END (2)
 *   FALLBACK   answered: fields, or an error of the image     END (1)
 *              failed                                         END (2)
 *
 *   (1) its answer goes to the client
 *   (2) the upstream's failure does
 *
 * The image is kept until the last state that may need it.  Joined requests
 * get what the leader's client gets.  Whoever leaves ends what is in progress.
 * The upstream's answer may then be compared by ngx_http_ktp_shadow.c.
 */

#include "ngx_http_ktp_answerers.h"
#include "ktp_local.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_ask.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_outcome.h"
#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_send.h"
#include "ngx_http_ktp_shadow.h"
#include "ngx_http_ktp_verdict.h"


/* States; those of roles have the numbers of roles, but for UPSTREAM. */
typedef enum {
    NGX_HTTP_KTP_ANSWERERS_PRECHECK = 0,
    NGX_HTTP_KTP_ANSWERERS_FIRST,
    NGX_HTTP_KTP_ANSWERERS_UPSTREAM,
    NGX_HTTP_KTP_ANSWERERS_FALLBACK
} ngx_http_ktp_answerers_state_t;

/* The upstream's failure, while its fallback is asked. */
typedef struct {
    ktp_code_t             code; /* no call was made; or KTP_OK, and: */
    ngx_http_ktp_verdict_t verdict;
    ktp_answer_t           answer;
    ngx_str_t              body;
} ngx_http_ktp_failure_t;


static ngx_http_ktp_answerer_t *
ngx_http_ktp_answerers_role(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_role_t role);
static void       ngx_http_ktp_answerers_keep(ngx_http_ktp_ctx_t *ctx);
static ktp_code_t ngx_http_ktp_answerers_run(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_answerers_ask(ngx_http_request_t *r,
                                             ngx_http_ktp_role_t role);
static void       ngx_http_ktp_answerers_cleanup(void *data);
static void       ngx_http_ktp_answerers_asked(ngx_http_ktp_ask_t *ask);
static void       ngx_http_ktp_answerers_precheck(ngx_http_ktp_ctx_t *ctx);
static void       ngx_http_ktp_answerers_first(ngx_http_ktp_ctx_t *ctx);
static void       ngx_http_ktp_answerers_fallback(ngx_http_ktp_ctx_t *ctx);
static void       ngx_http_ktp_answerers_next(ngx_http_ktp_ctx_t *ctx);
static ngx_int_t  ngx_http_ktp_answerers_local(ngx_http_ktp_ctx_t   *ctx,
                                               ngx_http_ktp_source_t source);
static void       ngx_http_ktp_answerers_upstream(ngx_http_request_t     *r,
                                                  ngx_http_ktp_verdict_t *verdict,
                                                  ngx_str_t              *body);
static ktp_code_t ngx_http_ktp_answerers_failed(ngx_http_ktp_ctx_t *ctx);
static ngx_uint_t
            ngx_http_ktp_answerers_case(const ngx_http_ktp_call_t    *call,
                                        const ngx_http_ktp_verdict_t *verdict);
static void ngx_http_ktp_answerers_end(ngx_http_request_t     *r,
                                       ngx_http_ktp_call_t    *call,
                                       ngx_http_ktp_verdict_t *verdict,
                                       ngx_str_t              *body);
static ngx_uint_t
            ngx_http_ktp_answerers_stored(ngx_http_ktp_ctx_t           *ctx,
                                          const ngx_http_ktp_verdict_t *v);
static void ngx_http_ktp_answerers_send(ngx_http_request_t     *r,
                                        ngx_http_ktp_call_t    *call,
                                        ngx_http_ktp_verdict_t *verdict);


ktp_code_t
ngx_http_ktp_answerers(ngx_http_request_t *r)
{
    ktp_code_t               code;
    ngx_connection_t        *c;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ctx->image_size = ctx->store.size;
    ctx->state = NGX_HTTP_KTP_ANSWERERS_PRECHECK;

    ngx_http_ktp_answerers_keep(ctx);

    code = ngx_http_ktp_answerers_run(r);

    if (code != KTP_OK) {
        return code;
    }

    /*
     * the client closing the connection ends the request and the call, unless
     * others wait for it
     */

    r->read_event_handler = klcf->ignore_client_abort
                                ? ngx_http_block_reading
                                : ngx_http_ktp_flight_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    return KTP_OK;
}


ktp_code_t
ngx_http_ktp_answerers_part(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;
    ngx_http_ktp_role_t role;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    for (role = 0; role < NGX_HTTP_KTP_ROLES; role++) {
        if (ngx_http_ktp_answerers_role(ctx, role)) {
            return KTP_OK;
        }
    }

    return ngx_http_ktp_send_part(r, ngx_http_ktp_answerers_upstream);
}


/* Who has that role in the location of a request, or NULL. */

static ngx_http_ktp_answerer_t *
ngx_http_ktp_answerers_role(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_role_t role)
{
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);

    return klcf->sandbox ? NULL : klcf->answerer[role];
}


/* Decides whether the image is needed when the upstream has it. */

static void
ngx_http_ktp_answerers_keep(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_answerer_t *shadow;

    shadow = ngx_http_ktp_answerers_role(ctx, NGX_HTTP_KTP_SHADOW);

    ctx->sampled = shadow && (ngx_uint_t) ngx_random() % 100 < shadow->sample;
    ctx->keep = ctx->sampled
                || ngx_http_ktp_answerers_role(ctx, NGX_HTTP_KTP_FALLBACK);
}


/* Starts the call of the state, or of one that follows. */

static ktp_code_t
ngx_http_ktp_answerers_run(ngx_http_request_t *r)
{
    ktp_code_t               code;
    ngx_uint_t               failed;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_failure_t  *failure;
    ngx_http_ktp_answerer_t *fallback;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ctx->state == NGX_HTTP_KTP_ANSWERERS_PRECHECK) {

        if (ngx_http_ktp_answerers_ask(r, NGX_HTTP_KTP_PRECHECK) == KTP_OK) {
            return KTP_OK;
        }

        ctx->state = NGX_HTTP_KTP_ANSWERERS_FIRST;
    }

    if (ctx->state == NGX_HTTP_KTP_ANSWERERS_FIRST) {

        if (ngx_http_ktp_answerers_ask(r, NGX_HTTP_KTP_FIRST) == KTP_OK) {
            return KTP_OK;
        }

        ctx->state = NGX_HTTP_KTP_ANSWERERS_UPSTREAM;
    }

    if (ctx->state == NGX_HTTP_KTP_ANSWERERS_UPSTREAM) {

        code = ngx_http_ktp_quota_reserve(ctx, ngx_http_ktp_answerers_next);

        if (code == KTP_OK && !ctx->reserving) {
            code = ngx_http_ktp_send(r, ngx_http_ktp_answerers_upstream);
        }

        if (code == KTP_OK) {
            return KTP_OK;
        }

        if (!ctx->calling) {
            ngx_http_ktp_quota_settle(ctx);
        }

        failed = code == KTP_BREAKER_OPEN       ? NGX_HTTP_KTP_CASE_BREAKER
                 : code == KTP_UPSTREAM_CONNECT ? NGX_HTTP_KTP_CASE_CONNECT
                                                : 0;

        fallback = ngx_http_ktp_answerers_role(ctx, NGX_HTTP_KTP_FALLBACK);

        if (fallback == NULL || !(fallback->cases & failed)) {
            return code;
        }

        failure = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_failure_t));
        if (failure == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }

        failure->code = code;
        ctx->failure = failure;
        ctx->state = NGX_HTTP_KTP_ANSWERERS_FALLBACK;
    }

    if (ngx_http_ktp_answerers_ask(r, NGX_HTTP_KTP_FALLBACK) == KTP_OK) {
        return KTP_OK;
    }

    return ngx_http_ktp_answerers_failed(ctx);
}


/* KTP_OK: a call is in progress. */

static ktp_code_t
ngx_http_ktp_answerers_ask(ngx_http_request_t *r, ngx_http_ktp_role_t role)
{
    ktp_code_t               code;
    ngx_http_cleanup_t      *cln;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_ask_t      *ask;
    ngx_http_ktp_answerer_t *answerer;

    static char *actions[] = {
        [NGX_HTTP_KTP_PRECHECK] = "asking ktp_precheck",
        [NGX_HTTP_KTP_FIRST] = "asking ktp_first",
        [NGX_HTTP_KTP_FALLBACK] = "asking ktp_fallback",
    };

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    answerer = ngx_http_ktp_answerers_role(ctx, role);

    if (answerer == NULL) {
        return KTP_SERVICE_UNAVAILABLE;
    }

    r->connection->log->action = actions[role];

    ask = ngx_http_ktp_ask_create(r, answerer, r->pool, r->connection->log);
    cln = ngx_http_cleanup_add(r, 0);

    if (ask == NULL || cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ask->done = ngx_http_ktp_answerers_asked;
    ask->data = ctx;
    ctx->ask = ask;

    cln->handler = ngx_http_ktp_answerers_cleanup;
    cln->data = ask;

    code = ngx_http_ktp_ask_start(ask, &ctx->store);

    if (code != KTP_OK && role == NGX_HTTP_KTP_PRECHECK) {
        ctx->checked = NGX_HTTP_KTP_CHECK_FAILED;
    }

    return code;
}


static void
ngx_http_ktp_answerers_cleanup(void *data)
{
    ngx_http_ktp_ask_t *ask = data;

    ngx_http_ktp_ask_abort(ask);
}


static void
ngx_http_ktp_answerers_asked(ngx_http_ktp_ask_t *ask)
{
    ngx_connection_t   *c;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ask->data;
    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    switch (ctx->state) {

    case NGX_HTTP_KTP_ANSWERERS_PRECHECK:
        ngx_http_ktp_answerers_precheck(ctx);
        break;

    case NGX_HTTP_KTP_ANSWERERS_FIRST:
        ngx_http_ktp_answerers_first(ctx);
        break;

    default: /* NGX_HTTP_KTP_ANSWERERS_FALLBACK */
        ngx_http_ktp_answerers_fallback(ctx);
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_ktp_answerers_precheck(ngx_http_ktp_ctx_t *ctx)
{
    u_char              *p;
    ngx_uint_t           status;
    ktp_request_t        request;
    ktp_local_check_t    check;
    ngx_http_ktp_call_t *call;

    call = &ctx->ask->call;
    status = 0;

    ctx->checked = NGX_HTTP_KTP_CHECK_FAILED;

    if (ngx_http_ktp_verdict_local(call) == KTP_OK) {

        if (ktp_local_check(&check, (char *) call->body.data, call->body.len)
            == 0) {
            ngx_http_ktp_ctx_request(ctx, &request);

            status = ktp_local_refuse(
                &check, request.validate_quality == KTP_FLAG_TRUE
                            && request.is_quality != KTP_FLAG_FALSE);

            ctx->checked = status           ? NGX_HTTP_KTP_CHECK_REFUSED
                           : check.detected ? NGX_HTTP_KTP_CHECK_PASSED
                                            : NGX_HTTP_KTP_CHECK_UNSURE;

        } else {
            ngx_log_error(NGX_LOG_ERR, call->log, 0,
                          "upstream response is no answer to \"?check=1\": "
                          "%ui, %uz bytes, upstream: \"%V\"",
                          call->status, call->body.len, &call->upstream->name);
        }
    }

    if (status && !ctx->ask->answerer->shadow) {
        p = ngx_pnalloc(call->pool, KTP_LOCAL_REFUSAL);

        if (p) {
            call->status = status;
            call->body.data = p;
            call->body.len = ktp_local_refusal(
                &check, status, ktp_intake_request(ctx->intake)->reference_id,
                (char *) p);

            if (ngx_http_ktp_answerers_local(ctx, NGX_HTTP_KTP_SOURCE_PRECHECK)
                == NGX_OK) {
                return;
            }
        }
    }

    ctx->state = NGX_HTTP_KTP_ANSWERERS_FIRST;
    ngx_http_ktp_answerers_next(ctx);
}


static void
ngx_http_ktp_answerers_first(ngx_http_ktp_ctx_t *ctx)
{
    unsigned                       fields;
    const char                    *doubt;
    ktp_answer_policy_t            policy;
    ngx_http_ktp_call_t           *call;
    ngx_http_ktp_loc_conf_t       *klcf;
    const ngx_http_ktp_answerer_t *answerer;

    call = &ctx->ask->call;
    answerer = ctx->ask->answerer;

    if (ngx_http_ktp_verdict_local(call) == KTP_OK) {
        klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);
        ngx_http_ktp_policy(klcf, ctx->client_conf, &policy);

        fields = answerer->fields ? answerer->fields : policy.fields;

        doubt = call->status == NGX_HTTP_OK
                    ? ktp_local_doubt((char *) call->body.data, call->body.len,
                                      fields, answerer->confidence)
                    : "no card was read";

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0, "ktp first: %s",
                       doubt ? doubt : "sure");

        if (doubt == NULL
            && ngx_http_ktp_answerers_local(ctx, NGX_HTTP_KTP_SOURCE_FIRST)
                   == NGX_OK) {
            return;
        }
    }

    ngx_explicit_memzero(call->body.data, call->body.len);

    ctx->state = NGX_HTTP_KTP_ANSWERERS_UPSTREAM;
    ngx_http_ktp_answerers_next(ctx);
}


static void
ngx_http_ktp_answerers_fallback(ngx_http_ktp_ctx_t *ctx)
{
    ktp_code_t code;

    if (ngx_http_ktp_answerers_local(ctx, NGX_HTTP_KTP_SOURCE_FALLBACK)
        == NGX_OK) {
        return;
    }

    code = ngx_http_ktp_answerers_failed(ctx);

    if (code != KTP_OK) {
        ngx_http_ktp_answerers_fail(ctx->request, code);
    }
}


static void
ngx_http_ktp_answerers_next(ngx_http_ktp_ctx_t *ctx)
{
    ktp_code_t code;

    code = ngx_http_ktp_answerers_run(ctx->request);

    if (code != KTP_OK) {
        ngx_http_ktp_answerers_fail(ctx->request, code);
    }
}


/*
 * Answers the client with the call that has ended.  NGX_DECLINED: it is no
 * answer, which is logged, and nothing has changed.
 */

static ngx_int_t
ngx_http_ktp_answerers_local(ngx_http_ktp_ctx_t   *ctx,
                             ngx_http_ktp_source_t source)
{
    ngx_str_t              body;
    ktp_answer_t           answer;
    ngx_http_ktp_call_t   *call;
    ngx_http_ktp_verdict_t verdict;

    call = &ctx->ask->call;
    body = call->body;
    answer = ctx->answer;

    ngx_memzero(&ctx->answer, sizeof(ktp_answer_t));
    ctx->local = 1;

    ngx_http_ktp_verdict(ctx->request, call, &verdict);

    if (verdict.code == KTP_OK
        && ngx_http_ktp_outcome_is_answer(verdict.outcome)) {

        /* what the upstream may have said is not sent */

        ngx_explicit_memzero((void *) answer.body, answer.len);

        ctx->source = source;
        ngx_http_ktp_answerers_end(ctx->request, call, &verdict, &body);

        return NGX_OK;
    }

    ngx_explicit_memzero(body.data, body.len);

    ctx->answer = answer;
    ctx->local = 0;

    return NGX_DECLINED;
}


static void
ngx_http_ktp_answerers_upstream(ngx_http_request_t     *r,
                                ngx_http_ktp_verdict_t *verdict,
                                ngx_str_t              *body)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_failure_t  *failure;
    ngx_http_ktp_answerer_t *fallback;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    fallback = ngx_http_ktp_answerers_role(ctx, NGX_HTTP_KTP_FALLBACK);

    if (fallback
        && (fallback->cases
            & ngx_http_ktp_answerers_case(&ctx->call, verdict))) {

        failure = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_failure_t));

        if (failure) {
            failure->verdict = *verdict;
            failure->body = *body;
            ctx->failure = failure;
            ctx->state = NGX_HTTP_KTP_ANSWERERS_FALLBACK;
            ngx_http_ktp_answerers_next(ctx);
            return;
        }
    }

    ngx_http_ktp_answerers_end(r, &ctx->call, verdict, body);
}


/*
 * The case of "on=" that a call which has ended is; 0 if it is an answer, or a
 * failure of this module.
 */

static ngx_uint_t
ngx_http_ktp_answerers_case(const ngx_http_ktp_call_t    *call,
                            const ngx_http_ktp_verdict_t *verdict)
{
    if (ngx_http_ktp_outcome_is_answer(verdict->outcome)
        || verdict->code == KTP_INTERNAL_SERVER_ERROR
        || call->result == NGX_HTTP_KTP_CALL_BUSY) {
        return 0;
    }

    if (verdict->outcome == NGX_HTTP_KTP_OUTCOME_UPSTREAM_REFUSED
        || verdict->outcome == NGX_HTTP_KTP_OUTCOME_UPSTREAM_LIMITED) {
        return NGX_HTTP_KTP_CASE_REFUSED;
    }

    if (call->result != NGX_HTTP_KTP_CALL_OK && !call->handed_out) {
        return NGX_HTTP_KTP_CASE_CONNECT;
    }

    return call->result == NGX_HTTP_KTP_CALL_TIMEOUT
               ? NGX_HTTP_KTP_CASE_TIMEOUT
               : NGX_HTTP_KTP_CASE_ERROR;
}


/* Nobody else can be asked: answers with the upstream's failure. */

static ktp_code_t
ngx_http_ktp_answerers_failed(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_failure_t *failure;

    failure = ctx->failure;

    if (failure->code != KTP_OK) {
        return failure->code;
    }

    ngx_http_ktp_answerers_end(ctx->request, &ctx->call, &failure->verdict,
                               &failure->body);
    return KTP_OK;
}


/* Answers the client, and all that have joined. */

static void
ngx_http_ktp_answerers_end(ngx_http_request_t *r, ngx_http_ktp_call_t *call,
                           ngx_http_ktp_verdict_t *verdict, ngx_str_t *body)
{
    ngx_uint_t             stored;
    ngx_http_ktp_ctx_t    *ctx;
    ngx_http_ktp_shadow_t *shadow;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    stored = !ctx->local && ngx_http_ktp_answerers_stored(ctx, verdict);

    ngx_http_ktp_flight_land(ctx, call, body, stored);

    shadow = NULL;

    if (ctx->sampled && stored
        && verdict->outcome != NGX_HTTP_KTP_OUTCOME_BAD_QUALITY) {
        shadow = ngx_http_ktp_shadow_create(
            r, ngx_http_ktp_answerers_role(ctx, NGX_HTTP_KTP_SHADOW), body);
    }

    ktp_store_free(&ctx->store);

    if (r->reading_body) {

        /* the call ended before the body is complete */

        ngx_http_ktp_body_stop(r);
    }

    ngx_http_ktp_answerers_send(r, call, verdict);

    /* the request may be gone */

    if (shadow) {
        ngx_http_ktp_shadow_start(shadow);
    }
}


/* 1 if the answer is about the image, and would be the same again. */

static ngx_uint_t
ngx_http_ktp_answerers_stored(ngx_http_ktp_ctx_t           *ctx,
                              const ngx_http_ktp_verdict_t *v)
{
    return v->outcome == NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED
               ? ngx_strcmp(ctx->answer.error_code,
                            ktp_error(KTP_NOT_DETECTED)->name)
                     == 0
               : ngx_http_ktp_outcome_is_answer(v->outcome);
}


void
ngx_http_ktp_answerers_replay(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t    *ctx;
    ngx_http_ktp_verdict_t verdict;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ktp_store_free(&ctx->store);

    ngx_http_ktp_verdict(r, &ctx->call, &verdict);

    ctx->saved = verdict.billed != NGX_HTTP_KTP_BILLED_NO;

    ngx_http_ktp_answerers_send(r, &ctx->call, &verdict);
}


static void
ngx_http_ktp_answerers_send(ngx_http_request_t *r, ngx_http_ktp_call_t *call,
                            ngx_http_ktp_verdict_t *verdict)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    /* it concerns the client, whatever becomes of the response */

    if ((call->status == NGX_HTTP_TOO_MANY_REQUESTS
         || call->status == NGX_HTTP_SERVICE_UNAVAILABLE)
        && ngx_http_ktp_headers_retry_after(r, call->retry_after) != NGX_OK) {
        verdict->code = KTP_INTERNAL_SERVER_ERROR;
    }

    ctx->reason = verdict->reason;
    ngx_http_ktp_ctx_set_outcome(ctx, verdict->outcome);

    if (verdict->code == KTP_OK) {
        ngx_http_ktp_answer_call(r, call);

    } else {

        /* the reason is the row with the code's status that says why */

        ngx_http_ktp_answer_error(
            r, verdict->reason == KTP_OK ? verdict->code : verdict->reason);
    }
}


void
ngx_http_ktp_answerers_fail(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (code == KTP_BREAKER_OPEN || code == KTP_UPSTREAM_CONNECT) {
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR);
    }

    ngx_http_ktp_send_abort(ctx);
    ngx_http_ktp_flight_leave(ctx);
    ngx_http_ktp_answer_error(r, code);
}
