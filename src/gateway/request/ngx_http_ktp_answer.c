#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_headers.h"


/* Seconds after which a client may retry if all places are taken. */
#define NGX_HTTP_KTP_BUSY_TIME 2


static ngx_int_t ngx_http_ktp_answer_body(ngx_http_request_t *r,
                                          ngx_http_ktp_ctx_t *ctx,
                                          ktp_code_t code, ngx_str_t *body);
static void ngx_http_ktp_answer_send(ngx_http_request_t *r, ngx_uint_t status,
                                     const u_char *body, size_t len);
static ktp_code_t ngx_http_ktp_answer_drop(ngx_http_request_t *r, u_char *p,
                                           size_t n);
static void ngx_http_ktp_answer_output(ngx_http_request_t *r, ktp_code_t code);
static ngx_int_t ngx_http_ktp_answer_header_filter(ngx_http_request_t *r);
static void ngx_http_ktp_answer_page(ngx_http_request_t *r, ktp_code_t code);
static ngx_int_t ngx_http_ktp_answer_body_filter(ngx_http_request_t *r,
                                                 ngx_chain_t        *in);


static ngx_http_output_header_filter_pt ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt   ngx_http_next_body_filter;

static const ngx_http_ktp_body_t ngx_http_ktp_answer_rest = {
    ngx_http_ktp_answer_drop, NULL, ngx_http_ktp_answer_output};

static const ngx_http_ktp_body_t ngx_http_ktp_answer_page_rest = {
    ngx_http_ktp_answer_drop, NULL, ngx_http_ktp_answer_page};

static ngx_str_t ngx_http_ktp_answer_json_type =
    ngx_string("application/json");


void
ngx_http_ktp_answer_error(ngx_http_request_t *r, ktp_code_t code)
{
    static ngx_str_t post = ngx_string("POST");

    ngx_str_t           body;
    const ktp_error_t  *e;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    e = ktp_error(code);

    ctx->code = code;

    ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_REJECTED);

    ktp_store_free(&ctx->store);

    /* a failure of the upstream was logged, and is no fault of the request */

    if (ctx->reason == KTP_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "request rejected: %ui %s, %s", (ngx_uint_t) e->status,
                      e->name, e->reason);
    }

    /* RFC 9110, 15.5.6: a 405 lists the allowed methods */

    if ((e->status == NGX_HTTP_NOT_ALLOWED
         && ngx_http_ktp_headers_push(r, "Allow", &post) == NULL)
        || (e->status == NGX_HTTP_SERVICE_UNAVAILABLE
            && ngx_http_ktp_headers_retry_after(
                   r, ctx->retry_after ? ctx->retry_after
                                       : NGX_HTTP_KTP_BUSY_TIME)
                   != NGX_OK)) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_http_ktp_answer_body(r, ctx, code, &body) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_ktp_answer_send(r, e->status, body.data, body.len);
}


/* The JSON body of an error: its row, with what is known of this request. */

