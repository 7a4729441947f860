/*
 * Base64, 16 or 32 characters at a time.
 *
 * Decoding.  A character's upper four bits are its row of the ASCII table,
 * its lower four its column.  A row has a bit; a column has the bits of the
 * rows where it holds no character of the alphabets: one AND tells whether a
 * character is right, for the standard and the URL-safe alphabet at once.
 * The six-bit value is the character plus what its row asks for; "/", "-"
 * and "_", which do not fit their rows, go to rows that are free.
 *
 *   row 2   "+" "-" "/"        4, 5   A to Z, and "_" at the end
 *   row 3   0 to 9             6, 7   a to z
 *
 * Encoding goes the other way: six-bit values to classes, and a class to
 * what is added.
 *
 * After W. Mula and D. Lemire, Faster Base64 Encoding and Decoding Using AVX2
 * Instructions (2018), and, for AVX-512, Base64 Encoding and Decoding at
 * Almost the Speed of a Memory Copy (2020).  Throughput as a multiple of
 * EVP_EncodeBlock() and EVP_DecodeBlock() of OpenSSL 3.0 ("make bench-cpu",
 * AMD EPYC with AVX-512):
 *
 *             SSSE3   AVX2   AVX-512
 *   encode      3.9    7.3    27..34
 *   decode      2.8    5.7         -
 */

#include "ktp_base64_x86.h"

#if defined(__x86_64__)

#include <immintrin.h>


#define KTP_ROW_2    1
#define KTP_ROW_3    2
#define KTP_ROW_4    4
#define KTP_ROW_5    8
#define KTP_ROW_6    16
#define KTP_ROW_7    32
#define KTP_ROW_NONE 64 /* every other row, wrong in all columns */

/* letters: column 0 is "@" or "`"; digits end with column 9 */
#define KTP_LETTERS (KTP_ROW_4 | KTP_ROW_6)
#define KTP_Z       (KTP_ROW_5 | KTP_ROW_7) /* end with column 10 */

/* clang-format off */

#define KTP_ROWS                                                              \
    KTP_ROW_NONE, KTP_ROW_NONE, KTP_ROW_2, KTP_ROW_3,                         \
    KTP_ROW_4, KTP_ROW_5, KTP_ROW_6, KTP_ROW_7,                               \
    KTP_ROW_NONE, KTP_ROW_NONE, KTP_ROW_NONE, KTP_ROW_NONE,                   \
    KTP_ROW_NONE, KTP_ROW_NONE, KTP_ROW_NONE, KTP_ROW_NONE

#define KTP_WRONG (KTP_ROW_NONE | KTP_ROW_2)

#define KTP_COLUMNS                                                           \
    KTP_WRONG | KTP_LETTERS,                                                  \
    KTP_WRONG, KTP_WRONG, KTP_WRONG, KTP_WRONG, KTP_WRONG, KTP_WRONG,         \
    KTP_WRONG, KTP_WRONG, KTP_WRONG,                                          \
    KTP_WRONG | KTP_ROW_3,                                                    \
    KTP_ROW_NONE | KTP_ROW_3 | KTP_Z,              /* + */                    \
    KTP_WRONG | KTP_ROW_3 | KTP_Z,                                            \
    KTP_ROW_NONE | KTP_ROW_3 | KTP_Z,              /* - */                    \
    KTP_WRONG | KTP_ROW_3 | KTP_Z,                                            \
    KTP_ROW_NONE | KTP_ROW_3 | KTP_ROW_7           /* / and _ */

/* by row; rows 0, 1 and 8 are those of "-", "/" and "_" */
#define KTP_VALUES                                                            \
    62 - '-', 63 - '/', 62 - '+', 52 - '0', 0 - 'A', 0 - 'A',                 \
    26 - 'a', 26 - 'a', 63 - '_', 0, 0, 0, 0, 0, 0, 0

/* three bytes of each group of four, which stand in it the other way round */
#define KTP_PACK 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1

/* the middle byte twice, since two values have a part of it each */
#define KTP_SPREAD 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10

/* by class: a to z, ten digits, "+", "/", A to Z */
#define KTP_CHARS                                                             \
    'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,     \
    '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0

/* clang-format on */

#define ktp_ssse3 static inline __attribute__((always_inline, target("ssse3")))
#define ktp_avx2  static inline __attribute__((always_inline, target("avx2")))


/* 16 characters to 12 bytes and 4 of nothing; 0 if one is wrong. */

