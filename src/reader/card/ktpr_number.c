#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktp_nik.h"
#include "ktp_region.h"
#include "ktpr_fields.h"
#include "ktpr_lines.h"
#include "ktpr_number.h"
#include "ktpr_text.h"


/* fixed: PPKKCC DDMMYY SSSS, and what a woman's day is higher by */
#define KTPR_NUMBER_DIGITS 16
#define KTPR_NUMBER_WOMAN  40

/* fixed: the current year where the century does not matter */
#define KTPR_NUMBER_ANY_YEAR 2100

/* fixed: lowest and highest code of a regency that is tried */
#define KTPR_NUMBER_REGENCY_FIRST 1101
#define KTPR_NUMBER_REGENCY_LAST  9699

/*
 * Numbers of this file.  "capitals" are heights of a capital, "spacings"
 * distances from row to row; x is to the right of the values' column.  "Hard
 * sets": the sets "hard" and "own, hard" of docs/accuracy.md.
 */

/*
 * Spacings from the number's base line to the name's, and how far off a
 * fragment may be.  Geometry of the card; set not recorded.  Off: the head
 * of the card or the name is read.  Less reach: numbers of tilted or bent
 * cards are missed.
 */
#define KTPR_NUMBER_ABOVE 1.45
#define KTPR_NUMBER_REACH .65

/*
 * Capitals: least height of a fragment, which is a digit of the number and
 * larger than other text, and the least x of its right end.  Geometry; set
 * not recorded.  Lower: specks and the label are taken; higher: a small
 * print's number is missed.
 */
#define KTPR_NUMBER_HEIGHT_LEAST 1.05
#define KTPR_NUMBER_END_LEAST    6.

/*
 * Capitals, x: the number's left end is not before the one, and its right
 * end not behind the other.  Geometry; set not recorded.  Narrower: digits
 * are cut off; wider: the label NIK or the photo is read as digits.
 */
#define KTPR_NUMBER_BEGIN_LEAST 3.2
#define KTPR_NUMBER_END_MOST    36.

/*
 * Capitals, x: a left end behind LATE means that the first digits are faint
 * or under a glare; then it is taken to be at -BEGIN.  Geometry; set not
 * recorded.  Higher: the first digit is lost; lower: a blank is read before
 * the number.
 */
#define KTPR_NUMBER_LATE  1.2
#define KTPR_NUMBER_BEGIN 1.3

/*
 * Capitals: the strip where no fragment was found: height, left end before
 * the column, right end.  Geometry; set not recorded.  Smaller: a faint
 * number is cut; larger: its neighbours are read.
 */
#define KTPR_NUMBER_BLANK_HEIGHT 1.9
#define KTPR_NUMBER_BLANK_BEGIN  1.5
#define KTPR_NUMBER_BLANK_END    25.

/*
 * Mean likelihood of the best digits (natural logarithm) above which
 * Tesseract is not asked, to save time.  Set not recorded.  Lower: doubtful
 * digits get no second opinion; higher: clear cards take longer.
 */
#define KTPR_NUMBER_SURE (-.06)

/*
 * The same measure below which the field is left empty, and the digits that
 * other fields may change.  Set not recorded.  Lower, or more digits: a
 * number is made up from the other fields; higher, or fewer: blurred ones
 * that could be completed are dropped.
 */
#define KTPR_NUMBER_BLIND   (-1.2)
#define KTPR_NUMBER_CHANGED 4

/*
 * Log odds of what disagrees with the other fields: another regency of the
 * card's province; any other regency; no known one; a date other than the
 * printed one; no date; the other gender.  A clear digit has 5 or more in
 * its favour, so that a number that is plainly different stays as it is.
 * Tuned on the hard sets.  Nearer to 0: doubtful digits are not corrected;
 * farther: a misread field overrules the number.
 */
