/*
 * Runs of plain characters.  No function of libc copies up to one of a set of
 * characters; 16 at a time with SSE2, which every x86-64 CPU has, it is 9 to
 * 18 times as fast as a byte at a time ("make bench-cpu", AMD EPYC).
 */

#include "ktp_span.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif


#define ktp_span_is_plain(c)                                                  \
    ((c) > 0x20 && (c) < 0x80 && (c) != '"' && (c) != '\\')


size_t
ktp_span_copy(unsigned char *dst, const unsigned char *src, size_t n)
{
    size_t i;

    i = 0;

#if defined(__SSE2__)

    for (/* void */; n - i >= 16; i += 16) {
        int     mask;
        __m128i c, special;

        c = _mm_loadu_si128((const __m128i *) (src + i));
        _mm_storeu_si128((__m128i *) (dst + i), c);

        /* as signed numbers, what is not ASCII is below the rest */

        special = _mm_cmplt_epi8(c, _mm_set1_epi8(0x21));
        special = _mm_or_si128(special, _mm_cmpeq_epi8(c, _mm_set1_epi8('"')));
        special =
            _mm_or_si128(special, _mm_cmpeq_epi8(c, _mm_set1_epi8('\\')));

        mask = _mm_movemask_epi8(special);
        if (mask) {
            return i + __builtin_ctz(mask);
        }
    }

#endif

    for (/* void */; i < n && ktp_span_is_plain(src[i]); i++) {
        dst[i] = src[i];
    }

    return i;
}
