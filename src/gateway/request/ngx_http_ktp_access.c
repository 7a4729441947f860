#include "ngx_http_ktp_access.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_count.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_upload_ticket.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>


/* Seconds after which a client may retry if tickets cannot be counted. */
#define NGX_HTTP_KTP_ACCESS_BUSY 2


static ngx_int_t  ngx_http_ktp_access_handler(ngx_http_request_t *r);
static ngx_int_t  ngx_http_ktp_access_identify(ngx_http_request_t *r);
static ngx_int_t  ngx_http_ktp_access_key(ngx_http_ktp_ctx_t     *ctx,
                                          ngx_http_ktp_client_t **client);
static ngx_int_t  ngx_http_ktp_access_client(ngx_http_ktp_ctx_t    *ctx,
                                             ngx_http_ktp_client_t *client);
static ngx_int_t  ngx_http_ktp_access_refuse(ngx_http_ktp_ctx_t    *ctx,
                                             ngx_http_ktp_client_t *other);
static ktp_code_t ngx_http_ktp_access_piece(ngx_http_request_t *r, u_char *p,
                                            size_t n);
static void ngx_http_ktp_access_done(ngx_http_request_t *r, ktp_code_t code);
static ngx_int_t  ngx_http_ktp_access_name(ngx_http_ktp_ctx_t     *ctx,
                                           ngx_http_ktp_client_t **client);
static ktp_code_t ngx_http_ktp_access_ticket(ngx_http_ktp_ctx_t     *ctx,
                                             ngx_http_ktp_client_t **client);
static ngx_int_t  ngx_http_ktp_access_unauthorized(ngx_http_ktp_ctx_t *ctx,
                                                   ktp_code_t          code);


/* Stands in for a client if none are configured; it has no key. */
static ngx_http_ktp_client_t ngx_http_ktp_access_nobody;

static const ngx_http_ktp_body_t ngx_http_ktp_access_reader = {
    ngx_http_ktp_access_piece, NULL, ngx_http_ktp_access_done};


/*
 * Handlers of a phase run in reverse order, so that of a dynamic module, added
 * last, would run first.  In the access phase it has to run after other
 * modules: with "satisfy any" cheaper checks should come first.
 */

ngx_int_t
ngx_http_ktp_access_init(ngx_conf_t *cf)
{
    ngx_array_t               *handlers;
    ngx_http_handler_pt       *h;
    ngx_http_core_main_conf_t *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    handlers = &cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers;

    if (ngx_array_push(handlers) == NULL) {
        return NGX_ERROR;
    }

    h = handlers->elts;
    ngx_memmove(&h[1], &h[0],
                (handlers->nelts - 1) * sizeof(ngx_http_handler_pt));
    h[0] = ngx_http_ktp_access_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_ktp_access_identify;

    return NGX_OK;
}


/*
 * Authenticates by key or ticket.  A name proves nothing, so it grants no
 * access.
 */

static ngx_int_t
ngx_http_ktp_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ktp_code_t               code;
    ngx_http_ktp_ctx_t      *ctx, *before;
    ngx_http_ktp_client_t   *client;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->auth != NGX_HTTP_KTP_AUTH_KEY
        && klcf->auth != NGX_HTTP_KTP_AUTH_TICKET) {
        return NGX_DECLINED;
    }

    before = ngx_http_ktp_ctx_get(r);

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (klcf->auth == NGX_HTTP_KTP_AUTH_TICKET) {

        if (before && before->ticket) {

            /* an internal redirect, as by error_page: no other use */

            ctx->ticket = 1;

            return ngx_http_ktp_access_client(ctx, before->client_conf);
        }

        code = ngx_http_ktp_access_ticket(ctx, &client);

        if (code == KTP_OK) {
            return ngx_http_ktp_access_client(ctx, client);
        }

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "ticket is refused: %s", ktp_error(code)->reason);

        return ngx_http_ktp_access_unauthorized(ctx, code);
    }

    rc = ngx_http_ktp_access_key(ctx, &client);

    if (rc == NGX_DECLINED) {

        /* neither is logged, since they may have been interchanged */

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "invalid App-ID or API-Key");

        return ngx_http_ktp_access_refuse(ctx, client);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_ktp_access_client(ctx, client);
    }

    return rc;
}


