#include "ngx_http_ktp_vault.h"
#include "ngx_http_ktp_map.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>


#define NGX_HTTP_KTP_VAULT_NONCE 12
#define NGX_HTTP_KTP_VAULT_TAG   16


static EVP_MAC_CTX *ngx_http_ktp_vault_begin(const u_char *key, size_t len,
                                             const char *what);
static ngx_int_t    ngx_http_ktp_vault_end(EVP_MAC_CTX *mac, u_char key[]);
static void ngx_http_ktp_vault_put(void *ctx, const void *p, size_t len);


/* The master's memory, which workers have inherited. */
static ngx_http_ktp_vault_keys_t *ngx_http_ktp_vault;

/*
 * Without a key: OpenSSL keeps keys in memory that core dumps include, so one
 * is set for each use, and wiped after it.
 */
static EVP_MAC_CTX    *ngx_http_ktp_vault_mac;
static EVP_CIPHER     *ngx_http_ktp_vault_aes;
static EVP_CIPHER_CTX *ngx_http_ktp_vault_cipher;


ngx_int_t
ngx_http_ktp_vault_create(ngx_log_t *log)
{
    ngx_http_ktp_vault_keys_t *vault;

    if (ngx_http_ktp_vault) {
        return NGX_OK;
    }

    vault = ngx_http_ktp_map(sizeof(ngx_http_ktp_vault_keys_t), log);
    if (vault == NULL) {
        return NGX_ERROR;
    }

    if (RAND_priv_bytes(vault->mac, sizeof(vault->mac)) != 1
        || RAND_priv_bytes(vault->cipher, sizeof(vault->cipher)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "no random bytes for a key");
        return NGX_ERROR;
    }

    ngx_http_ktp_vault = vault;

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_vault_init(ngx_cycle_t *cycle)
{
    EVP_MAC   *mac;
    OSSL_PARAM params[2];

    if (ngx_http_ktp_vault == NULL) {
        return NGX_OK;
    }

    mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    ngx_http_ktp_vault_mac = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);

    params[0] =
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0);
    params[1] = OSSL_PARAM_construct_end();

    ngx_http_ktp_vault_aes = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    ngx_http_ktp_vault_cipher = EVP_CIPHER_CTX_new();

    if (ngx_http_ktp_vault_mac == NULL
        || EVP_MAC_CTX_set_params(ngx_http_ktp_vault_mac, params) != 1
        || ngx_http_ktp_vault_aes == NULL
        || ngx_http_ktp_vault_cipher == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "HMAC-SHA-256 or AES-256-GCM is not available");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_http_ktp_vault_exit(void)
{
    EVP_MAC_CTX_free(ngx_http_ktp_vault_mac);
    EVP_CIPHER_CTX_free(ngx_http_ktp_vault_cipher);
    EVP_CIPHER_free(ngx_http_ktp_vault_aes);

    ngx_http_ktp_vault_mac = NULL;
    ngx_http_ktp_vault_cipher = NULL;
    ngx_http_ktp_vault_aes = NULL;
}


const ngx_http_ktp_vault_keys_t *
ngx_http_ktp_vault_derive(const ngx_str_t *secret, ngx_log_t *log)
{
    EVP_MAC_CTX               *mac;
    ngx_http_ktp_vault_keys_t *keys;

    keys = ngx_http_ktp_map(sizeof(ngx_http_ktp_vault_keys_t), log);
    if (keys == NULL) {
        return NULL;
    }

    mac = ngx_http_ktp_vault_begin(secret->data, secret->len, "fleet mac");

    if (ngx_http_ktp_vault_end(mac, keys->mac) != NGX_OK) {
        return NULL;
    }

    mac = ngx_http_ktp_vault_begin(secret->data, secret->len, "fleet cipher");

    return ngx_http_ktp_vault_end(mac, keys->cipher) == NGX_OK ? keys : NULL;
}


ngx_int_t
ngx_http_ktp_vault_key(const ngx_http_ktp_vault_keys_t *keys, const char *what,
                       const u_char *p, size_t len,
                       u_char key[NGX_HTTP_KTP_VAULT_KEY])
{
    EVP_MAC_CTX *mac;

    keys = keys ? keys : ngx_http_ktp_vault;
    mac = ngx_http_ktp_vault_begin(keys->mac, sizeof(keys->mac), what);

    if (mac) {
        ngx_http_ktp_vault_put(mac, p, len);
    }

    return ngx_http_ktp_vault_end(mac, key);
}


ngx_int_t
ngx_http_ktp_vault_flight(const ngx_http_ktp_vault_keys_t *keys,
                          const char *what, const ktp_flight_t *flight,
                          u_char key[NGX_HTTP_KTP_VAULT_KEY])
{
    EVP_MAC_CTX *mac;

    keys = keys ? keys : ngx_http_ktp_vault;
    mac = ngx_http_ktp_vault_begin(keys->mac, sizeof(keys->mac), what);

    if (mac) {
        ktp_flight_text(flight, ngx_http_ktp_vault_put, mac);
    }

    return ngx_http_ktp_vault_end(mac, key);
}


