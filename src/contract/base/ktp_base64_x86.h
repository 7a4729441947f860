/*
 * Base64 with vector instructions of x86-64.  The caller checks that the CPU
 * has them.
 */

#ifndef KTP_BASE64_X86_H
#define KTP_BASE64_X86_H

#include <stddef.h>

#if defined(__x86_64__)

/*
 * Return the number of characters (decode) or bytes (encode) read from the
 * front; the rest is left to a narrower instruction set.  Nothing is read
 * beyond src + len or written beyond dst + room; the contents of dst after
 * the result, up to dst + room, are undefined.
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
