#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_address.h"
#include "ktp_url.h"


#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


static size_t
parse(const char *text, unsigned char *out)
{
    if (inet_pton(AF_INET, text, out) == 1) {
        return 4;
    }

    assert_int_equal(inet_pton(AF_INET6, text, out), 1);
    return 16;
}


static int
is_public(const char *text)
{
    unsigned char address[16];
    size_t        len;

    len = parse(text, address);
    return ktp_address_is_public(address, len);
}


/* adds one to an address, or takes one from it; whether it did not wrap */

static int
step(unsigned char *address, size_t len, int by)
{
    size_t i;

    for (i = len; i > 0; i--) {
        address[i - 1] += by;

        if (by > 0 ? address[i - 1] != 0 : address[i - 1] != 0xff) {
            return 1;
        }
    }

    return 0;
}


/*
 * Every row of both registries as of 2025-10 with its prefix length, and the
 * two that are no rows: multicast.  "edges" tells whether the addresses just
 * outside are ordinary; not so where another special range is next to it.
 */

static const struct {
    const char *first;
    unsigned    bits;
    const char *edges;
} registry[] = {
    {"0.0.0.0", 8, "-y"},         {"0.0.0.0", 32, "-n"},
    {"10.0.0.0", 8, "yy"},        {"100.64.0.0", 10, "yy"},
    {"127.0.0.0", 8, "yy"},       {"169.254.0.0", 16, "yy"},
    {"172.16.0.0", 12, "yy"},     {"192.0.0.0", 24, "yy"},
    {"192.0.0.0", 29, "yn"},      {"192.0.0.8", 32, "nn"},
    {"192.0.0.9", 32, "nn"},      {"192.0.0.10", 32, "nn"},
    {"192.0.0.170", 32, "nn"},    {"192.0.0.171", 32, "nn"},
    {"192.0.2.0", 24, "yy"},      {"192.31.196.0", 24, "yy"},
    {"192.52.193.0", 24, "yy"},   {"192.88.99.0", 24, "yy"},
    {"192.168.0.0", 16, "yy"},    {"192.175.48.0", 24, "yy"},
    {"198.18.0.0", 15, "yy"},     {"198.51.100.0", 24, "yy"},
    {"203.0.113.0", 24, "yy"},    {"224.0.0.0", 4, "yn"},
    {"240.0.0.0", 4, "n-"},       {"255.255.255.255", 32, "n-"},
    {"::1", 128, "nn"},           {"::", 128, "-n"},
    {"64:ff9b:1::", 48, "nn"},    {"100::", 64, "nn"},
    {"100:0:0:1::", 64, "nn"},    {"2001::", 23, "yy"},
    {"2001::", 32, "yn"},         {"2001:1::1", 128, "nn"},
    {"2001:1::2", 128, "nn"},     {"2001:1::3", 128, "nn"},
    {"2001:2::", 48, "nn"},       {"2001:3::", 32, "nn"},
    {"2001:4:112::", 48, "nn"},   {"2001:10::", 28, "nn"},
    {"2001:20::", 28, "nn"},      {"2001:30::", 28, "nn"},
    {"2001:db8::", 32, "yy"},     {"2002::", 16, "yy"},
    {"2620:4f:8000::", 48, "yy"}, {"3fff::", 20, "yy"},
    {"5f00::", 16, "nn"},         {"fc00::", 7, "nn"},
    {"fe80::", 10, "nn"},         {"ff00::", 8, "n-"},
};


static void
test_registry(void **state)
{
    size_t        i, j, len;
    unsigned char first[16], last[16], outside[16];

    (void) state;

    for (i = 0; i < COUNT(registry); i++) {
        len = parse(registry[i].first, first);
        memcpy(last, first, len);

        for (j = registry[i].bits; j < len * 8; j++) {
            last[j / 8] |= 0x80 >> j % 8;
        }

        if (ktp_address_is_public(first, len)
            || ktp_address_is_public(last, len)) {
            fail_msg("%s/%u is not special", registry[i].first,
                     registry[i].bits);
        }

        memcpy(outside, first, len);

        if (registry[i].edges[0] != '-') {
            assert_true(step(outside, len, -1));

            if (ktp_address_is_public(outside, len)
                != (registry[i].edges[0] == 'y')) {
                fail_msg("wrong just before %s/%u", registry[i].first,
                         registry[i].bits);
            }
        }

        memcpy(outside, last, len);

        if (registry[i].edges[1] != '-') {
            assert_true(step(outside, len, 1));

            if (ktp_address_is_public(outside, len)
                != (registry[i].edges[1] == 'y')) {
                fail_msg("wrong just after %s/%u", registry[i].first,
                         registry[i].bits);
            }
        }
    }
}


static void
test_public(void **state)
{
    (void) state;

    assert_true(is_public("1.1.1.1"));
    assert_true(is_public("8.8.8.8"));
    assert_true(is_public("172.32.0.1"));
    assert_true(is_public("223.255.255.255"));
    assert_true(is_public("2606:4700:4700::1111"));
    assert_true(is_public("2a00:1450:4001::1"));
    assert_false(is_public("4000::1"));
    assert_false(is_public("fec0::1"));

    assert_false(ktp_address_is_public((const unsigned char *) "\1\1\1", 3));
    assert_false(ktp_address_is_public((const unsigned char *) "", 0));
}


