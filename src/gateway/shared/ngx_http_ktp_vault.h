/*
 * The vault: keys drawn when the master starts, held in its memory only and
 * inherited by all workers, also after a reload.  They are left out of core
 * dumps.  What is sealed by one worker is opened by any other.  The same is
 * done with keys of a fleet, which come from a file.
 */

#ifndef NGX_HTTP_KTP_VAULT_H
#define NGX_HTTP_KTP_VAULT_H

#include "ngx_http_ktp.h"
#include "ktp_flight.h"


/* Bytes of a key, computed from what it stands for. */
#define NGX_HTTP_KTP_VAULT_KEY 32

/* Bytes that sealing adds: a nonce and a tag. */
#define NGX_HTTP_KTP_VAULT_EXTRA (12 + 16)

/* In the functions below, NULL stands for the keys of the vault. */
typedef struct {
    u_char mac[32];
    u_char cipher[32];
} ngx_http_ktp_vault_keys_t;


/*
 * Draws the keys, unless they are there.  For the initialization of a zone, in
 * the master.  NGX_ERROR: memory is short, or there are no random bytes.
 */
ngx_int_t ngx_http_ktp_vault_create(ngx_log_t *log);

/* Prepares the ciphers of this process.  For init_process. */
ngx_int_t ngx_http_ktp_vault_init(ngx_cycle_t *cycle);

/* For exit_process. */
void ngx_http_ktp_vault_exit(void);

/*
 * Derives keys from a secret of any length, in memory that is left out of core
 * dumps and lives as long as the process.  NULL: memory is short, or the
 * digest failed.  After init_process.
 */
const ngx_http_ktp_vault_keys_t *
ngx_http_ktp_vault_derive(const ngx_str_t *secret, ngx_log_t *log);

/*
 * Computes the key of len bytes, by HMAC-SHA-256; what is a constant name of
 * what they are, so that equal bytes of another kind have another key.
 */
ngx_int_t ngx_http_ktp_vault_key(const ngx_http_ktp_vault_keys_t *keys,
                                 const char *what, const u_char *p, size_t len,
                                 u_char key[NGX_HTTP_KTP_VAULT_KEY]);

/* The same for a flight. */
ngx_int_t ngx_http_ktp_vault_flight(const ngx_http_ktp_vault_keys_t *keys,
                                    const char                      *what,
                                    const ktp_flight_t              *flight,
                                    u_char key[NGX_HTTP_KTP_VAULT_KEY]);

/*
 * Encrypts len bytes by AES-256-GCM to out, which has room for len +
 * NGX_HTTP_KTP_VAULT_EXTRA bytes and may be shared memory.  key is that of the
 * entry, which is authenticated too: what was copied to another entry cannot
 * be opened there.
 */
ngx_int_t ngx_http_ktp_vault_seal(const ngx_http_ktp_vault_keys_t *keys,
                                  const u_char  key[NGX_HTTP_KTP_VAULT_KEY],
                                  const u_char *p, size_t len, u_char *out);

/*
 * Decrypts what was sealed, of len bytes, to out, which has room for len -
 * NGX_HTTP_KTP_VAULT_EXTRA bytes.  NGX_ERROR: it was modified, or sealed with
 * other keys.
 */
ngx_int_t ngx_http_ktp_vault_open(const ngx_http_ktp_vault_keys_t *keys,
                                  const u_char  key[NGX_HTTP_KTP_VAULT_KEY],
                                  const u_char *p, size_t len, u_char *out);

/* Fills p with len random bytes. */
ngx_int_t ngx_http_ktp_vault_random(u_char *p, size_t len);


#endif /* NGX_HTTP_KTP_VAULT_H */
