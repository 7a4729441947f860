#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktpd_address.h"
#include "ktpd_choice.h"
#include "ktpd_fields.h"
#include "ktpd_lexicon.h"
#include "ktpd_text.h"


#define KTPD_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define KTPD_DIGITS  "0123456789"

/* What may stand around a value and is no part of it. */
#define KTPD_JUNK_LEFT  " :;.,'\"-_=~*|&()/"
#define KTPD_JUNK_RIGHT " :;'\"_=~*|"

/* A lexicon's word may be so much less likely a letter than what was read. */
#define KTPD_WORD_LIKELY 1.6

/* The blood group's label is this far behind the gender, and so wide. */
#define KTPD_BLOOD_GAP   .7
#define KTPD_BLOOD_WIDTH 20.

/* A group with what is around it; how clear it must be. */
#define KTPD_BLOOD_LONGEST 8
#define KTPD_BLOOD_CLEAR   .7

/* Hardly a village has a hundred neighbourhoods: logarithm of the odds. */
#define KTPD_RT_SMALL 1.2

/* Free text less sure than this is not what stands there. */
#define KTPD_READABLE .30f

/* Digits that the network likes less than this are none. */
#define KTPD_CELLS_POOR (-.7)

static const char *const ktpd_alphabets[KTPD_LINES] = {
    [KTPD_LINE_NAME] = KTPD_LETTERS " .,'-",
    [KTPD_LINE_BIRTH] = KTPD_LETTERS KTPD_DIGITS " .,-'()/",
    [KTPD_LINE_GENDER] = KTPD_LETTERS "-",
    [KTPD_LINE_ADDRESS] = KTPD_LETTERS KTPD_DIGITS " .,-/'()&",
    [KTPD_LINE_RT_RW] = KTPD_DIGITS "/",
    [KTPD_LINE_VILLAGE] = KTPD_LETTERS  KTPD_DIGITS " -'/.()",
    [KTPD_LINE_DISTRICT] = KTPD_LETTERS KTPD_DIGITS " -'/.()",
    [KTPD_LINE_RELIGION] = KTPD_LETTERS,
    [KTPD_LINE_STATUS] = KTPD_LETTERS " ",
    [KTPD_LINE_OCCUPATION] = KTPD_LETTERS " /-.()",
    [KTPD_LINE_NATIONALITY] = KTPD_LETTERS " ",
    [KTPD_LINE_VALID] = KTPD_LETTERS KTPD_DIGITS " -",
};


void
ktpd_field_set(const ktpd_scan_t *scan, ktpd_field_t *field, const char *value,
               const ktpd_reading_t *reading, const ktpd_strip_t *strip)
{
    ktpd_text_copy(field->value, sizeof(field->value), value);
    ktpd_text_copy(field->raw, sizeof(field->raw), reading->text);
    field->confidence = value[0] != '\0' ? reading->confidence : 0;

    if (strip != NULL) {
        ktpd_scan_box(scan, strip, &field->x, &field->y, &field->w, &field->h);
    }
}


void
ktpd_field_repair(ktpd_field_t *field, const char *value)
{
    if (strcmp(field->value, value) != 0) {
        ktpd_text_copy(field->value, sizeof(field->value), value);
        field->repaired = 1;
    }
}


int
ktpd_date_valid(const char *date)
{
    int day, month, year, days;

    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};

    if (strlen(date) != 10) {
        return 0;
    }

    day = atoi(date);
    month = atoi(date + 3);
    year = atoi(date + 6);

    if (month < 1 || month > 12 || year < 1900 || year > 2100) {
        return 0;
    }

    days = lengths[month - 1]
           + (month == 2
              && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));

    return day >= 1 && day <= days;
}


/* A value as read, less what is around it. */
static void
ktpd_value_clean(char *s)
{
    ktpd_text_upper(s);
    ktpd_text_trim(s, KTPD_JUNK_LEFT, KTPD_JUNK_RIGHT);
    ktpd_text_fold(s);
}


/* Whether a text has only characters of an alphabet. */
static int
ktpd_in_alphabet(const char *s, const char *alphabet)
{
    return s[strspn(s, alphabet)] == '\0';
}


/* A value as first read, or with the line's alphabet where that differs. */
static void
ktpd_value_read(const ktpd_entry_t *e, ktpd_line_id_t line,
                ktpd_reading_t *best)
{
    *best = e->value;

    if (!ktpd_in_alphabet(best->text, ktpd_alphabets[line])) {
        ktpd_ocr_agree(ktpd_alphabets[line], best);
    }
}


