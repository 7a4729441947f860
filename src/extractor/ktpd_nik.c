#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ktp_region.h"
#include "ktpd_cells.h"
#include "ktpd_fields.h"
#include "ktpd_nik.h"
#include "ktpd_text.h"


#define KTPD_NIK_DIGITS 16

/* The number's base line above the name's, in row spacings. */
#define KTPD_NIK_ABOVE 1.45
#define KTPD_NIK_REACH .65

/* Cells this sure need no other reading. */
#define KTPD_NIK_SURE (-.06)

/*
 * What the card's other fields count, as logarithms of odds.  A digit that
 * is quite clear has 5 or more for it: a number that is plainly another one
 * than the fields make likely stays as it is.
 */
#define KTPD_NIK_SAME_STATE                                                   \
    (-2.)                          /* another regency of the card's province  \
                                    */
#define KTPD_NIK_ELSEWHERE  (-3.5) /* any other that there is */
#define KTPD_NIK_NOWHERE    (-6.)  /* none that there is */
#define KTPD_NIK_OTHER_DATE (-4.)  /* not the card's, but a date */
#define KTPD_NIK_NO_DATE    (-8.)
#define KTPD_NIK_OTHER_SEX  (-3.)

/* Logarithms of how likely each digit is in each place. */
typedef struct {
    double e[KTPD_NIK_DIGITS][10];
} ktpd_evidence_t;

static const ktpd_cut_t ktpd_nik_cuts[] = {
    {30, .45, .38, .5},
    {24, .35, .38, .5},
};


