/* Masks count characters, and never show what they should not. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_mask.h"
#include "ktp_utf8.h"


#define STARS "********"


static int
digest(void *ctx, const unsigned char *p, size_t len,
       unsigned char out[KTP_HMAC_SIZE])
{
    (void) p;

    memset(out, (int) len, KTP_HMAC_SIZE);
    out[0] = 0xa5;

    return *(int *) ctx;
}


static void
test_parse(void **state)
{
    size_t     i;
    ktp_mask_t mask;

    static const struct {
        const char *text;
        int         style; /* -1: refused */
        unsigned    n;
    } cases[] = {
        {"full", KTP_MASK_FULL, 0},
        {"hash", KTP_MASK_HASH, 0},
        {"first:1", KTP_MASK_FIRST, 1},
        {"last:4", KTP_MASK_LAST, 4},
        {"last:64", KTP_MASK_LAST, 64},
        {"first:064", KTP_MASK_FIRST, 64},
        {"last:65", -1, 0},
        {"last:0", -1, 0},
        {"last:", -1, 0},
        {"last", -1, 0},
        {"last:-1", -1, 0},
        {"last:4x", -1, 0},
        {"last:4294967297", -1, 0},
        {"last:18446744073709551617", -1, 0},
        {"Full", -1, 0},
        {"fullx", -1, 0},
        {"", -1, 0},
        {"first: 1", -1, 0},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mask.style = KTP_MASK_NONE;
        mask.n = 7;

        if (ktp_mask_parse(&mask, cases[i].text, strlen(cases[i].text)) != 0) {
            assert_int_equal(mask.n, 7);
            mask.style = -1;
            mask.n = 0;
        }

        if ((int) mask.style != cases[i].style || mask.n != cases[i].n) {
            fail_msg("\"%s\": style %d, n %u", cases[i].text, mask.style,
                     mask.n);
        }
    }
}


static void
test_apply(void **state)
{
    char   out[256];
    size_t i, n;

    static const struct {
        ktp_mask_t  mask;
        const char *in, *out;
    } cases[] = {
        {{KTP_MASK_NONE, 0}, "BUDI", "BUDI"},
        {{KTP_MASK_FULL, 0}, "BUDI", STARS},
        {{KTP_MASK_FULL, 0}, "A", STARS},
        {{KTP_MASK_FULL, 0}, "", ""},
        {{KTP_MASK_FIRST, 1}, "", ""},
        {{KTP_MASK_HASH, 0}, "", ""},
        {{KTP_MASK_FIRST, 1}, "BUDI", "B***"},
        {{KTP_MASK_LAST, 4}, "3273010107900001", "************0001"},

        /* as long as what would be shown, or shorter: nothing is shown */
        {{KTP_MASK_FIRST, 3}, "BUDI", "BUD*"},
        {{KTP_MASK_FIRST, 4}, "BUDI", STARS},
        {{KTP_MASK_LAST, 64}, "BUDI", STARS},

        /* characters of 2, 3 and 4 bytes */
        {{KTP_MASK_FIRST, 2},
         "\u00c9\u00e9\u20ac\U0001f600",
         "\u00c9\u00e9**"},
        {{KTP_MASK_LAST, 2},
         "\u00c9\u00e9\u20ac\U0001f600",
         "**\u20ac\U0001f600"},
        {{KTP_MASK_LAST, 4}, "\u00c9\u00e9\u20ac\U0001f600", STARS},

        /* no key */
        {{KTP_MASK_HASH, 0}, "BUDI", STARS},

        /* not UTF-8: a byte of a character must not slip through */
        {{KTP_MASK_FIRST, 1},
         "\xff"
         "BUDI",
         STARS},
        {{KTP_MASK_LAST, 1}, "BUDI\xe2\x82", STARS},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        n = ktp_mask_apply(&cases[i].mask, cases[i].in, strlen(cases[i].in),
                           out, NULL, NULL);
        assert_true(n <= strlen(cases[i].in) || n <= KTP_HMAC_HEX);
        out[n] = '\0';

        if (strcmp(out, cases[i].out) != 0) {
            fail_msg("case %zu: \"%s\"", i, out);
        }
    }
}


static void
test_hash(void **state)
{
    int        fails;
    char       out[KTP_HMAC_HEX];
    ktp_mask_t mask = {KTP_MASK_HASH, 0};

    (void) state;

    fails = 0;
    assert_int_equal(ktp_mask_apply(&mask, "BUDI", 4, out, digest, &fails),
                     64);
    assert_memory_equal(out, "a504040404", 10);
    assert_memory_equal(out + 54, "0404040404", 10);

    fails = -1;
    assert_int_equal(ktp_mask_apply(&mask, "BUDI", 4, out, digest, &fails), 8);
    assert_memory_equal(out, STARS, 8);
}


/*
 * ASCII in front of a text and behind it changes nothing, however it is
 * aligned to the words that ASCII is looked at in.
 */

static void
test_utf8_around(const char *text, int length)
{
    char   buf[64];
    size_t n, len;

    len = strlen(text);

    for (n = 0; n <= 17; n++) {
        memset(buf, 'x', sizeof(buf));
        memcpy(buf + n, text, len);

        if (ktp_utf8_valid((unsigned char *) buf, n + len) != (length >= 0)
            || ktp_utf8_valid((unsigned char *) buf, n + len + 17)
                   != (length >= 0)) {
            fail_msg("\"%s\" after %zu", text, n);
        }

        if (length >= 0) {
            assert_int_equal(ktp_utf8_length((unsigned char *) buf, n + len),
                             length + n);
        }
    }
}


static void
test_utf8(void **state)
{
    size_t i;

    static const struct {
        const char *text;
        int         length; /* -1: invalid */
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"\x7f", 1},
        {"\xc2\x80\xdf\xbf", 2},
        {"\xe0\xa0\x80\xef\xbf\xbf", 2},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 2},
        {"\xed\x9f\xbf\xee\x80\x80", 2},
        {"\x80", -1},
        {"\xc0\x80", -1}, /* overlong */
        {"\xc1\xbf", -1},
        {"\xe0\x9f\xbf", -1},
        {"\xf0\x8f\xbf\xbf", -1},
        {"\xed\xa0\x80", -1},     /* a surrogate */
        {"\xf4\x90\x80\x80", -1}, /* over 10FFFF */
        {"\xf5\x80\x80\x80", -1},
        {"\xff", -1},
        {"a\xc2", -1}, /* cut off */
        {"a\xe2\x82", -1},
        {"a\xf0\x9f\x98", -1},
        {"\xc2"
         "a",
         -1},
        {"\xe2\x82"
         "a",
         -1},
        {"\xf0\x9f\x98"
         "a",
         -1},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        test_utf8_around(cases[i].text, cases[i].length);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