#define KTPR_NUMBER_SAME_STATE (-2.)
#define KTPR_NUMBER_ELSEWHERE  (-3.5)
#define KTPR_NUMBER_NOWHERE    (-6.)
#define KTPR_NUMBER_OTHER_DATE (-4.)
#define KTPR_NUMBER_NO_DATE    (-8.)
#define KTPR_NUMBER_OTHER_SEX  (-3.)

/*
 * Years: the oldest age that is tried; how far a year of birth may lie in
 * the future, for a clock that is slow; the age of a holder in the year when
 * the century is told by it (a card is issued at seventeen or at marriage).
 * Ages of people; not tuned.  Fewer: the oldest holders' dates are misread;
 * more: a blurred 1925 may become 1825.
 */
#define KTPR_NUMBER_OLDEST   111
#define KTPR_NUMBER_AHEAD    3
#define KTPR_NUMBER_YOUNGEST 16

/*
 * Confidence, 0 to 1, above which a number makes a card of a table that is
 * only somewhat like one.  Set not recorded.  Lower: other documents are taken
 * for cards; higher: spoilt cards are not detected.
 */
#define KTPR_NUMBER_CONFIDENT .9f

/*
 * Capitals by which the strip is wider at both ends when the number disagrees
 * with all other fields.  Less: two lost digits are not found; more: the label
 * is read as digits.  And the part of its confidence that a number keeps which
 * still disagrees.
 */
#define KTPR_NUMBER_WIDER   5.
#define KTPR_NUMBER_STRANGE .45f

/*
 * Logarithms of likelihoods: of digits that are clear; of a place that has
 * none beside these; of a digit before or behind them.  Of 230 specimens one
 * has a digit of -1.4, and one a mark beside the number of -.05.  CLEAR lower,
 * NO_DIGIT higher or BEYOND lower: spoilt numbers are left empty; the other
 * way: fifteen digits or seventeen become sixteen.
 */
#define KTPR_NUMBER_CLEAR    (-.05)
#define KTPR_NUMBER_NO_DIGIT (-1.)
#define KTPR_NUMBER_BEYOND   (-.02)

/*
 * Cuts that Tesseract reads: height of a capital in pixels, width over
 * height, margins above, left and right in capitals.  Set not recorded.
 */
static const ktpr_cut_t ktpr_number_cuts[] = {
    {30, 1, .45, .38, .5},
    {24, 1, .35, .38, .5},
};

/* A part of the date of birth, and where it is printed. */
typedef struct {
    int nik_at;      /* first of its two digits in the NIK */
    int date_at;     /* first of its digits in DDMMYYYY */
    int date_digits; /* 2 or 4 */
    int first, last; /* the values that it can have */
    int add;         /* what is added to it in the NIK */
} ktpr_number_part_t;

/* A number as read from a strip, and the fields that it corrects. */
typedef struct {
    ktpr_strip_t    strip;
    ktpr_evidence_t evidence;
    char            raw[KTPR_NUMBER_DIGITS + 1];
    char            nik[KTPR_NUMBER_DIGITS + 1];
    ktpr_field_t    fields[KTPR_ALL_FIELDS];
} ktpr_number_t;

enum {
    KTPR_NUMBER_DAY,
    KTPR_NUMBER_MONTH,
    KTPR_NUMBER_YEAR,
    KTPR_NUMBER_PARTS
};