/* A line's text, with the rows that it goes on in. */
static int
ktpd_line_text(ktpd_scan_t *scan, ktpd_line_id_t line, char *text, size_t size,
               ktpd_reading_t *reading)
{
    int            i;
    char           part[KTPD_MAX_VALUE];
    ktpd_entry_t  *e;
    ktpd_reading_t best;

    text[0] = '\0';
    memset(reading, 0, sizeof(ktpd_reading_t));

    e = ktpd_scan_line(scan, line);
    if (e == NULL) {
        return -1;
    }

    for (i = 0;; i++) {
        ktpd_value_read(&e[i], line, &best);
        ktpd_text_copy(part, sizeof(part), best.text);
        ktpd_value_clean(part);

        if (i == 0) {
            *reading = best;
            ktpd_text_copy(reading->text, sizeof(reading->text),
                           e->value.text);

        } else if (part[0] != '\0') {
            ktpd_text_append(text, size, " ");
            reading->confidence = best.confidence < reading->confidence
                                      ? best.confidence
                                      : reading->confidence;
        }

        ktpd_text_append(text, size, part);

        if (e + i + 1 >= scan->table->entries + scan->table->n
            || e[i + 1].line != KTPD_LINE_MORE) {
            break;
        }
    }

    return 0;
}


/* A line that must stand between two that were found is read there. */
static void
ktpd_line_insert(ktpd_scan_t *scan, int after, ktpd_line_id_t line,
                 double share)
{
    double        y, x, slope;
    ktpd_entry_t *e, *new;
    ktpd_table_t *table;

    table = scan->table;
    if (table->n == KTPD_MAX_ROWS) {
        return;
    }

    e = &table->entries[after];
    new = e + 1;
    memmove(new + 1, new,
            sizeof(ktpd_entry_t) * (size_t) (table->n - after - 1));
    table->n++;

    y = e->row.y + (new[1].row.y - e->row.y) * share;
    slope = e->row.value.slope
            + (new[1].row.value.slope - e->row.value.slope) * share;
    x = ktpd_edge_at(&scan->columns.values, y);

    memset(new, 0, sizeof(ktpd_entry_t));
    new->line = (int) line;
    new->row.y = y;
    new->row.value.slope = slope;
    new->row.value.bottom = y - slope *x;
    new->row.value.top = new->row.value.bottom - scan->rows.capital;
    new->row.value.x0 = x;
    new->row.value.x1 = x + 15 * scan->rows.capital;

    ktpd_scan_look(scan, &new->row.value, KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT,
                   ktpd_alphabets[line], &new->value);
}


static void
ktpd_lines_complete(ktpd_scan_t *scan)
{
    int           i, k, last, missing;
    double        gap;
    ktpd_table_t *table;

    table = scan->table;
    last = -1;

    for (i = 0; i < table->n; i++) {
        if (table->entries[i].line < 0) {
            continue;
        }

        missing = last < 0
                      ? 0
                      : table->entries[i].line - table->entries[last].line - 1;

        if (missing > 0) {
            gap = (table->entries[i].row.y - table->entries[last].row.y)
                  / table->spacing;

            /* not where the row may be one that goes on */
            if (last == i - 1
                && ((table->entries[last].line != KTPD_LINE_NAME
                     && table->entries[last].line != KTPD_LINE_ADDRESS)
                    || gap < missing + 1.4)
                && gap > missing + .4) {
                for (k = 1; k <= missing; k++) {
                    ktpd_line_insert(
                        scan, i - 1,
                        (ktpd_line_id_t) (table->entries[last].line + k),
                        1. / (missing + 2 - k));
                    i++;
                }
            }
        }

        last = i;
    }
}


double
ktpd_fields_first(ktpd_scan_t *scan)
{
    int           i;
    ktpd_entry_t *e;

    for (i = 0; i < scan->table->n; i++) {
        e = &scan->table->entries[i];
        if (e->line >= 0) {
            return e->row.y - e->line * scan->table->spacing;
        }
    }

    return 0;
}


void
ktpd_fields_plane(ktpd_scan_t *scan, ktpd_map_t *plane)
{
    double             s, slope;
    ktpd_map_t         level;
    const ktpd_edge_t *values;

    s = scan->table->spacing;
    slope = scan->rows.slope;
    values = &scan->columns.values;

    /* x = u s + values at y, y = first + v s + slope u s */
    level = ktpd_map_affine(s * (1 + values->slope * slope), values->slope * s,
                            ktpd_edge_at(values, ktpd_fields_first(scan)),
                            slope * s, s, ktpd_fields_first(scan));

    *plane = ktpd_map_then(&level, &scan->page.map);
}


