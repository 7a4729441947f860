#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_answerers.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_fetch.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_quota.h"
#include "ngx_http_ktp_send.h"


static ngx_int_t  ngx_http_ktp_request_admit(ngx_http_request_t *r);
static void       ngx_http_ktp_request_admitted(ngx_http_ktp_ctx_t *ctx);
static ktp_code_t ngx_http_ktp_request_coding(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_request_piece(ngx_http_request_t *r, u_char *p,
                                             size_t n);
static void ngx_http_ktp_request_body(ngx_http_request_t *r, ktp_code_t code);
static void ngx_http_ktp_request_image(ngx_http_request_t *r, ktp_code_t code);
static ktp_code_t ngx_http_ktp_request_call(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_request_lead(ngx_http_request_t *r);
static void       ngx_http_ktp_request_claimed(ngx_http_request_t       *r,
                                               ngx_http_ktp_flights_rc_t rc);
static void       ngx_http_ktp_request_drop(ngx_http_request_t *r);
static void       ngx_http_ktp_request_landed(ngx_http_request_t       *r,
                                              ngx_http_ktp_flights_rc_t rc);
static ktp_code_t ngx_http_ktp_request_hmac(ngx_http_request_t *r,
                                            ngx_http_ktp_ctx_t *ctx);


static const ngx_http_ktp_body_t ngx_http_ktp_request_reader = {
    ngx_http_ktp_request_piece, ngx_http_ktp_send_full,
    ngx_http_ktp_request_body};


ngx_int_t
ngx_http_ktp_request_handler(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "ktp_pass cannot serve a subrequest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    /* error_page may have led here from another location */

    ctx->sandbox = klcf->sandbox;

    ngx_http_ktp_ctx_let_in(ctx);

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_ktp_request_refuse(r, KTP_METHOD_NOT_ALLOWED);
    }

    return ngx_http_ktp_request_admit(r);
}


/* Begins with the body, unless the answer to a rate is to be awaited. */

static ngx_int_t
ngx_http_ktp_request_admit(ngx_http_request_t *r)
{
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    code = ngx_http_ktp_send_admit(r);

    if (code == KTP_OK) {
        code = ngx_http_ktp_quota_admit(ctx, ngx_http_ktp_request_admitted);
    }

    if (code != KTP_OK) {
        return ngx_http_ktp_request_refuse(r, code);
    }

    if (ctx->reserving) {
        r->connection->log->action = "waiting for the rate of a ktp client";

        /* detects that the client closes the connection */

        r->read_event_handler = ngx_http_test_reading;
        r->main->count++;
        return NGX_DONE;
    }

    code = ngx_http_ktp_request_intake(r);

    if (code != KTP_OK) {
        return ngx_http_ktp_request_refuse(r, code);
    }

    code = ngx_http_ktp_flight_begin(r);

    if (code != KTP_OK) {
        return ngx_http_ktp_request_refuse(r, code);
    }

    return ngx_http_ktp_body_receive(r, &ngx_http_ktp_request_reader);
}


static void
ngx_http_ktp_request_admitted(ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_request_t *r;

    r = ctx->request;
    r->read_event_handler = ngx_http_block_reading;

    ngx_http_finalize_request(r, ngx_http_ktp_request_admit(r));
}


ktp_code_t
ngx_http_ktp_request_intake(ngx_http_request_t *r)
{
    off_t                    length;
    ngx_str_t                type;
    ktp_code_t               code;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ngx_str_set(&type, "");

    if (r->headers_in.content_type) {
        type = r->headers_in.content_type->value;
    }

    code = ktp_intake_create(&ctx->intake, &klcf->policy, &ctx->store,
                             (char *) type.data, type.len);

    if (code == KTP_OK) {
        code = ngx_http_ktp_request_coding(r);
    }

    if (code == KTP_OK) {
        code =
            ktp_intake_args(ctx->intake, (char *) r->args.data, r->args.len);
    }

    if (code != KTP_OK) {
        return code;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp request: type %s, declared length %O",
                   ngx_http_ktp_ctx_type(ctx), r->headers_in.content_length_n);

    length = r->headers_in.content_length_n;

    return ktp_intake_length(ctx->intake, length > 0 ? length : 0);
}


/* Checks each Content-Encoding of the body. */

static ktp_code_t
ngx_http_ktp_request_coding(ngx_http_request_t *r)
{
    ktp_code_t       code;
    ngx_uint_t       i;
    ngx_list_part_t *part;
    ngx_table_elt_t *h;

    static ngx_str_t name = ngx_string("content-encoding");

    code = KTP_OK;

    for (part = &r->headers_in.headers.part; part && code == KTP_OK;
         part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts && code == KTP_OK; i++) {
            if (h[i].key.len == name.len
                && ngx_strncasecmp(h[i].key.data, name.data, name.len) == 0) {
                code = ktp_intake_coding((char *) h[i].value.data,
                                         h[i].value.len);
            }
        }
    }

    return code;
}