/* The strip with the number; where nothing is found, its usual place. */
static void
ktpr_number_strip(ktpr_scan_t *scan, ktpr_strip_t *strip)
{
    int                    i;
    double                 y, yx, first, spacing, capital, values, widest;
    const ktpr_fragment_t *f;

    first = ktpr_lines_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;
    values = ktpr_columns_at(&scan->columns.values, first);
    y = first - KTPR_NUMBER_ABOVE * spacing;

    strip->x0 = HUGE_VAL;
    strip->x1 = 0;
    widest = 0;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        yx =
            f->bottom + f->slope * f->x0 - scan->rows.slope * (f->x0 - values);

        if (fabs(yx - y) > KTPR_NUMBER_REACH * spacing
            || f->height < KTPR_NUMBER_HEIGHT_LEAST * capital
            || f->x1 < values + KTPR_NUMBER_END_LEAST * capital) {
            continue;
        }

        if (f->x1 - f->x0 > widest) {
            widest = f->x1 - f->x0;
            strip->slope = f->slope;
            strip->top = f->top;
            strip->bottom = f->bottom;
        }

        if (f->x0 > values - KTPR_NUMBER_BEGIN_LEAST * capital) {
            strip->x0 = fmin(strip->x0, f->x0);
        }

        if (f->x1 < values + KTPR_NUMBER_END_MOST * capital) {
            strip->x1 = fmax(strip->x1, f->x1);
        }
    }

    if (widest == 0) {
        strip->slope = scan->rows.slope;
        strip->bottom = y - strip->slope * values;
        strip->top = strip->bottom - KTPR_NUMBER_BLANK_HEIGHT * capital;
        strip->x0 = values - KTPR_NUMBER_BLANK_BEGIN * capital;
        strip->x1 = values + KTPR_NUMBER_BLANK_END * capital;
        return;
    }

    if (strip->x1 == 0) {
        strip->x1 = values + KTPR_NUMBER_END_MOST * capital;
    }

    if (strip->x0 > values + KTPR_NUMBER_LATE * capital) {
        strip->x0 = values - KTPR_NUMBER_BEGIN * capital;
    }
}


/* Decides the first four digits: the regency of the card, another, none. */
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
    most = ktpr_evidence_sum(evidence, 0, nik, 4) + KTPR_NUMBER_NOWHERE;

    for (code = KTPR_NUMBER_REGENCY_FIRST; code <= KTPR_NUMBER_REGENCY_LAST;
         code++) {
        if (ktp_region_regency(code) == NULL) {
            continue;
        }

        snprintf(digits, sizeof(digits), "%04u", code);
        sum = ktpr_evidence_sum(evidence, 0, digits, 4);

        if (sum < most) {
            continue;
        }

        if (ktp_region_match(code, city, strlen(city)) != KTP_REGION_SAME) {
            sum += code / 100 == state ? KTPR_NUMBER_SAME_STATE
                                       : KTPR_NUMBER_ELSEWHERE;
        }

        if (sum > most) {
            most = sum;
            memcpy(nik, digits, 4);
        }
    }
}


/*
 * The likeliest value of a part by the evidence of the NIK and of the
 * printed date, each of which may have no places; *best: the value.  Returns
 * the sum of its evidence.
 */
static double
ktpr_number_part(const ktpr_evidence_t *nik, const ktpr_evidence_t *date,
                 const ktpr_number_part_t *part, int *best)
{
    int    v;
    char   digits[16];
    double sum, most;

    most = -HUGE_VAL;

    for (v = part->first; v <= part->last; v++) {
        snprintf(digits, sizeof(digits), "%04d", v);
        sum = date->n == 0 ? 0
                           : ktpr_evidence_sum(date, part->date_at,
                                               digits + 4 - part->date_digits,
                                               part->date_digits);

        snprintf(digits, sizeof(digits), "%02d", (v + part->add) % 100);
        sum +=
            nik->n == 0 ? 0 : ktpr_evidence_sum(nik, part->nik_at, digits, 2);

        if (sum > most) {
            most = sum;
            *best = v;
        }
    }

    return most;
}


/* The likeliest date of birth by either or both, and its evidence. */
static double
ktpr_number_day(const ktpr_evidence_t *nik, const ktpr_evidence_t *date,
                int woman, int year, int parts[KTPR_NUMBER_PARTS])
{
    int    i;
    double sum;

    const ktpr_number_part_t table[KTPR_NUMBER_PARTS] = {
        [KTPR_NUMBER_DAY] = {6, 0, 2, 1, 31, woman ? KTPR_NUMBER_WOMAN : 0},
        [KTPR_NUMBER_MONTH] = {8, 2, 2, 1, 12, 0},
        [KTPR_NUMBER_YEAR] = {10, 4, 4, year - KTPR_NUMBER_OLDEST,
                              year + KTPR_NUMBER_AHEAD, 0},
    };

    sum = 0;

    for (i = 0; i < KTPR_NUMBER_PARTS; i++) {
        sum += ktpr_number_part(nik, date, &table[i], &parts[i]);
    }

    return sum;
}