/*
 * Determines whose request it is, after the access phase: by name, or by a key
 * or ticket that was not looked at since "satisfy any" was satisfied before.
 */

static ngx_int_t
ngx_http_ktp_access_identify(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_client_t   *client;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->auth == NGX_HTTP_KTP_AUTH_OFF || r != r->main) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->client_conf) {
        return NGX_DECLINED;
    }

    switch (klcf->auth) {

    case NGX_HTTP_KTP_AUTH_KEY:
        rc = ngx_http_ktp_access_key(ctx, &client);
        break;

    case NGX_HTTP_KTP_AUTH_TICKET:
        rc = ngx_http_ktp_access_ticket(ctx, &client) == KTP_OK ? NGX_OK
                                                                : NGX_DECLINED;
        break;

    default: /* NGX_HTTP_KTP_AUTH_NAME */
        rc = ngx_http_ktp_access_name(ctx, &client);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_ktp_access_client(ctx, client);
    }

    return rc == NGX_OK ? NGX_DECLINED : rc;
}


static ngx_int_t
ngx_http_ktp_access_client(ngx_http_ktp_ctx_t    *ctx,
                           ngx_http_ktp_client_t *client)
{
    ngx_log_t *log;

    log = ctx->request->connection->log;

    if (client->disabled) {
        ngx_log_error(NGX_LOG_INFO, log, 0, "client \"%V\" is disabled",
                      &client->sn.str);
        ctx->code = KTP_DISABLED;
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED);
        return NGX_HTTP_FORBIDDEN;
    }

    ctx->client = client->sn.str;
    ctx->client_conf = client;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, log, 0, "ktp auth: client \"%V\"",
                   &ctx->client);

    return NGX_OK;
}


/*
 * The same operations are performed whether the client exists or not, and
 * whichever of its keys is given, so that timing reveals neither.
 * NGX_DECLINED: client is another one, or stands for one.
 */

static ngx_int_t
ngx_http_ktp_access_key(ngx_http_ktp_ctx_t     *ctx,
                        ngx_http_ktp_client_t **client)
{
    static ngx_str_t none = ngx_string("");

    u_char                    digest[EVP_MAX_MD_SIZE];
    ngx_str_t                *id, *key;
    ngx_uint_t                i, same, known;
    ngx_http_request_t       *r;
    ngx_http_ktp_client_t    *found, *other;
    ngx_http_ktp_main_conf_t *kmcf;

    r = ctx->request;
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    id = ngx_http_ktp_headers_once(r, "App-ID", sizeof("App-ID") - 1);
    key = ngx_http_ktp_headers_once(r, "API-Key", sizeof("API-Key") - 1);

    if (id == NULL) {
        id = &none;
    }

    if (key == NULL) {
        key = &none;
    }

    if (EVP_Digest(key->data, key->len, digest, NULL, EVP_sha256(), NULL)
        != 1) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "EVP_Digest() failed");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    found = ngx_http_ktp_client(kmcf, id, &other);
    known = found != NULL;

    if (!known) {
        found = other ? other : &ngx_http_ktp_access_nobody;
    }

    same = 0;

    for (i = 0; i < NGX_HTTP_KTP_CLIENT_KEYS; i++) {
        same |= CRYPTO_memcmp(digest, found->keys[i], NGX_HTTP_KTP_DIGEST_SIZE)
                == 0;
    }

    same &= known;
    same &= found->nkeys != 0;

    *client = found;

    return same ? NGX_OK : NGX_DECLINED;
}


/*
 * Answers 401 to a wrong name or key in the time that the right ones take
 * with a body that is wrong from its first byte on: the same work is done,
 * for other, which is some client, and on a body of our own, since nothing of
 * a stranger's reaches a parser.  The times can be compared only where the
 * body came with the head and 401 is the end of the request; elsewhere nginx
 * answers.
 */

