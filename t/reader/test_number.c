/* The number: what other fields decide in it, and when they do not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_number.h"


/* Likelihood of digits that were not seen, and of ones that may be it. */
#define UNLIKELY (-6.)
#define RIVAL    (-.5)

/* The number of all tests: Kota Bogor, a man born on 17 August 1931. */
#define NIK "3271041708310002"

static ktpr_field_t fields[KTPR_ALL_FIELDS];


/* Clear evidence for a number. */
static void
clear(ktpr_evidence_t *evidence, const char *digits)
{
    int i, k;

    memset(evidence, 0, sizeof(ktpr_evidence_t));
    evidence->n = (int) strlen(digits);

    for (i = 0; i < evidence->n; i++) {
        for (k = 0; k < 10; k++) {
            evidence->e[i][k] = digits[i] == '0' + k ? 0 : UNLIKELY;
        }
    }
}


static void
card(const char *city, const char *state, const char *gender,
     const char *birth)
{
    memset(fields, 0, sizeof(fields));
    strcpy(fields[KTPR_CITY].value, city);
    strcpy(fields[KTPR_STATE].value, state);
    strcpy(fields[KTPR_GENDER].value, gender);
    strcpy(fields[KTPR_DATE_OF_BIRTH].value, birth);
}


static void
decide(const ktpr_evidence_t *evidence, const ktpr_evidence_t *birth, int year,
       const char *expected)
{
    char nik[17];

    ktpr_evidence_best(evidence, nik);
    ktpr_number_decide(evidence, birth, year, fields, nik);
    assert_string_equal(nik, expected);
}


static void
clear_number_stays(void **state)
{
    ktpr_evidence_t evidence, birth;

    (void) state;

    /* all other fields are another person's */
    card("KABUPATEN SLEMAN", "DI YOGYAKARTA", "PEREMPUAN", "01-02-1999");
    clear(&evidence, NIK);
    clear(&birth, "01021999");
    decide(&evidence, &birth, 2026, NIK);
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "01-02-1999");
}


/* No month has 13, but each digit is clear; so is one of a date. */
static void
clear_digits_stay(void **state)
{
    ktpr_evidence_t evidence, birth;

    (void) state;

    card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "17-03-1931");
    clear(&evidence, "3271041713310002");
    clear(&birth, "17031931");
    decide(&evidence, &birth, 2026, "3271041713310002");
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "17-03-1931");

    /* a doubtful one is corrected, a clear one beside it is not */
    evidence.e[8][0] = RIVAL;
    decide(&evidence, &birth, 2026, "3271041703310002");
    clear(&evidence, "3271041713310002");
    evidence.e[9][8] = RIVAL;
    decide(&evidence, &birth, 2026, "3271041713310002");

    /* 9999 is nobody's */
    clear(&evidence, "9999041703310002");
    decide(&evidence, &birth, 2026, "9999041703310002");

    /* the number has another date, both of them clear */
    clear(&evidence, NIK);
    decide(&evidence, &birth, 2026, NIK);
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "17-03-1931");
    assert_false(fields[KTPR_DATE_OF_BIRTH].repaired);
}


static void
warnings(void **state)
{
    size_t i;

    static const struct {
        const char *nik;
        unsigned    warnings;
    } cases[] = {
        {NIK, 0},
        {"", 0},
        {"9999041708310002", KTPR_NUMBER_NO_REGION},
        {"3271046708310002",
         KTPR_NUMBER_OTHER_GENDER | KTPR_NUMBER_OTHER_BIRTH},
        {"3271041713310002", KTPR_NUMBER_NO_DATE_IN},
        {"3271043002310002", KTPR_NUMBER_NO_DATE_IN},
        {"3171041708310002", KTPR_NUMBER_OTHER_REGION},
        {"3271041808310002", KTPR_NUMBER_OTHER_BIRTH},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "17-08-1931");
        strcpy(fields[KTPR_NIK].value, cases[i].nik);
        assert_int_equal(ktpr_number_warnings(fields), cases[i].warnings);
    }
}


static void
fields_decide_doubtful_digits(void **state)
{
    ktpr_evidence_t evidence, birth;

    (void) state;

    /* 3271 or 3277, which is a city too; the 17th or the 11th */
    card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "17-08-1931");
    clear(&birth, "17081931");
    clear(&evidence, "3277041108310002");
    evidence.e[3][1] = evidence.e[7][7] = RIVAL;
    decide(&evidence, &birth, 2026, NIK);

    /* nothing else on the card tells: the likelier digits stay */
    card("", "", "", "");
    memset(&birth, 0, sizeof(birth));
    decide(&evidence, &birth, 2026, "3277041108310002");

    /* a gender that was read decides whether 40 is in the day */
    card("KOTA BOGOR", "JAWA BARAT", "PEREMPUAN", "");
    clear(&evidence, NIK);
    evidence.e[6][5] = RIVAL;
    decide(&evidence, &birth, 2026, "3271045708310002");

    /* the number corrects the date: its clear digit against a doubtful one */
    card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "17-03-1931");
    clear(&evidence, NIK);
    clear(&birth, "17031931");
    birth.e[3][8] = RIVAL;
    decide(&evidence, &birth, 2026, NIK);
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "17-08-1931");
    assert_true(fields[KTPR_DATE_OF_BIRTH].repaired);
}


/* The printed century is doubtful: 2031 was seen a little better. */
static void
clock_bounds_years(void **state)
{
    size_t          i;
    ktpr_evidence_t evidence, birth;

    static const struct {
        int         year;
        const char *date;
    } cases[] = {
        {2026, "17-08-1931"}, /* not born yet */
        {2027, "17-08-1931"},
        {2028, "17-08-2031"}, /* the clock may be three years slow */
        {2042, "17-08-2031"},
        {2050, "17-08-2031"},
    };

    (void) state;

    clear(&evidence, NIK);
    clear(&birth, "17082031");
    birth.e[4][1] = birth.e[5][9] = RIVAL;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "");
        decide(&evidence, &birth, cases[i].year, NIK);
        assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, cases[i].date);
    }

    /* 1931 was seen better, but nobody is older than 111 */
    clear(&birth, "17081931");
    birth.e[4][2] = birth.e[5][0] = RIVAL;

    card("KOTA BOGOR", "JAWA BARAT", "LAKI-LAKI", "");
    decide(&evidence, &birth, 2042, NIK);
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "17-08-1931");
    decide(&evidence, &birth, 2043, NIK);
    assert_string_equal(fields[KTPR_DATE_OF_BIRTH].value, "17-08-2031");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_number_stays),
        cmocka_unit_test(clear_digits_stay),
        cmocka_unit_test(warnings),
        cmocka_unit_test(fields_decide_doubtful_digits),
        cmocka_unit_test(clock_bounds_years),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
