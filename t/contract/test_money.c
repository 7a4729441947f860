/* Amounts of money: what is one, and what is printed. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_money.h"


static void
test_parse(void **state)
{
    size_t   i, len;
    uint64_t amount;
    char     text[KTP_MONEY_TEXT];

    /* printed is NULL: it is no amount */
    static const struct {
        const char *text;
        uint64_t    amount;
        const char *printed;
    } cases[] = {
        {"0", 0, "0"},
        {"0.0", 0, "0"},
        {"1", 1000000, "1"},
        {"500", 500000000, "500"},
        {"1500", 1500000000, "1500"},
        {"0500", 500000000, "500"},
        {"0.1", 100000, "0.1"},
        {"0.10", 100000, "0.1"},
        {"0.035", 35000, "0.035"},
        {"12.5", 12500000, "12.5"},
        {"0.000001", 1, "0.000001"},
        {"0.100001", 100001, "0.100001"},
        {"1.000000", 1000000, "1"},
        {"999999999999.999999", 999999999999999999, "999999999999.999999"},

        {"", 0, NULL},
        {".", 0, NULL},
        {".5", 0, NULL},
        {"5.", 0, NULL},
        {"5..1", 0, NULL},
        {"5.1.2", 0, NULL},
        {"1,5", 0, NULL},
        {"1.500,00", 0, NULL},
        {"1e3", 0, NULL},
        {"0x10", 0, NULL},
        {"-1", 0, NULL},
        {"+1", 0, NULL},
        {" 1", 0, NULL},
        {"1 ", 0, NULL},
        {"Rp500", 0, NULL},
        {"0.0000001", 0, NULL},
        {"1.0000000", 0, NULL},
        {"1000000000000", 0, NULL},
        {"99999999999999999999999999", 0, NULL},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        amount = 7;

        if (cases[i].printed == NULL) {
            assert_int_equal(
                ktp_money_parse(cases[i].text, strlen(cases[i].text), &amount),
                -1);
            assert_int_equal(amount, 7);
            continue;
        }

        assert_int_equal(
            ktp_money_parse(cases[i].text, strlen(cases[i].text), &amount), 0);
        assert_int_equal(amount, cases[i].amount);

        len = ktp_money_print(text, amount);
        assert_int_equal(len, strlen(cases[i].printed));
        assert_memory_equal(text, cases[i].printed, len);
    }
}


/* A sum is larger than what can be written as a price. */

static void
test_print_largest(void **state)
{
    char text[KTP_MONEY_TEXT];

    (void) state;

    assert_int_equal(ktp_money_print(text, UINT64_MAX), KTP_MONEY_TEXT);
    assert_memory_equal(text, "18446744073709.551615", KTP_MONEY_TEXT);
}


/* Ten times a tenth is one, which it is not in floating point. */

static void
test_sum(void **state)
{
    int      i;
    char     text[KTP_MONEY_TEXT];
    uint64_t amount, sum;

    (void) state;

    assert_int_equal(ktp_money_parse("0.1", 3, &amount), 0);

    for (i = 0, sum = 0; i < 10; i++) {
        sum += amount;
    }

    assert_int_equal(ktp_money_print(text, sum), 1);
    assert_memory_equal(text, "1", 1);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_print_largest),
        cmocka_unit_test(test_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
