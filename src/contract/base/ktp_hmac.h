/* HMAC-SHA-256 digests, computed by a callback that has the key. */

#ifndef KTP_HMAC_H
#define KTP_HMAC_H

#include <stddef.h>


/* Bytes of a digest, and characters of its hexadecimal form. */
#define KTP_HMAC_SIZE 32
#define KTP_HMAC_HEX  64

/*
 * Computes the digest of len bytes at p into out.  Returns 0, or -1 if there
 * is no key or the computation fails.  The callback may be NULL, which means
 * that there is no key.
 */
typedef int (*ktp_hmac_pt)(void *ctx, const unsigned char *p, size_t len,
                           unsigned char out[KTP_HMAC_SIZE]);


/* Writes a digest as KTP_HMAC_HEX lower-case hexadecimal digits, no null. */
void ktp_hmac_hex(char *out, const unsigned char digest[KTP_HMAC_SIZE]);


#endif /* KTP_HMAC_H */