static ngx_int_t
ngx_http_ktp_answer_body(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx,
                         ktp_code_t code, ngx_str_t *body)
{
    off_t                      length;
    ktp_intake_t              *intake;
    ktp_error_facts_t          facts;
    ngx_http_ktp_main_conf_t  *kmcf;
    ngx_http_variable_value_t *id;

    ngx_memzero(&facts, sizeof(ktp_error_facts_t));

    intake = ctx->fetched ? ctx->fetched : ctx->intake;

    if (intake) {
        length = ctx->fetched || r->headers_in.chunked
                     ? 0
                     : r->headers_in.content_length_n;

        ktp_intake_facts(intake, code, ngx_max(length, 0), &facts);
    }

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    id = ngx_http_get_indexed_variable(r, kmcf->request_id);

    if (id && !id->not_found) {
        facts.request_id = (char *) id->data;
        facts.request_id_len = id->len;
    }

    body->data = ngx_pnalloc(r->pool, KTP_ERROR_BODY + facts.request_id_len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    body->len = ktp_error_write(code, &facts, (char *) body->data);

    return NGX_OK;
}


void
ngx_http_ktp_answer_call(ngx_http_request_t *r, ngx_http_ktp_call_t *call)
{
    /* the upstream's Content-Type may have arbitrary parameters */

    ngx_http_ktp_answer_send(r, call->status, call->body.data, call->body.len);
}


void
ngx_http_ktp_answer_text(ngx_http_request_t *r, ngx_uint_t status,
                         ngx_str_t *body)
{
    ngx_http_ktp_answer_send(r, status, body->data, body->len);
}


/* body must live as long as the request. */

static void
ngx_http_ktp_answer_send(ngx_http_request_t *r, ngx_uint_t status,
                         const u_char *body, size_t len)
{
    static ngx_str_t no_store = ngx_string("no-store");

    ngx_buf_t          *b;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    ctx->answered = 1;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp answer: status %ui, %uz bytes", status, len);

    /* conditional requests do not apply: the call was already made */
    r->disable_not_modified = 1;

    /* RFC 9111, 5.2.2.5: personal data are in no cache */

    if (ngx_http_ktp_headers_push(r, "Cache-Control", &no_store) == NULL) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;
    r->headers_out.content_type = ngx_http_ktp_answer_json_type;
    r->headers_out.content_type_len = ngx_http_ktp_answer_json_type.len;
    r->headers_out.content_type_lowcase = NULL;

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

    ctx->answer_body = b;

    if (ngx_http_ktp_body_drain(r, &ngx_http_ktp_answer_rest)
        == NGX_DECLINED) {
        ngx_http_ktp_answer_output(r, KTP_OK);
    }
}


static ktp_code_t
ngx_http_ktp_answer_drop(ngx_http_request_t *r, u_char *p, size_t n)
{
    return KTP_OK;
}


/* The code is that of reading the rest of the body, which does not matter. */

static void
ngx_http_ktp_answer_output(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_int_t           rc;
    ngx_chain_t         out;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    /* nginx will close the connection if the body is not read completely */

    if (r->reading_body) {
        r->keepalive = 0;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    out.buf = ctx->answer_body;
    out.next = NULL;

    ngx_http_finalize_request(r, ngx_http_output_filter(r, &out));
}


ngx_int_t
ngx_http_ktp_answer_init_filters(ngx_conf_t *cf)
{
    static ngx_str_t request_id = ngx_string("request_id");

    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    /* with an index it is the same wherever it is asked for */

    kmcf->request_id = ngx_http_get_variable_index(cf, &request_id);
    if (kmcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_ktp_answer_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_ktp_answer_body_filter;

    return NGX_OK;
}


/* Replaces an error page of nginx. */

static ngx_int_t
ngx_http_ktp_answer_header_filter(ngx_http_request_t *r)
{
    ngx_buf_t               *b;
    ngx_str_t                body;
    ktp_code_t               code;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    /*
     * err_status: the answer is made by nginx's special response handler, or
     * error_page led to us.
     */

    if (!ngx_http_ktp_conf_is_contract(klcf) || r != r->main
        || r->err_status == 0 || (ctx && ctx->answered)) {
        return ngx_http_next_header_filter(r);
    }

    if (ctx && ctx->code != KTP_OK
        && ktp_error(ctx->code)->status == r->headers_out.status) {

        /* rejected by this module in the access phase */

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

    if (ngx_http_ktp_answer_body(r, ctx, code, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body.data;
    b->last = b->pos + body.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ctx->error_body = b;
    ctx->code = code;

    r->headers_out.content_type = ngx_http_ktp_answer_json_type;
    r->headers_out.content_type_len = ngx_http_ktp_answer_json_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = body.len;

    r->main->count++;

    if (ngx_http_ktp_body_drain(r, &ngx_http_ktp_answer_page_rest)
        == NGX_DECLINED) {
        r->main->count--;
        return ngx_http_next_header_filter(r);
    }

    /* nginx sends nothing more, and finalizes its part of the request */

    r->header_only = 1;

    return NGX_DONE;
}


/* The rest of the body was read: sends the page that has waited for it. */

static void
ngx_http_ktp_answer_page(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_int_t           rc;
    ngx_chain_t         out;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    r->header_only = 0;

    /* the filters before this module's have seen the header */

    rc = ngx_http_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_finalize_request(r, rc);
        return;
    }

    ctx->error_sent = 1;

    out.buf = ctx->error_body;
    out.next = NULL;

    ngx_http_finalize_request(r, ngx_http_next_body_filter(r, &out));
}


static ngx_int_t
ngx_http_ktp_answer_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
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

    /* the page of nginx may come in several buffers */

    if (ctx->error_sent) {
        return ngx_http_next_body_filter(r, NULL);
    }

    ctx->error_sent = 1;

    out.buf = ctx->error_body;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}