/*
 * Decides the six digits of the date of birth, which is also printed on its
 * own line: one date that fits both, or two that disagree, whichever has
 * more evidence; for either gender.  One that fits both corrects the field.
 */
static void
ktpr_number_date(const ktpr_evidence_t *evidence, const ktpr_evidence_t *birth,
                 int year, ktpr_field_t *fields, char *nik)
{
    int             woman, sex, both, parts[KTPR_NUMBER_PARTS];
    char            date[32];
    double          sum, most, apart;
    const char     *gender;
    ktpr_evidence_t none;

    memset(&none, 0, sizeof(none));
    gender = fields[KTPR_GENDER].value;
    sex = gender[0] == '\0' ? -1 : gender[0] == 'P';
    apart = birth->n > 0 ? ktpr_number_day(&none, birth, 0, year, parts)
                               + KTPR_NUMBER_OTHER_DATE
                         : 0;
    most = ktpr_evidence_sum(evidence, 6, nik + 6, 6) + apart
           + KTPR_NUMBER_NO_DATE;

    for (woman = 0; woman < 2; woman++) {
        for (both = 0; both < (birth->n > 0 ? 2 : 1); both++) {
            sum = ktpr_number_day(evidence, both ? birth : &none, woman, year,
                                  parts)
                  + (both ? 0 : apart)
                  + (sex >= 0 && sex != woman ? KTPR_NUMBER_OTHER_SEX : 0);

            if (sum <= most) {
                continue;
            }

            most = sum;
            snprintf(date, sizeof(date), "%02d%02d%02d",
                     parts[KTPR_NUMBER_DAY] + (woman ? KTPR_NUMBER_WOMAN : 0),
                     parts[KTPR_NUMBER_MONTH], parts[KTPR_NUMBER_YEAR] % 100);
            memcpy(nik + 6, date, 6);
            snprintf(date, sizeof(date), "%02d-%02d-%04d",
                     parts[KTPR_NUMBER_DAY], parts[KTPR_NUMBER_MONTH],
                     parts[KTPR_NUMBER_YEAR]);

            if (both && ktpr_fields_date_valid(date)) {
                ktpr_fields_repair(&fields[KTPR_DATE_OF_BIRTH], date,
                                   fields[KTPR_DATE_OF_BIRTH].confidence);
            }
        }
    }
}


/* Whether all digits from first to last that differ from best are doubtful. */
static int
ktpr_number_yields(const ktpr_evidence_t *evidence, const char *best,
                   const char *digits, int first, int last)
{
    int   i;
    float sure[KTPR_CELLS];

    ktpr_evidence_digits(evidence, best, sure);

    for (i = first; i <= last; i++) {
        if (digits[i] != best[i] && sure[i] > KTPR_READING_CLEAR) {
            return 0;
        }
    }

    return 1;
}


/* The digits DDMMYYYY of a date; 0, or -1 when it has others. */
static int
ktpr_number_printed(const char *date, char digits[KTPR_CELLS + 1])
{
    return strlen(date) == 10
                   && ktpr_text_digits(date, digits, KTPR_CELLS + 1) == 8
               ? 0
               : -1;
}


