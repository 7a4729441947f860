#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_burnt.h"
#include "ktpr_choice.h"
#include "ktpr_fields.h"
#include "ktpr_lexicon.h"
#include "ktpr_lines.h"
#include "ktpr_text.h"


/*
 * Numbers of this file.  "capitals" are heights of a capital, "spacings"
 * distances from row to row; a likelihood is a natural logarithm.  "Hard
 * sets": the sets "hard" and "own, hard" of docs/accuracy.md.
 */

/*
 * Likelihood, a character: how much less likely an entry of a lexicon may be
 * than the text as read.  Tuned on the hard sets.  Lower: misread words stay
 * misread; higher: a word outside the lexicon is replaced by one in it.
 */
#define KTPR_FIELDS_WORD_LIKELY 1.6

/*
 * Edits a letter at which the text as read is replaced by an entry without
 * asking the network.  A lexicon of two long words stands more than one of a
 * hundred; set not recorded.  Lower: only the network's choice is left;
 * higher: a wrong entry replaces the text.
 */
#define KTPR_FIELDS_GENDER_EDITS     .6
#define KTPR_FIELDS_RELIGION_EDITS   .5
#define KTPR_FIELDS_STATUS_EDITS     .45
#define KTPR_FIELDS_OCCUPATION_EDITS .3
#define KTPR_FIELDS_VALID_EDITS      .4

/*
 * Confidence, 0 to 1, below which free text is left empty.  Tuned on the
 * hard sets.  Lower: wrong names and addresses are reported; higher: faint
 * ones that are right are dropped.
 */
#define KTPR_FIELDS_READABLE .30f

/*
 * Mean likelihood of the best digits below which the digit network has seen
 * no number.  Set not recorded.  Lower: specks are read as dates and RT/RW;
 * higher: blurred ones are left to the line network alone.
 */
#define KTPR_FIELDS_DIGITS_POOR (-.7)

/*
 * Log odds added to a leading zero of RT and of RW: hardly a village has a
 * hundred neighbourhoods.  Of 36 blurred cards with numbers over 99 none lost
 * a first digit.  Lower: a blurred zero is read as 6, 8 or 9; higher: the rare
 * numbers over 99 lose their first digit.
 */
#define KTPR_FIELDS_RT_SMALL 6.

/*
 * Digits of a text that may be RT/RW, at least, and with characters that look
 * like one, at most.  Set not recorded.  Lower, or more: letters of other
 * lines become six digits; higher, or fewer: blurred ones are left empty.
 */
#define KTPR_FIELDS_RT_DIGITS  3
#define KTPR_FIELDS_RT_LONGEST 8

/*
 * Confidence, 0 to 1, of each character of "013/-" and the like, at least.
 * Tuned on the rules set.  Lower: other text is taken for it; higher: it is
 * left empty.
 */
#define KTPR_FIELDS_RT_CLEAR .8f

/*
 * Where the blood group's label begins, in spacings from the values, and the
 * base lines that are tried, in capitals below the gender's: templates differ.
 * Geometry of the card.  Further left: the end of the gender and lines beside
 * it are read, too; further right: the label is cut.
 */
#define KTPR_FIELDS_BLOOD_PLACE 7.
#define KTPR_FIELDS_BLOOD_LOWER .2

/*
 * Capitals from the end of the gender to the blood group's label, where it is
 * not in its place, and the width that is read.  Set not recorded.  Shorter
 * gap: the end of the gender is read again; shorter width: the group itself
 * is cut off; longer: the photo's border is read.
 */
#define KTPR_FIELDS_BLOOD_GAP   .7
#define KTPR_FIELDS_BLOOD_WIDTH 20.

/* Confidence, 0 to 1, of a group that needs no other strip. */
#define KTPR_FIELDS_BLOOD_SURE .9f

/*
 * Characters that may follow the blood group's label: TIDAK TAHU has 10, a
 * colon with blanks 3, and the rest is for specks.  Set not recorded.
 * Lower: groups with dirt beside them are lost; higher: other text is taken
 * for a group.
 */
