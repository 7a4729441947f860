/* Base64: what is right, what is not, and every way of doing it alike. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cpu_level.h"
#include "ktp_base64.h"


#define MAX      300
#define count(a) (sizeof(a) / sizeof((a)[0]))

static const char std_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


/* Decodes a whole text one character at a time. */

static ktp_code_t
decode(const char *s, size_t len, unsigned char *out, size_t *out_len)
{
    size_t       i, n;
    ktp_code_t   rc;
    ktp_base64_t b;

    ktp_base64_init(&b);
    *out_len = 0;

    for (i = 0; i < len; i++) {
        rc = ktp_base64_char(&b, s[i], out + *out_len, &n);
        if (rc != KTP_OK) {
            return rc;
        }

        *out_len += n;
    }

    rc = ktp_base64_finish(&b, out + *out_len, &n);
    *out_len += n;

    return rc;
}


/* The test vectors of RFC 4648, 10, and what may and may not differ. */

static void
test_texts(void **state)
{
    size_t        i, len;
    ktp_code_t    rc;
    unsigned char out[64];

    /* clang-format off */
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused with code */
        ktp_code_t  code;
    } cases[] = {
        { "", "", KTP_OK },
        { "Zg==", "f", KTP_OK },
        { "Zm8=", "fo", KTP_OK },
        { "Zm9v", "foo", KTP_OK },
        { "Zm9vYg==", "foob", KTP_OK },
        { "Zm9vYmE=", "fooba", KTP_OK },
        { "Zm9vYmFy", "foobar", KTP_OK },
        { "Zg", "f", KTP_OK },
        { "Zm8", "fo", KTP_OK },
        { " Z\tm\r9\nv ", "foo", KTP_OK },
        { "Z g = = ", "f", KTP_OK },
        { "-_+/", "\xfb\xff\xbf", KTP_OK },
        { "Z", NULL, KTP_BAD_BASE64 },
        { "Zm9vY", NULL, KTP_BAD_BASE64 },
        { "Zg=", NULL, KTP_BAD_BASE64 },
        { "Zg===", NULL, KTP_BAD_BASE64 },
        { "Zm8==", NULL, KTP_BAD_BASE64 },
        { "Zm9v=", NULL, KTP_BAD_BASE64 },
        { "=", NULL, KTP_BAD_BASE64 },
        { "Z===", NULL, KTP_BAD_BASE64 },
        { "Zg==Zg==", NULL, KTP_BAD_BASE64 },
        { "Zm8=Zg", NULL, KTP_BAD_BASE64 },
        { "Zh==", NULL, KTP_BAD_BASE64 },
        { "Zm9", NULL, KTP_BAD_BASE64 },
        { "Zm.v", NULL, KTP_NOT_BASE64 },
        { "Zm9\x7f", NULL, KTP_NOT_BASE64 },
        { "Zm9\xff", NULL, KTP_NOT_BASE64 },
        { "Zm9\x0b", NULL, KTP_NOT_BASE64 },
    };
    /* clang-format on */

    (void) state;

    for (i = 0; i < count(cases); i++) {
        rc = decode(cases[i].text, strlen(cases[i].text), out, &len);

        if (rc != cases[i].code) {
            fail_msg("\"%s\": code %d", cases[i].text, rc);
        }

        if (rc == KTP_OK) {
            assert_int_equal(len, strlen(cases[i].bytes));
            assert_memory_equal(out, cases[i].bytes, len);
        }
    }
}


/* Values 0 to 63 by a definition that has nothing to do with a table. */

static int
value(unsigned char c)
{
    const char *p;

    if (c == '-' || c == '_') {
        return c == '-' ? 62 : 63;
    }

    p = c ? strchr(std_alphabet, c) : NULL;

    return p ? (int) (p - std_alphabet) : -1;
}


/* What bulk decoding must take of a text: quanta up to the first bad one. */

