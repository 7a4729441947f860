#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ktp_region.h"
#include "ktpr_fields.h"
#include "ktpr_number.h"
#include "ktpr_text.h"


#define KTPR_NIK_DIGITS 16

/* The number's base line above the name's, in row spacings. */
#define KTPR_NIK_ABOVE 1.45
#define KTPR_NIK_REACH .65

/* Cells this sure need no other reading. */
#define KTPR_NIK_SURE (-.06)

/* Under this nothing was seen, and no more digits than this are changed. */
#define KTPR_NIK_BLIND   (-1.2)
#define KTPR_NIK_CHANGED 4

/*
 * What the card's other fields count, as logarithms of odds.  A digit that
 * is quite clear has 5 or more for it: a number that is plainly another one
 * than the fields make likely stays as it is.
 */
#define KTPR_NIK_SAME_STATE                                                   \
    (-2.)                          /* another regency of the card's province  \
                                    */
#define KTPR_NIK_ELSEWHERE  (-3.5) /* any other that there is */
#define KTPR_NIK_NOWHERE    (-6.)  /* none that there is */
#define KTPR_NIK_OTHER_DATE (-4.)  /* not the card's, but a date */
#define KTPR_NIK_NO_DATE    (-8.)
#define KTPR_NIK_OTHER_SEX  (-3.)

static const ktpr_cut_t ktpr_number_cuts[] = {
    {30, 1, .45, .38, .5},
    {24, 1, .35, .38, .5},
};


/* The strip that the number stands on; without writing, where it must be. */
static void
ktpr_number_strip(ktpr_scan_t *scan, ktpr_strip_t *strip)
{
    int                    i;
    double                 y, yx, first, spacing, capital, values, widest;
    const ktpr_fragment_t *f;

    first = ktpr_fields_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;
    values = ktpr_edge_at(&scan->columns.values, first);
    y = first - KTPR_NIK_ABOVE * spacing;

    strip->x0 = values + 1e6;
    strip->x1 = 0;
    widest = 0;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        yx =
            f->bottom + f->slope * f->x0 - scan->rows.slope * (f->x0 - values);

        if (fabs(yx - y) > KTPR_NIK_REACH * spacing
            || f->height < 1.05 * capital || f->x1 < values + 6 * capital) {
            continue;
        }

        if (f->x1 - f->x0 > widest) {
            widest = f->x1 - f->x0;
            strip->slope = f->slope;
            strip->top = f->top;
            strip->bottom = f->bottom;
        }

        if (f->x0 > values - 3.2 * capital) {
            strip->x0 = fmin(strip->x0, f->x0);
        }

        if (f->x1 < values + 36 * capital) {
            strip->x1 = fmax(strip->x1, f->x1);
        }
    }

    if (widest == 0) {
        strip->slope = scan->rows.slope;
        strip->bottom = y - strip->slope * values;
        strip->top = strip->bottom - 1.9 * capital;
        strip->x0 = values - 1.5 * capital;
        strip->x1 = values + 25 * capital;
        return;
    }

    if (strip->x1 == 0) {
        strip->x1 = values + 36 * capital;
    }

    /* the first digits faint or under a glare, or a label before them */
    if (strip->x0 > values + 1.2 * capital) {
        strip->x0 = values - 1.3 * capital;
    }
}


/* The first four digits: the regency of the card, or another, or none. */
static void
ktpr_number_region(const ktpr_evidence_t *evidence, const ktpr_field_t *fields,
                   char *nik)
{
    char        digits[16];
    double      sum, most;
    unsigned    code, state;
    const char *city;

    city = fields[KTPR_CITY].value;
    state = ktp_region_province_by_name(fields[KTPR_STATE].value,
                                        strlen(fields[KTPR_STATE].value));
    most = ktpr_evidence_sum(evidence, 0, nik, 4) + KTPR_NIK_NOWHERE;

    for (code = 1101; code < 9700; code++) {
        if (ktp_region_regency(code) == NULL) {
            continue;
        }

        snprintf(digits, sizeof(digits), "%04u", code);
        sum = ktpr_evidence_sum(evidence, 0, digits, 4);

        if (sum < most) {
            continue;
        }

        if (ktp_region_match(code, city, strlen(city)) != KTP_REGION_SAME) {
            sum +=
                code / 100 == state ? KTPR_NIK_SAME_STATE : KTPR_NIK_ELSEWHERE;
        }

        if (sum > most) {
            most = sum;
            memcpy(nik, digits, 4);
        }
    }
}