void
ktpr_number_decide(const ktpr_evidence_t *evidence,
                   const ktpr_evidence_t *birth, int year,
                   ktpr_field_t *fields, char *nik)
{
    char         best[KTPR_CELLS + 1], was[KTPR_CELLS + 1];
    char         is[KTPR_CELLS + 1];
    ktpr_field_t printed;

    ktpr_text_copy(best, sizeof(best), nik);
    printed = fields[KTPR_DATE_OF_BIRTH];

    ktpr_number_region(evidence, fields, nik);
    ktpr_number_date(evidence, birth, year, fields, nik);

    if (!ktpr_number_yields(evidence, best, nik, 0, 3)) {
        memcpy(nik, best, 4);
    }

    if (!ktpr_number_yields(evidence, best, nik, 6, 11)) {
        memcpy(nik + 6, best + 6, 6);
        fields[KTPR_DATE_OF_BIRTH] = printed;
    }

    /* no date, or a year in the future, was misread, however clear it is */
    if (ktpr_number_printed(printed.value, was) == 0
        && ktpr_fields_date_valid(printed.value)
        && strtol(was + 4, NULL, 10) <= year
        && ktpr_number_printed(fields[KTPR_DATE_OF_BIRTH].value, is) == 0
        && birth->n == 8 && !ktpr_number_yields(birth, was, is, 0, 7)) {
        fields[KTPR_DATE_OF_BIRTH] = printed;
    }
}


/*
 * The date of birth in the number, whose century is the last one in which
 * its holder is old enough for a card; "" when it is no date.
 */
static void
ktpr_number_birth(const char *nik, int now, char date[32])
{
    int day, year;

    day = (nik[6] - '0') * 10 + nik[7] - '0';
    day = day > KTPR_NUMBER_WOMAN ? day - KTPR_NUMBER_WOMAN : day;
    year = 2000 + (nik[10] - '0') * 10 + nik[11] - '0';

    if (year > now - KTPR_NUMBER_YOUNGEST) {
        year -= 100;
    }

    snprintf(date, 32, "%02d-%.2s-%04d", day, nik + 8, year);

    if (!ktpr_fields_date_valid(date)) {
        date[0] = '\0';
    }
}


/* Fills in the date of birth and the gender where they could not be read. */
static void
ktpr_number_complete(ktpr_field_t *fields, const char *nik, int year)
{
    char date[32];

    ktpr_number_birth(nik, year, date);
    if (date[0] == '\0') {
        return;
    }

    if (fields[KTPR_DATE_OF_BIRTH].value[0] == '\0') {
        ktpr_fields_repair(&fields[KTPR_DATE_OF_BIRTH], date,
                           fields[KTPR_NIK].confidence);
    }

    if (fields[KTPR_GENDER].value[0] == '\0') {
        ktpr_fields_repair(&fields[KTPR_GENDER],
                           nik[6] >= '4' ? "PEREMPUAN" : "LAKI-LAKI",
                           fields[KTPR_NIK].confidence);
    }
}


/* Evidence of the digit network and, if needed, of Tesseract; 0 or -1. */
static int
ktpr_number_evidence(ktpr_scan_t *scan, const ktpr_strip_t *strip,
                     ktpr_evidence_t *evidence)
{
    size_t         k;
    ktpr_reading_t reading;

    if (ktpr_scan_cells(scan, strip, "dddddddddddddddd", evidence) != 0) {
        return -1;
    }

    for (k = 0; k < sizeof(ktpr_number_cuts) / sizeof(ktpr_number_cuts[0])
                && evidence->quality < KTPR_NUMBER_SURE;
         k++) {
        ktpr_scan_read(scan, strip, &ktpr_number_cuts[k], "0123456789",
                       &reading);
        ktpr_evidence_add(evidence, &reading);
    }

    return 0;
}


/* Whether the number was seen, and not made up from other fields. */
static int
ktpr_number_seen(const ktpr_evidence_t *evidence, const char *raw,
                 const char *nik)
{
    int i, changed;

    changed = 0;
    for (i = 0; i < KTPR_NUMBER_DIGITS; i++) {
        changed += nik[i] != raw[i];
    }

    return evidence->quality > KTPR_NUMBER_BLIND
           && changed <= KTPR_NUMBER_CHANGED;
}


