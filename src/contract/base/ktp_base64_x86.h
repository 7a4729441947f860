/*
 * Base64 with the vector instructions of x86-64.  To be called only where
 * the CPU has them.
 */

#ifndef KTP_BASE64_X86_H
#define KTP_BASE64_X86_H

#include <stddef.h>

#if defined(__x86_64__)

/*
 * Both return the characters (decode) or bytes (encode) taken, of the front;
 * what is left is for a narrower way.  Nothing is read behind src + len, and
 * nothing is written behind dst + room, but up to dst + room anything may be.
 */
size_t ktp_base64_x86_decode_ssse3(const unsigned char *src, size_t len,
                                   unsigned char *dst, size_t room);
size_t ktp_base64_x86_decode_avx2(const unsigned char *src, size_t len,
                                  unsigned char *dst, size_t room);

/* dst has room for len / 3 * 4 characters. */
size_t ktp_base64_x86_encode_ssse3(const unsigned char *src, size_t len,
                                   unsigned char *dst);
size_t ktp_base64_x86_encode_avx2(const unsigned char *src, size_t len,
                                  unsigned char *dst);
size_t ktp_base64_x86_encode_avx512(const unsigned char *src, size_t len,
                                    unsigned char *dst);

#endif

#endif /* KTP_BASE64_X86_H */
