#include <math.h>
#include <string.h>

#include "ktpr_lines.h"
#include "ktpr_street.h"
#include "ktpr_text.h"


#define KTPR_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Characters stripped from the right end of a value: specks, rules. */
#define KTPR_JUNK_RIGHT " :;'\"_=~*|"

/*
 * Numbers of this file.  "spacings": distances from row to row; a likelihood
 * is a natural logarithm.
 */

/*
 * Spacings between two lines that have k lines missing between them: k + 1
 * on the card, at least k + LEAST, and at most k + MOST where the upper one
 * is a name or an address, whose text may go on in the next row.  Set not
 * recorded.  Narrower: a worn line is not looked for; wider: the second row of
 * an address is read as RT/RW.
 */
#define KTPR_LINES_GAP_LEAST .4
#define KTPR_LINES_GAP_MOST  1.4

/*
 * Likelihood by which a value with an I before it must exceed that without:
 * the colon is like an I.  On cards like a print names that begin so exceed by
 * 3 and more, colons by less than 1.  Lower: a colon becomes a letter; higher:
 * the I of Balinese names is lost.
 */
#define KTPR_LINES_COLON 2.

/* clang-format off */
static const char *const ktpr_alphabets[KTPR_LINES] = {
    [KTPR_LINE_NAME] = KTPR_LETTERS " .,'-",
    [KTPR_LINE_BIRTH] = KTPR_LETTERS KTPR_LINES_DIGITS " .,-'()/",
    [KTPR_LINE_GENDER] = KTPR_LETTERS "-",
    [KTPR_LINE_ADDRESS] = KTPR_LETTERS KTPR_LINES_DIGITS " .,-/'()&",
    [KTPR_LINE_RT_RW] = KTPR_LINES_DIGITS "/-",
    [KTPR_LINE_VILLAGE] = KTPR_LETTERS KTPR_LINES_DIGITS " -'/.()",
    [KTPR_LINE_DISTRICT] = KTPR_LETTERS KTPR_LINES_DIGITS " -'/.()",
    [KTPR_LINE_RELIGION] = KTPR_LETTERS,
    [KTPR_LINE_STATUS] = KTPR_LETTERS " ",
    [KTPR_LINE_OCCUPATION] = KTPR_LETTERS " /-.()",
    [KTPR_LINE_NATIONALITY] = KTPR_LETTERS " ",
    [KTPR_LINE_VALID] = KTPR_LETTERS KTPR_LINES_DIGITS " -",
};
/* clang-format on */


int
ktpr_lines_dash(const char *s)
{
    return strcmp(s, "-") == 0;
}


/* Upper case, one blank between words, nothing but the value. */
static void
ktpr_value_clean(char *s)
{
    ktpr_text_upper(s);

    if (ktpr_lines_dash(s + strspn(s, " :"))) {
        ktpr_text_copy(s, 2, "-");
        return;
    }

    ktpr_text_trim(s, KTPR_LINES_JUNK, KTPR_JUNK_RIGHT);
    ktpr_text_fold(s);
}


/* Whether all characters of a text are in an alphabet. */
static int
ktpr_in_alphabet(const char *s, const char *alphabet)
{
    return s[strspn(s, alphabet)] == '\0';
}


/* Leaves out an I before a value that is hardly likelier than nothing. */
static void
ktpr_value_colon(ktpr_reading_t *reading)
{
    const char *rest;

    if (reading->text[0] != 'I') {
        return;
    }

    rest = reading->text + 1;
    rest += strspn(rest, " ");

    if (rest[0] != '\0'
        && ktpr_reading_score(reading, rest)
               > ktpr_reading_score(reading, reading->text)
                     - KTPR_LINES_COLON) {
        memmove(reading->text, rest, strlen(rest) + 1);
    }
}


/*
 * A value as first read; outside the line's alphabet, read again in it.  What
 * is stripped from its ends does not count: a colon, which no alphabet has,
 * would become a letter before the value.
 */
