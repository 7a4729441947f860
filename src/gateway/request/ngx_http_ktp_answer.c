#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_policy.h"


static void       ngx_http_ktp_answer(ngx_http_request_t *r, ngx_uint_t status,
                                      ngx_str_t *type, const u_char *body,
                                      size_t len);
static ktp_code_t ngx_http_ktp_call_code(ngx_http_ktp_call_t *call);
static ngx_int_t  ngx_http_ktp_call_json(ngx_http_ktp_call_t *call);
static ktp_code_t ngx_http_ktp_rewrite(ngx_http_request_t  *r,
                                       ngx_http_ktp_call_t *call);
static ngx_int_t  ngx_http_ktp_header_filter(ngx_http_request_t *r);
static ngx_int_t  ngx_http_ktp_body_filter(ngx_http_request_t *r,
                                           ngx_chain_t        *in);


static ngx_http_output_header_filter_pt ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt   ngx_http_next_body_filter;

static ngx_str_t ngx_http_ktp_json_type = ngx_string("application/json");


void
ngx_http_ktp_answer_error(ngx_http_request_t *r, ktp_code_t code)
{
    static ngx_str_t post = ngx_string("POST");

    const ktp_error_t  *e;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    e = ktp_error(code);

    ctx->code = code;

    ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_REJECTED);

    ktp_store_free(&ctx->store);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "request rejected: %ui %s", (ngx_uint_t) e->status, e->name);

    /* RFC 9110, 15.5.6: a 405 says which methods are allowed */

    if (e->status == NGX_HTTP_NOT_ALLOWED
        && ngx_http_ktp_headers_push(r, "Allow", &post) == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_ktp_answer(r, e->status, &ngx_http_ktp_json_type,
                        (const u_char *) e->body, e->body_len);
}


void
ngx_http_ktp_answer_call(ngx_http_request_t *r, ngx_http_ktp_call_t *call)
{
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    code = ngx_http_ktp_call_code(call);

    if (code == KTP_OK) {
        code = ngx_http_ktp_rewrite(r, call);
    }

    if (code != KTP_OK) {
        ngx_http_ktp_ctx_set_outcome(
            ctx, code == KTP_GATEWAY_TIMEOUT
                     ? NGX_HTTP_KTP_OUTCOME_TIMEOUT
                     : NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR);
        ngx_http_ktp_answer_error(r, code);
        return;
    }

    ngx_http_ktp_ctx_set_outcome(ctx,
                                 call->status == NGX_HTTP_OK
                                     ? NGX_HTTP_KTP_OUTCOME_OK
                                     : NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR);

    /* not the upstream's own Content-Type: it may have any parameter */

    ngx_http_ktp_answer(r, call->status, &ngx_http_ktp_json_type,
                        call->body.data, call->body.len);
}


/* KTP_OK when the call brought an answer that can be passed on. */

static ktp_code_t
ngx_http_ktp_call_code(ngx_http_ktp_call_t *call)
{
    switch (call->result) {

    case NGX_HTTP_KTP_CALL_OK:
        break;

    case NGX_HTTP_KTP_CALL_TIMEOUT:
        return KTP_GATEWAY_TIMEOUT;

    default:
        return KTP_BAD_GATEWAY;
    }

    /* a redirect would take the image, and a 204 brings nothing */

    if (call->status != NGX_HTTP_OK && call->status < NGX_HTTP_BAD_REQUEST) {
        return KTP_BAD_GATEWAY;
    }

    if (call->status >= 600 || ngx_http_ktp_call_json(call) != NGX_OK) {
        return KTP_BAD_GATEWAY;
    }

    return KTP_OK;
}


/*
 * Whether the answer is of the vendor's making: a page of something between
 * the vendor and us is none, whatever its status.
 */