/* The strip that the number stands on; without writing, where it must be. */
static void
ktpd_nik_strip(ktpd_scan_t *scan, ktpd_strip_t *strip)
{
    int                    i;
    double                 y, yx, first, spacing, capital, values, widest;
    const ktpd_fragment_t *f;

    first = ktpd_fields_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;
    values = ktpd_edge_at(&scan->columns.values, first);
    y = first - KTPD_NIK_ABOVE * spacing;

    strip->x0 = values + 1e6;
    strip->x1 = 0;
    widest = 0;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        yx =
            f->bottom + f->slope * f->x0 - scan->rows.slope * (f->x0 - values);

        if (fabs(yx - y) > KTPD_NIK_REACH * spacing
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


/*
 * Adds a reading of Tesseract's.  More than sixteen digits are the number
 * and a colon or a border before or behind it: the best of the ways to cut.
 */
static void
ktpd_nik_add(ktpd_evidence_t *evidence, const ktpd_reading_t *reading)
{
    int                  i, d, off, digits, best;
    double               sum, most, c;
    const ktpd_symbol_t *symbols[KTPD_MAX_VALUE] = {NULL};

    digits = 0;

    for (i = 0; i < reading->n; i++) {
        if (isdigit((unsigned char) reading->symbols[i].c)) {
            symbols[digits++] = &reading->symbols[i];
        }
    }

    best = -1;
    most = 0;

    for (off = 0; off + KTPD_NIK_DIGITS <= digits; off++) {
        sum = 0;
        for (i = 0; i < KTPD_NIK_DIGITS; i++) {
            sum += evidence->e[i][symbols[off + i]->c - '0'];
        }

        if (best < 0 || sum > most) {
            most = sum;
            best = off;
        }
    }

    for (i = 0; i < KTPD_NIK_DIGITS && best >= 0; i++) {
        c = .4 + .5 * symbols[best + i]->confidence;

        for (d = 0; d < 10; d++) {
            evidence->e[i][d] +=
                .5 * log(d == symbols[best + i]->c - '0' ? c : (1 - c) / 9);
        }
    }
}


static int
ktpd_nik_best(const double e[10])
{
    int d, best;

    best = 0;
    for (d = 1; d < 10; d++) {
        best = e[d] > e[best] ? d : best;
    }

    return best;
}


/* The evidence for n digits of a string from place at on. */
static double
ktpd_nik_sum(const ktpd_evidence_t *evidence, int at, const char *digits,
             int n)
{
    int    i;
    double sum;

    sum = 0;
    for (i = 0; i < n; i++) {
        sum += evidence->e[at + i][digits[i] - '0'];
    }

    return sum;
}


/* The first four digits: the regency of the card, or another, or none. */
static void
ktpd_nik_region(const ktpd_evidence_t *evidence, const ktpd_card_t *card,
                char *nik)
{
    char        digits[16];
    double      sum, most;
    unsigned    code, state;
    const char *city;

    city = card->fields[KTPD_CITY].value;
    state =
        ktp_region_province_by_name(card->fields[KTPD_STATE].value,
                                    strlen(card->fields[KTPD_STATE].value));
    most = ktpd_nik_sum(evidence, 0, nik, 4) + KTPD_NIK_NOWHERE;

    for (code = 1101; code < 9700; code++) {
        if (ktp_region_regency(code) == NULL) {
            continue;
        }

        snprintf(digits, sizeof(digits), "%04u", code);
        sum = ktpd_nik_sum(evidence, 0, digits, 4);

        if (sum < most) {
            continue;
        }

        if (ktp_region_match(code, city, strlen(city)) != KTP_REGION_SAME) {
            sum +=
                code / 100 == state ? KTPD_NIK_SAME_STATE : KTPD_NIK_ELSEWHERE;
        }

        if (sum > most) {
            most = sum;
            memcpy(nik, digits, 4);
        }
    }
}


/* The most likely number from first to last in two digits; its evidence. */
static double
ktpd_nik_pair(const ktpd_evidence_t *evidence, int at, int first, int last,
              char *to)
{
    int    v;
    char   digits[16];
    double sum, most;

    most = -1e9;

    for (v = first; v <= last; v++) {
        snprintf(digits, sizeof(digits), "%02d", v % 100);
        sum = ktpd_nik_sum(evidence, at, digits, 2);
        if (sum > most) {
            most = sum;
            memcpy(to, digits, 2);
        }
    }

    return most;
}


static void
ktpd_nik_take(char *nik, const char *date, double sum, double *most)
{
    if (sum > *most) {
        *most = sum;
        memcpy(nik + 6, date, 6);
    }
}


/* The six digits of the date: the card's, or another, or none. */
static void
ktpd_nik_date(const ktpd_evidence_t *evidence, const ktpd_card_t *card,
              char *nik)
{
    int         woman, sex;
    char        date[16];
    double      most, sum, other;
    const char *birth, *gender;

    birth = card->fields[KTPD_DATE_OF_BIRTH].value;
    gender = card->fields[KTPD_GENDER].value;
    sex = gender[0] == '\0' ? -1 : gender[0] == 'P';
    most = ktpd_nik_sum(evidence, 6, nik + 6, 6) + KTPD_NIK_NO_DATE;

    for (woman = 0; woman < 2; woman++) {
        other = sex >= 0 && sex != woman ? KTPD_NIK_OTHER_SEX : 0;

        sum = ktpd_nik_pair(evidence, 6, 1 + 40 * woman, 31 + 40 * woman, date)
              + ktpd_nik_pair(evidence, 8, 1, 12, date + 2)
              + ktpd_nik_pair(evidence, 10, 0, 99, date + 4);
        ktpd_nik_take(
            nik, date,
            sum + other + (birth[0] != '\0' ? KTPD_NIK_OTHER_DATE : 0), &most);

        if (birth[0] != '\0') {
            snprintf(date, sizeof(date), "%02d%.2s%.2s",
                     (atoi(birth) % 32 + 40 * woman) % 100, birth + 3,
                     birth + 8);
            sum = ktpd_nik_sum(evidence, 6, date, 6);
            ktpd_nik_take(nik, date, sum + other, &most);
        }
    }
}


/* The date of birth inside the number; "" when it has none. */
static void
ktpd_nik_birth(const char *nik, char date[32])
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

    if (!ktpd_date_valid(date)) {
        date[0] = '\0';
    }
}


/* How sure the evidence is of a number, 0 to 1. */
static float
ktpd_nik_confidence(const ktpd_evidence_t *evidence, const char *nik)
{
    int    i, d;
    double sum, all, p;

    all = 0;

    for (i = 0; i < KTPD_NIK_DIGITS; i++) {
        p = evidence->e[i][nik[i] - '0'];
        sum = 0;
        for (d = 0; d < 10; d++) {
            sum += exp(evidence->e[i][d] - p);
        }
        all += 1 / sum / KTPD_NIK_DIGITS;
    }

    return (float) all;
}


/* What could not be read elsewhere is in the number. */
static void
ktpd_nik_complete(ktpd_card_t *card, const char *nik)
{
    char date[32];

    ktpd_nik_birth(nik, date);
    if (date[0] == '\0') {
        return;
    }

    if (card->fields[KTPD_DATE_OF_BIRTH].value[0] == '\0') {
        ktpd_field_repair(&card->fields[KTPD_DATE_OF_BIRTH], date);
    }

    if (card->fields[KTPD_GENDER].value[0] == '\0') {
        ktpd_field_repair(&card->fields[KTPD_GENDER],
                          nik[6] >= '4' ? "PEREMPUAN" : "LAKI-LAKI");
    }
}


/* What two readers make of the strip; 0, or -1 for too little. */
static int
ktpd_nik_evidence(ktpd_scan_t *scan, const ktpd_strip_t *strip,
                  ktpd_evidence_t *evidence)
{
    int            i, d;
    size_t         k;
    ktpd_cells_t   cells;
    ktpd_reading_t reading;

    if (ktpd_cells_read(scan, scan->digits, strip, &cells) != 0) {
        return -1;
    }

    for (i = 0; i < KTPD_NIK_DIGITS; i++) {
        for (d = 0; d < 10; d++) {
            evidence->e[i][d] = log(cells.p[i][d]);
        }
    }

    for (k = 0; k < sizeof(ktpd_nik_cuts) / sizeof(ktpd_nik_cuts[0])
                && cells.quality < KTPD_NIK_SURE;
         k++) {
        ktpd_scan_read(scan, strip, &ktpd_nik_cuts[k], KTPD_OCR_PRINT,
                       "0123456789", &reading);
        ktpd_nik_add(evidence, &reading);
    }

    return 0;
}


void
ktpd_nik_read(ktpd_scan_t *scan, ktpd_card_t *card)
{
    int             i;
    char            nik[KTPD_NIK_DIGITS + 1];
    ktpd_strip_t    strip;
    ktpd_field_t   *field;
    ktpd_reading_t  raw;
    ktpd_evidence_t evidence;

    memset(&strip, 0, sizeof(strip));
    memset(&raw, 0, sizeof(raw));
    field = &card->fields[KTPD_NIK];
    ktpd_nik_strip(scan, &strip);

    if (ktpd_nik_evidence(scan, &strip, &evidence) != 0) {
        return;
    }

    for (i = 0; i < KTPD_NIK_DIGITS; i++) {
        nik[i] = (char) ('0' + ktpd_nik_best(evidence.e[i]));
    }

    nik[KTPD_NIK_DIGITS] = '\0';
    ktpd_text_copy(raw.text, sizeof(raw.text), nik);
    ktpd_nik_region(&evidence, card, nik);
    ktpd_nik_date(&evidence, card, nik);

    raw.confidence = ktpd_nik_confidence(&evidence, nik);
    ktpd_field_set(scan, field, nik, &raw, &strip);
    field->repaired = strcmp(nik, raw.text) != 0;
    ktpd_nik_complete(card, nik);
}
