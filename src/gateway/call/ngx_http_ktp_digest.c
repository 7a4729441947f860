#include "ngx_http_ktp_digest.h"
#include "ngx_http_ktp_secret.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>


static EVP_MAC_CTX *ngx_http_ktp_digest_mac(ngx_http_request_t *r);


/*
 * HMAC-SHA-256 without a key, fetched once: fetching an algorithm takes longer
 * than the digest of a NIK.
 */
static EVP_MAC_CTX *ngx_http_ktp_digest_mac_template;
static EVP_MD      *ngx_http_ktp_digest_sha256;


ngx_int_t
ngx_http_ktp_digest_init_process(ngx_cycle_t *cycle)
{
    EVP_MAC   *mac;
    OSSL_PARAM params[2];

    mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    ngx_http_ktp_digest_mac_template = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);

    ngx_http_ktp_digest_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);

    params[0] =
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0);
    params[1] = OSSL_PARAM_construct_end();

    if (ngx_http_ktp_digest_mac_template == NULL
        || ngx_http_ktp_digest_sha256 == NULL
        || EVP_MAC_CTX_set_params(ngx_http_ktp_digest_mac_template, params)
               != 1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "SHA-256 or HMAC-SHA-256 is not available");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_ktp_digest_exit(void)
{
    EVP_MAC_CTX_free(ngx_http_ktp_digest_mac_template);
    EVP_MD_free(ngx_http_ktp_digest_sha256);
    ngx_http_ktp_digest_sha256 = NULL;
    ngx_http_ktp_digest_mac_template = NULL;
}


/* A context with the current key; NULL if there is no key. */

static EVP_MAC_CTX *
ngx_http_ktp_digest_mac(ngx_http_request_t *r)
{
    ngx_str_t                key;
    EVP_MAC_CTX             *mac;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (klcf->log_key == NULL
        || ngx_http_ktp_secret(r, klcf->log_key, &key) != NGX_OK
        || key.len == 0) {
        return NULL;
    }

    mac = EVP_MAC_CTX_dup(ngx_http_ktp_digest_mac_template);

    if (mac && EVP_MAC_init(mac, key.data, key.len, NULL) != 1) {
        EVP_MAC_CTX_free(mac);
        return NULL;
    }

    return mac;
}


int
ngx_http_ktp_digest_hmac(void *request, const unsigned char *p, size_t len,
                         unsigned char out[KTP_HMAC_SIZE])
{
    int          rc;
    size_t       n;
    EVP_MAC_CTX *mac;

    mac = ngx_http_ktp_digest_mac(request);
    if (mac == NULL) {
        return -1;
    }

    rc = EVP_MAC_update(mac, p, len) == 1
         && EVP_MAC_final(mac, out, &n, KTP_HMAC_SIZE) == 1;

    EVP_MAC_CTX_free(mac);

    return rc ? 0 : -1;
}


void
ngx_http_ktp_digest_init(ngx_http_request_t *r, ngx_http_ktp_digest_t *digest)
{
    digest->mac = ngx_http_ktp_digest_mac(r);
    digest->taken = 0;
}


ngx_int_t
ngx_http_ktp_digest_image(ngx_http_ktp_digest_t *digest)
{
    EVP_MD_CTX *md;

    md = EVP_MD_CTX_new();
    if (md == NULL) {
        return NGX_ERROR;
    }

    if (EVP_DigestInit_ex2(md, ngx_http_ktp_digest_sha256, NULL) != 1) {
        EVP_MD_CTX_free(md);
        return NGX_ERROR;
    }

    digest->md = md;

    return NGX_OK;
}


void
ngx_http_ktp_digest_update(ngx_http_ktp_digest_t *digest,
                           const ktp_store_t     *store)
{
    size_t             n, start;
    const u_char      *p;
    const ktp_chunk_t *chunk;

    if ((digest->mac == NULL && digest->md == NULL)
        || digest->taken == store->size) {
        return;
    }

    /* chunks at the front may have been freed */

    start = store->size;

    for (chunk = store->first; chunk; chunk = chunk->next) {
        start -= chunk->len;
    }

    for (chunk = store->first; chunk; chunk = chunk->next) {

        if (digest->taken < start + chunk->len) {
            p = chunk->data + (digest->taken - start);
            n = start + chunk->len - digest->taken;

            if ((digest->mac && EVP_MAC_update(digest->mac, p, n) != 1)
                || (digest->md && EVP_DigestUpdate(digest->md, p, n) != 1)) {
                ngx_http_ktp_digest_free(digest);
                return;
            }

            digest->taken = start + chunk->len;
        }

        start += chunk->len;
    }
}


void
ngx_http_ktp_digest_put(void *digest, const void *p, size_t len)
{
    ngx_http_ktp_digest_t *d = digest;

    if (d->mac && EVP_MAC_update(d->mac, p, len) != 1) {
        ngx_http_ktp_digest_free(d);
    }
}


ngx_int_t
ngx_http_ktp_digest_final(ngx_http_ktp_digest_t *digest,
                          unsigned char          out[KTP_HMAC_SIZE])
{
    size_t n;

    if (digest->mac == NULL
        || EVP_MAC_final(digest->mac, out, &n, KTP_HMAC_SIZE) != 1) {
        return NGX_ERROR;
    }

    EVP_MAC_CTX_free(digest->mac);
    digest->mac = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_digest_image_final(ngx_http_ktp_digest_t *digest,
                                unsigned char          out[KTP_HMAC_SIZE])
{
    if (digest->md == NULL || EVP_DigestFinal_ex(digest->md, out, NULL) != 1) {
        return NGX_ERROR;
    }

    EVP_MD_CTX_free(digest->md);
    digest->md = NULL;

    return NGX_OK;
}


void
ngx_http_ktp_digest_free(ngx_http_ktp_digest_t *digest)
{
    EVP_MAC_CTX_free(digest->mac);
    EVP_MD_CTX_free(digest->md);
    digest->mac = NULL;
    digest->md = NULL;
}
