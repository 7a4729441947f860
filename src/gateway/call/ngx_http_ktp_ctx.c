#include "ngx_http_ktp_ctx.h"
#include "ngx_http_ktp_ask.h"
#include "ngx_http_ktp_chunks.h"
#include "ngx_http_ktp_outcome.h"


static ktp_code_t ngx_http_ktp_ctx_code(ngx_http_request_t *r,
                                        ngx_http_ktp_ctx_t *ctx);
static void       ngx_http_ktp_ctx_end(void *data);
static void       ngx_http_ktp_ctx_release(void *data);
static void       ngx_http_ktp_ctx_wipe(ngx_http_ktp_ctx_t *ctx);


ngx_http_ktp_ctx_t *
ngx_http_ktp_ctx_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *pcln;
    ngx_http_cleanup_t       *cln;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_loc_conf_t  *klcf;
    ngx_http_ktp_main_conf_t *kmcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    if (ctx) {
        return ctx;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    pcln = ngx_pool_cleanup_add(r->pool, 0);
    if (pcln == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->price = klcf->price;
    ctx->sandbox = klcf->sandbox;
    ktp_store_init(&ctx->store,
                   klcf->request_buffering ? &ngx_http_ktp_chunks_large
                                           : &ngx_http_ktp_chunks_small,
                   klcf->policy.max_size);

    cln->handler = ngx_http_ktp_ctx_end;
    cln->data = ctx;

    pcln->handler = ngx_http_ktp_ctx_release;
    pcln->data = ctx;

    if (kmcf->image_hmac || kmcf->forget
        || klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE) {
        ngx_http_ktp_digest_init(r, &ctx->digest);
    }

    ngx_http_set_ctx(r, ctx, ngx_http_ktp_module);

    return ctx;
}


ngx_http_ktp_ctx_t *
ngx_http_ktp_ctx_get(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t *cln;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ctx || !(r->internal || r->filter_finalize)) {
        return ctx;
    }

    /* the slot was cleared by an internal redirect, for an error page */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_ktp_ctx_release) {
            return cln->data;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_ktp_ctx_is_ours(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_loc_conf_t *klcf;

    if (ctx && ctx->aside) {
        return 0;
    }

    if (ctx && (ctx->intake || ctx->outcome != NGX_HTTP_KTP_OUTCOME_NONE)) {
        return 1;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->upstream == NULL) {
        return 0;
    }

    /* "return 204", for a preflight request, is no answer about a card */

    return ctx || r->err_status || r->headers_out.status == 0
           || r->headers_out.status >= NGX_HTTP_BAD_REQUEST;
}


void
ngx_http_ktp_ctx_set_outcome(ngx_http_ktp_ctx_t    *ctx,
                             ngx_http_ktp_outcome_t outcome)
{
    if (outcome == NGX_HTTP_KTP_OUTCOME_NONE
        || ctx->outcome != NGX_HTTP_KTP_OUTCOME_NONE) {
        return;
    }

    ctx->outcome = outcome;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                   "ktp outcome: %s", ngx_http_ktp_outcome_name(outcome));
}


void
ngx_http_ktp_ctx_let_in(ngx_http_ktp_ctx_t *ctx)
{
    ctx->code = KTP_OK;
    ctx->outcome = NGX_HTTP_KTP_OUTCOME_NONE;
}


ngx_http_ktp_outcome_t
ngx_http_ktp_ctx_outcome(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    if (ctx && ctx->outcome != NGX_HTTP_KTP_OUTCOME_NONE) {
        return ctx->outcome;
    }

    switch (r->err_status ? r->err_status : r->headers_out.status) {

    case 0:
        return NGX_HTTP_KTP_OUTCOME_NONE;

    case NGX_HTTP_CLIENT_CLOSED_REQUEST:
        return NGX_HTTP_KTP_OUTCOME_ABORTED;

    case NGX_HTTP_UNAUTHORIZED:
    case NGX_HTTP_FORBIDDEN:
        return NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        return NGX_HTTP_KTP_OUTCOME_QUOTA;

    default:
        return NGX_HTTP_KTP_OUTCOME_REJECTED;
    }
}