static EVP_MAC_CTX *
ngx_http_ktp_vault_begin(const u_char *key, size_t len, const char *what)
{
    EVP_MAC_CTX *mac;

    mac = EVP_MAC_CTX_dup(ngx_http_ktp_vault_mac);

    if (mac == NULL || EVP_MAC_init(mac, key, len, NULL) != 1) {
        EVP_MAC_CTX_free(mac);
        return NULL;
    }

    /* with its null, which ends it */

    ngx_http_ktp_vault_put(mac, what, ngx_strlen(what) + 1);

    return mac;
}


static ngx_int_t
ngx_http_ktp_vault_end(EVP_MAC_CTX *mac, u_char key[])
{
    int    rc;
    size_t n;

    if (mac == NULL) {
        return NGX_ERROR;
    }

    rc = EVP_MAC_final(mac, key, &n, NGX_HTTP_KTP_VAULT_KEY);
    EVP_MAC_CTX_free(mac);

    return rc == 1 ? NGX_OK : NGX_ERROR;
}


/* An update of a digest cannot fail: it needs no memory. */

static void
ngx_http_ktp_vault_put(void *ctx, const void *p, size_t len)
{
    (void) EVP_MAC_update(ctx, p, len);
}


ngx_int_t
ngx_http_ktp_vault_seal(const ngx_http_ktp_vault_keys_t *keys,
                        const u_char  key[NGX_HTTP_KTP_VAULT_KEY],
                        const u_char *p, size_t len, u_char *out)
{
    int             n, ok;
    u_char         *nonce, *tag, *text;
    EVP_CIPHER_CTX *c;

    c = ngx_http_ktp_vault_cipher;
    keys = keys ? keys : ngx_http_ktp_vault;
    nonce = out;
    tag = nonce + NGX_HTTP_KTP_VAULT_NONCE;
    text = tag + NGX_HTTP_KTP_VAULT_TAG;

    /* random nonces of 96 bits are safe for 2^32 texts a key */

    ok = RAND_bytes(nonce, NGX_HTTP_KTP_VAULT_NONCE) == 1
         && EVP_EncryptInit_ex2(c, ngx_http_ktp_vault_aes, keys->cipher, nonce,
                                NULL)
                == 1
         && EVP_EncryptUpdate(c, NULL, &n, key, NGX_HTTP_KTP_VAULT_KEY) == 1
         && EVP_EncryptUpdate(c, text, &n, p, len) == 1
         && EVP_EncryptFinal_ex(c, text + n, &n) == 1
         && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG,
                                NGX_HTTP_KTP_VAULT_TAG, tag)
                == 1;

    (void) EVP_CIPHER_CTX_reset(c);

    return ok ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_ktp_vault_open(const ngx_http_ktp_vault_keys_t *keys,
                        const u_char  key[NGX_HTTP_KTP_VAULT_KEY],
                        const u_char *p, size_t len, u_char *out)
{
    int             n, ok;
    u_char          tag[NGX_HTTP_KTP_VAULT_TAG];
    const u_char   *nonce, *text;
    EVP_CIPHER_CTX *c;

    if (len < NGX_HTTP_KTP_VAULT_EXTRA) {
        return NGX_ERROR;
    }

    c = ngx_http_ktp_vault_cipher;
    keys = keys ? keys : ngx_http_ktp_vault;
    nonce = p;
    text = p + NGX_HTTP_KTP_VAULT_EXTRA;
    ngx_memcpy(tag, p + NGX_HTTP_KTP_VAULT_NONCE, NGX_HTTP_KTP_VAULT_TAG);

    ok = EVP_DecryptInit_ex2(c, ngx_http_ktp_vault_aes, keys->cipher, nonce,
                             NULL)
             == 1
         && EVP_DecryptUpdate(c, NULL, &n, key, NGX_HTTP_KTP_VAULT_KEY) == 1
         && EVP_DecryptUpdate(c, out, &n, text, len - NGX_HTTP_KTP_VAULT_EXTRA)
                == 1
         && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG,
                                NGX_HTTP_KTP_VAULT_TAG, tag)
                == 1
         && EVP_DecryptFinal_ex(c, out + n, &n) == 1;

    (void) EVP_CIPHER_CTX_reset(c);

    if (!ok) {
        ngx_explicit_memzero(out, len - NGX_HTTP_KTP_VAULT_EXTRA);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_vault_random(u_char *p, size_t len)
{
    return RAND_bytes(p, len) == 1 ? NGX_OK : NGX_ERROR;
}
