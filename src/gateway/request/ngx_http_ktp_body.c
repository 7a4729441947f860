#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_map.h"
#if (NGX_HTTP_V2)
#include <ngx_http_v2_module.h>
#endif


/*
 * Size of the read buffer.  All requests of a worker share it, since data are
 * parsed as soon as they are read.
 */
#define NGX_HTTP_KTP_BODY_BUFFER (128 * 1024)

/* Maximum read size of a body that is streamed and may have to wait. */
#define NGX_HTTP_KTP_BODY_PART (8 * 1024)

/* Maximum number of reads before other connections are served. */
#define NGX_HTTP_KTP_BODY_READS 16


static ngx_module_t *ngx_http_ktp_body_module(ngx_cycle_t *cycle,
                                              const char  *name);
static void          ngx_http_ktp_body_cleanse(ngx_cycle_t *cycle);
static ngx_uint_t    ngx_http_ktp_body_is_discarded(ngx_http_request_t *r);
static void          ngx_http_ktp_body_conceal(ngx_http_request_t *r);
static ktp_code_t    ngx_http_ktp_body_take(ngx_http_request_t *r);
static void          ngx_http_ktp_body_start(ngx_http_request_t *r);
static void          ngx_http_ktp_body_handler(ngx_http_request_t *r);
static void          ngx_http_ktp_body_wipe(ngx_http_request_t *r);
static void          ngx_http_ktp_body_read(ngx_http_request_t *r);
static ktp_code_t    ngx_http_ktp_body_feed(ngx_http_request_t *r);
static ktp_code_t    ngx_http_ktp_body_piece(ngx_http_request_t *r, u_char *p,
                                             u_char *last);
static ngx_uint_t    ngx_http_ktp_body_timer(ngx_http_request_t *r);
static void          ngx_http_ktp_body_pause(ngx_http_request_t *r);
static void          ngx_http_ktp_body_buffer(ngx_http_request_t *r);
static void ngx_http_ktp_body_done(ngx_http_request_t *r, ktp_code_t code);
static ktp_code_t ngx_http_ktp_body_error(ngx_int_t rc);


static u_char *ngx_http_ktp_body_memory;

/* Found by name: the nginx that runs may have been built without it. */
static ngx_module_t *ngx_http_ktp_body_http2;


ngx_int_t
ngx_http_ktp_body_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_body_http2 =
        ngx_http_ktp_body_module(cycle, "ngx_http_v2_module");
    ngx_http_ktp_body_cleanse(cycle);

    ngx_http_ktp_body_memory =
        ngx_http_ktp_map(NGX_HTTP_KTP_BODY_BUFFER, cycle->log);

    return ngx_http_ktp_body_memory ? NGX_OK : NGX_ERROR;
}


static ngx_module_t *
ngx_http_ktp_body_module(ngx_cycle_t *cycle, const char *name)
{
    ngx_uint_t i;

    for (i = 0; cycle->modules[i]; i++) {
        if (ngx_strcmp(cycle->modules[i]->name, name) == 0) {
            return cycle->modules[i];
        }
    }

    return NULL;
}


/*
 * Has OpenSSL wipe what it has decrypted.  Set on the contexts, since a part
 * of the body may be read together with the header.
 */

static void
ngx_http_ktp_body_cleanse(ngx_cycle_t *cycle)
{
#if (NGX_HTTP_SSL && defined SSL_OP_CLEANSE_PLAINTEXT)
    ngx_uint_t                 i;
    ngx_module_t              *ssl;
    ngx_http_ssl_srv_conf_t   *sscf;
    ngx_http_core_srv_conf_t **cscfp;
    ngx_http_core_main_conf_t *cmcf;

    ssl = ngx_http_ktp_body_module(cycle, "ngx_http_ssl_module");
    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);

    if (ssl == NULL || cmcf == NULL) {
        return;
    }

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        sscf = cscfp[i]->ctx->srv_conf[ssl->ctx_index];

        if (sscf->ssl.ctx) {
            SSL_CTX_set_options(sscf->ssl.ctx, SSL_OP_CLEANSE_PLAINTEXT);
        }
    }
#endif
}


