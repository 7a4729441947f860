/* Base64: the portable path, and the choice of the fast ones. */

#include "ktp_base64.h"
#include "ktp_base64_x86.h"
#include "ktp_cpu.h"


#define EQ 64 /* padding */
#define WS 65 /* white space */
#define XX 66 /* of neither alphabet */

/* clang-format off */
static const unsigned char  ktp_base64_values[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, WS, WS, XX, XX, WS, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    WS, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, 62, XX, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, EQ, XX, XX,
    XX,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, 63,
    XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};
/* clang-format on */

static const char ktp_base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


void
ktp_base64_init(ktp_base64_t *b)
{
    b->bits = 0;
    b->n = 0;
    b->pad = 0;
}


ktp_code_t
ktp_base64_char(ktp_base64_t *b, unsigned char c, unsigned char out[3],
                size_t *n)
{
    unsigned v;

    *n = 0;
    v = ktp_base64_values[c];

    if (v < 64) {
        if (b->pad) {
            return KTP_BAD_BASE64;
        }

        b->bits = b->bits << 6 | v;

        if (++b->n == 4) {
            out[0] = b->bits >> 16;
            out[1] = b->bits >> 8;
            out[2] = b->bits;
            ktp_base64_init(b);
            *n = 3;
        }

        return KTP_OK;
    }

    if (v == WS) {
        return KTP_OK;
    }

    if (v == XX) {
        return KTP_NOT_BASE64;
    }

    if (b->n < 2 || b->n + b->pad == 4) {
        return KTP_BAD_BASE64;
    }

    b->pad++;

    return KTP_OK;
}


ktp_code_t
ktp_base64_finish(ktp_base64_t *b, unsigned char out[3], size_t *n)
{
    *n = 0;

    if (b->n == 0) {
        return KTP_OK;
    }

    if (b->n == 1 || (b->pad && b->n + b->pad != 4)) {
        return KTP_BAD_BASE64;
    }

    if (b->n == 2) {
        if (b->bits & 0x0f) {
            return KTP_BAD_BASE64;
        }

        out[0] = b->bits >> 4;
        *n = 1;

    } else {
        if (b->bits & 0x03) {
            return KTP_BAD_BASE64;
        }

        out[0] = b->bits >> 10;
        out[1] = b->bits >> 2;
        *n = 2;
    }

    ktp_base64_init(b);

    return KTP_OK;
}


static size_t
ktp_base64_decode_portable(const unsigned char *src, size_t len,
                           unsigned char *dst, size_t room)
{
    size_t   i;
    unsigned a, b, c, d;

    for (i = 0; len - i >= 4 && room >= 3; i += 4) {
        a = ktp_base64_values[src[i]];
        b = ktp_base64_values[src[i + 1]];
        c = ktp_base64_values[src[i + 2]];
        d = ktp_base64_values[src[i + 3]];

        if ((a | b | c | d) >= 64) {
            break;
        }

        dst[0] = a << 2 | b >> 4;
        dst[1] = b << 4 | c >> 2;
        dst[2] = c << 6 | d;

        dst += 3;
        room -= 3;
    }

    return i;
}


size_t
ktp_base64_decode(const unsigned char *src, size_t len, unsigned char *dst,
                  size_t room)
{
    size_t n;

    n = 0;

#if defined(__x86_64__)

    if (ktp_cpu_has(KTP_CPU_AVX2)) {
        n = ktp_base64_x86_decode_avx2(src, len, dst, room);
    }

    if (ktp_cpu_has(KTP_CPU_SSSE3)) {
        n += ktp_base64_x86_decode_ssse3(src + n, len - n, dst + n / 4 * 3,
                                         room - n / 4 * 3);
    }

#endif

    return n
           + ktp_base64_decode_portable(src + n, len - n, dst + n / 4 * 3,
                                        room - n / 4 * 3);
}


void
ktp_base64_encode(const unsigned char *src, size_t len, unsigned char *dst)
{
    size_t   n;
    uint32_t v;

    n = 0;

#if defined(__x86_64__)

    if (ktp_cpu_has(KTP_CPU_AVX512F | KTP_CPU_AVX512VBMI)) {
        n = ktp_base64_x86_encode_avx512(src, len, dst);

    } else if (ktp_cpu_has(KTP_CPU_AVX2)) {
        n = ktp_base64_x86_encode_avx2(src, len, dst);
    }

    if (ktp_cpu_has(KTP_CPU_SSSE3)) {
        n += ktp_base64_x86_encode_ssse3(src + n, len - n, dst + n / 3 * 4);
    }

#endif

    for (dst += n / 3 * 4; n < len; n += 3) {
        v = (uint32_t) src[n] << 16 | src[n + 1] << 8 | src[n + 2];
        *dst++ = ktp_base64_alphabet[v >> 18];
        *dst++ = ktp_base64_alphabet[v >> 12 & 63];
        *dst++ = ktp_base64_alphabet[v >> 6 & 63];
        *dst++ = ktp_base64_alphabet[v & 63];
    }
}


void
ktp_base64_encode_last(const unsigned char *src, size_t len,
                       unsigned char dst[4])
{
    unsigned char last[3];

    last[0] = src[0];
    last[1] = len == 2 ? src[1] : 0;
    last[2] = 0;

    ktp_base64_encode(last, 3, dst);

    dst[3] = '=';
    if (len == 1) {
        dst[2] = '=';
    }
}
