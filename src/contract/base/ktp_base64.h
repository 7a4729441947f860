/*
 * Base64 (RFC 4648, sections 4 and 5).  Input may use the standard or the
 * URL-safe alphabet, with or without padding, and may have white space
 * anywhere.  Output uses the standard alphabet, padded, in one line.
 */

#ifndef KTP_BASE64_H
#define KTP_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_error.h"


/* A decoder that takes one character at a time. */
typedef struct {
    uint32_t bits; /* of the quantum that is not complete */
    unsigned n;    /* characters in it, 0 to 3 */
    unsigned pad;  /* "=" seen, after 2 or 3 of them */
} ktp_base64_t;

/* Length of n bytes when encoded; n is at most SIZE_MAX / 2. */
#define ktp_base64_length(n) (((n) + 2) / 3 * 4)

void ktp_base64_init(ktp_base64_t *b);

/*
 * Decodes the next character.  Sets *n to the number of bytes written to out:
 * 3 if a quantum is complete, otherwise 0.  Returns
 * KTP_NOT_BASE64 for a character of neither alphabet, and
 * KTP_BAD_BASE64 for one that is not allowed here.
 */
ktp_code_t ktp_base64_char(ktp_base64_t *b, unsigned char c,
                           unsigned char out[3], size_t *n);

/*
 * Ends decoding.  Sets *n to the number of remaining bytes, 0 to 2.  Returns
 * KTP_BAD_BASE64 for a length or padding that no encoder
 * produces, and for bits set after the last byte.
 */
ktp_code_t ktp_base64_finish(ktp_base64_t *b, unsigned char out[3], size_t *n);

/*
 * Decodes whole quanta; no quantum may be incomplete in a decoder.  Returns
 * the number of characters read, a multiple of 4; each 4 are 3 bytes in dst.
 * Stops before a quantum that has a character outside of the alphabets, and
 * before one that does not fit into room bytes.
 */
size_t ktp_base64_decode(const unsigned char *src, size_t len,
                         unsigned char *dst, size_t room);

/* Encodes len bytes, a multiple of 3; dst has room for len / 3 * 4. */
void ktp_base64_encode(const unsigned char *src, size_t len,
                       unsigned char *dst);

/* Encodes the last 1 or 2 bytes, padded. */
void ktp_base64_encode_last(const unsigned char *src, size_t len,
                            unsigned char dst[4]);


#endif /* KTP_BASE64_H */