static void
ktpr_value_read(const ktpr_entry_t *e, ktpr_line_id_t line,
                ktpr_reading_t *best)
{
    char text[KTPR_MAX_VALUE];

    *best = e->value;

    ktpr_text_copy(text, sizeof(text), best->text);
    ktpr_value_clean(text);

    if (!ktpr_lines_dash(text)
        && !ktpr_in_alphabet(text, ktpr_alphabets[line])) {
        ktpr_reading_agree(ktpr_alphabets[line], best);
    }

    ktpr_value_colon(best);
}


int
ktpr_lines_letters(char *part)
{
    int   n;
    char *p;

    for (n = 0; (p = strstr(part, "VV")) != NULL; n++) {
        *p = 'W';
        memmove(p + 1, p + 2, strlen(p + 2) + 1);
    }

    return n > 0;
}


/*
 * Corrects the text of a row where its letters are not clear; whether it did.
 * The reading's confidence becomes that of the correction.
 */
static int
ktpr_part_repair(ktpr_line_id_t line, ktpr_reading_t *reading, char *part)
{
    char   copy[KTPR_MAX_VALUE];
    float  sure[KTPR_MAX_VALUE];
    double less;

    ktpr_text_copy(copy, sizeof(copy), part);
    (void) ktpr_lines_letters(copy);

    if (!ktpr_reading_yields(reading, part, copy)) {
        ktpr_text_copy(copy, sizeof(copy), part);
    }

    if (line == KTPR_LINE_ADDRESS) {
        ktpr_reading_sure(reading, copy, sure);
        ktpr_street_repair(copy, sizeof(copy), sure);
    }

    if (strcmp(copy, part) == 0) {
        return 0;
    }

    less =
        ktpr_reading_score(reading, copy) - ktpr_reading_score(reading, part);
    reading->confidence *= (float) exp(fmin(0, less) / (double) strlen(copy));
    ktpr_text_copy(part, KTPR_MAX_VALUE, copy);

    return 1;
}


int
ktpr_lines_text(ktpr_scan_t *scan, ktpr_line_id_t line, char *text,
                size_t size, ktpr_reading_t *reading)
{
    int            i, repaired;
    char           part[KTPR_MAX_VALUE];
    ktpr_entry_t  *e;
    ktpr_reading_t best;

    repaired = 0;
    text[0] = '\0';
    memset(reading, 0, sizeof(ktpr_reading_t));

    e = ktpr_scan_line(scan, line);
    if (e == NULL) {
        return -1;
    }

    for (i = 0;; i++) {
        ktpr_value_read(&e[i], line, &best);
        ktpr_text_copy(part, sizeof(part), best.text);
        ktpr_value_clean(part);

        if (ktpr_lines_dash(part) && best.confidence <= KTPR_READING_CLEAR) {
            part[0] = '\0';
        }

        repaired |= ktpr_part_repair(line, &best, part);

        if (i == 0) {
            *reading = best;
            ktpr_text_copy(reading->text, sizeof(reading->text),
                           e->value.text);

        } else if (part[0] != '\0') {
            ktpr_text_append(text, size, " ");
            ktpr_text_append(reading->text, sizeof(reading->text), " ");
            ktpr_text_append(reading->text, sizeof(reading->text),
                             e[i].value.text);
            reading->confidence = best.confidence < reading->confidence
                                      ? best.confidence
                                      : reading->confidence;
        }

        ktpr_text_append(text, size, part);

        if (e + i + 1 >= scan->table->entries + scan->table->n
            || e[i + 1].line != KTPR_LINE_MORE) {
            break;
        }
    }

    return repaired;
}


/*
 * Inserts lines before entry at, step apart, and reads them: the first has its
 * base line at y.  How many: the table may be full.
 */
