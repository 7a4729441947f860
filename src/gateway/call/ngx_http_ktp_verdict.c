#include "ngx_http_ktp_verdict.h"
#include "ngx_http_ktp_billing.h"
#include "ngx_http_ktp_outcome.h"
#include "ngx_http_ktp_policy.h"
#include "ngx_http_ktp_reference.h"


/* Seconds between two messages that an upstream refuses calls. */
#define NGX_HTTP_KTP_REFUSAL_INTERVAL 60

/* Upstreams whose messages are limited apart from each other. */
#define NGX_HTTP_KTP_REFUSAL_UPSTREAMS 16

/* RFC 9110, 15.5.3; nginx has no name for it. */
#define NGX_HTTP_KTP_PAYMENT_REQUIRED 402

/* The code of the vendor for a "reference_id" that it has seen before. */
#define NGX_HTTP_KTP_VERDICT_EXISTS "INVALID_PAYLOAD_REFERENCE_ID_EXISTS"

/* Bytes of the upstream's Content-Type that are logged. */
#define NGX_HTTP_KTP_VERDICT_TYPE 64


static void ngx_http_ktp_verdict_failed(ngx_http_ktp_call_t    *call,
                                        ngx_http_ktp_verdict_t *verdict);
static void ngx_http_ktp_verdict_log_failed(ngx_http_ktp_call_t *call,
                                            ktp_code_t           reason);
static ktp_code_t
ngx_http_ktp_verdict_failure(const ngx_http_ktp_call_t *call);
static ngx_uint_t
ngx_http_ktp_verdict_refused(ngx_http_ktp_call_t *call, const char *code,
                             ngx_http_ktp_verdict_t *verdict);
static void       ngx_http_ktp_verdict_log_refused(ngx_http_ktp_call_t *call,
                                                   ktp_code_t           reason);
static ktp_code_t ngx_http_ktp_verdict_unusable(ngx_http_ktp_call_t *call);
static ngx_uint_t ngx_http_ktp_verdict_is_json(ngx_http_ktp_call_t *call);
static ngx_uint_t ngx_http_ktp_verdict_is_object(ngx_http_ktp_call_t *call);
static void       ngx_http_ktp_verdict_log_bad(ngx_http_ktp_call_t    *call,
                                               ngx_http_ktp_verdict_t *verdict);
static ngx_http_ktp_billed_t
                  ngx_http_ktp_verdict_answer(ngx_http_ktp_ctx_t        *ctx,
                                              const ngx_http_ktp_call_t *call);
static void       ngx_http_ktp_verdict_trim(ngx_http_ktp_call_t *call);
static ktp_code_t ngx_http_ktp_verdict_rewrite(ngx_http_request_t  *r,
                                               ngx_http_ktp_call_t *call);


void
ngx_http_ktp_verdict(ngx_http_request_t *r, ngx_http_ktp_call_t *call,
                     ngx_http_ktp_verdict_t *verdict)
{
    ktp_answer_t            *answer;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    answer = &ctx->answer;

    ngx_memzero(verdict, sizeof(ngx_http_ktp_verdict_t));

    if (call->result != NGX_HTTP_KTP_CALL_OK) {
        ngx_http_ktp_verdict_failed(call, verdict);
        return;
    }

    ngx_http_ktp_verdict_trim(call);

    verdict->reason = ngx_http_ktp_verdict_unusable(call);
    verdict->code = KTP_BAD_GATEWAY;
    verdict->outcome = NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR;

    if (verdict->reason == KTP_OK) {
        verdict->code = ngx_http_ktp_verdict_rewrite(r, call);

        if (verdict->code == KTP_INTERNAL_SERVER_ERROR) {
            verdict->billed = ngx_http_ktp_verdict_answer(ctx, call);
            return;
        }

        if (verdict->code == KTP_BAD_GATEWAY) {
            verdict->reason = KTP_UPSTREAM_UNSAFE;
        }
    }

    if (ngx_http_ktp_verdict_refused(call, answer->error_code, verdict)) {

        /* the keys that were refused are not those of the client */

        if (klcf->auth != NGX_HTTP_KTP_AUTH_OFF
            && verdict->outcome == NGX_HTTP_KTP_OUTCOME_UPSTREAM_REFUSED) {
            verdict->code = KTP_BAD_GATEWAY;
        }

    } else if (verdict->reason != KTP_OK) {
        if (verdict->reason != KTP_UPSTREAM_UNSAFE) {
            ngx_http_ktp_verdict_log_bad(call, verdict);
        }

    } else if (call->status == NGX_HTTP_OK) {
        verdict->outcome = ngx_strcmp(answer->error_code, "FAIL_ON_1") == 0
                               ? NGX_HTTP_KTP_OUTCOME_BAD_QUALITY
                               : NGX_HTTP_KTP_OUTCOME_OK;

    } else if (call->status < NGX_HTTP_INTERNAL_SERVER_ERROR
               && ktp_error_of_request(answer->error_code,
                                       ngx_strlen(answer->error_code))) {
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED;

        /* the client does not know the identifier */

        if (ngx_http_ktp_reference_derived(r)
            && ngx_strcmp(answer->error_code, NGX_HTTP_KTP_VERDICT_EXISTS)
                   == 0) {
            verdict->code = KTP_DUPLICATE_REQUEST;
        }

    } else {
        verdict->reason = KTP_UPSTREAM_STATUS;
        ngx_http_ktp_verdict_log_bad(call, verdict);
    }

    verdict->billed = ngx_http_ktp_verdict_answer(ctx, call);
}


