#include "ngx_http_ktp_forget.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_body.h"
#include "ngx_http_ktp_fleet_forget.h"
#include "ngx_http_ktp_flight.h"
#include "ngx_http_ktp_request.h"


/* A request that waits for Redis. */
typedef struct {
    ngx_http_request_t          *request;
    ngx_http_ktp_fleet_forget_t *forget; /* NULL: it does not wait */
    ngx_uint_t                   n;      /* answers of this host */
} ngx_http_ktp_forget_wait_t;


static ngx_int_t  ngx_http_ktp_forget_handler(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_forget_hmac(ngx_http_request_t *r,
                                           ngx_str_t          *hex);
static ktp_code_t ngx_http_ktp_forget_piece(ngx_http_request_t *r, u_char *p,
                                            size_t n);
static void ngx_http_ktp_forget_body(ngx_http_request_t *r, ktp_code_t code);
static ktp_code_t ngx_http_ktp_forget_erase(ngx_http_request_t *r,
                                            const u_char       *digest,
                                            const u_char       *tag,
                                            ngx_uint_t          hmac);
static ktp_code_t ngx_http_ktp_forget_fleet(ngx_http_request_t *r,
                                            const u_char       *digest,
                                            ngx_uint_t hmac, ngx_uint_t n);
static void       ngx_http_ktp_forget_cleanup(void *data);
static void       ngx_http_ktp_forget_done(void *data, ngx_int_t n);
static ktp_code_t ngx_http_ktp_forget_answer(ngx_http_request_t *r,
                                             ngx_uint_t n, ngx_int_t fleet);


static const ngx_http_ktp_body_t ngx_http_ktp_forget_reader = {
    ngx_http_ktp_forget_piece, NULL, ngx_http_ktp_forget_body};


char *
ngx_http_ktp_forget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_ktp_main_conf_t *kmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler == ngx_http_ktp_forget_handler) {
        return "is duplicate";
    }

    clcf->handler = ngx_http_ktp_forget_handler;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->forget++;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ktp_forget_handler(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ngx_str_t           hex;
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->aside = 1;

    if (r->method != NGX_HTTP_POST) {
        code = KTP_METHOD_NOT_ALLOWED;

    } else if (ngx_http_arg(r, (u_char *) "image_hmac", 10, &hex) == NGX_OK) {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        r->main->count++;
        code = ngx_http_ktp_forget_hmac(r, &hex);

        if (code != KTP_OK) {
            ngx_http_ktp_answer_error(r, code);
        }

        return NGX_DONE;

    } else {
        code = ngx_http_ktp_request_intake(r);
    }

    if (code == KTP_OK && ngx_http_ktp_digest_image(&ctx->digest) != NGX_OK) {
        code = KTP_INTERNAL_SERVER_ERROR;
    }

    if (code != KTP_OK) {
        return ngx_http_ktp_request_refuse(r, code);
    }

    return ngx_http_ktp_body_receive(r, &ngx_http_ktp_forget_reader);
}


static ktp_code_t
ngx_http_ktp_forget_hmac(ngx_http_request_t *r, ngx_str_t *hex)
{
    u_char    tag[KTP_HMAC_SIZE];
    ngx_int_t n;
    size_t    i;

    if (hex->len != KTP_HMAC_HEX) {
        return KTP_INVALID_PAYLOAD;
    }

    for (i = 0; i < KTP_HMAC_SIZE; i++) {
        n = ngx_hextoi(hex->data + 2 * i, 2);

        if (n == NGX_ERROR) {
            return KTP_INVALID_PAYLOAD;
        }

        tag[i] = (u_char) n;
    }

    return ngx_http_ktp_forget_erase(r, tag, tag, 1);
}


static ktp_code_t
ngx_http_ktp_forget_piece(ngx_http_request_t *r, u_char *p, size_t n)
{
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    code = ktp_intake_feed(ctx->intake, p, n);

    ngx_http_ktp_digest_update(&ctx->digest, &ctx->store);

    return code;
}


