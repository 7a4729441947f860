/* The text of a flight: every member counts, and none runs into the next. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_flight.h"


typedef struct {
    unsigned char data[512];
    size_t        len;
} text_t;


static void
put(void *ctx, const void *p, size_t len)
{
    text_t *text = ctx;

    assert_true(text->len + len <= sizeof(text->data));
    memcpy(text->data + text->len, p, len);
    text->len += len;
}


static int
same(const ktp_flight_t *a, const ktp_flight_t *b)
{
    text_t x = {{0}, 0}, y = {{0}, 0};

    ktp_flight_text(a, put, &x);
    ktp_flight_text(b, put, &y);

    return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}


static ktp_value_t
value(const char *s)
{
    return (ktp_value_t){s, strlen(s)};
}


/* Words that are put into a member each, in all ways. */
static const char *const words[] = {"", "a", "b", "ab", "ba", "aa"};

#define WORDS   (sizeof(words) / sizeof(words[0]))
#define MEMBERS 5


static void
fill(ktp_flight_t *flight, const unsigned char *digest, size_t n)
{
    ktp_value_t *member[MEMBERS];
    size_t       i;

    memset(flight, 0, sizeof(*flight));
    flight->digest = digest;

    member[0] = &flight->upstream;
    member[1] = &flight->app_id;
    member[2] = &flight->client;
    member[3] = &flight->reference_id;
    member[4] = &flight->key;

    for (i = 0; i < MEMBERS; i++) {
        *member[i] = value(words[n % WORDS]);
        n /= WORDS;
    }
}


static void
test_members(void **state)
{
    size_t              i, j;
    ktp_flight_t        a, b;
    const unsigned char digest[KTP_FLIGHT_DIGEST] = {1};

    (void) state;

    /* every pair of 6^4 flights, the last member being checked below */

    for (i = 0; i < WORDS * WORDS * WORDS * WORDS; i++) {
        fill(&a, digest, i);

        for (j = i; j < WORDS * WORDS * WORDS * WORDS; j++) {
            fill(&b, digest, j);
            assert_int_equal(same(&a, &b), i == j);
        }
    }

    fill(&a, digest, 0);

    for (i = 1; i < WORDS; i++) {
        fill(&b, digest, i * WORDS * WORDS * WORDS * WORDS);
        assert_false(same(&a, &b));
    }
}


static void
test_options(void **state)
{
    ktp_flight_t        a, b;
    const unsigned char digest[KTP_FLIGHT_DIGEST] = {1};
    const unsigned char other[KTP_FLIGHT_DIGEST] = {1, [31] = 1};

    (void) state;

    fill(&a, digest, 0);
    fill(&b, other, 0);
    assert_false(same(&a, &b));

    b.digest = digest;
    assert_true(same(&a, &b));

    b.validate_quality = 1;
    assert_false(same(&a, &b));

    /* any value but 0 is "on" */

    a.validate_quality = 2;
    assert_true(same(&a, &b));

    b.validate_quality = 0;
    b.is_quality = 1;
    assert_false(same(&a, &b));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
