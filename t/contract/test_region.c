/* Regions: look-up by code and by name. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_region.h"


static int
match(unsigned code, const char *name)
{
    return ktp_region_match(code, name, strlen(name));
}


static unsigned
province(const char *name)
{
    return ktp_region_province_by_name(name, strlen(name));
}


/* The list of CONTRACT.md: exactly these two digits are provinces. */
static void
test_provinces(void **state)
{
    unsigned             code, i, n;
    static const uint8_t known[] = {
        11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 31, 32, 33,
        34, 35, 36, 51, 52, 53, 61, 62, 63, 64, 65, 71, 72,
        73, 74, 75, 76, 81, 82, 91, 92, 93, 94, 95, 96,
    };

    (void) state;
    i = 0;
    n = 0;

    for (code = 0; code < 1000; code++) {
        if (i < sizeof(known) && known[i] == code) {
            assert_non_null(ktp_region_province(code));
            assert_int_equal(province(ktp_region_province(code)), code);
            i++;
            n++;

        } else {
            assert_null(ktp_region_province(code));
        }
    }

    assert_int_equal(n, 38);
    assert_string_equal(ktp_region_province(32), "JAWA BARAT");
    assert_string_equal(ktp_region_province(31), "DKI JAKARTA");
    assert_string_equal(ktp_region_province(34), "DAERAH ISTIMEWA YOGYAKARTA");
    assert_string_equal(ktp_region_province(96), "PAPUA BARAT DAYA");
}


static void
test_province_names(void **state)
{
    (void) state;

    assert_int_equal(province("PROVINSI JAWA BARAT"), 32);
    assert_int_equal(province("jawa  barat"), 32);
    assert_int_equal(province("PROVINSI DKI JAKARTA"), 31);
    assert_int_equal(province("D.K.I. JAKARTA"), 31);
    assert_int_equal(province("DI YOGYAKARTA"), 34);
    assert_int_equal(province("D.I. Yogyakarta"), 34);
    assert_int_equal(province("KEP. RIAU"), 21);
    assert_int_equal(province("BANGKA BELITUNG"), 19);
    assert_int_equal(province(""), 0);
    assert_int_equal(province("PROVINSI"), 0);
    assert_int_equal(province("JAWA"), 0);
    assert_int_equal(province("PAPUA BARAT"), 92);
}


/* 416 regencies and 98 cities, each found by its own name only. */
static void
test_regencies(void **state)
{
    size_t      regencies, cities;
    unsigned    code;
    const char *name;

    (void) state;
    regencies = 0;
    cities = 0;

    for (code = 0; code < 20000; code++) {
        name = ktp_region_regency(code);
        if (name == NULL) {
            assert_int_equal(ktp_region_today(code), 0);
            continue;
        }

        assert_int_equal(match(code, name), KTP_REGION_SAME);
        assert_non_null(ktp_region_province(code / 100));

        if (ktp_region_today(code) != code) {
            continue;
        }

        if (code % 100 >= 71) {
            assert_memory_equal(name, "KOTA ", 5);
            cities++;

        } else {
            assert_memory_equal(name, "KABUPATEN ", 10);
            regencies++;
        }
    }

    assert_int_equal(regencies, 416);
    assert_int_equal(cities, 98);
    assert_string_equal(ktp_region_regency(3273), "KOTA BANDUNG");
    assert_string_equal(ktp_region_regency(3204), "KABUPATEN BANDUNG");
    assert_string_equal(ktp_region_regency(3174), "KOTA JAKARTA SELATAN");
    assert_string_equal(ktp_region_regency(7109),
                        "KABUPATEN KEPULAUAN SIAU TAGULANDANG BIARO");
    assert_null(ktp_region_regency(3200));
    assert_null(ktp_region_regency(9999));
}


static void
test_match(void **state)
{
    (void) state;

    assert_int_equal(match(3273, "KOTA BANDUNG"), KTP_REGION_SAME);
    assert_int_equal(match(3273, "KABUPATEN BANDUNG"), KTP_REGION_OTHER);
    assert_int_equal(match(3273, "BANDUNG"), KTP_REGION_SAME);
    assert_int_equal(match(3204, "BANDUNG"), KTP_REGION_SAME);
    assert_int_equal(match(3204, "KAB. BANDUNG"), KTP_REGION_SAME);
    assert_int_equal(match(3273, "KOTA CIMAHI"), KTP_REGION_OTHER);
    assert_int_equal(match(3273, "KOTA BANDUMG"), KTP_REGION_UNKNOWN);
    assert_int_equal(match(3273, ""), KTP_REGION_UNKNOWN);
    assert_int_equal(ktp_region_match(3273, NULL, 0), KTP_REGION_UNKNOWN);
    assert_int_equal(match(3273, "KOTA"), KTP_REGION_UNKNOWN);
    assert_int_equal(match(3299, "KOTA BANDUNG"), KTP_REGION_UNKNOWN);

    /* "Kota" may be the beginning of a regency's own name */
    assert_int_equal(match(6302, "KABUPATEN KOTABARU"), KTP_REGION_SAME);
    assert_int_equal(match(6302, "KOTABARU"), KTP_REGION_SAME);

    assert_int_equal(match(3174, "JAKARTA SELATAN"), KTP_REGION_SAME);
    assert_int_equal(match(3174, "KOTA ADMINISTRASI JAKARTA SELATAN"),
                     KTP_REGION_SAME);
    assert_int_equal(match(3101, "KAB. ADM. KEP. SERIBU"), KTP_REGION_SAME);
    assert_int_equal(match(9203, "KABUPATEN FAK-FAK"), KTP_REGION_SAME);
    assert_int_equal(match(7204, "KABUPATEN TOLITOLI"), KTP_REGION_SAME);

    /* the same key in two provinces: a city of one, a regency of another */
    assert_int_equal(match(3279, "KOTA BANJAR"), KTP_REGION_SAME);
    assert_int_equal(match(6303, "KOTA BANJAR"), KTP_REGION_OTHER);
    assert_int_equal(match(6303, "BANJAR"), KTP_REGION_SAME);
}


/* 92.01 is KABUPATEN SORONG, which belongs to 96 since 2022. */
static void
test_moved(void **state)
{
    (void) state;

    assert_int_equal(ktp_region_today(9201), 9601);
    assert_int_equal(ktp_region_today(9101), 9301);
    assert_int_equal(ktp_region_today(9103), 9103);
    assert_int_equal(ktp_region_today(9601), 9601);
    assert_string_equal(ktp_region_regency(9271), "KOTA SORONG");
    assert_int_equal(match(9201, "KABUPATEN SORONG"), KTP_REGION_SAME);
    assert_int_equal(match(9201, "KOTA SORONG"), KTP_REGION_OTHER);
}


/* Whatever the length of a name or of its words. */
static void
test_long_names(void **state)
{
    char   name[512];
    size_t n;

    (void) state;

    for (n = 0; n <= sizeof(name); n++) {
        memset(name, 'A', n);
        assert_int_equal(ktp_region_match(3273, name, n), KTP_REGION_UNKNOWN);
        assert_int_equal(ktp_region_province_by_name(name, n), 0);
    }

    for (n = 0; n < sizeof(name); n++) {
        name[n] = (n % 5 == 4) ? ' ' : 'B';
    }

    assert_int_equal(ktp_region_match(3273, name, n), KTP_REGION_UNKNOWN);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_provinces),
        cmocka_unit_test(test_province_names),
        cmocka_unit_test(test_regencies),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_long_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