static ngx_int_t
ngx_http_ktp_call_json(ngx_http_ktp_call_t *call)
{
    u_char    *p, *last;
    ngx_str_t *type;

    type = &call->content_type;

    if (type->len < ngx_http_ktp_json_type.len
        || ngx_strncasecmp(type->data, ngx_http_ktp_json_type.data,
                           ngx_http_ktp_json_type.len)
               != 0) {
        return NGX_DECLINED;
    }

    if (type->len > ngx_http_ktp_json_type.len) {
        switch (type->data[ngx_http_ktp_json_type.len]) {
        case ';':
        case ' ':
        case '\t':
            break;

        default:
            return NGX_DECLINED;
        }
    }

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

    return last - p >= 2 && *p == '{' && last[-1] == '}' ? NGX_OK
                                                         : NGX_DECLINED;
}


/*
 * The answer as the client may have it, in place of what came; and what is
 * noted of it.  KTP_BAD_GATEWAY: it must not be passed on.
 */

static ktp_code_t
ngx_http_ktp_rewrite(ngx_http_request_t *r, ngx_http_ktp_call_t *call)
{
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

    if (!ktp_answer_rewrites(&policy)) {
        ktp_answer_read(answer);

        if (answer->reason) {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "upstream response passed unmodified: %s",
                          answer->reason);
        }

        return KTP_OK;
    }

    answer->out_size = answer->len + KTP_ANSWER_EXTRA;
    answer->out = ngx_pnalloc(r->pool, answer->out_size);
    if (answer->out == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    if (ktp_answer_rewrite(answer, &policy) != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upstream response rejected: %s%s%s", answer->reason,
                      answer->place ? " in " : "",
                      answer->place ? answer->place : "");
        return KTP_BAD_GATEWAY;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp answer: rewritten, %uz bytes, masks %ui",
                   answer->out_len, ngx_http_ktp_policy_masks(&policy));

    call->body.data = (u_char *) answer->out;
    call->body.len = answer->out_len;

    return KTP_OK;
}


/* body must live as long as the request. */

static void
ngx_http_ktp_answer(ngx_http_request_t *r, ngx_uint_t status, ngx_str_t *type,
                    const u_char *body, size_t len)
{
    ngx_int_t           rc;
    ngx_buf_t          *b;
    ngx_chain_t         out;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    ctx->answered = 1;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp answer: status %ui, %uz bytes", status, len);

    /* If-Match and the like are about a file, and the call was made */
    r->disable_not_modified = 1;

    /* nginx closes a connection with a body half read: the client is told */

    if (r->reading_body) {
        r->keepalive = 0;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    b->pos = (u_char *) body;
    b->last = b->pos + len;
    b->memory = len ? 1 : 0;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    ngx_http_finalize_request(r, ngx_http_output_filter(r, &out));
}


void
ngx_http_ktp_answer_init_filters(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_ktp_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_ktp_body_filter;
}


/* Takes the place of nginx's own error page. */

static ngx_int_t
ngx_http_ktp_header_filter(ngx_http_request_t *r)
{
    ngx_buf_t               *b;
    ktp_code_t               code;
    const ktp_error_t       *e;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    /*
     * err_status: the answer is made by nginx's special response handler, or
     * error_page led to us.
     */

    if (klcf->upstream == NULL || r != r->main || r->err_status == 0
        || (ctx && ctx->answered)) {
        return ngx_http_next_header_filter(r);
    }

    if (ctx && ctx->code != KTP_OK
        && ktp_error(ctx->code)->status == r->headers_out.status) {

        /* refused by us in the access phase */

        code = ctx->code;

    } else {
        code = klcf->json_errors ? ktp_error_by_status(r->headers_out.status)
                                 : KTP_OK;
    }

    if (code == KTP_OK) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    e = ktp_error(code);

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = (u_char *) e->body;
    b->last = b->pos + e->body_len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ctx->error_body = b;
    ctx->code = code;

    r->headers_out.content_type = ngx_http_ktp_json_type;
    r->headers_out.content_type_len = ngx_http_ktp_json_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = e->body_len;

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_ktp_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t         out, *cl;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (in == NULL || ctx == NULL || ctx->error_body == NULL || r != r->main) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    /* nginx's page may come in more than one piece, ours is one */

    if (ctx->error_sent) {
        return ngx_http_next_body_filter(r, NULL);
    }

    ctx->error_sent = 1;

    out.buf = ctx->error_body;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}
