#include <string.h>
#include "ktp_nik.h"
#include "ktp_region.h"


#define KTP_NIK_FEMALE    40
#define KTP_NIK_REGENCIES 69 /* the last number of a regency */
#define KTP_NIK_CITIES    71 /* the first number of a city */


static unsigned ktp_nik_number(const char *p, size_t digits);
static int ktp_nik_date_exists(unsigned day, unsigned month, unsigned year);
static ktp_tristate_t ktp_nik_date(const ktp_nik_t *nik, ktp_value_t date);
static ktp_tristate_t ktp_nik_gender(const ktp_nik_t *nik, ktp_value_t gender);
static ktp_tristate_t ktp_nik_region(const ktp_nik_t *nik, ktp_value_t city,
                                     ktp_value_t state);


/* The digits are checked by the caller, and are four at most. */
static unsigned
ktp_nik_number(const char *p, size_t digits)
{
    unsigned n;

    for (n = 0; digits; digits--) {
        n = n * 10 + (unsigned) (*p++ - '0');
    }

    return n;
}


/*
 * The century is not in a NIK: 29 February is one of 2000 as well, so that
 * every year that 4 divides has it.
 */
static int
ktp_nik_date_exists(unsigned day, unsigned month, unsigned year)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};

    if (month < 1 || month > 12 || day < 1 || day > days[month - 1]) {
        return 0;
    }

    return !(month == 2 && day == 29 && year % 4 != 0);
}


int
ktp_nik_parse(ktp_nik_t *nik, const char *p, size_t len)
{
    size_t   i;
    unsigned area;

    if (len != KTP_NIK_DIGITS) {
        return -1;
    }

    for (i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }
    }

    nik->province = ktp_nik_number(p, 2);
    nik->regency = ktp_nik_number(p, 4);
    nik->district = ktp_nik_number(p + 4, 2);
    nik->day = ktp_nik_number(p + 6, 2);
    nik->month = ktp_nik_number(p + 8, 2);
    nik->year = ktp_nik_number(p + 10, 2);
    nik->serial = ktp_nik_number(p + 12, 4);

    nik->female = nik->day > KTP_NIK_FEMALE;
    if (nik->female) {
        nik->day -= KTP_NIK_FEMALE;
    }

    area = nik->regency % 100;

    if (ktp_region_province(nik->province) == NULL || area == 0
        || (area > KTP_NIK_REGENCIES && area < KTP_NIK_CITIES)
        || nik->district == 0 || nik->serial == 0) {
        return -1;
    }

    return ktp_nik_date_exists(nik->day, nik->month, nik->year) ? 0 : -1;
}


/* DD-MM-YYYY */
static ktp_tristate_t
ktp_nik_date(const ktp_nik_t *nik, ktp_value_t date)
{
    size_t   i;
    unsigned day, month, year;

    if (date.len != sizeof("DD-MM-YYYY") - 1) {
        return KTP_UNTOLD;
    }

    for (i = 0; i < date.len; i++) {
        if (i == 2 || i == 5) {
            if (date.p[i] != '-') {
                return KTP_UNTOLD;
            }

        } else if (date.p[i] < '0' || date.p[i] > '9') {
            return KTP_UNTOLD;
        }
    }

    day = ktp_nik_number(date.p, 2);
    month = ktp_nik_number(date.p + 3, 2);
    year = ktp_nik_number(date.p + 6, 4);

    if (!ktp_nik_date_exists(day, month, year)) {
        return KTP_UNTOLD;
    }

    return (day == nik->day && month == nik->month && year % 100 == nik->year)
               ? KTP_TRUE
               : KTP_FALSE;
}


/* LAKI-LAKI or PEREMPUAN, in whatever case and with whatever between. */
static ktp_tristate_t
ktp_nik_gender(const ktp_nik_t *nik, ktp_value_t gender)
{
    char   c, word[sizeof("PEREMPUAN")];
    size_t i, n;

    n = 0;

    for (i = 0; i < gender.len; i++) {
        c = gender.p[i];

        if (c == ' ' || c == '-') {
            continue;
        }

        if (c >= 'a' && c <= 'z') {
            c = (char) (c - 'a' + 'A');
        }

        if (n == sizeof(word) - 1) {
            return KTP_UNTOLD;
        }

        word[n++] = c;
    }

    word[n] = '\0';

    if (strcmp(word, "PEREMPUAN") == 0) {
        return nik->female ? KTP_TRUE : KTP_FALSE;
    }

    if (strcmp(word, "LAKILAKI") == 0) {
        return nik->female ? KTP_FALSE : KTP_TRUE;
    }

    return KTP_UNTOLD;
}


/*
 * A regency may have been moved to another province, and then the province
 * of the NIK is not that of the card though the region is: 64 gave 65, 73
 * gave 76, 91 and 92 gave 93 to 96.  So another province alone tells a
 * mismatch only if the NIK's code is one in use today.
 */
static ktp_tristate_t
ktp_nik_region(const ktp_nik_t *nik, ktp_value_t city, ktp_value_t state)
{
    unsigned today, province;

    switch (ktp_region_match(nik->regency, city.p, city.len)) {

    case KTP_REGION_SAME:
        return KTP_TRUE;

    case KTP_REGION_OTHER:
        return KTP_FALSE;

    default:
        break;
    }

    today = ktp_region_today(nik->regency);
    province = ktp_region_province_by_name(state.p, state.len);

    if (today == 0 || province == 0 || today / 100 == province) {
        return KTP_UNTOLD;
    }

    return KTP_FALSE;
}


void
ktp_nik_check(ktp_nik_check_t *check, ktp_value_t nik,
              ktp_value_t date_of_birth, ktp_value_t gender, ktp_value_t city,
              ktp_value_t state)
{
    ktp_nik_t parts;

    if (ktp_nik_parse(&parts, nik.p, nik.len) != 0) {
        check->valid_format = 0;
        check->province = NULL;
        check->date_of_birth_matches = KTP_UNTOLD;
        check->gender_matches = KTP_UNTOLD;
        check->region_matches = KTP_UNTOLD;
        return;
    }

    check->valid_format = 1;
    check->province = ktp_region_province(parts.province);
    check->date_of_birth_matches = ktp_nik_date(&parts, date_of_birth);
    check->gender_matches = ktp_nik_gender(&parts, gender);
    check->region_matches = ktp_nik_region(&parts, city, state);
}
