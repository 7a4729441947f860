#include "ngx_http_ktp_reference.h"
#include "ngx_http_ktp_digest.h"
#include "ngx_http_ktp_flight.h"
#include <openssl/rand.h>


/* Characters of an identifier that this module makes, hexadecimal digits. */
#define NGX_HTTP_KTP_REFERENCE_LEN 32


static ngx_int_t ngx_http_ktp_reference_random(u_char *id);
static ngx_int_t ngx_http_ktp_reference_derive(ngx_http_request_t  *r,
                                               const ktp_request_t *request,
                                               u_char              *id);


ktp_code_t
ngx_http_ktp_reference(ngx_http_request_t *r, ktp_request_t *request,
                       ngx_uint_t complete)
{
    ngx_int_t                rc;
    ngx_str_t               *id;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    id = &ctx->reference_id;

    if (request->reference_id[0] != '\0'
        || klcf->reference_id == NGX_HTTP_KTP_REFERENCE_PASS) {

        /* that of the client may come behind an image that is being sent */

        id->len = 0;
        return KTP_OK;
    }

    if (klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE && !complete) {
        ngx_memset(request->reference_id, '0', NGX_HTTP_KTP_REFERENCE_LEN);
        request->reference_id[NGX_HTTP_KTP_REFERENCE_LEN] = '\0';
        return KTP_OK;
    }

    if (id->data == NULL) {
        id->data = ngx_pnalloc(r->pool, NGX_HTTP_KTP_REFERENCE_LEN);
        if (id->data == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }
    }

    rc = NGX_OK;

    if (klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE) {
        rc = ngx_http_ktp_reference_derive(r, request, id->data);

    } else if (id->len == 0) {
        rc = ngx_http_ktp_reference_random(id->data);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "reference_id cannot be made%s",
                      klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE
                          ? ", \"ktp_log_key\" may be empty"
                          : "");
        id->len = 0;
        return KTP_INTERNAL_SERVER_ERROR;
    }

    id->len = NGX_HTTP_KTP_REFERENCE_LEN;

    ngx_memcpy(request->reference_id, id->data, id->len);
    request->reference_id[id->len] = '\0';

    return KTP_OK;
}


static ngx_int_t
ngx_http_ktp_reference_random(u_char *id)
{
    u_char bytes[NGX_HTTP_KTP_REFERENCE_LEN / 2];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(id, bytes, sizeof(bytes));

    return NGX_OK;
}


/*
 * The same for the requests of one flight, as long as the key is the same,
 * also after a restart.
 */

static ngx_int_t
ngx_http_ktp_reference_derive(ngx_http_request_t  *r,
                              const ktp_request_t *request, u_char *id)
{
    u_char                out[KTP_HMAC_SIZE];
    ngx_int_t             rc;
    ktp_flight_t          flight;
    ngx_http_ktp_ctx_t   *ctx;
    ngx_http_ktp_digest_t digest;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ctx->image_hmac.len == 0
        || ngx_http_ktp_flight_text(ctx, request, &flight) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_ktp_flight_narrow(ctx, &flight);
    flight.digest = ctx->image_digest;

    ngx_memzero(&digest, sizeof(ngx_http_ktp_digest_t));

    ngx_http_ktp_digest_init(r, &digest);
    ngx_http_ktp_digest_put(&digest, "reference", sizeof("reference") - 1);
    ktp_flight_text(&flight, ngx_http_ktp_digest_put, &digest);

    rc = ngx_http_ktp_digest_final(&digest, out);
    ngx_http_ktp_digest_free(&digest);

    if (rc == NGX_OK) {
        (void) ngx_hex_dump(id, out, NGX_HTTP_KTP_REFERENCE_LEN / 2);
    }

    return rc;
}


ngx_str_t
ngx_http_ktp_reference_value(ngx_http_ktp_ctx_t *ctx)
{
    ngx_str_t value;

    if (ctx->called && ctx->reference_id.len) {
        return ctx->reference_id;
    }

    value.data = (u_char *) ktp_intake_request(ctx->intake)->reference_id;
    value.len = ngx_strlen(value.data);

    return value;
}


ngx_uint_t
ngx_http_ktp_reference_derived(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    return klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE
           && ktp_intake_request(ctx->intake)->reference_id[0] == '\0';
}
