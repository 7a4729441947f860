/*
 * Digests: HMAC-SHA-256 with ktp_log_key, to correlate log entries and to
 * derive identifiers, and SHA-256 of an image, to find the same one again.
 */

#ifndef NGX_HTTP_KTP_DIGEST_H
#define NGX_HTTP_KTP_DIGEST_H

#include "ngx_http_ktp.h"
#include "ktp_hmac.h"
#include "ktp_store.h"


/* The digest of a store that is being filled, or of pieces of text. */
typedef struct {
    void  *mac;   /* NULL: there is no digest with the key */
    void  *md;    /* of the image alone, or NULL */
    size_t taken; /* bytes of the store processed so far */
} ngx_http_ktp_digest_t;


/*
 * Computes the digest of len bytes with the key of the location; a
 * ktp_hmac_pt.  request is an ngx_http_request_t.
 */
int ngx_http_ktp_digest_hmac(void *request, const unsigned char *p, size_t len,
                             unsigned char out[KTP_HMAC_SIZE]);

/*
 * Starts a digest with the key of the location; without a key, nothing is
 * computed.  To be freed with ngx_http_ktp_digest_free().
 */
void ngx_http_ktp_digest_init(ngx_http_request_t    *r,
                              ngx_http_ktp_digest_t *digest);

/*
 * Starts a digest without a key, before the first update.  NGX_ERROR: memory
 * is short.
 */
ngx_int_t ngx_http_ktp_digest_image(ngx_http_ktp_digest_t *digest);

/*
 * Adds what was appended to the store since the last call.  To be called for
 * each piece of the body, which bounds the time of a call, and before data are
 * removed from the store.
 */
void ngx_http_ktp_digest_update(ngx_http_ktp_digest_t *digest,
                                const ktp_store_t     *store);

/* Adds len bytes to that with the key; digest is an ngx_http_ktp_digest_t. */
void ngx_http_ktp_digest_put(void *digest, const void *p, size_t len);

/* End the digests of a whole store: NGX_OK and out, or NGX_ERROR. */
ngx_int_t ngx_http_ktp_digest_final(ngx_http_ktp_digest_t *digest,
                                    unsigned char          out[KTP_HMAC_SIZE]);
ngx_int_t ngx_http_ktp_digest_image_final(ngx_http_ktp_digest_t *digest,
                                          unsigned char out[KTP_HMAC_SIZE]);

/* Frees a digest in any state; may be called repeatedly. */
void ngx_http_ktp_digest_free(ngx_http_ktp_digest_t *digest);

/* Prepares HMAC-SHA-256 for this process.  For init_process. */
ngx_int_t ngx_http_ktp_digest_init_process(ngx_cycle_t *cycle);

/* For exit_process. */
void ngx_http_ktp_digest_exit(void);


#endif /* NGX_HTTP_KTP_DIGEST_H */