ngx_int_t
ngx_http_ktp_body_receive(ngx_http_request_t        *r,
                          const ngx_http_ktp_body_t *body)
{
    ngx_int_t                 rc;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_loc_conf_t  *klcf;
    ngx_http_core_loc_conf_t *clcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ctx->body = body;

    if (ctx->body_idle == 0) {
        ctx->body_idle = clcf->client_body_timeout;
        ctx->body_until = ngx_current_msec + klcf->body_timeout;
    }

    if (r->request_body || ngx_http_ktp_body_is_discarded(r)) {
        r->main->count++;
        ngx_http_ktp_body_done(r, ngx_http_ktp_body_take(r));
        return NGX_DONE;
    }

    ngx_http_ktp_body_conceal(r);

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, ngx_http_ktp_body_start);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


ngx_int_t
ngx_http_ktp_body_drain(ngx_http_request_t *r, const ngx_http_ktp_body_t *body)
{
    ngx_connection_t         *c;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_core_loc_conf_t *clcf;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r->http_version < NGX_HTTP_VERSION_20 || c->error
        || ctx->code == KTP_REQUEST_TIMEOUT
        || clcf->lingering_close == NGX_HTTP_LINGERING_OFF) {
        return NGX_DECLINED;
    }

#if (NGX_HTTP_V2)
    if (r->stream && r->request_body == NULL) {

        if (r->stream->in_closed
            || (r->headers_in.content_length_n <= 0
                && !r->headers_in.chunked)) {
            return NGX_DECLINED;
        }

        /* nginx has begun to discard it, for its error page */

        r->stream->skip_data = 0;
    }
#endif

    /* what another handler has begun to read is left to nginx */

    if (r->request_body
            ? (!r->reading_body
               || r->request_body->post_handler != ngx_http_ktp_body_start)
            : (ngx_http_ktp_body_is_discarded(r)
               || (r->headers_in.content_length_n <= 0
                   && !r->headers_in.chunked))) {
        return NGX_DECLINED;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0, "ktp body: draining");

    ctx->body_idle = clcf->lingering_timeout;
    ctx->body_until = ngx_current_msec + clcf->lingering_time;

    if (r->request_body == NULL) {

        if (ngx_http_ktp_body_receive(r, body) != NGX_DONE) {
            return NGX_DECLINED;
        }

        /* the answer that is to come has been counted before */

        r->main->count--;

        return NGX_OK;
    }

    ctx->body = body;
    ctx->body_paused = 0;

    r->read_event_handler = ngx_http_ktp_body_handler;
    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_OK;
}


/* nginx marks a discarded body in a way of its own for each framing. */

static ngx_uint_t
ngx_http_ktp_body_is_discarded(ngx_http_request_t *r)
{
    ngx_table_elt_t *length;

    if (r->discard_body) {
        return 1;
    }

    if (r->request_body) {

        /* discarding of a chunked body needs its parser, but no handler */

        return r->request_body->chunked
               && r->request_body->post_handler == NULL;
    }

#if (NGX_HTTP_V2)
    if (r->stream) {
        return r->stream->skip_data;
    }
#endif

    if (r->headers_in.chunked) {
        return r->headers_in.content_length_n >= 0;
    }

    length = r->headers_in.content_length;

    return length && r->headers_in.content_length_n == 0
           && ngx_atoof(length->value.data, length->value.len) > 0;
}


/*
 * Moves what came over HTTP/2 before it was asked for to memory that core
 * dumps do not include: nginx frees it as it is.
 */

static void
ngx_http_ktp_body_conceal(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    size_t     size;
    ngx_buf_t *b, *preread;
#endif

#if (NGX_HTTP_V2)
    preread = r->stream ? r->stream->preread : NULL;

    if (preread == NULL) {
        return;
    }

    size = preread->last - preread->pos;

    if (size > NGX_HTTP_KTP_BODY_BUFFER) {
        return;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return;
    }

    /* nginx copies it at once, and cannot free what is not of the pool */

    b->start = ngx_http_ktp_body_memory;
    b->pos = b->start;
    b->last = ngx_cpymem(b->pos, preread->pos, size);
    b->end = b->start + NGX_HTTP_KTP_BODY_BUFFER;
    b->temporary = 1;

    r->stream->preread = b;

    ngx_explicit_memzero(preread->pos, size);
    (void) ngx_pfree(r->pool, preread->start);
#endif
}


/*
 * Passes on a body that another handler has read before: in an earlier phase,
 * or before an internal redirect.  It must be whole and in memory.  It is left
 * as it is, since that handler may still need it.
 */