static ktp_value_t
ktpr_number_value(const char *text)
{
    ktp_value_t value;

    value.p = text;
    value.len = strlen(text);

    return value;
}


/* How a number compares with the other fields. */
static void
ktpr_number_check(const char *nik, const ktpr_field_t *fields,
                  ktp_nik_check_t *check)
{
    ktp_nik_check(check, ktpr_number_value(nik),
                  ktpr_number_value(fields[KTPR_DATE_OF_BIRTH].value),
                  ktpr_number_value(fields[KTPR_GENDER].value),
                  ktpr_number_value(fields[KTPR_CITY].value),
                  ktpr_number_value(fields[KTPR_STATE].value));
}


/*
 * Whether region, date of birth and gender, which are known, are all others in
 * the number, which need not be valid.
 */
static int
ktpr_number_strange(const char *nik, const ktpr_field_t *fields)
{
    int         woman, day;
    char        code[5], printed[KTPR_CELLS + 1];
    unsigned    region;
    const char *city;

    city = fields[KTPR_CITY].value;
    ktpr_text_copy(code, sizeof(code), nik);
    region = (unsigned) strtoul(code, NULL, 10);
    woman = nik[6] >= '4';
    day = (nik[6] - (woman ? '4' : '0')) * 10 + nik[7] - '0';

    if (ktpr_number_printed(fields[KTPR_DATE_OF_BIRTH].value, printed) != 0
        || (city[0] == '\0' && fields[KTPR_STATE].value[0] == '\0')) {
        return 0;
    }

    return ktp_region_match(region, city, strlen(city)) != KTP_REGION_SAME
           && ktp_region_province_by_name(fields[KTPR_STATE].value,
                                          strlen(fields[KTPR_STATE].value))
                  != region / 100
           && (day != (printed[0] - '0') * 10 + printed[1] - '0'
               || memcmp(nik + 8, printed + 2, 2) != 0
               || memcmp(nik + 10, printed + 6, 2) != 0)
           && (fields[KTPR_GENDER].value[0] == '\0'
               || (fields[KTPR_GENDER].value[0] == 'P') != woman);
}


/* Reads and decides the number in a strip; 0 or -1. */
static int
ktpr_number_try(ktpr_scan_t *scan, const ktpr_strip_t *strip,
                const ktpr_evidence_t *birth, int year,
                const ktpr_field_t *fields, ktpr_number_t *number)
{
    memcpy(number->fields, fields, sizeof(number->fields));
    number->strip = *strip;

    if (ktpr_number_evidence(scan, strip, &number->evidence) != 0) {
        return -1;
    }

    ktpr_evidence_best(&number->evidence, number->raw);
    ktpr_text_copy(number->nik, sizeof(number->nik), number->raw);

    if (number->evidence.quality > KTPR_NUMBER_BLIND) {
        ktpr_number_decide(&number->evidence, birth, year, number->fields,
                           number->nik);
    }

    return 0;
}


/*
 * Whether a strip has no sixteen digits, but fifteen that are clear and a
 * place with none, or another clear one beside them.
 */
static int
ktpr_number_other(const ktpr_evidence_t *evidence)
{
    double others;

    others = (evidence->quality * KTPR_NUMBER_DIGITS - evidence->least)
             / (KTPR_NUMBER_DIGITS - 1);

    return others > KTPR_NUMBER_CLEAR
           && (evidence->least < KTPR_NUMBER_NO_DIGIT
               || evidence->beyond > KTPR_NUMBER_BEYOND);
}


