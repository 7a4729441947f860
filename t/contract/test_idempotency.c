/* The value of Idempotency-Key: bare, quoted, and what is neither. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_idempotency.h"


#define COUNT(a) (sizeof(a) / sizeof((a)[0]))


/* Parses a value that has no byte behind it. */

static size_t
parse(const char *value, size_t len, char *key)
{
    char  *p;
    size_t n;

    p = malloc(len ? len : 1);
    assert_non_null(p);
    memcpy(p, value, len);
    n = ktp_idempotency_key(p, len, key);
    free(p);

    return n;
}


static void
test_values(void **state)
{
    size_t i, n;
    char   key[KTP_IDEMPOTENCY_MAX];

    /* NULL: malformed */
    static const struct {
        const char *value;
        const char *key;
    } rows[] = {
        {"a", "a"},
        {"8e03978e-40d5-43e8-bc93-6894a57f9324",
         "8e03978e-40d5-43e8-bc93-6894a57f9324"},
        {"\"8e03978e-40d5\"", "8e03978e-40d5"},
        {"\"a\"", "a"},
        {"!~", "!~"},
        {"\"!~\"", "!~"},

        /* escapes are of a string only */
        {"\"a\\\"b\"", "a\"b"},
        {"\"a\\\\\"", "a\\"},
        {"\"\\\\\"", "\\"},
        {"\"\\\"\"", "\""},
        {"a\\b", "a\\b"},
        {"a\\\\b", "a\\\\b"},
        {"a\"", "a\""},
        {"a\"b\"", "a\"b\""},

        {"", NULL},
        {"\"", NULL},
        {"\"\"", NULL},
        {"\"a", NULL},
        {"\"\\\"", NULL},
        {"\"a\\\"", NULL},
        {"\"a\\\\\\\"", NULL},
        {"\"a\\b\"", NULL},
        {"\"a\"b\"", NULL},
        {"\"a\"\"", NULL},
        {"\"a\";p=1", NULL},
        {"\"a\", \"b\"", NULL},
        {"\"a\",\"b\"", NULL},

        {" ", NULL},
        {"a b", NULL},
        {"\"a b\"", NULL},
        {" a", NULL},
        {"a ", NULL},
        {"a\t", NULL},
        {"a\x7f", NULL},
        {"\"\x7f\"", NULL},
        {"\x1f", NULL},
        {"k\xc3\xa9y", NULL},
        {"\"\xff\"", NULL},
    };

    (void) state;

    for (i = 0; i < COUNT(rows); i++) {
        n = parse(rows[i].value, strlen(rows[i].value), key);

        if (rows[i].key == NULL) {
            assert_int_equal(n, 0);
            continue;
        }

        assert_int_equal(n, strlen(rows[i].key));
        assert_memory_equal(key, rows[i].key, n);
    }

    assert_int_equal(parse("a\0b", 3, key), 0);
    assert_int_equal(parse("\"a\0\"", 4, key), 0);
}


/* The longest key, and one character more, in all three forms. */

static void
test_length(void **state)
{
    size_t i, j, n;
    char   value[2 * KTP_IDEMPOTENCY_MAX + 4], key[KTP_IDEMPOTENCY_MAX + 1];

    (void) state;

    for (i = KTP_IDEMPOTENCY_MAX; i <= KTP_IDEMPOTENCY_MAX + 1; i++) {
        n = i <= KTP_IDEMPOTENCY_MAX ? i : 0;
        key[KTP_IDEMPOTENCY_MAX] = '*';

        memset(value, 'k', sizeof(value));
        assert_int_equal(parse(value, i, key), n);

        value[0] = value[i + 1] = '"';
        assert_int_equal(parse(value, i + 2, key), n);

        for (j = 0; j < 2 * i; j++) {
            value[j + 1] = '\\';
        }

        value[2 * i + 1] = '"';
        assert_int_equal(parse(value, 2 * i + 2, key), n);

        assert_int_equal(key[KTP_IDEMPOTENCY_MAX], '*');
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