/*
 * What speaks for the digits of the date: the network for digits, at the
 * right end of the line, and the one for lines.
 */
static void
ktpd_birth_evidence(ktpd_scan_t *scan, const ktpd_entry_t *e, int found,
                    ktpd_evidence_t *birth)
{
    char         before[KTPD_MAX_VALUE];
    size_t       n;
    ktpd_strip_t strip;

    strip = e->row.value;
    strip.x0 = fmax(strip.x0, strip.x1 - 10 * scan->rows.capital);

    if (ktpd_evidence_cells(scan, &strip, "dd-dd-dddd", birth) != 0
        || birth->quality < KTPD_CELLS_POOR) {
        memset(birth, 0, sizeof(ktpd_evidence_t));
        birth->n = found ? 8 : 0;
    }

    /* the place, as far as the date */
    ktpd_text_copy(before, sizeof(before), e->value.text);
    n = strlen(before);

    while (n > 0 && !isalpha((unsigned char) before[n - 1])) {
        n--;
    }

    n += strcspn(before + n, KTPD_DIGITS "-");
    before[n] = '\0';
    ktpd_evidence_looks(birth, &e->value, before, "dd-dd-dddd");
}


static void
ktpd_read_birth(ktpd_scan_t *scan, ktpd_card_t *card, ktpd_evidence_t *birth)
{
    int            at;
    float          least;
    char           text[2 * KTPD_MAX_VALUE], date[11], digits[KTPD_CELLS + 1];
    ktpd_field_t  *field;
    ktpd_entry_t  *e;
    ktpd_reading_t reading;

    if (ktpd_line_text(scan, KTPD_LINE_BIRTH, text, sizeof(text), &reading)
        != 0) {
        return;
    }

    e = ktpd_scan_line(scan, KTPD_LINE_BIRTH);
    date[0] = '\0';
    at = ktpd_find_date(text, date);
    text[at >= 0 ? at : (int) strcspn(text, ",0123456789")] = '\0';

    ktpd_birth_evidence(scan, e, date[0] != '\0', birth);

    if (birth->n > 0) {
        field = &card->fields[KTPD_DATE_OF_BIRTH];
        ktpd_evidence_best(birth, digits);
        snprintf(date, sizeof(date), "%.2s-%.2s-%.4s", digits, digits + 2,
                 digits + 4);
        ktpd_field_set(scan, field, ktpd_date_valid(date) ? date : "",
                       &reading, &e->row.value);
        field->confidence = ktpd_evidence_sure(birth, digits, &least);
    }

    ktpd_text_letters(text);
    ktpd_text_trim(text, KTPD_JUNK_LEFT, " ,.-'");
    ktpd_field_set(scan, &card->fields[KTPD_PLACE_OF_BIRTH],
                   reading.confidence >= KTPD_READABLE ? text : "", &reading,
                   &e->row.value);
}


/* Lines whose value is one of a lexicon's entries. */
static void
ktpd_read_word(ktpd_scan_t *scan, ktpd_card_t *card, ktpd_line_id_t line,
               ktpd_field_id_t field, ktpd_lexicon_t lexicon, double limit,
               int only)
{
    char           text[2 * KTPD_MAX_VALUE];
    float          sure;
    double         distance;
    const char    *word, *likely;
    ktpd_reading_t reading;

    if (ktpd_line_text(scan, line, text, sizeof(text), &reading) != 0) {
        return;
    }

    ktpd_text_trim(text, "", " -.");
    sure = reading.confidence;
    word = ktpd_lexicon_match(lexicon, text, limit, &distance);

    if (word == NULL || distance > 0) {
        likely =
            ktpd_lexicon_choose(lexicon, &reading, KTPD_WORD_LIKELY, &sure);
        word = likely != NULL ? likely : word;
        distance = 1;
    }

    ktpd_field_set(scan, &card->fields[field],
                   only || reading.confidence < KTPD_READABLE ? "" : text,
                   &reading, &ktpd_scan_line(scan, line)->row.value);

    if (word != NULL) {
        ktpd_text_copy(card->fields[field].value, KTPD_MAX_VALUE, word);
        card->fields[field].repaired = distance > 0;
        card->fields[field].confidence = sure;
    }
}