#define KTPR_FIELDS_BLOOD_LONGEST 14

/*
 * Likelihood by which the best group must exceed the next.  Set not
 * recorded; less than KTPR_CHOICE_CLEAR, since groups are a letter or two.
 * Lower: O is reported for a dirty "-"; higher: AB beside A is left empty.
 */
#define KTPR_FIELDS_BLOOD_CLEAR .7

/*
 * Edits from which the label "DARAH" counts as not found.  Set not recorded.
 * Lower: a blurred label is missed; higher: any word is taken for it.
 */
#define KTPR_FIELDS_LABEL_EDITS 3

/*
 * Capitals at the right end of the line of birth that hold the date
 * DD-MM-YYYY.  Geometry: ten characters, each less than a capital wide.
 * Lower: the first digits are cut off; higher: letters of the place are
 * tried as digits.
 */
#define KTPR_FIELDS_DATE_WIDTH 10.

/*
 * Likelihood, a character: how much less likely WNI and WNA may be than a
 * nationality as read.  Lower: misread WNI stays; higher: a blurred short
 * country becomes WNI.
 */
#define KTPR_FIELDS_WNI_LIKELY 5.

/* fixed: years that a date on a card can have; others are misread */
#define KTPR_FIELDS_YEAR_FIRST 1900
#define KTPR_FIELDS_YEAR_LAST  2100

/*
 * Part of its confidence that a word keeps of which only the beginning was
 * read.  Set not recorded.  Higher: a cut word is taken for a whole one.
 */
#define KTPR_FIELDS_BEGUN .7f

/*
 * fixed: letters of a label that runs into its value, which is an entry of a
 * lexicon, at most
 */
#define KTPR_FIELDS_LABEL_REST 2

/* Lines of free text, and what is stripped from the ends of each. */
typedef struct {
    ktpr_line_id_t  line;
    ktpr_field_id_t field;
    const char     *ends;
} ktpr_free_line_t;

/* Lines whose value is an entry of a lexicon. */
typedef struct {
    ktpr_line_id_t  line;
    ktpr_field_id_t field;
    ktpr_lexicon_t  lexicon;
    double          limit;    /* edits a letter, ktpr_lexicon_match() */
    unsigned        only : 1; /* nothing else is reported */
} ktpr_word_line_t;

static const ktpr_free_line_t ktpr_free_lines[] = {
    {KTPR_LINE_NAME, KTPR_FULL_NAME, " -.,'"},
    {KTPR_LINE_ADDRESS, KTPR_ADDRESS, " -.,'"},
    {KTPR_LINE_VILLAGE, KTPR_ADMINISTRATIVE_VILLAGE, " .-"},
    {KTPR_LINE_DISTRICT, KTPR_DISTRICT, " .-"},
};

static const ktpr_word_line_t ktpr_word_lines[] = {
    {KTPR_LINE_GENDER, KTPR_GENDER, KTPR_LEX_GENDER, KTPR_FIELDS_GENDER_EDITS,
     1},
    {KTPR_LINE_RELIGION, KTPR_RELIGION, KTPR_LEX_RELIGION,
     KTPR_FIELDS_RELIGION_EDITS, 0},
    {KTPR_LINE_STATUS, KTPR_MARITAL_STATUS, KTPR_LEX_STATUS,
     KTPR_FIELDS_STATUS_EDITS, 0},
    {KTPR_LINE_OCCUPATION, KTPR_OCCUPATION, KTPR_LEX_OCCUPATION,
     KTPR_FIELDS_OCCUPATION_EDITS, 0},
    {KTPR_LINE_VALID, KTPR_VALID_UNTIL, KTPR_LEX_VALID,
     KTPR_FIELDS_VALID_EDITS, 0},
};