ngx_int_t
ngx_http_ktp_request_refuse(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_int_t rc;

    if (r->http_version >= NGX_HTTP_VERSION_20) {

        /* the answer waits for the body */

    } else if ((r->headers_in.expect && !r->expect_tested)
               || code == KTP_INVALID_PAYLOAD_IMAGE_SIZE) {
        /*
         * The client may not send the body after this response, or the body is
         * too large to be worth reading: the connection is closed.
         */

        r->expect_tested = 1;
        r->keepalive = 0;
        r->lingering_close = 1;

    } else {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    r->main->count++;
    ngx_http_ktp_answer_error(r, code);

    return NGX_DONE;
}


/* Bytes of the body have arrived. */

static ktp_code_t
ngx_http_ktp_request_piece(ngx_http_request_t *r, u_char *p, size_t n)
{
    ktp_code_t               code;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    code = ktp_intake_feed(ctx->intake, p, n);

    ngx_http_ktp_digest_update(&ctx->digest, &ctx->store);

    if (code == KTP_OK && !klcf->request_buffering && !ctx->sandbox) {
        code = ngx_http_ktp_answerers_part(r);
    }

    return code;
}


static void
ngx_http_ktp_request_body(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (code == KTP_OK) {
        code = ktp_intake_finish(ctx->intake);
    }

    if (code == KTP_OK && ktp_intake_request(ctx->intake)->url[0]) {
        code = ngx_http_ktp_fetch(r, ngx_http_ktp_request_image);

        if (code == KTP_OK) {
            return;
        }
    }

    ngx_http_ktp_request_image(r, code);
}


static void
ngx_http_ktp_request_image(ngx_http_request_t *r, ktp_code_t code)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (code == KTP_OK) {
        ngx_log_debug4(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "ktp image: accepted, %s, %uD x %uD, %uz bytes",
                       ngx_http_ktp_ctx_format(ctx),
                       ngx_http_ktp_ctx_image(ctx)->width,
                       ngx_http_ktp_ctx_image(ctx)->height, ctx->store.size);

        code = ngx_http_ktp_request_hmac(r, ctx);
    }

    if (code == KTP_OK) {
        code = ngx_http_ktp_request_call(r);
    }

    if (code != KTP_OK) {
        ngx_http_ktp_answerers_fail(r, code);
    }
}


/* Makes a call, unless one for the same upload was or is being made. */

static ktp_code_t
ngx_http_ktp_request_call(ngx_http_request_t *r)
{
    ktp_code_t                code;
    ngx_http_ktp_flights_rc_t rc;

    code = ngx_http_ktp_flight_enter(r, &rc);

    if (code != KTP_OK) {
        return code;
    }

    if (rc == NGX_HTTP_KTP_FLIGHTS_LEAD) {
        return ngx_http_ktp_request_lead(r);
    }

    ngx_http_ktp_request_drop(r);

    if (rc == NGX_HTTP_KTP_FLIGHTS_JOIN) {
        return ngx_http_ktp_flight_wait(r, ngx_http_ktp_request_landed);
    }

    ngx_http_ktp_request_landed(r, rc);

    return KTP_OK;
}


/* The call is that of this host, but perhaps another host makes it. */

static ktp_code_t
ngx_http_ktp_request_lead(ngx_http_request_t *r)
{
    return ngx_http_ktp_flight_claim(r, ngx_http_ktp_request_claimed)
                   == NGX_HTTP_KTP_FLIGHTS_LEAD
               ? ngx_http_ktp_answerers(r)
               : KTP_OK;
}


static void
ngx_http_ktp_request_claimed(ngx_http_request_t       *r,
                             ngx_http_ktp_flights_rc_t rc)
{
    ktp_code_t code;

    if (rc != NGX_HTTP_KTP_FLIGHTS_LEAD) {
        ngx_http_ktp_request_drop(r);
        ngx_http_ktp_request_landed(r, rc);
        return;
    }

    code = ngx_http_ktp_answerers(r);

    if (code != KTP_OK) {
        ngx_http_ktp_answerers_fail(r, code);
    }
}


/* A call that was begun before the body was complete costs nothing. */

static void
ngx_http_ktp_request_drop(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    ngx_http_ktp_send_abort(ctx);
    ctx->called = 0;
}


/* The request has its answer, or its turn to make the call. */

static void
ngx_http_ktp_request_landed(ngx_http_request_t       *r,
                            ngx_http_ktp_flights_rc_t rc)
{
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    switch (rc) {

    case NGX_HTTP_KTP_FLIGHTS_LEAD:
        code = ngx_http_ktp_request_lead(r);
        break;

    case NGX_HTTP_KTP_FLIGHTS_FULL:
        code = ngx_http_ktp_answerers(r);
        break;

    case NGX_HTTP_KTP_FLIGHTS_REPLAY:
        code = KTP_INTERNAL_SERVER_ERROR;

        if (ngx_http_ktp_flight_call(r) == NGX_OK) {
            ngx_http_ktp_answerers_replay(r);
            return;
        }

        break;

    case NGX_HTTP_KTP_FLIGHTS_LOST:
        code = KTP_FLIGHT_LOST;
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR);
        break;

    case NGX_HTTP_KTP_FLIGHTS_UNSENT:
        code = KTP_SERVICE_UNAVAILABLE;
        break;

    default: /* WAIT */
        code = KTP_GATEWAY_TIMEOUT;
        ngx_http_ktp_ctx_set_outcome(ctx, NGX_HTTP_KTP_OUTCOME_TIMEOUT);
    }

    if (code != KTP_OK) {
        ngx_http_ktp_answerers_fail(r, code);
    }
}


/* Saves the digest of the complete image, if it is computed. */

static ktp_code_t
ngx_http_ktp_request_hmac(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    ngx_http_ktp_digest_update(&ctx->digest, &ctx->store);

    if (ngx_http_ktp_digest_final(&ctx->digest, ctx->image_digest) != NGX_OK) {
        return KTP_OK;
    }

    ctx->image_hmac.data = ngx_pnalloc(r->pool, KTP_HMAC_HEX);
    if (ctx->image_hmac.data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ctx->image_hmac.len = KTP_HMAC_HEX;
    ktp_hmac_hex((char *) ctx->image_hmac.data, ctx->image_digest);

    return KTP_OK;
}