/*
 * The likeliest number from first to last by the evidence of the NIK, from
 * place at on, and by that of the printed date, from place where on; what
 * is added to the number in the NIK; the sum of its evidence.
 */
static double
ktpr_number_pair(const ktpr_evidence_t *nik, int at, int add,
                 const ktpr_evidence_t *date, int where, int first, int last,
                 int *best)
{
    int    v;
    char   digits[16];
    double sum, most;

    most = -1e9;

    for (v = first; v <= last; v++) {
        snprintf(digits, sizeof(digits), "%04d", v);
        sum = date->n == 0 ? 0
              : last > 99  ? ktpr_evidence_sum(date, where, digits, 4)
                           : ktpr_evidence_sum(date, where, digits + 2, 2);

        snprintf(digits, sizeof(digits), "%02d", (v + add) % 100);
        sum += nik->n == 0 ? 0 : ktpr_evidence_sum(nik, at, digits, 2);

        if (sum > most) {
            most = sum;
            *best = v;
        }
    }

    return most;
}


/* The likeliest date by either or both; a woman's day is 40 higher. */
static double
ktpr_number_day(const ktpr_evidence_t *nik, const ktpr_evidence_t *date,
                int woman, int *day, int *month, int *year)
{
    return ktpr_number_pair(nik, 6, 40 * woman, date, 0, 1, 31, day)
           + ktpr_number_pair(nik, 8, 0, date, 2, 1, 12, month)
           + ktpr_number_pair(nik, 10, 0, date, 4, 1915, 2029, year);
}


/*
 * The date of birth stands in the NIK and on its own line.  One date that
 * fits both, or two that do not agree: what the evidence likes better.
 */
static void
ktpr_number_date(const ktpr_evidence_t *evidence, const ktpr_evidence_t *birth,
                 ktpr_field_t *fields, char *nik)
{
    int             woman, day, month, year, sex;
    char            date[32];
    double          sum, most, apart, other;
    const char     *gender;
    ktpr_field_t   *field;
    ktpr_evidence_t none;

    memset(&none, 0, sizeof(none));
    field = &fields[KTPR_DATE_OF_BIRTH];
    gender = fields[KTPR_GENDER].value;
    sex = gender[0] == '\0' ? -1 : gender[0] == 'P';
    apart = birth->n > 0
                ? ktpr_number_day(&none, birth, 0, &day, &month, &year)
                      + KTPR_NIK_OTHER_DATE
                : 0;
    most =
        ktpr_evidence_sum(evidence, 6, nik + 6, 6) + apart + KTPR_NIK_NO_DATE;

    for (woman = 0; woman < 2; woman++) {
        other = sex >= 0 && sex != woman ? KTPR_NIK_OTHER_SEX : 0;

        sum = ktpr_number_day(evidence, &none, woman, &day, &month, &year)
              + apart + other;
        if (sum > most) {
            most = sum;
            snprintf(date, sizeof(date), "%02d%02d%02d", day + 40 * woman,
                     month, year % 100);
            memcpy(nik + 6, date, 6);
        }

        if (birth->n == 0) {
            continue;
        }

        sum = ktpr_number_day(evidence, birth, woman, &day, &month, &year)
              + other;
        if (sum > most) {
            most = sum;
            snprintf(date, sizeof(date), "%02d%02d%02d", day + 40 * woman,
                     month, year % 100);
            memcpy(nik + 6, date, 6);
            snprintf(date, sizeof(date), "%02d-%02d-%04d", day, month, year);

            if (ktpr_fields_date_valid(date)) {
                ktpr_fields_repair(field, date);
            }
        }
    }
}


