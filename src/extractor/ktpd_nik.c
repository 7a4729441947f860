#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ktpd_fields.h"
#include "ktpd_nik.h"
#include "ktpd_region.h"
#include "ktpd_text.h"


#define KTPD_NIK_DIGITS 16

/* The number's base line above the name's, in row spacings. */
#define KTPD_NIK_ABOVE 1.45
#define KTPD_NIK_REACH .65

#define KTPD_NIK_READINGS 3
#define KTPD_NIK_GUESSES  8

/* A mean confidence that needs no other cut. */
#define KTPD_NIK_SURE .90f

/* How likely each digit is in each place: one reading's view. */
typedef struct {
    double p[KTPD_NIK_DIGITS][10];
} ktpd_guess_t;

/* What the rest of the card says about the number. */
typedef struct {
    char dates[2][8]; /* DDMMYY with a man's day and a woman's */
    int  ndates;
} ktpd_expected_t;

static const ktpd_cut_t ktpd_nik_cuts[KTPD_NIK_READINGS] = {
    {30, .45, .38, .5},
    {24, .35, .38, .5},
    {40, .50, .38, .5},
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
 * A reading's views of the number: more than sixteen digits are the number
 * and a colon or a border before or behind it.
 */
static int
ktpd_nik_guesses(const ktpd_reading_t *reading, ktpd_guess_t *guesses, int n)
{
    int           i, off, digits;
    double        rest;
    ktpd_symbol_t symbols[KTPD_MAX_VALUE];

    digits = 0;

    for (i = 0; i < reading->n; i++) {
        if (isdigit((unsigned char) reading->symbols[i].c)) {
            symbols[digits++] = reading->symbols[i];
        }
    }

    for (off = 0; off + KTPD_NIK_DIGITS <= digits && n < KTPD_NIK_GUESSES;
         off++, n++) {
        for (i = 0; i < KTPD_NIK_DIGITS; i++) {
            rest = symbols[off + i].confidence;
            guesses[n].p[i][symbols[off + i].c - '0'] = .9 * rest;
        }
    }

    return n;
}


static void
ktpd_nik_best(const ktpd_guess_t *guess, char nik[KTPD_NIK_DIGITS + 1])
{
    int i, d, best;

    for (i = 0; i < KTPD_NIK_DIGITS; i++) {
        best = 0;
        for (d = 1; d < 10; d++) {
            best = guess->p[i][d] > guess->p[i][best] ? d : best;
        }

        nik[i] = (char) ('0' + best);
    }

    nik[KTPD_NIK_DIGITS] = '\0';
}


/* Whether a number can be one: day, month, province. */
static int
ktpd_nik_valid(const char *nik)
{
    int day, month;

    day = (nik[6] - '0') * 10 + nik[7] - '0';
    month = (nik[8] - '0') * 10 + nik[9] - '0';
    day = day > 40 ? day - 40 : day;

    return day >= 1 && day <= 31 && month >= 1 && month <= 12
           && ktpd_region_by_code(nik, KTPD_LEVEL_PROVINCE) != NULL;
}


/* The date of birth as the number has it, for the genders it may be of. */
static void
ktpd_nik_expected(const ktpd_card_t *card, ktpd_expected_t *expected)
{
    int         day, man, woman;
    const char *date, *gender;

    date = card->fields[KTPD_DATE_OF_BIRTH].value;
    gender = card->fields[KTPD_GENDER].value;
    expected->ndates = 0;

    if (date[0] == '\0') {
        return;
    }

    day = atoi(date) % 32;
    man = strcmp(gender, "PEREMPUAN") != 0;
    woman = strcmp(gender, "LAKI-LAKI") != 0;

    if (man) {
        snprintf(expected->dates[expected->ndates++], 8, "%02d%.2s%.2s", day,
                 date + 3, date + 8);
    }

    if (woman) {
        snprintf(expected->dates[expected->ndates++], 8, "%02d%.2s%.2s",
                 day + 40, date + 3, date + 8);
    }
}


static int
ktpd_same(const char *a, const char *b, int n)
{
    int i, same;

    same = 0;
    for (i = 0; i < n; i++) {
        same += a[i] == b[i];
    }

    return same;
}


/* How good a guess is: its own sureness, the card's facts, the others. */
static double
ktpd_nik_score(const ktpd_guess_t *guesses, int n, int at,
               const ktpd_expected_t *expected)
{
    int    i, d, same;
    char   nik[KTPD_NIK_DIGITS + 1], other[KTPD_NIK_DIGITS + 1];
    double score, most;

    ktpd_nik_best(&guesses[at], nik);
    score = 0;

    for (i = 0; i < KTPD_NIK_DIGITS; i++) {
        most = 0;
        for (d = 0; d < 10; d++) {
            most = fmax(most, guesses[at].p[i][d]);
        }
        score += 1.5 * most / KTPD_NIK_DIGITS;
    }

    score += ktpd_region_by_code(nik, KTPD_LEVEL_REGENCY) != NULL ? .35 : 0;
    score += ktpd_region_by_code(nik, KTPD_LEVEL_PROVINCE) != NULL ? .1 : 0;

    same = 0;
    for (i = 0; i < expected->ndates; i++) {
        d = ktpd_same(nik + 6, expected->dates[i], 6);
        same = d > same ? d : same;
    }

    score += expected->ndates > 0 ? 1.2 * same / 6 : .5 * ktpd_nik_valid(nik);

    for (i = 0; i < n; i++) {
        if (i != at) {
            ktpd_nik_best(&guesses[i], other);
            score += .5 * ktpd_same(nik, other, KTPD_NIK_DIGITS)
                     / KTPD_NIK_DIGITS / (n - 1);
        }
    }

    return score;
}


/* The best guess, with those that nearly agree added to it. */
static void
ktpd_nik_join(const ktpd_guess_t *guesses, int n,
              const ktpd_expected_t *expected, ktpd_guess_t *joined)
{
    int    i, k, d, best;
    char   nik[KTPD_NIK_DIGITS + 1], other[KTPD_NIK_DIGITS + 1];
    double score, most;

    best = 0;
    most = -1;

    for (i = 0; i < n; i++) {
        score = ktpd_nik_score(guesses, n, i, expected);
        if (score > most) {
            most = score;
            best = i;
        }
    }

    *joined = guesses[best];
    ktpd_nik_best(joined, nik);

    for (i = 0; i < n; i++) {
        ktpd_nik_best(&guesses[i], other);

        if (i == best || ktpd_same(nik, other, KTPD_NIK_DIGITS) < 12) {
            continue;
        }

        for (k = 0; k < KTPD_NIK_DIGITS; k++) {
            for (d = 0; d < 10; d++) {
                joined->p[k][d] += .8 * guesses[i].p[k][d];
            }
        }
    }
}


/*
 * Puts the date of birth that the card prints into the number where up to
 * two digits differ and were doubtful; whether it agrees now.
 */
static int
ktpd_nik_repair(const ktpd_guess_t *joined, const ktpd_expected_t *expected,
                char nik[KTPD_NIK_DIGITS + 1])
{
    int    i, k, differ;
    double loss;

    for (i = 0; i < expected->ndates; i++) {
        differ = 0;
        loss = 0;

        for (k = 0; k < 6; k++) {
            if (nik[6 + k] != expected->dates[i][k]) {
                differ++;
                loss += joined->p[6 + k][nik[6 + k] - '0']
                        - joined->p[6 + k][expected->dates[i][k] - '0'];
            }
        }

        if (differ == 0) {
            return 1;
        }

        if (differ <= 2 && loss < 1.1 * differ) {
            memcpy(nik + 6, expected->dates[i], 6);
            return 1;
        }
    }

    return 0;
}


/* The date of birth inside the number, for a card whose own is unreadable. */
static void
ktpd_nik_birth(const char *nik, char date[16])
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

    snprintf(date, 16, "%02d-%.2s-%04d", day % 100, nik + 8, year % 10000);
}