static ktp_code_t
ngx_http_ktp_body_take(ngx_http_request_t *r)
{
    off_t        size;
    ktp_code_t   code;
    ngx_chain_t *cl;

    if (ngx_http_ktp_body_is_discarded(r)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "request body was discarded before \"ktp_pass\"");
        return KTP_BODY_DISCARDED;
    }

    if (r->request_body->temp_file) {

        /* an image must never be written to disk */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "request body was buffered to a file before "
                      "\"ktp_pass\", increase \"client_body_buffer_size\" "
                      "and disable \"client_body_in_file_only\"");
        return KTP_BODY_IN_FILE;
    }

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += cl->buf->last - cl->buf->pos;
    }

    if (r->reading_body || r->request_body->rest > 0
        || size < r->headers_in.content_length_n) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "request body was read in part before \"ktp_pass\", "
                      "%O bytes are left",
                      size);
        return KTP_BODY_IN_PART;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp body: %O bytes were read by another handler", size);

    code = KTP_OK;

    for (cl = r->request_body->bufs; cl && code == KTP_OK; cl = cl->next) {
        code = ngx_http_ktp_body_piece(r, cl->buf->pos, cl->buf->last);
    }

    return code;
}


static void
ngx_http_ktp_body_start(ngx_http_request_t *r)
{
    /* a filter of another module may have asked nginx to buffer the body */

    if (r->request_body->temp_file) {
        ngx_http_ktp_body_done(r, ngx_http_ktp_body_take(r));
        return;
    }

    ngx_http_ktp_body_read(r);
}


static void
ngx_http_ktp_body_handler(ngx_http_request_t *r)
{
    ngx_connection_t *c;

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (r->http_version == NGX_HTTP_VERSION_20 && r->request_body->rest == 0) {
        ngx_http_ktp_body_wipe(r);
    }

    ngx_http_ktp_body_read(r);

    ngx_http_run_posted_requests(c);
}


/*
 * Wipes the buffer of the worker for HTTP/2 frames, once all of the body has
 * come.  Only in an event: all frames that were read before it was posted have
 * been parsed then.
 */

static void
ngx_http_ktp_body_wipe(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    ngx_buf_t               *b;
    ngx_http_v2_main_conf_t *h2mcf;

    if (ngx_http_ktp_body_http2) {
        h2mcf = r->main_conf[ngx_http_ktp_body_http2->ctx_index];
        ngx_explicit_memzero(h2mcf->recv_buffer, h2mcf->recv_buffer_size);
    }

    /* newer versions look for the preface in a buffer of HTTP/1 */

    b = r->stream->connection->connection->buffer;

    if (b && b->start) {
        ngx_explicit_memzero(b->start, b->pos - b->start);
    }
#endif
}


static void
ngx_http_ktp_body_read(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_uint_t          n;
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    r->read_event_handler = ngx_http_ktp_body_handler;

    for (n = 0;; n++) {

        code = ngx_http_ktp_body_feed(r);

        if (code != KTP_OK) {
            ngx_http_ktp_body_done(r, code);
            return;
        }

        if (!r->reading_body) {
            break;
        }

        if (ctx->body->full && ctx->body->full(r)) {
            ngx_http_ktp_body_pause(r);
            return;
        }

        if (n >= NGX_HTTP_KTP_BODY_READS && r->connection->read->ready
            && r->http_version < NGX_HTTP_VERSION_20) {
            ngx_post_event(r->connection->read, &ngx_posted_next_events);
            return;
        }

        ngx_http_ktp_body_buffer(r);

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_ktp_body_done(r, ngx_http_ktp_body_error(rc));
            return;
        }

        if (rc == NGX_AGAIN && !ngx_http_ktp_body_timer(r)) {
            ngx_http_ktp_body_done(r, KTP_REQUEST_TIMEOUT);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }

    /* another handler, such as that of "post_action", finds an empty body */

    r->headers_in.content_length_n = 0;

    ngx_http_ktp_body_done(r, KTP_OK);
}


/* Passes the received bytes on and returns the buffers to nginx. */

static ktp_code_t
ngx_http_ktp_body_feed(ngx_http_request_t *r)
{
    ngx_buf_t          *b;
    ktp_code_t          code;
    ngx_chain_t        *cl, *ln;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    code = KTP_OK;

    for (cl = r->request_body->bufs; cl; /* void */) {
        b = cl->buf;

        if (code == KTP_OK) {
            code = ngx_http_ktp_body_piece(r, b->pos, b->last);
        }

        if (!ctx->body_replaced) {

            /* memory of nginx */

            ngx_explicit_memzero(b->pos, b->last - b->pos);
        }

        b->pos = b->last;

        ln = cl;
        cl = cl->next;
        ngx_free_chain(r->pool, ln);
    }

    r->request_body->bufs = NULL;

    return code;
}