/* There is no complete response. */

static void
ngx_http_ktp_verdict_failed(ngx_http_ktp_call_t    *call,
                            ngx_http_ktp_verdict_t *verdict)
{
    verdict->reason = ngx_http_ktp_verdict_failure(call);
    verdict->billed = ngx_http_ktp_verdict_billed(call, "");

    if (call->result == NGX_HTTP_KTP_CALL_TIMEOUT) {
        verdict->code = KTP_GATEWAY_TIMEOUT;
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_TIMEOUT;

    } else if (call->result == NGX_HTTP_KTP_CALL_BUSY) {
        verdict->code = verdict->reason;
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_REJECTED;

    } else {
        verdict->code = KTP_BAD_GATEWAY;
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR;
    }

    ngx_http_ktp_verdict_log_failed(call, verdict->reason);
}


static void
ngx_http_ktp_verdict_log_failed(ngx_http_ktp_call_t *call, ktp_code_t reason)
{
    ngx_str_t text;

    text = call->detail;

    if (text.len == 0) {
        text.data = (u_char *) call->error;
        text.len = ngx_strlen(call->error);
    }

    ngx_log_error(NGX_LOG_ERR, call->log, 0,
                  "upstream call failed (%s): %V%s, upstream: \"%V\", "
                  "address: \"%V\"",
                  ktp_error(reason)->reason, &text,
                  call->handed_out ? ", after the request was sent" : "",
                  &call->upstream->name, &call->addr);
}


ktp_code_t
ngx_http_ktp_verdict_start(ngx_int_t rc)
{
    return rc == NGX_OK      ? KTP_OK
           : rc == NGX_BUSY  ? KTP_SERVICE_UNAVAILABLE
           : rc == NGX_AGAIN ? KTP_CLIENT_BUSY
                             : KTP_INTERNAL_SERVER_ERROR;
}


ktp_code_t
ngx_http_ktp_verdict_cause(const ngx_http_ktp_call_t *call)
{
    if (call->result != NGX_HTTP_KTP_CALL_OK) {
        return ngx_http_ktp_verdict_failure(call);
    }

    return call->status >= NGX_HTTP_INTERNAL_SERVER_ERROR ? KTP_UPSTREAM_STATUS
                                                          : KTP_OK;
}


ktp_code_t
ngx_http_ktp_verdict_local(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_verdict_t verdict;

    ngx_memzero(&verdict, sizeof(ngx_http_ktp_verdict_t));

    if (call->result != NGX_HTTP_KTP_CALL_OK) {
        ngx_http_ktp_verdict_failed(call, &verdict);
        return verdict.reason;
    }

    if (ngx_http_ktp_verdict_refused(call, "", &verdict)) {
        return verdict.reason;
    }

    verdict.code = KTP_BAD_GATEWAY;
    verdict.reason = ngx_http_ktp_verdict_unusable(call);

    if (verdict.reason == KTP_OK) {
        verdict.reason = ngx_http_ktp_verdict_cause(call);
    }

    if (verdict.reason != KTP_OK) {
        ngx_http_ktp_verdict_log_bad(call, &verdict);
    }

    return verdict.reason;
}