void
ktpr_fields_set(const ktpr_scan_t *scan, ktpr_field_t *field,
                const char *value, const ktpr_reading_t *reading,
                const ktpr_strip_t *strip)
{
    ktpr_text_copy(field->value, sizeof(field->value), value);
    ktpr_text_copy(field->raw, sizeof(field->raw), reading->text);
    field->confidence = value[0] != '\0' ? reading->confidence : 0;

    if (strip != NULL) {
        field->burnt = ktpr_burnt_strip(scan, strip) ? 1 : 0;
        ktpr_scan_box(scan, strip, &field->x, &field->y, &field->w, &field->h);
    }
}


void
ktpr_fields_repair(ktpr_field_t *field, const char *value, float sure)
{
    if (strcmp(field->value, value) != 0) {
        ktpr_text_copy(field->value, sizeof(field->value), value);
        field->confidence = sure;
        field->repaired = 1;
    }
}


int
ktpr_fields_date_valid(const char *date)
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

    if (month < 1 || month > 12 || year < KTPR_FIELDS_YEAR_FIRST
        || year > KTPR_FIELDS_YEAR_LAST) {
        return 0;
    }

    days = lengths[month - 1]
           + (month == 2
              && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0));

    return day >= 1 && day <= days;
}


/*
 * Evidence for the digits of the date of birth: from the digit network, at
 * the right end of the line, and from the line network.
 */
static void
ktpr_birth_evidence(ktpr_scan_t *scan, const ktpr_entry_t *e, int found,
                    ktpr_evidence_t *birth)
{
    char         before[KTPR_MAX_VALUE];
    size_t       n;
    ktpr_strip_t strip;

    strip = e->row.value;
    strip.x0 =
        fmax(strip.x0, strip.x1 - KTPR_FIELDS_DATE_WIDTH * scan->rows.capital);

    if (ktpr_scan_cells(scan, &strip, "dd-dd-dddd", birth) != 0
        || birth->quality < KTPR_FIELDS_DIGITS_POOR) {
        memset(birth, 0, sizeof(ktpr_evidence_t));
        birth->n = found ? 8 : 0;
    }

    /* the place of birth, up to the date */
    ktpr_text_copy(before, sizeof(before), e->value.text);
    n = strlen(before);

    while (n > 0 && !isalpha((unsigned char) before[n - 1])) {
        n--;
    }

    n += strcspn(before + n, KTPR_LINES_DIGITS "-");
    before[n] = '\0';
    ktpr_evidence_looks(birth, &e->value, before, "dd-dd-dddd");
}


static void
ktpr_read_birth(ktpr_scan_t *scan, ktpr_field_t *fields,
                ktpr_evidence_t *birth)
{
    int            at;
    float          least, sure;
    char           text[2 * KTPR_MAX_VALUE], date[11], digits[KTPR_CELLS + 1];
    ktpr_field_t  *field;
    ktpr_entry_t  *e;
    ktpr_reading_t reading;

    if (ktpr_lines_text(scan, KTPR_LINE_BIRTH, text, sizeof(text), &reading)
        < 0) {
        return;
    }

    e = ktpr_scan_line(scan, KTPR_LINE_BIRTH);
    date[0] = '\0';
    at = ktpr_assign_date(text, date);
    text[at >= 0 ? at : (int) strcspn(text, ",0123456789")] = '\0';

    ktpr_birth_evidence(scan, e, date[0] != '\0', birth);

    if (birth->n > 0) {
        field = &fields[KTPR_DATE_OF_BIRTH];
        ktpr_evidence_best(birth, digits);
        snprintf(date, sizeof(date), "%.2s-%.2s-%.4s", digits, digits + 2,
                 digits + 4);
        sure = ktpr_evidence_sure(birth, digits, &least);

        /* some cards have 00-00-1950, or the 31st of June */
        ktpr_fields_set(
            scan, field,
            ktpr_fields_date_valid(date) || least > KTPR_READING_CLEAR ? date
                                                                       : "",
            &reading, &e->row.value);
        field->confidence = field->value[0] != '\0' ? sure : 0;
    }

    ktpr_text_letters(text);
    ktpr_text_trim(text, KTPR_LINES_JUNK, " ,.-'");
    ktpr_fields_set(scan, &fields[KTPR_PLACE_OF_BIRTH],
                    reading.confidence >= KTPR_FIELDS_READABLE ? text : "",
                    &reading, &e->row.value);
}