const char *
ngx_http_ktp_ctx_error_code(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    ktp_code_t code;

    code = ngx_http_ktp_ctx_code(r, ctx);

    if (code == KTP_OK) {
        return ctx ? ctx->answer.error_code : "";
    }

    return ktp_error(code)->name;
}


ktp_code_t
ngx_http_ktp_ctx_reason(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    /* the upstream's failure is the cause, also where its error is passed on
     */

    return ctx && ctx->reason != KTP_OK ? ctx->reason
                                        : ngx_http_ktp_ctx_code(r, ctx);
}


/* KTP_OK as well if the upstream's error was passed on. */

static ktp_code_t
ngx_http_ktp_ctx_code(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    if (ctx && (ctx->code != KTP_OK || ctx->answer.error_code[0] != '\0')) {
        return ctx->code;
    }

    return r->err_status ? ktp_error_by_status(r->err_status) : KTP_OK;
}


const ktp_request_t *
ngx_http_ktp_ctx_image(ngx_http_ktp_ctx_t *ctx)
{
    return ktp_intake_request(ctx->fetched ? ctx->fetched : ctx->intake);
}


void
ngx_http_ktp_ctx_request(ngx_http_ktp_ctx_t *ctx, ktp_request_t *request)
{
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);

    *request = *ktp_intake_request(ctx->intake);

    if (klcf->validate_quality != KTP_FLAG_ABSENT) {
        request->validate_quality = klcf->validate_quality;
    }
}


const char *
ngx_http_ktp_ctx_type(ngx_http_ktp_ctx_t *ctx)
{
    static const char *const types[] = {"json", "multipart", "binary"};

    return types[ktp_intake_request(ctx->intake)->type];
}


const char *
ngx_http_ktp_ctx_format(ngx_http_ktp_ctx_t *ctx)
{
    static const char *const formats[] = {NULL, "jpeg", "png"};

    return formats[ngx_http_ktp_ctx_image(ctx)->format];
}


/*
 * The request has ended, in whatever way, and will be logged.  Cleanups that
 * were added later have run: no call and no fetch uses the store any more.
 */

static void
ngx_http_ktp_ctx_end(void *data)
{
    ngx_http_ktp_ctx_t *ctx = data;

    if (ngx_http_ktp_ctx_is_ours(ctx->request, ctx)) {

        /* nginx may have rejected it with an answer of its own */

        ngx_http_ktp_ctx_set_outcome(
            ctx, ngx_http_ktp_ctx_outcome(ctx->request, ctx));
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_ABORTED);

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "ktp end: outcome %s, billed %s",
                       ngx_http_ktp_outcome_name(ctx->outcome),
                       ngx_http_ktp_outcome_billed(ctx->billed));
    }

    ktp_store_free(&ctx->store);
}


/* The pool of the request is being destroyed, after the log phase. */

static void
ngx_http_ktp_ctx_release(void *data)
{
    ngx_http_ktp_ctx_t *ctx = data;

    ngx_http_ktp_ctx_wipe(ctx);

    ktp_store_free(&ctx->store);
    ktp_intake_destroy(ctx->intake);
    ktp_intake_destroy(ctx->fetched);
    ngx_http_ktp_digest_free(&ctx->digest);
}


/* Wipes the answer: as it came, as it was sent, and as TLS has buffered it. */

static void
ngx_http_ktp_ctx_wipe(ngx_http_ktp_ctx_t *ctx)
{
#if (NGX_HTTP_SSL)
    ngx_buf_t            *b;
    ngx_ssl_connection_t *ssl;

    ssl = ctx->request->connection->ssl;
    b = ssl ? ssl->buf : NULL;

    if (b && b->start) {
        ngx_explicit_memzero(b->start, b->pos - b->start);
        ngx_explicit_memzero(b->last, b->end - b->last);
    }
#endif

    ngx_explicit_memzero((void *) ctx->answer.body, ctx->answer.len);
    ngx_explicit_memzero(ctx->call.body.data, ctx->call.body.len);

    if (ctx->ask) {
        ngx_explicit_memzero(ctx->ask->call.body.data,
                             ctx->ask->call.body.len);
    }

    ngx_explicit_memzero(&ctx->answer, sizeof(ktp_answer_t));
}
