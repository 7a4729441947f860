/* Origins: what ktp_cors takes, and which pages they stand for. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_origin.h"


#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


/* A copy that has no byte behind it. */

static char *
copy(const char *text)
{
    char *p;

    p = malloc(strlen(text) + !*text);
    assert_non_null(p);
    memcpy(p, text, strlen(text));

    return p;
}


static void
test_valid(void **state)
{
    char  *p;
    size_t i;

    static const struct {
        const char *text;
        int         valid;
        int         wild;
    } rows[] = {
        {"https://app.example.id", 1, 0},
        {"http://localhost:5173", 1, 0},
        {"https://localhost", 1, 0},
        {"capacitor://localhost", 1, 0},
        {"a+b-c.1://x", 1, 0},
        {"https://xn--80ak6aa92e.example", 1, 0},
        {"https://a_b.example", 1, 0},
        {"https://203.0.113.7:8443", 1, 0},
        {"https://[2001:db8::1]", 1, 0},
        {"https://[::ffff:203.0.113.7]:8443", 1, 0},
        {"https://*.example.id", 1, 1},
        {"https://*.example.id:8443", 1, 1},
        {"https://a:80", 1, 0},
        {"http://a:443", 1, 0},
        {"x://a:65535", 1, 0},

        {"", 0, 0},
        {"*", 0, 0},
        {"off", 0, 0},
        {"null", 0, 0},
        {"app.example.id", 0, 0},
        {"//app.example.id", 0, 0},
        {"://a", 0, 0},
        {"https:", 0, 0},
        {"https:/", 0, 0},
        {"https://", 0, 0},
        {"https:/a", 0, 0},
        {"1https://a", 0, 0},
        {"HTTPS://a", 0, 0},
        {"https://App.example.id", 0, 0},
        {"https://app.example.id/", 0, 0},
        {"https://app.example.id/page", 0, 0},
        {"https://u@app.example.id", 0, 0},
        {"https://app.example.id?", 0, 0},
        {"https://a b", 0, 0},
        {"https://\xc3\xa9.example", 0, 0},
        {"https://.a", 0, 0},
        {"https://a.", 0, 0},
        {"https://a..b", 0, 0},
        {"https://a:", 0, 0},
        {"https://:1", 0, 0},
        {"https://a:443", 0, 0},
        {"http://a:80", 0, 0},
        {"https://[::1]:443", 0, 0},
        {"https://a:0", 0, 0},
        {"https://a:01", 0, 0},
        {"https://a:65536", 0, 0},
        {"https://a:100000", 0, 0},
        {"https://a:8x", 0, 0},
        {"https://a:1:2", 0, 0},
        {"https://[", 0, 0},
        {"https://[]", 0, 0},
        {"https://[::1", 0, 0},
        {"https://[::g]", 0, 0},
        {"https://[::1]a", 0, 0},
        {"https://*", 0, 0},
        {"https://*.", 0, 1},
        {"https://*.id", 0, 1},
        {"https://*.id:8443", 0, 1},
        {"https://*.*.example.id", 0, 1},
        {"https://a.*.example.id", 0, 0},
        {"https://a*.example.id", 0, 0},
        {"*://a.example.id", 0, 0},
        {"$origin", 0, 0},
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        p = copy(rows[i].text);

        if (ktp_origin_valid(p, strlen(rows[i].text)) != rows[i].valid
            || (rows[i].valid
                && ktp_origin_is_wild(p, strlen(rows[i].text))
                       != rows[i].wild)) {
            fail_msg("\"%s\"", rows[i].text);
        }

        free(p);
    }
}


static void
test_match(void **state)
{
    char  *pattern, *p;
    size_t i;

    static const struct {
        const char *pattern;
        const char *origin;
        int         match;
    } rows[] = {
        {"https://app.example.id", "https://app.example.id", 1},
        {"https://app.example.id", "https://app.example.id:8443", 0},
        {"https://app.example.id", "http://app.example.id", 0},
        {"https://app.example.id", "https://app.example.idx", 0},
        {"https://app.example.id", "https://app.example.i", 0},
        {"https://app.example.id", "https://APP.example.id", 0},
        {"https://app.example.id", "null", 0},
        {"https://app.example.id", "", 0},
        {"https://*.example.id", "https://app.example.id", 1},
        {"https://*.example.id", "https://a.b.example.id", 1},
        {"https://*.example.id", "https://example.id", 0},
        {"https://*.example.id", "https://.example.id", 0},
        {"https://*.example.id", "https://*.example.id", 0},
        {"https://*.example.id", "http://app.example.id", 0},
        {"https://*.example.id", "https://app.example.id:8443", 0},
        {"https://*.example.id", "https://appexample.id", 0},
        {"https://*.example.id", "https://evil.example/.example.id", 0},
        {"https://*.example.id", "https://evil.example?.example.id", 0},
        {"https://*.example.id", "https://evil.example:1.example.id", 0},
        {"https://*.example.id", "https://u@app.example.id", 0},
        {"https://*.example.id", "https://a..example.id", 0},
        {"https://*.example.id", "", 0},
        {"https://*.example.id:8443", "https://app.example.id:8443", 1},
        {"https://*.example.id:8443", "https://app.example.id", 0},
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        pattern = copy(rows[i].pattern);
        p = copy(rows[i].origin);

        assert_true(ktp_origin_valid(pattern, strlen(rows[i].pattern)));

        if (ktp_origin_match(pattern, strlen(rows[i].pattern), p,
                             strlen(rows[i].origin))
            != rows[i].match) {
            fail_msg("\"%s\" and \"%s\"", rows[i].pattern, rows[i].origin);
        }

        free(pattern);
        free(p);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