ktp_ssse3 int
ktp_decode_16(__m128i c, __m128i *bytes)
{
    __m128i row, wrong, index, v;

    const __m128i nibble = _mm_set1_epi8(0x0f);

    row = _mm_and_si128(_mm_srli_epi32(c, 4), nibble);

    wrong = _mm_and_si128(_mm_shuffle_epi8(_mm_setr_epi8(KTP_ROWS), row),
                          _mm_shuffle_epi8(_mm_setr_epi8(KTP_COLUMNS),
                                           _mm_and_si128(c, nibble)));

    if (_mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128()))
        != 0xffff) {
        return 0;
    }

    /* a comparison that holds is -1 */

    index = _mm_add_epi8(row, _mm_cmpeq_epi8(c, _mm_set1_epi8('/')));
    v = _mm_cmpeq_epi8(c, _mm_set1_epi8('-'));
    index = _mm_add_epi8(index, _mm_add_epi8(v, v));
    v = _mm_cmpeq_epi8(c, _mm_set1_epi8('_'));
    index = _mm_add_epi8(index, _mm_and_si128(v, _mm_set1_epi8(3)));

    v = _mm_add_epi8(c, _mm_shuffle_epi8(_mm_setr_epi8(KTP_VALUES), index));

    /* two values to 12 bits, two of those to 24 */

    v = _mm_maddubs_epi16(v, _mm_set1_epi16(0x0140));
    v = _mm_madd_epi16(v, _mm_set1_epi32(0x00011000));

    *bytes = _mm_shuffle_epi8(v, _mm_setr_epi8(KTP_PACK));

    return 1;
}


__attribute__((target("ssse3"))) size_t
ktp_base64_x86_decode_ssse3(const unsigned char *src, size_t len,
                            unsigned char *dst, size_t room)
{
    size_t  i, o;
    __m128i bytes;

    o = 0;

    for (i = 0; len - i >= 16 && room - o >= 16; i += 16) {

        if (!ktp_decode_16(_mm_loadu_si128((const __m128i *) (src + i)),
                           &bytes)) {
            break;
        }

        _mm_storeu_si128((__m128i *) (dst + o), bytes);
        o += 12;
    }

    return i;
}


/* 12 bytes, and 4 that do not matter, to 16 characters. */

ktp_ssse3 __m128i
ktp_encode_12(__m128i bytes)
{
    __m128i v, class;

    v = _mm_shuffle_epi8(bytes, _mm_setr_epi8(KTP_SPREAD));

    /*
     * Each 16 bits have two values, which multiplying shifts to where they
     * belong: to the right in the upper half of the product, to the left in
     * the lower.
     */

    v = _mm_or_si128(
        _mm_mulhi_epu16(_mm_and_si128(v, _mm_set1_epi32(0x0fc0fc00)),
                        _mm_set1_epi32(0x04000040)),
        _mm_mullo_epi16(_mm_and_si128(v, _mm_set1_epi32(0x003f03f0)),
                        _mm_set1_epi32(0x01000010)));

    class = _mm_or_si128(_mm_subs_epu8(v, _mm_set1_epi8(51)),
                         _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), v),
                                       _mm_set1_epi8(13)));

    return _mm_add_epi8(v, _mm_shuffle_epi8(_mm_setr_epi8(KTP_CHARS), class));
}


__attribute__((target("ssse3"))) size_t
ktp_base64_x86_encode_ssse3(const unsigned char *src, size_t len,
                            unsigned char *dst)
{
    size_t  i;
    __m128i bytes;

    for (i = 0; len - i >= 16; i += 12) {
        bytes = _mm_loadu_si128((const __m128i *) (src + i));
        _mm_storeu_si128((__m128i *) dst, ktp_encode_12(bytes));
        dst += 16;
    }

    return i;
}


ktp_avx2 __m256i
ktp_twice(__m128i v)
{
    return _mm256_broadcastsi128_si256(v);
}


/* 32 characters to 24 bytes and 8 of nothing; 0 if one is wrong. */