static void
ngx_http_ktp_forget_body(ngx_http_request_t *r, ktp_code_t code)
{
    u_char              image[KTP_FLIGHT_DIGEST];
    u_char              tag[NGX_HTTP_KTP_VAULT_KEY];
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (code == KTP_OK) {
        code = ktp_intake_finish(ctx->intake);
    }

    if (code == KTP_OK && ktp_intake_request(ctx->intake)->url[0]) {

        /* nothing is fetched here */

        code = KTP_URL_NOT_ALLOWED;
    }

    if (code == KTP_OK
        && (ngx_http_ktp_flight_digest(&ctx->digest, &ctx->store, image)
                != NGX_OK
            || ngx_http_ktp_flights_tag(image, tag) != NGX_OK)) {
        code = KTP_INTERNAL_SERVER_ERROR;
    }

    if (code == KTP_OK) {
        code = ngx_http_ktp_forget_erase(r, image, tag, 0);
    }

    if (code != KTP_OK) {
        ngx_http_ktp_answer_error(r, code);
    }
}


/* Erases answers of this host, then those of the fleet. */

static ktp_code_t
ngx_http_ktp_forget_erase(ngx_http_request_t *r, const u_char *digest,
                          const u_char *tag, ngx_uint_t hmac)
{
    ngx_uint_t                n;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_main_conf_t *kmcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    ktp_store_free(&ctx->store);

    n = ngx_http_ktp_flights_forget(kmcf->flights, tag, hmac);

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "%ui stored answers of an image were erased", n);

    return kmcf->fleet_keys[0] ? ngx_http_ktp_forget_fleet(r, digest, hmac, n)
                               : ngx_http_ktp_forget_answer(r, n, -1);
}


static ktp_code_t
ngx_http_ktp_forget_fleet(ngx_http_request_t *r, const u_char *digest,
                          ngx_uint_t hmac, ngx_uint_t n)
{
    ngx_http_cleanup_t          *cln;
    ngx_http_ktp_forget_wait_t  *wait;
    ngx_http_ktp_fleet_forget_t *forget;

    cln = ngx_http_cleanup_add(r, sizeof(ngx_http_ktp_forget_wait_t));
    if (cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    wait = cln->data;
    wait->request = r;
    wait->n = n;

    forget = ngx_http_ktp_fleet_forget(digest, hmac, ngx_http_ktp_forget_done,
                                       wait);
    if (forget == NULL) {
        return KTP_SERVICE_UNAVAILABLE;
    }

    wait->forget = forget;
    cln->handler = ngx_http_ktp_forget_cleanup;

    r->connection->log->action = "erasing answers of the fleet";
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return KTP_OK;
}


static void
ngx_http_ktp_forget_cleanup(void *data)
{
    ngx_http_ktp_forget_wait_t *wait = data;

    if (wait->forget) {
        ngx_http_ktp_fleet_forget_leave(wait->forget);
    }
}


static void
ngx_http_ktp_forget_done(void *data, ngx_int_t n)
{
    ngx_http_ktp_forget_wait_t *wait = data;

    ktp_code_t          code;
    ngx_connection_t   *c;
    ngx_http_request_t *r;

    r = wait->request;
    c = r->connection;
    wait->forget = NULL;

    ngx_http_set_log_request(c->log, r);

    code = n == NGX_ERROR ? KTP_SERVICE_UNAVAILABLE
                          : ngx_http_ktp_forget_answer(r, wait->n, n);

    if (code != KTP_OK) {
        ngx_http_ktp_answer_error(r, code);
    }

    ngx_http_run_posted_requests(c);
}


/* fleet: -1, there is none. */

static ktp_code_t
ngx_http_ktp_forget_answer(ngx_http_request_t *r, ngx_uint_t n,
                           ngx_int_t fleet)
{
    u_char   *p;
    ngx_str_t body;

    static const char form[] =
        "{\"message\":\"stored answers were erased\",\"erased\":%ui";
    static const char more[] = ",\"fleet\":%i";

    body.data =
        ngx_pnalloc(r->pool, sizeof(form) + sizeof(more) + 2 * NGX_INT_T_LEN);
    if (body.data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_sprintf(body.data, form, n);

    if (fleet >= 0) {
        p = ngx_sprintf(p, more, fleet);
    }

    *p++ = '}';
    body.len = p - body.data;

    ngx_http_ktp_answer_text(r, NGX_HTTP_OK, &body);

    return KTP_OK;
}
