#include "ngx_http_ktp_fetch.h"
#include "ktp_address.h"
#include "ktp_url.h"
#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_verdict.h"


struct ngx_http_ktp_fetch_s {
    ngx_http_request_t     *request;
    ngx_http_ktp_done_pt    handler;
    ngx_http_ktp_call_t     call;
    ngx_http_ktp_upstream_t upstream;
    ktp_policy_t            policy;
    ktp_code_t              code; /* what ended it early, or KTP_OK */
};


static ngx_http_ktp_fetch_t *ngx_http_ktp_fetch_create(ngx_http_request_t *r);
static ngx_int_t ngx_http_ktp_fetch_write(void *data, u_char *p, size_t len);
static ngx_int_t ngx_http_ktp_fetch_guard(void *data, struct sockaddr *sa);
static void      ngx_http_ktp_fetch_abort(void *data);
static void ngx_http_ktp_fetch_done(void *data, ngx_http_ktp_call_t *call);
static ktp_code_t ngx_http_ktp_fetch_code(ngx_http_ktp_fetch_t *fetch);


ktp_code_t
ngx_http_ktp_fetch(ngx_http_request_t *r, ngx_http_ktp_done_pt handler)
{
    size_t                len;
    unsigned              port;
    ngx_int_t             rc;
    ktp_code_t            code;
    const char           *host;
    ngx_connection_t     *c;
    ngx_http_cleanup_t   *cln;
    ngx_http_ktp_ctx_t   *ctx;
    const ktp_request_t  *request;
    ngx_http_ktp_fetch_t *fetch;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    request = ktp_intake_request(ctx->intake);

    fetch = ngx_http_ktp_fetch_create(r);
    if (fetch == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    fetch->handler = handler;
    fetch->upstream.url.data = (u_char *) request->url;
    fetch->upstream.url.len = ngx_strlen(request->url);

    if (ktp_url_host(request->url, fetch->upstream.url.len, &host, &len, &port)
        != 0) {
        return KTP_URL_NOT_FETCHED;
    }

    fetch->upstream.lookup.data = (u_char *) host;
    fetch->upstream.lookup.len = len;
    fetch->call.share = ngx_http_ktp_quota_share(ctx);

    code = ktp_intake_create(&ctx->fetched, &fetch->policy, &ctx->store,
                             "application/octet-stream",
                             sizeof("application/octet-stream") - 1);
    if (code != KTP_OK) {
        return code;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_ktp_fetch_abort;
    cln->data = ctx;

    c->log->action = "fetching image";

    rc = ngx_http_ktp_transport_start(&fetch->call);

    if (rc == NGX_DECLINED) {
        return KTP_BAD_URL;
    }

    if (rc != NGX_OK) {
        return ngx_http_ktp_verdict_start(rc);
    }

    ctx->fetch = fetch;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0, "ktp fetch: started");

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return ngx_handle_read_event(c->read, 0) == NGX_OK
               ? KTP_OK
               : KTP_INTERNAL_SERVER_ERROR;
}


static ngx_http_ktp_fetch_t *
ngx_http_ktp_fetch_create(ngx_http_request_t *r)
{
    ngx_str_t               *h;
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_fetch_t    *fetch;
    ngx_http_ktp_upstream_t *up;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    fetch = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_fetch_t));
    if (fetch == NULL) {
        return NULL;
    }

    fetch->request = r;
    fetch->policy = klcf->policy;
    fetch->policy.url = 0;

    /* proxy, keys, certificates, and connections of the vendor are not used */

    up = &fetch->upstream;

    up->connect_timeout =
        ngx_min(klcf->connect_timeout, klcf->image_url_timeout);
    up->read_timeout = klcf->image_url_timeout;
    up->timeout = klcf->image_url_timeout;
    up->keepalive_timeout = klcf->image_url_timeout;
    up->max_inflight = klcf->max_inflight;
    up->ssl_verify = 1;
    up->user_agent = klcf->user_agent;

    call = &fetch->call;

    call->upstream = up;
    call->kind = NGX_HTTP_KTP_CALL_FETCH;
    call->pool = r->pool;
    call->log = r->connection->log;
    call->write = ngx_http_ktp_fetch_write;
    call->guard = ngx_http_ktp_fetch_guard;
    call->done = ngx_http_ktp_fetch_done;
    call->data = fetch;

    call->headers = ngx_array_create(r->pool, 1, sizeof(ngx_str_t));
    if (call->headers == NULL) {
        return NULL;
    }

    h = ngx_array_push(call->headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_str_set(h, "Accept: image/jpeg, image/png");

    return fetch;
}