/* Whether a text is a word behind a letter or two of the label. */
static int
ktpr_word_ends(const char *text, const char *word)
{
    size_t n, m;

    n = strlen(text);
    m = strlen(word);

    return n > m && n - m <= KTPR_FIELDS_LABEL_REST
           && strcmp(text + n - m, word) == 0;
}


static void
ktpr_read_word(ktpr_scan_t *scan, const ktpr_word_line_t *w,
               ktpr_field_t *field)
{
    int            n, repaired;
    char           text[2 * KTPR_MAX_VALUE];
    float          sure;
    double         distance;
    const char    *word, *likely, *begun;
    ktpr_reading_t reading;

    repaired = ktpr_lines_text(scan, w->line, text, sizeof(text), &reading);
    if (repaired < 0) {
        return;
    }

    if (!ktpr_lines_dash(text)) {
        ktpr_text_trim(text, "", " -.");
    }

    n = 0;
    sure = reading.confidence;
    word = ktpr_lexicon_match(w->lexicon, text, w->limit, &distance);

    if (word == NULL || distance > 0) {
        /* the end is under a glare */
        n = ktpr_lexicon_begun(w->lexicon, text, &begun);
    }

    if (n == 1) {
        word = begun;
        sure *= KTPR_FIELDS_BEGUN;

    } else if (word == NULL || distance > 0) {
        likely = ktpr_lexicon_choose(w->lexicon, &reading,
                                     KTPR_FIELDS_WORD_LIKELY, &sure);
        word = likely != NULL ? likely : word;
        distance = 1;
    }

    if (n > 1) {
        reading.confidence *= KTPR_FIELDS_BEGUN;
    }

    ktpr_fields_set(
        scan, field,
        w->only || reading.confidence < KTPR_FIELDS_READABLE ? "" : text,
        &reading, &ktpr_scan_line(scan, w->line)->row.value);
    field->repaired = field->value[0] != '\0' && repaired;

    if (word != NULL
        && (w->only || distance == 0 || n == 1 || ktpr_word_ends(text, word)
            || ktpr_reading_yields(&reading, text, word))) {
        ktpr_text_copy(field->value, sizeof(field->value), word);
        field->repaired = repaired || distance > 0;
        field->confidence = sure;
    }
}


/* Whether all letters of a text were read as surely as that. */
static int
ktpr_text_clear(const ktpr_reading_t *reading, const char *text, float least)
{
    float  sure[KTPR_MAX_VALUE];
    size_t i;

    ktpr_reading_sure(reading, text, sure);

    for (i = 0; text[i] != '\0'; i++) {
        if (sure[i] <= least) {
            return 0;
        }
    }

    return i > 0;
}


/*
 * Whether a text is what a card may have for RT/RW: "001/002", "1/2", "013",
 * "013/-", "-".  Two numbers have as many digits, or else one was cut.
 */
static int
ktpr_rt_rw_printed(const char *s)
{
    size_t i, n, digits[2];

    digits[1] = 0;

    for (i = 0; i < 2; i++) {
        digits[i] = strspn(s, KTPR_LINES_DIGITS);
        n = digits[i] == 0 && s[0] == '-' ? 1 : digits[i];

        if (n < 1 || n > 3) {
            return 0;
        }

        s += n;
        if (s[0] != '/') {
            break;
        }

        s++;
    }

    return s[0] == '\0' && s[-1] != '/'
           && (digits[0] == digits[1] || digits[0] == 0 || digits[1] == 0);
}


/* Whether a text may be a misread RT/RW: mostly digits, about six. */
static int
ktpr_rt_rw_like(const char *s)
{
    int n, real, other;

    n = real = other = 0;

    for (; *s != '\0'; s++) {
        real += isdigit((unsigned char) *s) != 0;
        n += ktpr_text_digit(*s) != '\0';
        other += isalpha((unsigned char) *s) && ktpr_text_digit(*s) == '\0';
    }

    return real >= KTPR_FIELDS_RT_DIGITS && n <= KTPR_FIELDS_RT_LONGEST
           && other <= 1;
}