/* each special IPv4 address in every form that an IPv6 one may have it */

static void
test_embedded(void **state)
{
    static const char *const prefixes[] = {"::ffff:",
                                           "64:ff9b::",
                                           "2a00:1450:4001:1::5efe:",
                                           "2a00:1450:4001:1:200:5efe:",
                                           "2a00:1450:4001:1:100:5efe:",
                                           "2a00:1450:4001:1:300:5efe:"};

    size_t i, j;
    char   text[80];

    (void) state;

    for (i = 0; i < COUNT(prefixes); i++) {

        for (j = 0; j < COUNT(registry); j++) {
            if (strchr(registry[j].first, ':')) {
                continue;
            }

            snprintf(text, sizeof(text), "%s%s", prefixes[i],
                     registry[j].first);

            if (is_public(text)) {
                fail_msg("%s is not special", text);
            }
        }

        snprintf(text, sizeof(text), "%s1.1.1.1", prefixes[i]);

        if (!is_public(text)) {
            fail_msg("%s is special", text);
        }
    }

    /* tunnels never, whatever is in them; nor IPv4-compatible ones */

    assert_false(is_public("2002:0101:0101::1"));
    assert_false(is_public("2002:7f00:0001::1"));
    assert_false(is_public("2001:0:0101:0101::fefe:fefe"));
    assert_false(is_public("2001:0:7f00:1::80ff:fffe"));
    assert_false(is_public("::1.1.1.1"));
    assert_false(is_public("::127.0.0.1"));
}


static void
test_ranges(void **state)
{
    static const ktp_cidr_t ranges[] = {
        {{10, 1, 0, 0}, 4, 16},
        {{192, 168, 7, 9}, 4, 32},
        {{172, 16, 0, 128}, 4, 25},
        {{0xfd, 0, 0, 1}, 16, 32},
        {{0}, 16, 0},
    };

    unsigned char a[16];

    (void) state;

#define IN(text, n) ktp_address_in(a, parse(text, a), ranges, n)

    assert_true(IN("10.1.255.255", 1));
    assert_false(IN("10.2.0.0", 1));
    assert_true(IN("192.168.7.9", 2));
    assert_false(IN("192.168.7.8", 2));
    assert_true(IN("172.16.0.128", 3));
    assert_true(IN("172.16.0.255", 3));
    assert_false(IN("172.16.0.127", 3));
    assert_true(IN("fd00:1::1", 4));
    assert_false(IN("fd00:2::1", 4));
    assert_true(IN("::ffff:10.1.2.3", 4));
    assert_false(IN("64:ff9b::10.1.2.3", 4));
    assert_false(IN("1.2.3.4", 5));
    assert_true(IN("2001:db8::1", 5));
    assert_false(IN("10.1.2.3", 0));
}


static void
test_url(void **state)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
        unsigned    port;
    } cases[] = {
        {"http://a.test", "a.test", 80},
        {"HTTPS://a.test/x", "a.test", 443},
        {"http://a.test:8080/x", "a.test", 8080},
        {"http://a.test:80", "a.test", 80},
        {"https://a.test?x=@", "a.test", 443},
        {"https://a.test#@b", "a.test", 443},
        {"https://a.test/@b:x", "a.test", 443},
        {"http://[::1]/", "::1", 80},
        {"http://[fe80::1]:81/", "fe80::1", 81},
        {"http://127.1/", "127.1", 80},
        {"http://", NULL, 0},
        {"http:///x", NULL, 0},
        {"http://:80/", NULL, 0},
        {"http://u@a.test/", NULL, 0},
        {"http://u:p@a.test/", NULL, 0},
        {"http://a.test:x/", NULL, 0},
        {"http://a.test:/", NULL, 0},
        {"http://a.test:0/", NULL, 0},
        {"http://a.test:65536/", NULL, 0},
        {"http://a.test:123456/", NULL, 0},
        {"http://a.test:80:80/", NULL, 0},
        {"http://[::1/", NULL, 0},
        {"http://[]/", NULL, 0},
        {"http://[::1]x/", NULL, 0},
        {"http://a.test\\@b/", NULL, 0},
        {"http://a.test/\x7f", NULL, 0},
        {"http://a.test/ x", NULL, 0},
        {"http://a.test/\r\nX: y", NULL, 0},
        {"http://\xc3\xa4.test/", NULL, 0},
        {"ftp://a.test/", NULL, 0},
        {"file:///etc/passwd", NULL, 0},
        {"http:/a.test", NULL, 0},
        {"", NULL, 0},
    };

    size_t      i, host_len;
    unsigned    port;
    const char *host;

    (void) state;

    for (i = 0; i < COUNT(cases); i++) {
        if (ktp_url_host(cases[i].url, strlen(cases[i].url), &host, &host_len,
                         &port)
            != 0) {
            if (cases[i].host) {
                fail_msg("%s is refused", cases[i].url);
            }

            continue;
        }

        if (cases[i].host == NULL) {
            fail_msg("%s is not refused", cases[i].url);
        }

        assert_int_equal(host_len, strlen(cases[i].host));
        assert_memory_equal(host, cases[i].host, host_len);
        assert_int_equal(port, cases[i].port);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry), cmocka_unit_test(test_public),
        cmocka_unit_test(test_embedded), cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_url),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