/* The request ends while its image is being fetched, or later. */

static void
ngx_http_ktp_fetch_abort(void *data)
{
    ngx_http_ktp_ctx_t *ctx = data;

    ngx_http_ktp_fetch_t *fetch;

    fetch = ctx->fetch;

    if (fetch) {
        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ctx->request->connection->log, 0,
                       "ktp fetch: aborted");

        ctx->fetch = NULL;
        ngx_http_ktp_transport_abort(&fetch->call);
    }
}


/* Called from within libcurl, so the request must not be finalized here. */

static ngx_int_t
ngx_http_ktp_fetch_write(void *data, u_char *p, size_t len)
{
    ngx_http_ktp_fetch_t *fetch = data;

    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(fetch->request, ngx_http_ktp_module);

    fetch->code = ktp_intake_feed(ctx->fetched, p, len);

    ngx_http_ktp_digest_update(&ctx->digest, &ctx->store);

    return fetch->code == KTP_OK ? NGX_OK : NGX_ERROR;
}


/* Checks the address that is being connected to, however it was resolved. */

static ngx_int_t
ngx_http_ktp_fetch_guard(void *data, struct sockaddr *sa)
{
    ngx_http_ktp_fetch_t *fetch = data;

    u_char                  *address;
    size_t                   len;
    in_port_t                port;
    struct sockaddr_in      *sin;
    struct sockaddr_in6     *sin6;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(fetch->request, ngx_http_ktp_module);

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        address = (u_char *) &sin->sin_addr;
        len = 4;
        break;

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        address = (u_char *) &sin6->sin6_addr;
        len = 16;
        break;

    default:
        return NGX_DECLINED;
    }

    if (klcf->image_url_allow
        && ktp_address_in(address, len, klcf->image_url_allow->elts,
                          klcf->image_url_allow->nelts)) {
        return NGX_OK;
    }

    if (!ktp_address_is_public(address, len)) {
        ngx_log_error(NGX_LOG_INFO, fetch->call.log, 0,
                      "address of image is not allowed");
        return NGX_DECLINED;
    }

    port = ngx_inet_get_port(sa);

    if (port != 80 && port != 443) {
        ngx_log_error(NGX_LOG_INFO, fetch->call.log, 0,
                      "port of image is not allowed");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_http_ktp_fetch_done(void *data, ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_fetch_t *fetch = data;

    ktp_code_t          code;
    ngx_connection_t   *c;
    ngx_http_request_t *r;
    ngx_http_ktp_ctx_t *ctx;

    r = fetch->request;
    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ngx_http_set_log_request(c->log, r);

    ctx->fetch = NULL;

    code = ngx_http_ktp_fetch_code(fetch);

    if (code == KTP_OK) {
        code = ktp_intake_finish(ctx->fetched);
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "ktp fetch: %s, status %ui, %uz bytes",
                   code == KTP_OK ? "complete" : ktp_error(code)->name,
                   call->status, ctx->store.size);

    fetch->handler(r, code);

    ngx_http_run_posted_requests(c);
}


static ktp_code_t
ngx_http_ktp_fetch_code(ngx_http_ktp_fetch_t *fetch)
{
    ngx_http_ktp_call_t *call;

    call = &fetch->call;

    if (fetch->code != KTP_OK) {
        return fetch->code;
    }

    if (call->result == NGX_HTTP_KTP_CALL_OK && call->status == NGX_HTTP_OK) {
        return KTP_OK;
    }

    /* the URL is not logged: it may contain a secret */

    ngx_log_error(NGX_LOG_INFO, call->log, 0,
                  "cannot fetch image: status %ui, %s", call->status,
                  call->error ? call->error : "no image");

    if (call->result == NGX_HTTP_KTP_CALL_BUSY) {
        return KTP_NO_CONNECTIONS;
    }

    return KTP_URL_NOT_FETCHED;
}