static void
ktpd_read_rt_rw(ktpd_scan_t *scan, ktpd_card_t *card)
{
    int             n;
    float           least;
    char            text[2 * KTPD_MAX_VALUE], digits[KTPD_MAX_VALUE], rt[8];
    ktpd_field_t   *field;
    ktpd_entry_t   *e;
    ktpd_reading_t  reading;
    ktpd_evidence_t evidence;

    if (ktpd_line_text(scan, KTPD_LINE_RT_RW, text, sizeof(text), &reading)
        != 0) {
        return;
    }

    e = ktpd_scan_line(scan, KTPD_LINE_RT_RW);
    n = ktpd_text_digits(text, digits, sizeof(digits));

    /* a slash read as a digit */
    if (n == 7) {
        memmove(digits + 3, digits + 4, 4);
        n = 6;
    }

    if (ktpd_evidence_cells(scan, &e->row.value, "ddd/ddd", &evidence) != 0
        || evidence.quality < KTPD_CELLS_POOR) {
        memset(&evidence, 0, sizeof(evidence));
        evidence.n = n == 6 ? 6 : 0;
    }

    if (evidence.n == 0) {
        return;
    }

    ktpd_evidence_looks(&evidence, &e->value, "", "ddd/ddd");
    evidence.e[0][0] += KTPD_RT_SMALL;
    evidence.e[3][0] += KTPD_RT_SMALL;
    ktpd_evidence_best(&evidence, digits);
    snprintf(rt, sizeof(rt), "%.3s/%.3s", digits, digits + 3);

    field = &card->fields[KTPD_RT_RW];
    ktpd_field_set(scan, field, rt, &reading, &e->row.value);
    field->confidence = ktpd_evidence_sure(&evidence, digits, &least);
}


/* Where a value begins after a label like "Gol. Darah :" (0: no label). */
static size_t
ktpd_after_label(const char *text, const char *label)
{
    int    d, least;
    char   part[16];
    size_t i, n, m, best;

    n = strlen(text);
    m = strlen(label);
    least = 3;
    best = 0;

    for (i = 0; i + m <= n + 1; i++) {
        ktpd_text_copy(part, m + 1, text + i);
        d = ktpd_text_distance(part, label);
        if (d < least) {
            least = d;
            best = i + m;
        }
    }

    return best < n ? best : 0;
}


/* The group that the line says, "" when that cannot be told. */
static const char *
ktpd_blood_choose(ktpd_reading_t *reading)
{
    char          text[KTPD_MAX_VALUE];
    size_t        i, k, n;
    const char   *colon;
    ktpd_choice_t choice;

    static const char *const groups[] = {"A",   "B",  "AB", "O",  "A+",
                                         "B+",  "O+", "A-", "B-", "AB+",
                                         "AB-", "O-", "-"};
    static const char *const marks[] = {":", " : ", " :", ": ", " ", ""};

    n = ktpd_after_label(reading->text, "DARAH");
    if (n == 0) {
        /* the label's beginning is missing, or all of it */
        colon = strrchr(reading->text, ':');
        n = colon != NULL ? (size_t) (colon - reading->text) : 0;
    }

    if (strlen(reading->text) > n + KTPD_BLOOD_LONGEST) {
        return "";
    }

    ktpd_choice_begin(&choice, reading);

    for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
            ktpd_text_copy(text, n + 1, reading->text);
            ktpd_text_append(text, sizeof(text), marks[k]);
            ktpd_text_append(text, sizeof(text), groups[i]);
            ktpd_choice_try(&choice, text, groups[i]);
        }
    }

    return ktpd_choice_made(&choice, KTPD_WORD_LIKELY, KTPD_BLOOD_CLEAR)
               ? choice.what
               : "";
}


static void
ktpd_read_blood(ktpd_scan_t *scan, ktpd_card_t *card)
{
    double         left;
    const char    *value;
    ktpd_entry_t  *e;
    ktpd_strip_t   strip;
    ktpd_reading_t reading;

    e = ktpd_scan_line(scan, KTPD_LINE_GENDER);
    if (e == NULL) {
        return;
    }

    /* from the gender's end to the photo */
    strip = e->row.value;
    left = strip.x0;
    strip.x0 = strip.x1 + KTPD_BLOOD_GAP * scan->rows.capital;
    strip.x1 = fmin(strip.x0 + KTPD_BLOOD_WIDTH * scan->rows.capital,
                    left + KTPD_PHOTO * scan->table->spacing);
    ktpd_scan_look(scan, &strip, KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT, NULL,
                   &reading);
    value = ktpd_blood_choose(&reading);

    ktpd_field_set(scan, &card->fields[KTPD_BLOOD_TYPE], value, &reading,
                   &strip);
}