ktp_avx2 int
ktp_decode_32(__m256i c, __m256i *bytes)
{
    __m256i row, index, v;

    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i rows = ktp_twice(_mm_setr_epi8(KTP_ROWS));
    const __m256i columns = ktp_twice(_mm_setr_epi8(KTP_COLUMNS));
    const __m256i values = ktp_twice(_mm_setr_epi8(KTP_VALUES));

    row = _mm256_and_si256(_mm256_srli_epi32(c, 4), nibble);

    if (!_mm256_testz_si256(
            _mm256_shuffle_epi8(rows, row),
            _mm256_shuffle_epi8(columns, _mm256_and_si256(c, nibble)))) {
        return 0;
    }

    index = _mm256_add_epi8(row, _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/')));
    v = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('-'));
    index = _mm256_add_epi8(index, _mm256_add_epi8(v, v));
    v = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('_'));
    index = _mm256_add_epi8(index, _mm256_and_si256(v, _mm256_set1_epi8(3)));

    v = _mm256_add_epi8(c, _mm256_shuffle_epi8(values, index));
    v = _mm256_maddubs_epi16(v, _mm256_set1_epi16(0x0140));
    v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
    v = _mm256_shuffle_epi8(v, ktp_twice(_mm_setr_epi8(KTP_PACK)));

    /* the two halves have 12 bytes each */

    *bytes = _mm256_permutevar8x32_epi32(
        v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));

    return 1;
}


__attribute__((target("avx2"))) size_t
ktp_base64_x86_decode_avx2(const unsigned char *src, size_t len,
                           unsigned char *dst, size_t room)
{
    size_t  i, o;
    __m256i bytes;

    o = 0;

    for (i = 0; len - i >= 32 && room - o >= 32; i += 32) {

        if (!ktp_decode_32(_mm256_loadu_si256((const __m256i *) (src + i)),
                           &bytes)) {
            break;
        }

        _mm256_storeu_si256((__m256i *) (dst + o), bytes);
        o += 24;
    }

    return i;
}


/* As ktp_encode_12() does, in each half. */

ktp_avx2 __m256i
ktp_encode_24(__m256i bytes)
{
    __m256i v, class;

    const __m256i chars = ktp_twice(_mm_setr_epi8(KTP_CHARS));

    v = _mm256_shuffle_epi8(bytes, ktp_twice(_mm_setr_epi8(KTP_SPREAD)));

    v = _mm256_or_si256(
        _mm256_mulhi_epu16(_mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00)),
                           _mm256_set1_epi32(0x04000040)),
        _mm256_mullo_epi16(_mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0)),
                           _mm256_set1_epi32(0x01000010)));

    class = _mm256_or_si256(
        _mm256_subs_epu8(v, _mm256_set1_epi8(51)),
        _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), v),
                         _mm256_set1_epi8(13)));

    return _mm256_add_epi8(v, _mm256_shuffle_epi8(chars, class));
}


__attribute__((target("avx2"))) size_t
ktp_base64_x86_encode_avx2(const unsigned char *src, size_t len,
                           unsigned char *dst)
{
    size_t  i;
    __m256i bytes;

    for (i = 0; len - i >= 28; i += 24) {
        bytes = _mm256_castsi128_si256(
            _mm_loadu_si128((const __m128i *) (src + i)));
        bytes = _mm256_inserti128_si256(
            bytes, _mm_loadu_si128((const __m128i *) (src + i + 12)), 1);

        _mm256_storeu_si256((__m256i *) dst, ktp_encode_24(bytes));
        dst += 32;
    }

    return i;
}


/*
 * 48 bytes to 64 characters.  A group of three bytes is brought into four,
 * from which one instruction takes the six-bit values by their offset in
 * bits, and another looks them up in the alphabet as it is.
 */

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) size_t
ktp_base64_x86_encode_avx512(const unsigned char *src, size_t len,
                             unsigned char *dst)
{
    size_t  i;
    __m512i v;

    /* of each group the second byte, the first, the third, the second */
    static const unsigned char order[64] = {
        1,  0,  2,  1,  4,  3,  5,  4,  7,  6,  8,  7,  10, 9,  11, 10,
        13, 12, 14, 13, 16, 15, 17, 16, 19, 18, 20, 19, 22, 21, 23, 22,
        25, 24, 26, 25, 28, 27, 29, 28, 31, 30, 32, 31, 34, 33, 35, 34,
        37, 36, 38, 37, 40, 39, 41, 40, 43, 42, 44, 43, 46, 45, 47, 46,
    };

    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    const __m512i spread = _mm512_loadu_si512(order);
    const __m512i chars = _mm512_loadu_si512(alphabet);

    /* of eight bytes, that hold two groups; a value's offset is of 64 bits */
    const __m512i offsets = _mm512_set1_epi64(0x3036242a1016040a);

    for (i = 0; len - i >= 64; i += 48) {
        v = _mm512_loadu_si512(src + i);
        v = _mm512_permutexvar_epi8(spread, v);
        v = _mm512_multishift_epi64_epi8(offsets, v);
        v = _mm512_permutexvar_epi8(v, chars);

        _mm512_storeu_si512(dst, v);
        dst += 64;
    }

    return i;
}

#endif