static void
ktpr_read_rt_rw(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    int             n;
    float           least;
    char            text[2 * KTPR_MAX_VALUE], digits[KTPR_MAX_VALUE], rt[8];
    ktpr_field_t   *field;
    ktpr_entry_t   *e;
    ktpr_reading_t  reading;
    ktpr_evidence_t evidence;

    if (ktpr_lines_text(scan, KTPR_LINE_RT_RW, text, sizeof(text), &reading)
        < 0) {
        return;
    }

    e = ktpr_scan_line(scan, KTPR_LINE_RT_RW);
    field = &fields[KTPR_RT_RW];

    /* two numbers of other lengths are no match for the cells below */

    least = strchr(text, '/') == NULL || strlen(text) == sizeof("001/002") - 1
                ? KTPR_READING_CLEAR
                : KTPR_FIELDS_RT_CLEAR;

    if (ktpr_rt_rw_printed(text) && ktpr_text_clear(&reading, text, least)) {
        ktpr_fields_set(scan, field, text, &reading, &e->row.value);
        return;
    }

    if (!ktpr_rt_rw_like(text)) {
        return;
    }

    n = ktpr_text_digits(text, digits, sizeof(digits));

    /* the slash was read as a digit */
    if (n == 7) {
        memmove(digits + 3, digits + 4, 4);
        n = 6;
    }

    if (ktpr_scan_cells(scan, &e->row.value, "ddd/ddd", &evidence) != 0
        || evidence.quality < KTPR_FIELDS_DIGITS_POOR) {
        memset(&evidence, 0, sizeof(evidence));
        evidence.n = n == 6 ? 6 : 0;
    }

    if (evidence.n == 0) {
        return;
    }

    ktpr_evidence_looks(&evidence, &e->value, "", "ddd/ddd");
    evidence.e[0][0] += KTPR_FIELDS_RT_SMALL;
    evidence.e[3][0] += KTPR_FIELDS_RT_SMALL;
    ktpr_evidence_best(&evidence, digits);
    snprintf(rt, sizeof(rt), "%.3s/%.3s", digits, digits + 3);

    ktpr_fields_set(scan, field, rt, &reading, &e->row.value);
    field->confidence = ktpr_evidence_sure(&evidence, digits, &least);
    field->repaired = strcmp(rt, text) != 0;
}


/* The offset behind a label like "DARAH" in a text; 0: no label. */
static size_t
ktpr_after_label(const char *text, const char *label)
{
    int    d, least;
    char   part[16];
    size_t i, n, m, best;

    n = strlen(text);
    m = strlen(label);
    least = KTPR_FIELDS_LABEL_EDITS;
    best = 0;

    for (i = 0; i + m <= n + 1; i++) {
        ktpr_text_copy(part, m + 1, text + i);
        d = ktpr_text_distance(part, label);
        if (d < least) {
            least = d;
            best = i + m;
        }
    }

    return best < n ? best : 0;
}


/*
 * The confidence of the end of a text, 0 to 1: the mean of its characters'.
 * What was read before it says nothing about it.
 */
static float
ktpr_end_sure(const ktpr_reading_t *reading, const char *text, size_t from)
{
    float  sum, sure[KTPR_MAX_VALUE];
    size_t i;

    sum = 0;
    ktpr_reading_sure(reading, text, sure);

    for (i = from; text[i] != '\0'; i++) {
        sum += sure[i];
    }

    return i > from ? sum / (float) (i - from) : 0;
}