static ktp_code_t
ngx_http_ktp_verdict_failure(const ngx_http_ktp_call_t *call)
{
    static const ktp_code_t reasons[] = {
        [NGX_HTTP_KTP_CAUSE_NONE] = KTP_UPSTREAM_PROTOCOL,
        [NGX_HTTP_KTP_CAUSE_DNS] = KTP_UPSTREAM_DNS,
        [NGX_HTTP_KTP_CAUSE_CONNECT] = KTP_UPSTREAM_CONNECT,
        [NGX_HTTP_KTP_CAUSE_TLS] = KTP_UPSTREAM_TLS,
        [NGX_HTTP_KTP_CAUSE_TLS_NAME] = KTP_UPSTREAM_TLS_NAME,
        [NGX_HTTP_KTP_CAUSE_TLS_EXPIRED] = KTP_UPSTREAM_TLS_EXPIRED,
        [NGX_HTTP_KTP_CAUSE_TLS_ISSUER] = KTP_UPSTREAM_TLS_ISSUER,
        [NGX_HTTP_KTP_CAUSE_CA_FILE] = KTP_UPSTREAM_CA_FILE,
        [NGX_HTTP_KTP_CAUSE_RESET] = KTP_UPSTREAM_RESET,
        [NGX_HTTP_KTP_CAUSE_CODING] = KTP_UPSTREAM_CODING,
        [NGX_HTTP_KTP_CAUSE_PROTOCOL] = KTP_UPSTREAM_PROTOCOL,
    };

    switch (call->result) {

    case NGX_HTTP_KTP_CALL_TIMEOUT:
        return KTP_GATEWAY_TIMEOUT;

    case NGX_HTTP_KTP_CALL_TOO_LARGE:
        return KTP_UPSTREAM_TOO_LARGE;

    case NGX_HTTP_KTP_CALL_HEAD_TOO_LARGE:
        return KTP_UPSTREAM_HEAD;

    case NGX_HTTP_KTP_CALL_BUSY:
        return KTP_NO_CONNECTIONS;

    default:
        return reasons[call->cause];
    }
}


/*
 * 1 if the upstream has refused the call for the sake of our keys, our balance
 * or our rate, and not of the client's request.
 */

static ngx_uint_t
ngx_http_ktp_verdict_refused(ngx_http_ktp_call_t *call, const char *code,
                             ngx_http_ktp_verdict_t *verdict)
{
    verdict->outcome = NGX_HTTP_KTP_OUTCOME_UPSTREAM_REFUSED;

    switch (call->status) {

    case NGX_HTTP_UNAUTHORIZED:
        verdict->reason = KTP_UPSTREAM_CREDENTIALS;
        break;

    case NGX_HTTP_FORBIDDEN:
        verdict->reason =
            ngx_strcmp(code, ktp_error(KTP_INSUFFICIENT_QUOTA)->name) == 0
                ? KTP_UPSTREAM_QUOTA
                : KTP_UPSTREAM_CREDENTIALS;
        break;

    case NGX_HTTP_KTP_PAYMENT_REQUIRED:
        verdict->reason = KTP_UPSTREAM_QUOTA;
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_UPSTREAM_LIMITED;
        verdict->reason = KTP_UPSTREAM_RATE;
        break;

    default:
        verdict->outcome = NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR;
        return 0;
    }

    ngx_http_ktp_verdict_log_refused(call, verdict->reason);

    return 1;
}


/* Every call is refused then: a message a minute is enough. */

static void
ngx_http_ktp_verdict_log_refused(ngx_http_ktp_call_t *call, ktp_code_t reason)
{
    static time_t logged[NGX_HTTP_KTP_REFUSAL_UPSTREAMS][KTP_CODES];

    time_t     *last;
    const char *what;

    last =
        &logged[call->upstream->id % NGX_HTTP_KTP_REFUSAL_UPSTREAMS][reason];

    if (*last != 0 && ngx_time() - *last < NGX_HTTP_KTP_REFUSAL_INTERVAL) {
        return;
    }

    *last = ngx_time();

    what = reason == KTP_UPSTREAM_CREDENTIALS ? "refuses App-ID or API-Key"
           : reason == KTP_UPSTREAM_QUOTA
               ? "refuses calls, quota or balance is used up"
               : "limits the rate of calls";

    ngx_log_error(NGX_LOG_ERR, call->log, 0,
                  "upstream %s (%ui), upstream: \"%V\", address: \"%V\"", what,
                  call->status, &call->upstream->name, &call->addr);
}