/* Lines that are free text. */
static void
ktpd_read_free(ktpd_scan_t *scan, ktpd_card_t *card, ktpd_line_id_t line,
               ktpd_field_id_t field, const char *end)
{
    char           text[2 * KTPD_MAX_VALUE];
    ktpd_reading_t reading;

    if (ktpd_line_text(scan, line, text, sizeof(text), &reading) != 0) {
        return;
    }

    ktpd_text_trim(text, end, end);
    ktpd_field_set(scan, &card->fields[field],
                   reading.confidence >= KTPD_READABLE ? text : "", &reading,
                   &ktpd_scan_line(scan, line)->row.value);
}


static void
ktpd_read_nationality(ktpd_scan_t *scan, ktpd_card_t *card)
{
    char           text[2 * KTPD_MAX_VALUE], key[KTPD_MAX_VALUE];
    ktpd_field_t  *field;
    ktpd_reading_t reading;

    if (ktpd_line_text(scan, KTPD_LINE_NATIONALITY, text, sizeof(text),
                       &reading)
        != 0) {
        return;
    }

    field = &card->fields[KTPD_NATIONALITY];
    ktpd_field_set(scan, field, text, &reading,
                   &ktpd_scan_line(scan, KTPD_LINE_NATIONALITY)->row.value);

    /* a foreigner's card has a country: nothing else is as short */
    ktpd_text_key(text[0] != '\0' ? text : reading.text, key, sizeof(key));

    if ((strlen(key) >= 1 && strlen(key) <= 3) || strstr(key, "WNI") != NULL) {
        ktpd_field_repair(field, "WNI");
    }
}


static void
ktpd_read_valid(ktpd_scan_t *scan, ktpd_card_t *card)
{
    char date[11];

    ktpd_read_word(scan, card, KTPD_LINE_VALID, KTPD_VALID_UNTIL,
                   KTPD_LEX_VALID, .4, 0);

    if (ktpd_find_date(card->fields[KTPD_VALID_UNTIL].value, date) >= 0
        && ktpd_date_valid(date)) {
        ktpd_text_copy(card->fields[KTPD_VALID_UNTIL].value, KTPD_MAX_VALUE,
                       date);
    }
}


void
ktpd_fields_read(ktpd_scan_t *scan, ktpd_card_t *card, ktpd_evidence_t *birth)
{
    memset(birth, 0, sizeof(ktpd_evidence_t));
    ktpd_lines_complete(scan);

    ktpd_read_free(scan, card, KTPD_LINE_NAME, KTPD_FULL_NAME, " -.,'");
    ktpd_text_letters(card->fields[KTPD_FULL_NAME].value);
    ktpd_read_birth(scan, card, birth);
    ktpd_read_word(scan, card, KTPD_LINE_GENDER, KTPD_GENDER, KTPD_LEX_GENDER,
                   .6, 1);
    ktpd_read_blood(scan, card);
    ktpd_read_free(scan, card, KTPD_LINE_ADDRESS, KTPD_ADDRESS, " -.,'");
    card->fields[KTPD_ADDRESS].repaired =
        ktpd_address_repair(card->fields[KTPD_ADDRESS].value, KTPD_MAX_VALUE);
    ktpd_read_rt_rw(scan, card);
    ktpd_read_free(scan, card, KTPD_LINE_VILLAGE, KTPD_ADMINISTRATIVE_VILLAGE,
                   " .-");
    ktpd_read_free(scan, card, KTPD_LINE_DISTRICT, KTPD_DISTRICT, " .-");
    ktpd_read_word(scan, card, KTPD_LINE_RELIGION, KTPD_RELIGION,
                   KTPD_LEX_RELIGION, .5, 0);
    ktpd_read_word(scan, card, KTPD_LINE_STATUS, KTPD_MARITAL_STATUS,
                   KTPD_LEX_STATUS, .45, 0);
    ktpd_read_word(scan, card, KTPD_LINE_OCCUPATION, KTPD_OCCUPATION,
                   KTPD_LEX_OCCUPATION, .3, 0);
    ktpd_read_nationality(scan, card);
    ktpd_read_valid(scan, card);
}