/* The blood group in a reading, and its confidence; "": not clear. */
static const char *
ktpr_blood_choose(ktpr_reading_t *reading, float *sure)
{
    char          text[KTPR_MAX_VALUE];
    size_t        i, k, n, length;
    const char   *colon;
    ktpr_choice_t choice;

    static const char *const groups[] = {"A",   "B",  "AB", "O",         "A+",
                                         "B+",  "O+", "A-", "B-",        "AB+",
                                         "AB-", "O-", "-",  "TIDAK TAHU"};

    /* the photo begins before it ends */
    static const char *const unknown[] = {"TIDA", "TIDAK", "TIDAK T"};
    static const char *const marks[] = {":", " : ", " :", ": ", " ", ""};

    n = ktpr_after_label(reading->text, "DARAH");
    if (n == 0) {
        /* the label, or its beginning, is missing */
        colon = strrchr(reading->text, ':');
        n = colon != NULL ? (size_t) (colon - reading->text) : 0;
    }

    *sure = 0;

    if (strlen(reading->text) > n + KTPR_FIELDS_BLOOD_LONGEST) {
        return "";
    }

    ktpr_choice_begin(&choice, reading);

    for (k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {
        ktpr_text_copy(text, n + 1, reading->text);
        ktpr_text_append(text, sizeof(text), marks[k]);
        length = strlen(text);

        for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
            ktpr_text_append(text, sizeof(text), groups[i]);
            ktpr_choice_try(&choice, text, groups[i]);
            text[length] = '\0';
        }

        for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
            ktpr_text_append(text, sizeof(text), unknown[i]);
            ktpr_choice_try(&choice, text, "TIDAK TAHU");
            text[length] = '\0';
        }
    }

    if (!ktpr_choice_made(&choice, KTPR_FIELDS_WORD_LIKELY,
                          KTPR_FIELDS_BLOOD_CLEAR)) {
        return "";
    }

    n += strspn(choice.text + n, " :");
    *sure = ktpr_end_sure(reading, choice.text, n);

    return choice.what;
}


/*
 * Reads the blood group in a strip that ends at the photo; the more confident
 * one stays.
 */
static void
ktpr_blood_strip(ktpr_scan_t *scan, ktpr_strip_t strip, ktpr_field_t *field)
{
    float          sure;
    const char    *value;
    ktpr_field_t   found;
    ktpr_reading_t reading;

    ktpr_scan_look(scan, &strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT, NULL,
                   &reading);
    value = ktpr_blood_choose(&reading, &sure);

    memset(&found, 0, sizeof(found));
    ktpr_fields_set(scan, &found, value, &reading, &strip);
    found.confidence = sure;

    if (field->raw[0] == '\0' || found.confidence > field->confidence) {
        *field = found;
    }
}


static void
ktpr_read_blood(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    size_t        i;
    double        values, capital;
    ktpr_entry_t *e;
    ktpr_strip_t  strip;
    ktpr_field_t *field;

    static const double lower[] = {0, KTPR_FIELDS_BLOOD_LOWER};

    e = ktpr_scan_line(scan, KTPR_LINE_GENDER);
    if (e == NULL) {
        return;
    }

    field = &fields[KTPR_BLOOD_TYPE];
    capital = scan->rows.capital;
    values = ktpr_columns_at(&scan->columns.values, e->row.y);

    for (i = 0; i < sizeof(lower) / sizeof(lower[0])
                && field->confidence <= KTPR_FIELDS_BLOOD_SURE;
         i++) {
        strip = e->row.value;
        strip.top += lower[i] * capital;
        strip.bottom += lower[i] * capital;
        strip.x0 = values + KTPR_FIELDS_BLOOD_PLACE * scan->table->spacing;
        strip.x1 = values + KTPR_PHOTO * scan->table->spacing;
        ktpr_blood_strip(scan, strip, field);
    }

    if (field->value[0] == '\0') {
        /* from the end of the gender to the photo */
        strip = e->row.value;
        strip.x0 = strip.x1 + KTPR_FIELDS_BLOOD_GAP * capital;
        strip.x1 = fmin(strip.x0 + KTPR_FIELDS_BLOOD_WIDTH * capital,
                        values + KTPR_PHOTO * scan->table->spacing);
        ktpr_blood_strip(scan, strip, field);
    }
}


