#include "ngx_http_ktp_access.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_request.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>


static ngx_int_t ngx_http_ktp_access_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_ktp_access_key(ngx_http_ktp_ctx_t     *ctx,
                                         ngx_http_ktp_client_t **client);
static ngx_int_t ngx_http_ktp_access_name(ngx_http_ktp_ctx_t     *ctx,
                                          ngx_http_ktp_client_t **client);
static ngx_int_t ngx_http_ktp_access_unauthorized(ngx_http_ktp_ctx_t *ctx);


/* Takes the place of a client where there are none at all; it has no key. */
static ngx_http_ktp_client_t ngx_http_ktp_no_client;


/*
 * Handlers of a phase run in reverse order, and a dynamic module's, added
 * last, would run first.  A name of nginx's own auth is there only when that
 * has run, and "satisfy any" means that a cheaper check comes first.
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

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_access_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_client_t   *client;
    ngx_http_ktp_loc_conf_t *klcf;

    client = NULL;
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->auth == NGX_HTTP_KTP_AUTH_OFF) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = klcf->auth == NGX_HTTP_KTP_AUTH_KEY
             ? ngx_http_ktp_access_key(ctx, &client)
             : ngx_http_ktp_access_name(ctx, &client);

    if (rc != NGX_OK) {
        return rc;
    }

    if (client->disabled) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client \"%V\" is disabled", &client->sn.str);
        ctx->code = KTP_FORBIDDEN;
        ctx->outcome = NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED;
        return NGX_HTTP_FORBIDDEN;
    }

    ctx->client = client->sn.str;
    ctx->client_conf = client;

    return NGX_OK;
}


/*
 * The same is done whether there is such a client or not, and whichever of
 * its keys is given, so that the time tells nothing of either.
 */

static ngx_int_t
ngx_http_ktp_access_key(ngx_http_ktp_ctx_t     *ctx,
                        ngx_http_ktp_client_t **client)
{
    static ngx_str_t none = ngx_string("");

    u_char                    digest[EVP_MAX_MD_SIZE];
    ngx_int_t                 rc;
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
        found = other ? other : &ngx_http_ktp_no_client;
    }

    same = 0;

    for (i = 0; i < NGX_HTTP_KTP_CLIENT_KEYS; i++) {
        same |= CRYPTO_memcmp(digest, found->keys[i], NGX_HTTP_KTP_DIGEST_SIZE)
                == 0;
    }

    same &= known;
    same &= found->nkeys != 0;

    if (!same) {

        /* neither the name nor the key: they may have been mixed up */

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "App-ID or API-Key is wrong");

        rc = ngx_http_ktp_access_unauthorized(ctx);

        return rc == NGX_HTTP_UNAUTHORIZED
                   ? ngx_http_ktp_unauthorized(ctx, found)
                   : rc;
    }

    *client = found;

    return NGX_OK;
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
                      "no name of a client");
        return ngx_http_ktp_access_unauthorized(ctx);
    }

    *client = ngx_http_ktp_client(kmcf, &name, NULL);

    if (*client == NULL) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "there is no client \"%V\"", &name);
        ctx->code = KTP_FORBIDDEN;
        ctx->outcome = NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED;
        return NGX_HTTP_FORBIDDEN;
    }

    return NGX_OK;
}


/* RFC 9110, 15.5.2: a 401 has a challenge; one of another module stays. */

static ngx_int_t
ngx_http_ktp_access_unauthorized(ngx_http_ktp_ctx_t *ctx)
{
    static ngx_str_t challenge = ngx_string("API-Key realm=\"ktp\"");

    ngx_table_elt_t    *h;
    ngx_http_request_t *r;

    r = ctx->request;

    ctx->code = KTP_UNAUTHORIZED;
    ctx->outcome = NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED;

    if (r->headers_out.www_authenticate) {
        return NGX_HTTP_UNAUTHORIZED;
    }

    h = ngx_http_ktp_headers_push(r, "WWW-Authenticate", &challenge);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.www_authenticate = h;

    return NGX_HTTP_UNAUTHORIZED;
}