static int
ktpr_lines_insert(ktpr_scan_t *scan, int at, int line, int count, double y,
                  double step, double slope)
{
    int           i;
    ktpr_entry_t *e;
    ktpr_table_t *table;

    table = scan->table;
    count =
        count < KTPR_MAX_ROWS - table->n ? count : KTPR_MAX_ROWS - table->n;
    e = &table->entries[at];

    memmove(e + count, e, sizeof(ktpr_entry_t) * (size_t) (table->n - at));
    memset(e, 0, sizeof(ktpr_entry_t) * (size_t) count);
    table->n += count;

    for (i = 0; i < count; i++, e++) {
        e->line = line + i;
        e->row.y = y + i * step;
        e->row.value.x0 = ktpr_columns_at(&scan->columns.values, e->row.y);
        e->row.value.slope = slope;
        e->row.value.bottom = e->row.y - slope * e->row.value.x0;
        e->row.value.top = e->row.value.bottom - scan->rows.capital;
        ktpr_scan_value(scan, (ktpr_line_id_t) e->line, e);
    }

    return count;
}


/*
 * Inserts the lines that are missing before an entry, evenly spaced, and reads
 * them; how many.
 */
static int
ktpr_lines_between(ktpr_scan_t *scan, int at)
{
    int                 missing;
    double              gap, step;
    const ktpr_entry_t *upper, *lower;

    upper = &scan->table->entries[at - 1];
    lower = &scan->table->entries[at];
    missing = lower->line - upper->line - 1;
    gap = (lower->row.y - upper->row.y) / scan->table->spacing;

    if (missing < 1 || gap <= missing + KTPR_LINES_GAP_LEAST) {
        return 0;
    }

    /* the row may continue the line above */
    if ((upper->line == KTPR_LINE_NAME || upper->line == KTPR_LINE_ADDRESS)
        && gap >= missing + KTPR_LINES_GAP_MOST) {
        return 0;
    }

    step = (lower->row.y - upper->row.y) / (missing + 1);

    return ktpr_lines_insert(
        scan, at, upper->line + 1, missing, upper->row.y + step, step,
        (upper->row.value.slope + lower->row.value.slope) / 2);
}


void
ktpr_lines_complete(ktpr_scan_t *scan)
{
    int           i, last;
    double        step;
    ktpr_entry_t *e;

    last = -1;
    step = scan->table->spacing;

    for (i = 0; i < scan->table->n; i++) {
        e = &scan->table->entries[i];

        if (e->line < 0) {
            continue;
        }

        if (!e->row.has_value && e->value.nlooks == 0) {
            ktpr_scan_value(scan, (ktpr_line_id_t) e->line, e);
        }

        if (last < 0 && e->line <= KTPR_LINE_ADDRESS) {
            i += ktpr_lines_insert(scan, i, 0, e->line,
                                   e->row.y - e->line * step, step,
                                   e->row.value.slope);

        } else if (last >= 0 && last == i - 1) {
            i += ktpr_lines_between(scan, i);
        }

        last = i;
    }
}


double
ktpr_lines_first(ktpr_scan_t *scan)
{
    int           i;
    ktpr_entry_t *e;

    for (i = 0; i < scan->table->n; i++) {
        e = &scan->table->entries[i];
        if (e->line >= 0) {
            return e->row.y - e->line * scan->table->spacing;
        }
    }

    return 0;
}


void
ktpr_lines_plane(ktpr_scan_t *scan, ktpr_map_t *plane)
{
    double             s, slope;
    ktpr_map_t         level;
    const ktpr_edge_t *values;

    s = scan->table->spacing;
    slope = scan->rows.slope;
    values = &scan->columns.values;

    /* x = u s + values at y, y = first + v s + slope u s */
    level = ktpr_map_affine(s * (1 + values->slope * slope), values->slope * s,
                            ktpr_columns_at(values, ktpr_lines_first(scan)),
                            slope * s, s, ktpr_lines_first(scan));

    *plane = ktpr_map_then(&level, &scan->page.level_to_image);
}