static void
ktpr_read_free(ktpr_scan_t *scan, const ktpr_free_line_t *line,
               ktpr_field_t *field)
{
    int            repaired;
    char           text[2 * KTPR_MAX_VALUE];
    ktpr_reading_t reading;

    repaired = ktpr_lines_text(scan, line->line, text, sizeof(text), &reading);
    if (repaired < 0) {
        return;
    }

    if (line->line == KTPR_LINE_NAME || !ktpr_lines_dash(text)) {
        ktpr_text_trim(text, line->ends, line->ends);
    }

    ktpr_fields_set(scan, field,
                    reading.confidence >= KTPR_FIELDS_READABLE ? text : "",
                    &reading, &ktpr_scan_line(scan, line->line)->row.value);
    field->repaired = field->value[0] != '\0' && repaired;
}


/*
 * The nationality is WNI, or WNA or the name of a country, which a reading
 * that is not clear is not made to be.
 */
static void
ktpr_read_nationality(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    int            repaired;
    char           text[2 * KTPR_MAX_VALUE];
    size_t         i;
    ktpr_field_t  *field;
    ktpr_choice_t  choice;
    ktpr_reading_t reading;

    static const char *const words[] = {"WNI", "WNA"};

    repaired = ktpr_lines_text(scan, KTPR_LINE_NATIONALITY, text, sizeof(text),
                               &reading);
    if (repaired < 0) {
        return;
    }

    /* no country has VV, however clear that is */
    repaired |= ktpr_lines_letters(text);

    field = &fields[KTPR_NATIONALITY];
    ktpr_fields_set(scan, field, text, &reading,
                    &ktpr_scan_line(scan, KTPR_LINE_NATIONALITY)->row.value);
    field->repaired = field->value[0] != '\0' && repaired;

    if (reading.nlooks == 0) {
        return;
    }

    ktpr_choice_begin(&choice, &reading);

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(text, words[i]) != NULL) {
            /* with specks beside it */
            if (ktpr_reading_yields(&reading, text, words[i])) {
                ktpr_fields_repair(field, words[i], reading.confidence);
            }
            return;
        }

        ktpr_choice_try(&choice, words[i], words[i]);
    }

    if (ktpr_choice_made(&choice, KTPR_FIELDS_WNI_LIKELY, 0)
        && ktpr_reading_yields(&reading, text, choice.text)) {
        ktpr_fields_repair(field, choice.text, ktpr_choice_sure(&choice));
    }
}


/* "Berlaku hingga" is SEUMUR HIDUP or, on an older card, a date. */
static void
ktpr_valid_repair(ktpr_field_t *field)
{
    char date[11];

    if (ktpr_assign_date(field->value, date) >= 0
        && ktpr_fields_date_valid(date)) {
        ktpr_text_copy(field->value, sizeof(field->value), date);
    }
}


void
ktpr_fields_read(ktpr_scan_t *scan, ktpr_field_t *fields,
                 ktpr_evidence_t *birth)
{
    size_t i;

    memset(birth, 0, sizeof(ktpr_evidence_t));
    ktpr_lines_complete(scan);

    for (i = 0; i < sizeof(ktpr_free_lines) / sizeof(ktpr_free_lines[0]);
         i++) {
        ktpr_read_free(scan, &ktpr_free_lines[i],
                       &fields[ktpr_free_lines[i].field]);
    }

    for (i = 0; i < sizeof(ktpr_word_lines) / sizeof(ktpr_word_lines[0]);
         i++) {
        ktpr_read_word(scan, &ktpr_word_lines[i],
                       &fields[ktpr_word_lines[i].field]);
    }

    ktpr_read_birth(scan, fields, birth);
    ktpr_read_blood(scan, fields);
    ktpr_read_rt_rw(scan, fields);
    ktpr_read_nationality(scan, fields);

    ktpr_text_letters(fields[KTPR_FULL_NAME].value);
    ktpr_valid_repair(&fields[KTPR_VALID_UNTIL]);
}
