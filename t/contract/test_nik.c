/* The card's number: its parts, and what the card's fields say of it. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_nik.h"


static ktp_value_t
value(const char *s)
{
    ktp_value_t v;

    v.p = s;
    v.len = s ? strlen(s) : 0;

    return v;
}


static void
test_parts(void **state)
{
    ktp_nik_t nik;

    (void) state;

    assert_int_equal(ktp_nik_parse(&nik, "3273014107900001", 16), 0);
    assert_int_equal(nik.province, 32);
    assert_int_equal(nik.regency, 3273);
    assert_int_equal(nik.district, 1);
    assert_int_equal(nik.day, 1);
    assert_int_equal(nik.month, 7);
    assert_int_equal(nik.year, 90);
    assert_int_equal(nik.serial, 1);
    assert_true(nik.female);

    assert_int_equal(ktp_nik_parse(&nik, "9201313112059999", 16), 0);
    assert_int_equal(nik.province, 92);
    assert_int_equal(nik.day, 31);
    assert_int_equal(nik.year, 5);
    assert_int_equal(nik.serial, 9999);
    assert_false(nik.female);
}


static void
test_format(void **state)
{
    size_t    i;
    ktp_nik_t nik;

    static const struct {
        const char *text;
        int         valid;
    } cases[] = {
        {"3273010107900001", 1},
        {"", 0},
        {"327301010790000", 0},
        {"32730101079000011", 0},
        {"327301010790000O", 0},
        {"3273 10107900001", 0},
        {"2073010107900001", 0}, /* no such province */
        {"9773010107900001", 0}, /* nor this one */
        {"3200010107900001", 0}, /* regencies count from 01 */
        {"3269010107900001", 1}, /* to 69, whether in use or not */
        {"3270010107900001", 0}, /* cities from 71 */
        {"3271010107900001", 1},
        {"3273000107900001", 0}, /* districts from 01 */
        {"3273010007900001", 0}, /* day 0 */
        {"3273013107900001", 1},
        {"3273013207900001", 0},
        {"3273014007900001", 0}, /* a woman's day 0 */
        {"3273017107900001", 1},
        {"3273017207900001", 0},
        {"3273010100900001", 0}, /* month 0 */
        {"3273010112900001", 1},
        {"3273010113900001", 0},
        {"3273013104900001", 0}, /* 31 April */
        {"3273013004900001", 1},
        {"3273013002900001", 0}, /* 30 February */
        {"3273012902910001", 0}, /* 1991 has no 29 February */
        {"3273012902920001", 1},
        {"3273016902920001", 1},
        {"3273012902000001", 1}, /* 2000 has one */
        {"3273010107900000", 0}, /* serial 0 */
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if ((ktp_nik_parse(&nik, cases[i].text, strlen(cases[i].text)) == 0)
            != cases[i].valid) {
            fail_msg("\"%s\" was taken for %s", cases[i].text,
                     cases[i].valid ? "invalid" : "valid");
        }
    }

    assert_int_equal(ktp_nik_parse(&nik, NULL, 0), -1);
}


static void
test_check(void **state)
{
    size_t          i;
    ktp_nik_check_t check;

    /* T, F and null, for date, gender and region */
    static const struct {
        const char *nik, *date, *gender, *city, *state, *verdict;
    } cases[] = {
        {"3273010107900001", "01-07-1990", "LAKI-LAKI", "KOTA BANDUNG",
         "JAWA BARAT", "TTT"},
        {"3273014107900001", "01-07-1990", "PEREMPUAN", "KOTA BANDUNG",
         "JAWA BARAT", "TTT"},
        {"3273014107900001", "01-07-1990", "laki - laki", "KAB BANDUNG",
         "JAWA BARAT", "TFF"},
        {"3273010107900001", "02-07-1990", "PEREMPUAN", "KOTA CIMAHI",
         "JAWA BARAT", "FFF"},
        {"3273010107900001", "01-08-1990", "", "", "", "F--"},
        {"3273010107900001", "01-07-1991", "-", "-", "-", "F--"},
        {"3273010107000001", "01-07-2000", NULL, NULL, NULL, "T--"},
        {"3273010107000001", "01-07-1900", NULL, NULL, NULL, "T--"},
        {"3273010107900001", "1-7-1990", "LAKILAKI", "KOTA BANDUMG",
         "JAWA BARAT", "-T-"},
        {"3273010107900001", "01/07/1990", "LAKI-LAKI X", "", "BANTEN", "--F"},
        {"3273010107900001", "31-04-1990", "PEREMPUANN", "", "ATLANTIS",
         "---"},
        {"3273010107900001", "O1-07-1990", "", "", "JAWA BARAT", "---"},

        /* no code of today: the province alone tells nothing */
        {"6404010107900001", "", "", "", "KALIMANTAN UTARA", "---"},
        {"6404010107900001", "", "", "KABUPATEN BULUNGAN", "", "---"},
        {"9201010107900001", "", "", "", "PAPUA BARAT DAYA", "---"},
        {"9201010107900001", "", "", "KABUPATEN SORONG", "", "--T"},
        {"9201010107900001", "", "", "", "BALI", "--F"},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const char letters[] = "-FT";
        char              verdict[4];

        ktp_nik_check(&check, value(cases[i].nik), value(cases[i].date),
                      value(cases[i].gender), value(cases[i].city),
                      value(cases[i].state));

        assert_true(check.valid_format);
        verdict[0] = letters[check.date_of_birth_matches + 1];
        verdict[1] = letters[check.gender_matches + 1];
        verdict[2] = letters[check.region_matches + 1];
        verdict[3] = '\0';

        if (strcmp(verdict, cases[i].verdict) != 0) {
            fail_msg("case %zu: %s, not %s", i, verdict, cases[i].verdict);
        }
    }
}


static void
test_check_invalid(void **state)
{
    ktp_nik_check_t check;

    (void) state;

    ktp_nik_check(&check, value("3273010107900001"), value(""), value(""),
                  value(""), value(""));
    assert_string_equal(check.province, "JAWA BARAT");

    ktp_nik_check(&check, value("3273010107900000"), value("01-07-1990"),
                  value("LAKI-LAKI"), value("KOTA BANDUNG"),
                  value("JAWA BARAT"));
    assert_false(check.valid_format);
    assert_null(check.province);
    assert_int_equal(check.date_of_birth_matches, KTP_UNTOLD);
    assert_int_equal(check.gender_matches, KTP_UNTOLD);
    assert_int_equal(check.region_matches, KTP_UNTOLD);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_invalid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