void
ktpr_number_read(ktpr_scan_t *scan, const ktpr_evidence_t *birth, int year,
                 ktpr_field_t *fields)
{
    int            strange;
    float          least;
    ktpr_strip_t   strip;
    ktpr_field_t  *field;
    ktpr_number_t  number, wider;
    ktpr_reading_t raw;

    memset(&strip, 0, sizeof(strip));
    memset(&raw, 0, sizeof(raw));
    field = &fields[KTPR_NIK];
    ktpr_number_strip(scan, &strip);

    if (ktpr_number_try(scan, &strip, birth, year, fields, &number) != 0) {
        return;
    }

    strange = ktpr_number_strange(number.nik, fields);

    if (strange || ktpr_number_other(&number.evidence)) {
        /* an end of the number may be outside, and all digits shifted */
        strip.x0 -= KTPR_NUMBER_WIDER * scan->rows.capital;
        strip.x1 += KTPR_NUMBER_WIDER * scan->rows.capital;

        if (ktpr_number_try(scan, &strip, birth, year, fields, &wider) == 0
            && !ktpr_number_strange(wider.nik, fields)
            && !ktpr_number_other(&wider.evidence)) {
            number = wider;
            strange = 0;
        }
    }

    ktpr_text_copy(raw.text, sizeof(raw.text), number.raw);
    raw.confidence = ktpr_evidence_sure(&number.evidence, number.nik, &least);

    if (strange) {
        raw.confidence *= KTPR_NUMBER_STRANGE;
    }

    fields[KTPR_DATE_OF_BIRTH] = number.fields[KTPR_DATE_OF_BIRTH];
    ktpr_fields_set(scan, field, number.nik, &raw, &number.strip);
    field->repaired = strcmp(number.nik, raw.text) != 0;

    if (!ktpr_number_seen(&number.evidence, number.raw, number.nik)
        || ktpr_number_other(&number.evidence)) {
        field->value[0] = '\0';
        field->confidence = 0;
        field->repaired = 0;
        return;
    }

    ktpr_number_complete(fields, number.nik, year);
}


unsigned
ktpr_number_warnings(const ktpr_field_t *fields)
{
    char            code[5], date[32];
    unsigned        warnings;
    const char     *nik;
    ktp_nik_check_t check;

    nik = fields[KTPR_NIK].value;
    if (strlen(nik) != KTPR_NUMBER_DIGITS) {
        return 0;
    }

    ktpr_number_check(nik, fields, &check);
    ktpr_text_copy(code, sizeof(code), nik);
    warnings = 0;

    if (ktp_region_regency((unsigned) strtoul(code, NULL, 10)) == NULL) {
        warnings |= KTPR_NUMBER_NO_REGION;
    }

    /* 2000 was a leap year, as is one in four of any century but 1900 */
    ktpr_number_birth(nik, KTPR_NUMBER_ANY_YEAR, date);
    if (date[0] == '\0') {
        warnings |= KTPR_NUMBER_NO_DATE_IN;
    }

    warnings |=
        check.region_matches == KTP_FALSE ? KTPR_NUMBER_OTHER_REGION : 0;
    warnings |=
        check.date_of_birth_matches == KTP_FALSE ? KTPR_NUMBER_OTHER_BIRTH : 0;
    warnings |=
        check.gender_matches == KTP_FALSE ? KTPR_NUMBER_OTHER_GENDER : 0;

    return warnings;
}


int
ktpr_number_sure(const ktpr_field_t *field)
{
    ktp_nik_t nik;

    return !field->repaired && field->confidence > KTPR_NUMBER_CONFIDENT
           && ktp_nik_parse(&nik, field->value, strlen(field->value)) == 0;
}


int
ktpr_number_agrees(const ktpr_field_t *fields)
{
    const char         *value;
    ktp_nik_t           nik;
    const ktpr_field_t *birth;

    value = fields[KTPR_NIK].value;
    birth = &fields[KTPR_DATE_OF_BIRTH];

    return !birth->repaired && strlen(birth->value) == 10
           && ktp_nik_parse(&nik, value, strlen(value)) == 0
           && strtoul(birth->value, NULL, 10) == nik.day
           && strtoul(birth->value + 3, NULL, 10) == nik.month
           && strtoul(birth->value + 8, NULL, 10) == nik.year;
}
