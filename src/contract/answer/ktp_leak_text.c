/* memmem(); nginx's own flags do not have it */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <string.h>
#include "ktp_leak_text.h"
#include "ktp_utf8.h"


/* Letters and digits from which on a value is found within other text. */
#define KTP_LEAK_TEXT_SHORT 3

/* Letters and digits from which on spaces do not matter. */
#define KTP_LEAK_TEXT_LONG 8


/* Base letters of U+00C0 to U+017F; a space for what is no letter. */
static const char ktp_leak_latin[] =
    "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTSAAAAAAACEEEEIIIIDNOOOOO OUUUUYTY"
    "AAAAAACCCCCCCCDDDDEEEEEEEEEEGGGGGGGGHHHHIIIIIIIIIIIIJJKKKLLLLLLL"
    "LLLNNNNNNNNNOOOOOOOORRRRRRSSSSSSSSTTTTTTUUUUUUUUUUUUWWYYYZZZZZZS";


/* A capital letter or a digit, a space for a mark, or 0: no such text. */
static char
ktp_leak_text_char(const unsigned char *p, size_t size)
{
    unsigned code;

    if (size == 1) {
        if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z')) {
            return (char) *p;
        }

        if (*p >= 'a' && *p <= 'z') {
            return (char) (*p - 'a' + 'A');
        }

        return (*p && strchr(" .,-/:'\"`()+_&*", *p)) ? ' ' : '\0';
    }

    if (size == 2) {
        code = (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);

        return (code >= 0xc0 && code < 0x180) ? ktp_leak_latin[code - 0xc0]
                                              : '\0';
    }

    return '\0';
}


/* Ends a word; letters that stand alone are one: "B U D I". */
static void
ktp_leak_text_word(ktp_leak_text_t *text, size_t *start, int *single)
{
    int    alone;
    char   c;
    size_t len;

    len = text->words_len - *start;
    if (len == 0) {
        return;
    }

    c = text->words[*start];
    alone = (len == 1 && c >= 'A');

    if (alone && *single) {
        text->words[*start - 1] = c;
        text->words_len--;

    } else {
        text->count++;
    }

    text->words[text->words_len++] = ' ';
    *start = text->words_len;
    *single = alone;
}


int
ktp_leak_text_init(ktp_leak_text_t *text, const ktp_value_t *value)
{
    int                  rc, single, digit, was_digit, was_lower;
    char                 c;
    size_t               size, start, run, changes;
    const unsigned char *p, *end;

    text->joined_len = 0;
    text->digits_len = 0;
    text->count = 0;
    text->run = 0;
    text->changes = 0;
    text->words[0] = ' ';
    text->words_len = 1;

    rc = 0;
    single = 0;
    start = 1;
    run = 0;
    changes = 0;
    was_digit = 0;
    was_lower = 0;

    p = (const unsigned char *) (value->len ? value->p : "");
    end = p + value->len;

    for (; p < end; p += size) {
        size = ktp_utf8_char(p, end);
        c = ktp_leak_text_char(p, size);

        if (c == '\0') {
            rc = -1;
            continue;
        }

        if (c == ' ') {
            ktp_leak_text_word(text, &start, &single);
            changes = 0;
            was_lower = 0;
            continue;
        }

        digit = (c >= '0' && c <= '9');

        if (text->words_len > start && digit != was_digit) {
            ktp_leak_text_word(text, &start, &single);
            changes++;
        }

        /* coded text mixes case, names begin with a capital */

        if (was_lower && *p >= 'A' && *p <= 'Z') {
            changes += KTP_LEAK_TEXT_CODED;
        }

        was_digit = digit;
        was_lower = (*p >= 'a' && *p <= 'z');

        text->words[text->words_len++] = c;
        text->joined[text->joined_len++] = c;

        if (digit) {
            text->digits[text->digits_len++] = c;
            run++;

        } else {
            run = 0;
        }

        text->run = run > text->run ? run : text->run;
        text->changes = changes > text->changes ? changes : text->changes;
    }

    ktp_leak_text_word(text, &start, &single);
    text->digits[text->digits_len] = '\0';

    return rc;
}


int
ktp_leak_text_have(const ktp_leak_text_t *in, const ktp_leak_text_t *value)
{
    char   back[KTP_LEAK_TEXT_SIZE];
    size_t i, n;

    n = value->joined_len;

    if (in->joined_len == n && memcmp(in->joined, value->joined, n) == 0) {
        return 1;
    }

    if (n < KTP_LEAK_TEXT_SHORT) {
        return 0;
    }

    if (memmem(in->words, in->words_len, value->words, value->words_len)) {
        return 1;
    }

    if (n < KTP_LEAK_TEXT_LONG) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        back[i] = value->joined[n - 1 - i];
    }

    /* most of it is as good as all */

    return ktp_leak_text_common(in->joined, in->joined_len, value->joined, n)
               >= n - n / 4
           || ktp_leak_text_common(in->joined, in->joined_len, back, n)
                  >= n - n / 4;
}


unsigned
ktp_leak_text_common_words(const ktp_leak_text_t *in,
                           const ktp_leak_text_t *value, size_t min,
                           unsigned *all)
{
    size_t      len;
    unsigned    bit, found;
    const char *p, *end, *next;

    *all = 0;
    found = 0;
    bit = 1;
    end = value->words + value->words_len;

    /* from the space before a word to that behind it; the last has one */

    for (p = value->words; p + 1 < end && bit; p = next) {
        next = memchr(p + 1, ' ', (size_t) (end - p - 1));
        len = (size_t) (next - p) + 1;

        if (len - 2 < min) {
            continue;
        }

        *all |= bit;

        if (memmem(in->words, in->words_len, p, len)) {
            found |= bit;
        }

        bit <<= 1;
    }

    return found;
}


int
ktp_leak_text_alike(const ktp_leak_text_t *text, const ktp_leak_text_t *value,
                    size_t len)
{
    char              piece[KTP_LEAK_TEXT_SIZE];
    size_t            i, n;
    const char       *at;
    static const char letters[] = "OILZEASGTB0123456789";
    static const char digits[] = "01123456780123456789";

    n = 0;

    for (i = 0; i < text->joined_len; i++) {
        at = strchr(letters, text->joined[i]);

        if (at == NULL) {
            n = 0;
            continue;
        }

        piece[n++] = digits[at - letters];

        if (n >= len
            && memmem(value->digits, value->digits_len, piece + n - len,
                      len)) {
            return 1;
        }
    }

    return 0;
}


size_t
ktp_leak_text_common(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t i, j, n, best;

    best = 0;

    for (i = 0; i + best < a_len; i++) {
        for (j = 0; j + best < b_len; j++) {
            for (n = 0; i + n < a_len && j + n < b_len && a[i + n] == b[j + n];
                 n++) {
                /* void */
            }

            best = n > best ? n : best;
        }
    }

    return best;
}
