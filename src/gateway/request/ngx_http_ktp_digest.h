/* HMAC-SHA-256 with ktp_log_key: digests that link requests in a log. */

#ifndef NGX_HTTP_KTP_DIGEST_H
#define NGX_HTTP_KTP_DIGEST_H

#include "ngx_http_ktp.h"
#include "ktp_hmac.h"
#include "ktp_store.h"


/* The digest of a store that grows. */
typedef struct {
    void  *mac;   /* NULL: there is no digest */
    size_t taken; /* bytes of the store so far */
} ngx_http_ktp_digest_t;


/*
 * The digest of len bytes with the key of the location, a ktp_hmac_pt;
 * request is an ngx_http_request_t.
 */
int ngx_http_ktp_digest_hmac(void *request, const unsigned char *p, size_t len,
                             unsigned char out[KTP_HMAC_SIZE]);

/*
 * Begins a digest with the key of the location; without a key there is none.
 * Its memory goes with ngx_http_ktp_digest_free().
 */
void ngx_http_ktp_digest_init(ngx_http_request_t    *r,
                              ngx_http_ktp_digest_t *digest);

/*
 * Takes in what was appended to the store since it was called before.  To be
 * called for each piece of the body, so that no piece of work is long, and
 * before the store is shifted.
 */
void ngx_http_ktp_digest_update(ngx_http_ktp_digest_t *digest,
                                const ktp_store_t     *store);

/* Ends the digest of a whole store: NGX_OK and out, or NGX_ERROR. */
ngx_int_t ngx_http_ktp_digest_final(ngx_http_ktp_digest_t *digest,
                                    unsigned char          out[KTP_HMAC_SIZE]);

/* Lets go of it in whatever state; may be called again. */
void ngx_http_ktp_digest_free(ngx_http_ktp_digest_t *digest);

/* What the digests of this process begin with.  For init_process. */
ngx_int_t ngx_http_ktp_digest_init_process(ngx_cycle_t *cycle);

/* For exit_process. */
void ngx_http_ktp_digest_exit(void);


#endif /* NGX_HTTP_KTP_DIGEST_H */