static size_t
expect(const unsigned char *s, size_t len, size_t room, unsigned char *out)
{
    size_t i, k;
    long   v;

    for (i = 0; i + 4 <= len && i / 4 * 3 + 3 <= room; i += 4) {

        for (v = 0, k = 0; k < 4; k++) {
            if (value(s[i + k]) < 0) {
                return i;
            }

            v = v * 64 + value(s[i + k]);
        }

        out[i / 4 * 3] = v / 65536;
        out[i / 4 * 3 + 1] = v / 256 % 256;
        out[i / 4 * 3 + 2] = v % 256;
    }

    return i;
}


/* On the heap at its exact size, so that a sanitizer sees a byte too far. */

static void
check_decode(const unsigned char *s, size_t len, size_t room)
{
    size_t        want, got;
    unsigned char right[MAX], *out, *text;

    text = malloc(len + 1);
    out = malloc(room + 1);
    assert_non_null(text);
    assert_non_null(out);

    memcpy(text + 1, s, len); /* and unaligned */
    want = expect(s, len, room, right);
    got = ktp_base64_decode(text + 1, len, out + 1, room);

    assert_int_equal(got, want);
    assert_memory_equal(out + 1, right, want / 4 * 3);

    free(text);
    free(out);
}


static void
test_decode(void **state)
{
    size_t        level;
    size_t        len, k, round;
    unsigned char s[MAX];

    (void) state;

    for (level = 0; level < CPU_LEVELS; level++) {
        if (!cpu_level(level)) {
            print_message("no %s here\n", cpu_levels[level].name);
            continue;
        }

        for (len = 0; len <= MAX; len++) {
            for (round = 0; round < 20; round++) {

                for (k = 0; k < len; k++) {
                    s[k] = std_alphabet[rand() % 64];
                    if (round % 4 == 1 && rand() % 8 == 0) {
                        s[k] = rand() % 2 ? '-' : '_';
                    }
                }

                if (round % 4 == 2 && len) {
                    s[rand() % len] = rand();
                }

                check_decode(s, len, MAX);
                check_decode(s, len, len / 4 * 3);
                check_decode(s, len, rand() % (len + 1));
            }
        }
    }
}


/* Every byte at every place of a vector is told right from wrong. */

static void
test_every_byte(void **state)
{
    size_t        level;
    size_t        at;
    unsigned      c;
    unsigned char s[64];

    (void) state;

    for (level = 0; level < CPU_LEVELS; level++) {
        if (!cpu_level(level)) {
            continue;
        }

        memset(s, 'A', sizeof(s));

        for (at = 0; at < sizeof(s); at++) {
            for (c = 0; c < 256; c++) {
                s[at] = c;
                check_decode(s, sizeof(s), MAX);
            }

            s[at] = 'A';
        }
    }
}


static void
test_encode(void **state)
{
    size_t        level;
    size_t        len, k, whole, n;
    unsigned char s[MAX], back[MAX + 3], *src, *text;

    (void) state;

    for (level = 0; level < CPU_LEVELS; level++) {
        if (!cpu_level(level)) {
            continue;
        }

        for (len = 0; len <= MAX; len++) {
            src = malloc(len + 1);
            text = malloc(ktp_base64_length(len) + 1);
            assert_non_null(src);
            assert_non_null(text);

            for (k = 0; k < len; k++) {
                s[k] = len % 3 == 1 ? 0xff : rand();
            }

            memcpy(src + 1, s, len);
            whole = len / 3 * 3;
            ktp_base64_encode(src + 1, whole, text + 1);

            if (len > whole) {
                ktp_base64_encode_last(src + 1 + whole, len - whole,
                                       text + 1 + whole / 3 * 4);
            }

            for (k = 0; k < whole / 3 * 4; k++) {
                assert_non_null(strchr(std_alphabet, text[1 + k]));
            }

            assert_int_equal(
                decode((char *) text + 1, ktp_base64_length(len), back, &n),
                KTP_OK);
            assert_int_equal(n, len);
            assert_memory_equal(back, s, len);

            free(src);
            free(text);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_encode),
    };

    srand(1);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