/* KTP_OK if the response is an answer of the contract. */

static ktp_code_t
ngx_http_ktp_verdict_unusable(ngx_http_ktp_call_t *call)
{
    /* redirects are not followed, and a 204 has no body */

    if (call->status != NGX_HTTP_OK && call->status < NGX_HTTP_BAD_REQUEST) {
        return call->status >= NGX_HTTP_SPECIAL_RESPONSE
                   ? KTP_UPSTREAM_REDIRECT
                   : KTP_UPSTREAM_STATUS;
    }

    if (call->status >= 600) {
        return KTP_UPSTREAM_STATUS;
    }

    /*
     * The response must have been generated by the vendor: an error page of an
     * intermediary is not passed on, whatever its status.
     */

    if (!ngx_http_ktp_verdict_is_json(call)) {
        return call->status == NGX_HTTP_OK ? KTP_UPSTREAM_CONTENT_TYPE
                                           : KTP_UPSTREAM_STATUS;
    }

    if (!ngx_http_ktp_verdict_is_object(call)) {
        return call->status == NGX_HTTP_OK ? KTP_UPSTREAM_NOT_JSON
                                           : KTP_UPSTREAM_STATUS;
    }

    return KTP_OK;
}


static ngx_uint_t
ngx_http_ktp_verdict_is_json(ngx_http_ktp_call_t *call)
{
    static ngx_str_t json = ngx_string("application/json");

    ngx_str_t *type;

    type = &call->content_type;

    if (type->len < json.len
        || ngx_strncasecmp(type->data, json.data, json.len) != 0) {
        return 0;
    }

    if (type->len == json.len) {
        return 1;
    }

    switch (type->data[json.len]) {
    case ';':
    case ' ':
    case '\t':
        return 1;

    default:
        return 0;
    }
}


static ngx_uint_t
ngx_http_ktp_verdict_is_object(ngx_http_ktp_call_t *call)
{
    u_char *p, *last;

    p = call->body.data;
    last = p + call->body.len;

    while (p < last && (*p == ' ' || *p == '\t' || *p == CR || *p == LF)) {
        p++;
    }

    while (p < last
           && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == CR
               || last[-1] == LF)) {
        last--;
    }

    return last - p >= 2 && *p == '{' && last[-1] == '}';
}


/* The response is known to the client, or replaced by an error. */

static void
ngx_http_ktp_verdict_log_bad(ngx_http_ktp_call_t    *call,
                             ngx_http_ktp_verdict_t *verdict)
{
    size_t i, len;
    u_char type[NGX_HTTP_KTP_VERDICT_TYPE];

    len = ngx_min(call->content_type.len, NGX_HTTP_KTP_VERDICT_TYPE);

    for (i = 0; i < len; i++) {
        type[i] = call->content_type.data[i];

        if (type[i] < 0x20 || type[i] > 0x7e) {
            type[i] = ' ';
        }
    }

    ngx_log_error(NGX_LOG_ERR, call->log, 0,
                  "upstream response %s (%s): %ui \"%*s\", %uz bytes, "
                  "upstream: \"%V\", address: \"%V\"",
                  verdict->code == KTP_OK ? "is an error" : "is not usable",
                  ktp_error(verdict->reason)->reason, call->status, len, type,
                  call->body.len, &call->upstream->name, &call->addr);
}


/* RFC 8259, 8.1: a byte order mark may be ignored, and must not be sent. */

static void
ngx_http_ktp_verdict_trim(ngx_http_ktp_call_t *call)
{
    if (call->body.len >= 3
        && ngx_memcmp(call->body.data, "\xef\xbb\xbf", 3) == 0) {
        call->body.data += 3;
        call->body.len -= 3;
    }
}


/*
 * Replaces the response body by what the client may see, and saves its codes
 * for variables.  KTP_BAD_GATEWAY: the response must not be passed on.
 */