static ktp_code_t
ngx_http_ktp_body_piece(ngx_http_request_t *r, u_char *p, u_char *last)
{
    ngx_http_ktp_ctx_t *ctx;

    if (p == last) {
        return KTP_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ctx->received += last - p;
    ctx->pieces++;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp body: piece of %uz bytes", (size_t) (last - p));

    return ctx->body->piece(r, p, last - p);
}


/*
 * Shortens the timer that nginx has set for the next read, so that it does not
 * end after the whole body has to be there.  0: that time has passed.
 */

static ngx_uint_t
ngx_http_ktp_body_timer(ngx_http_request_t *r)
{
    ngx_msec_int_t      left;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    left = (ngx_msec_int_t) (ctx->body_until - ngx_current_msec);

    if (left <= 0) {
        return 0;
    }

    if (r->connection->read->timer_set) {
        ngx_add_timer(r->connection->read,
                      ngx_min((ngx_msec_t) left, ctx->body_idle));
    }

    return 1;
}


/* Stops reading while the upstream is slower than the client. */

static void
ngx_http_ktp_body_pause(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    ctx->body_paused = 1;
    ctx->body_left = ctx->body_until - ngx_current_msec;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp body: paused");

    ngx_http_ktp_body_stop(r);

    /* still detect that the client closes the connection */

    r->read_event_handler = ngx_http_test_reading;
}


void
ngx_http_ktp_body_resume(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ctx->body_paused) {
        ctx->body_paused = 0;
        ctx->body_until = ngx_current_msec + ctx->body_left;

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "ktp body: resumed");

        r->read_event_handler = ngx_http_ktp_body_handler;
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
}


void
ngx_http_ktp_body_stop(ngx_http_request_t *r)
{
    ngx_event_t *rev;

    rev = r->connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    r->read_event_handler = ngx_http_block_reading;
}


/*
 * Selects the memory for the next read: directly where the image is stored, if
 * the body is a bare file, else the shared buffer, which is larger than
 * client_body_buffer_size and is not tied up by slow uploads.  HTTP/2 has its
 * own buffers.
 */

static void
ngx_http_ktp_body_buffer(ngx_http_request_t *r)
{
    size_t                   size;
    u_char                  *p;
    ngx_buf_t               *b;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    b = r->request_body->buf;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (b == NULL || b->pos != b->last
        || r->http_version >= NGX_HTTP_VERSION_20) {
        return;
    }

    if (!ctx->body_replaced) {
        ctx->body_replaced = 1;
        (void) ngx_pfree(r->pool, b->start);
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    p = NULL;
    size = 0;

    if (!r->headers_in.chunked) {
        p = ktp_intake_room(ctx->intake, &size);
    }

    if (p == NULL) {
        p = ngx_http_ktp_body_memory;
        size = NGX_HTTP_KTP_BODY_BUFFER;
    }

    if (!klcf->request_buffering) {
        size = ngx_min(size, NGX_HTTP_KTP_BODY_PART);
    }

    b->start = p;
    b->pos = p;
    b->last = p;
    b->end = p + size;
}


static void
ngx_http_ktp_body_done(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_connection_t   *c;
    ngx_http_ktp_ctx_t *ctx;

    c = r->connection;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (!r->discard_body) {
        ngx_http_ktp_body_stop(r);
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "ktp body: %s, %O bytes in %ui pieces",
                   code == KTP_OK ? "complete" : ktp_error(code)->name,
                   ctx->received, ctx->pieces);

    if (c->error) {
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_ABORTED);
        ngx_http_finalize_request(r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
        return;
    }

    if (code == KTP_REQUEST_TIMEOUT) {

        /* otherwise nginx closes the connection without a response */

        c->timedout = 0;
        c->read->timedout = 0;
    }

    ctx->body->done(r, code);
}


/* Converts a status returned by the body reader of nginx. */

static ktp_code_t
ngx_http_ktp_body_error(ngx_int_t rc)
{
    ktp_code_t code;

    code = ktp_error_by_status(rc);

    return code == KTP_OK ? KTP_INTERNAL_SERVER_ERROR : code;
}