static void
ktpd_nik_check(ktpd_card_t *card, const ktpd_guess_t *joined,
               const ktpd_expected_t *expected)
{
    char          nik[KTPD_NIK_DIGITS + 1], date[16];
    ktpd_field_t *field;

    field = &card->fields[KTPD_NIK];
    ktpd_text_copy(nik, sizeof(nik), field->value);

    if (expected->ndates > 0) {
        if (ktpd_nik_repair(joined, expected, nik)) {
            ktpd_field_repair(field, nik);
        }

    } else if (ktpd_nik_valid(nik)) {
        ktpd_nik_birth(nik, date);

        if (ktpd_date_valid(date)) {
            ktpd_field_repair(&card->fields[KTPD_DATE_OF_BIRTH], date);
        }
    }

    if (card->fields[KTPD_GENDER].value[0] == '\0' && ktpd_nik_valid(nik)) {
        ktpd_field_repair(&card->fields[KTPD_GENDER],
                          nik[6] >= '4' ? "PEREMPUAN" : "LAKI-LAKI");
    }
}


void
ktpd_nik_read(ktpd_scan_t *scan, ktpd_card_t *card)
{
    int             i, n;
    char            nik[KTPD_NIK_DIGITS + 1];
    ktpd_guess_t    guesses[KTPD_NIK_GUESSES], joined;
    ktpd_strip_t    strip;
    ktpd_reading_t  first, reading;
    ktpd_expected_t expected;

    memset(guesses, 0, sizeof(guesses));
    memset(&strip, 0, sizeof(strip));
    memset(&first, 0, sizeof(first));
    ktpd_nik_strip(scan, &strip);
    n = 0;

    for (i = 0; i < KTPD_NIK_READINGS; i++) {
        ktpd_scan_read(scan, &strip, &ktpd_nik_cuts[i], KTPD_OCR_PRINT,
                       "0123456789", &reading);
        n = ktpd_nik_guesses(&reading, guesses, n);
        first = i == 0 ? reading : first;

        if (reading.n == KTPD_NIK_DIGITS
            && reading.confidence > KTPD_NIK_SURE) {
            break;
        }
    }

    ktpd_field_set(scan, &card->fields[KTPD_NIK], "", &first, &strip);

    if (n > 0) {
        ktpd_nik_expected(card, &expected);
        ktpd_nik_join(guesses, n, &expected, &joined);
        ktpd_nik_best(&joined, nik);
        ktpd_field_set(scan, &card->fields[KTPD_NIK], nik, &first, &strip);
        ktpd_nik_check(card, &joined, &expected);
    }
}