static ktp_code_t
ngx_http_ktp_verdict_rewrite(ngx_http_request_t *r, ngx_http_ktp_call_t *call)
{
    ngx_uint_t               rewrites;
    ktp_answer_t            *answer;
    ngx_http_ktp_ctx_t      *ctx;
    ktp_answer_policy_t      policy;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    answer = &ctx->answer;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ngx_http_ktp_policy(klcf, ctx->client_conf, &policy);

    answer->status = call->status;
    answer->body = (char *) call->body.data;
    answer->len = call->body.len;
    answer->reference_id.p = ktp_intake_request(ctx->intake)->reference_id;
    answer->reference_id.len = ngx_strlen(answer->reference_id.p);
    answer->hmac = ngx_http_ktp_digest_hmac;
    answer->hmac_ctx = r;

    /*
     * a client that sent no identifier gets none, and not that of a call that
     * another request has made
     */

    answer->set_reference = ctx->reference_id.len != 0
                            || ctx->source == NGX_HTTP_KTP_SOURCE_JOINED
                            || ctx->source == NGX_HTTP_KTP_SOURCE_REPLAYED;

    /* the answer of a local reader may have members of its own */

    rewrites = ctx->local || ktp_answer_rewrites(&policy);

    if (rewrites || answer->set_reference) {
        answer->out_size = answer->len + KTP_ANSWER_EXTRA;
        answer->out = ngx_pnalloc(r->pool, answer->out_size);
        if (answer->out == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (!rewrites) {
        ktp_answer_read(answer);

        if (answer->out_len) {
            call->body.data = (u_char *) answer->out;
            call->body.len = answer->out_len;
        }

        if (answer->reason) {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "upstream response passed unmodified: %s, "
                          "upstream: \"%V\"",
                          answer->reason, &call->upstream->name);
        }

        return KTP_OK;
    }

    if (ktp_answer_rewrite(answer, &policy) != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream response rejected: %s%s%s, upstream: \"%V\", "
                      "address: \"%V\"",
                      answer->reason, answer->place ? " in " : "",
                      answer->place ? answer->place : "",
                      &call->upstream->name, &call->addr);
        return KTP_BAD_GATEWAY;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp answer: rewritten, %uz bytes, masks %ui",
                   answer->out_len, ngx_http_ktp_policy_masks(&policy));

    call->body.data = (u_char *) answer->out;
    call->body.len = answer->out_len;

    return KTP_OK;
}


/* As far as the vendor's rules are not known, a 400 may be billed. */

static ngx_http_ktp_billed_t
ngx_http_ktp_verdict_answer(ngx_http_ktp_ctx_t        *ctx,
                            const ngx_http_ktp_call_t *call)
{
    const ktp_answer_t      *answer;
    ngx_http_ktp_billed_t    billed;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);
    answer = &ctx->answer;

    if (klcf->sandbox || ctx->local) {
        return NGX_HTTP_KTP_BILLED_NO;
    }

    billed = ngx_http_ktp_verdict_billed(call, answer->status_code);

    if (billed != NGX_HTTP_KTP_BILLED_UNKNOWN || klcf->billed_codes == NULL
        || call->status != NGX_HTTP_BAD_REQUEST
        || answer->error_code[0] == '\0') {
        return billed;
    }

    return ngx_http_ktp_billing_has(klcf->billed_codes, answer->error_code)
               ? NGX_HTTP_KTP_BILLED_YES
               : NGX_HTTP_KTP_BILLED_NO;
}


ngx_http_ktp_billed_t
ngx_http_ktp_verdict_billed(const ngx_http_ktp_call_t *call,
                            const char                *status_code)
{
    /* the local extractor is free of charge */

    if (ngx_strncmp(status_code, "LOCAL-", 6) == 0) {
        return NGX_HTTP_KTP_BILLED_NO;
    }

    if (call->result == NGX_HTTP_KTP_CALL_OK && call->status == NGX_HTTP_OK) {
        return NGX_HTTP_KTP_BILLED_YES;
    }

    /*
     * A request whose last byte was not handed out cannot have been accepted,
     * and these statuses mean that it was not.
     */

    switch (call->status) {

    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_KTP_PAYMENT_REQUIRED:
    case NGX_HTTP_FORBIDDEN:
    case NGX_HTTP_TOO_MANY_REQUESTS:
        return NGX_HTTP_KTP_BILLED_NO;

    default:
        return call->handed_out ? NGX_HTTP_KTP_BILLED_UNKNOWN
                                : NGX_HTTP_KTP_BILLED_NO;
    }
}
