/*
 * Base64 (RFC 4648, 4 and 5).  What is read may be in the standard or the
 * URL-safe alphabet, padded or not, with white space anywhere; what is
 * written is standard, padded, in one line.
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

/* Bytes that n bytes become; n is at most SIZE_MAX / 2. */
#define ktp_base64_length(n) (((n) + 2) / 3 * 4)

void ktp_base64_init(ktp_base64_t *b);

/*
 * The next character.  Whole quanta come out: *n is set to the bytes written
 * to out, 3 or 0.  KTP_INVALID_PAYLOAD_IMAGE_MISSING for a character of
 * neither alphabet, KTP_INVALID_PAYLOAD_IMAGE_FORMAT where no character of
 * the kind may be.
 */
ktp_code_t ktp_base64_char(ktp_base64_t *b, unsigned char c,
                           unsigned char out[3], size_t *n);

/*
 * The end: *n is set to the last 0 to 2 bytes.  A length or padding that no
 * encoder makes, or bits set after the last byte, are
 * KTP_INVALID_PAYLOAD_IMAGE_FORMAT.
 */
ktp_code_t ktp_base64_finish(ktp_base64_t *b, unsigned char out[3], size_t *n);

/*
 * Bulk decoding of whole quanta, for a decoder with no quantum begun.
 * Returns the characters taken, a multiple of 4, which is 3
 * bytes each in dst; stops before a quantum with anything but characters of
 * the alphabets in it, and before one that has no room.
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