/* The date of birth inside the number; "" when it has none. */
static void
ktpr_number_birth(const char *nik, char date[32])
{
    int       day, year, now;
    time_t    t;
    struct tm tm;

    t = time(NULL);
    gmtime_r(&t, &tm);
    now = tm.tm_year + 1900;

    day = (nik[6] - '0') * 10 + nik[7] - '0';
    day = day > 40 ? day - 40 : day;
    year = 2000 + (nik[10] - '0') * 10 + nik[11] - '0';

    /* a card is given at seventeen, or at marriage */
    if (year > now - 16) {
        year -= 100;
    }

    snprintf(date, 32, "%02d-%.2s-%04d", day, nik + 8, year);

    if (!ktpr_fields_date_valid(date)) {
        date[0] = '\0';
    }
}


/* What could not be read elsewhere is in the number. */
static void
ktpr_number_complete(ktpr_field_t *fields, const char *nik)
{
    char date[32];

    ktpr_number_birth(nik, date);
    if (date[0] == '\0') {
        return;
    }

    if (fields[KTPR_DATE_OF_BIRTH].value[0] == '\0') {
        ktpr_fields_repair(&fields[KTPR_DATE_OF_BIRTH], date);
    }

    if (fields[KTPR_GENDER].value[0] == '\0') {
        ktpr_fields_repair(&fields[KTPR_GENDER],
                           nik[6] >= '4' ? "PEREMPUAN" : "LAKI-LAKI");
    }
}


/* What two readers make of the strip; 0, or -1 for too little. */
static int
ktpr_number_evidence(ktpr_scan_t *scan, const ktpr_strip_t *strip,
                     ktpr_evidence_t *evidence)
{
    size_t         k;
    ktpr_reading_t reading;

    if (ktpr_evidence_cells(scan, strip, "dddddddddddddddd", evidence) != 0) {
        return -1;
    }

    for (k = 0; k < sizeof(ktpr_number_cuts) / sizeof(ktpr_number_cuts[0])
                && evidence->quality < KTPR_NIK_SURE;
         k++) {
        ktpr_scan_read(scan, strip, &ktpr_number_cuts[k], KTPR_OCR_PRINT,
                       "0123456789", &reading);
        ktpr_evidence_add(evidence, &reading);
    }

    return 0;
}


/* Whether most of a number was seen, and not made up from other fields. */
static int
ktpr_number_seen(const ktpr_evidence_t *evidence, const char *raw,
                 const char *nik)
{
    int i, changed;

    changed = 0;
    for (i = 0; i < KTPR_NIK_DIGITS; i++) {
        changed += nik[i] != raw[i];
    }

    return evidence->quality > KTPR_NIK_BLIND && changed <= KTPR_NIK_CHANGED;
}


void
ktpr_number_read(ktpr_scan_t *scan, const ktpr_evidence_t *birth,
                 ktpr_field_t *fields)
{
    float           least;
    char            nik[KTPR_NIK_DIGITS + 1];
    ktpr_strip_t    strip;
    ktpr_field_t   *field;
    ktpr_reading_t  raw;
    ktpr_evidence_t evidence;

    memset(&strip, 0, sizeof(strip));
    memset(&raw, 0, sizeof(raw));
    field = &fields[KTPR_NIK];
    ktpr_number_strip(scan, &strip);

    if (ktpr_number_evidence(scan, &strip, &evidence) != 0) {
        return;
    }

    ktpr_evidence_best(&evidence, nik);
    ktpr_text_copy(raw.text, sizeof(raw.text), nik);

    if (evidence.quality > KTPR_NIK_BLIND) {
        ktpr_number_region(&evidence, fields, nik);
        ktpr_number_date(&evidence, birth, fields, nik);
    }

    raw.confidence = ktpr_evidence_sure(&evidence, nik, &least);
    ktpr_fields_set(scan, field, nik, &raw, &strip);
    field->repaired = strcmp(nik, raw.text) != 0;

    if (!ktpr_number_seen(&evidence, raw.text, nik)) {
        field->value[0] = '\0';
        field->confidence = 0;
        field->repaired = 0;
        return;
    }

    ktpr_number_complete(fields, nik);
}