static ngx_int_t
ngx_http_ktp_access_refuse(ngx_http_ktp_ctx_t    *ctx,
                           ngx_http_ktp_client_t *other)
{
    uint64_t                  rate;
    ngx_int_t                 rc;
    ngx_http_request_t       *r;
    ngx_http_ktp_loc_conf_t  *klcf;
    ngx_http_core_loc_conf_t *clcf;

    r = ctx->request;
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    rc = ngx_http_ktp_access_unauthorized(ctx, KTP_UNAUTHORIZED);

    if (rc != NGX_HTTP_UNAUTHORIZED || klcf->upstream == NULL || r != r->main
        || clcf->satisfy == NGX_HTTP_SATISFY_ANY || clcf->auth_delay
        || clcf->error_pages || r->method != NGX_HTTP_POST
        || r->http_version >= NGX_HTTP_VERSION_20 || r->headers_in.expect
        || r->headers_in.chunked
        || r->headers_in.content_length_n
               > r->header_in->last - r->header_in->pos) {
        return rc;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp auth: 401 in the time of an invalid body");

    if (other->slot) {

        /* a stranger takes nothing of the client's rate */

        rate = other->slot->account->rate;

        (void) ngx_http_ktp_count_exhausted(other);
        (void) ngx_http_ktp_count_rate(other, &rate);
    }

    if (ngx_http_ktp_request_intake(r) != KTP_OK) {
        return rc;
    }

    ngx_http_finalize_request(
        r, ngx_http_ktp_body_receive(r, &ngx_http_ktp_access_reader));

    return NGX_DONE;
}


static ktp_code_t
ngx_http_ktp_access_piece(ngx_http_request_t *r, u_char *p, size_t n)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    (void) ktp_intake_feed(ctx->intake, (u_char *) "[]", 2);

    return KTP_UNAUTHORIZED;
}


static void
ngx_http_ktp_access_done(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_http_ktp_answer_error(r, KTP_UNAUTHORIZED);
}


static ngx_int_t
ngx_http_ktp_access_name(ngx_http_ktp_ctx_t     *ctx,
                         ngx_http_ktp_client_t **client)
{
    ngx_str_t                 name;
    ngx_http_request_t       *r;
    ngx_http_ktp_loc_conf_t  *klcf;
    ngx_http_ktp_main_conf_t *kmcf;

    r = ctx->request;
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    if (ngx_http_complex_value(r, klcf->auth_name, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (name.len == 0) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client name is empty");
        return ngx_http_ktp_access_unauthorized(ctx, KTP_UNAUTHORIZED);
    }

    *client = ngx_http_ktp_client(kmcf, &name, NULL);

    if (*client == NULL) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "unknown client \"%V\"", &name);
        ctx->code = KTP_FORBIDDEN;
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED);
        return NGX_HTTP_FORBIDDEN;
    }

    return NGX_OK;
}


/* Takes a use of the ticket, unless the client is disabled. */

static ktp_code_t
ngx_http_ktp_access_ticket(ngx_http_ktp_ctx_t     *ctx,
                           ngx_http_ktp_client_t **client)
{
    ngx_str_t                 name;
    ktp_code_t                code;
    ktp_ticket_t              ticket;
    ngx_http_request_t       *r;
    ngx_http_ktp_main_conf_t *kmcf;

    r = ctx->request;
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    code = ngx_http_ktp_upload_ticket_read(r, &ticket);

    if (code != KTP_OK) {
        return code;
    }

    name.data = (u_char *) ticket.name;
    name.len = ticket.name_len;

    *client = ngx_http_ktp_client(kmcf, &name, NULL);

    if (*client == NULL) {

        /* removed since the ticket was issued */

        return KTP_TICKET_INVALID;
    }

    if ((*client)->disabled) {
        return KTP_OK;
    }

    code = ngx_http_ktp_upload_ticket_take(r, &ticket);
    ctx->ticket = code == KTP_OK;

    return code;
}


/* Rejects a request in the access phase. */

static ngx_int_t
ngx_http_ktp_access_unauthorized(ngx_http_ktp_ctx_t *ctx, ktp_code_t code)
{
    ngx_int_t           rc;
    const ktp_error_t  *e;
    ngx_http_request_t *r;

    r = ctx->request;
    e = ktp_error(code);

    ctx->code = code;
    rc = NGX_OK;

    switch (e->status) {

    case NGX_HTTP_UNAUTHORIZED:
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED);
        rc = ngx_http_ktp_headers_challenge(r);
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        rc = ngx_http_ktp_headers_retry_after(r, NGX_HTTP_KTP_ACCESS_BUSY);
    }

    return rc == NGX_OK ? (ngx_int_t) e->status
                        : NGX_HTTP_INTERNAL_SERVER_ERROR;
}
