/*
 * The head of a card: two centred lines above the number, the province and
 * the regency or city; and what the table of regions makes of all names.
 */

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_ctc.h"
#include "ktpr_fields.h"
#include "ktpr_gazetteer.h"
#include "ktpr_head.h"
#include "ktpr_text.h"


/* Above the name, in row spacings: the head ends and begins. */
#define KTPR_HEAD_LOW  2.1
#define KTPR_HEAD_HIGH 6.5

#define KTPR_HEAD_LINES 4

/*
 * How much less likely a letter the name of a region may be than what was
 * read: in the head, in a line whose region is known, as place of birth.
 */
#define KTPR_HEAD_LIKELY   1.4
#define KTPR_REGION_LIKELY 1.2
#define KTPR_BIRTH_LIKELY  .5

#define KTPR_HEAD_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ .-'()"

typedef struct {
    double         y;
    ktpr_strip_t   strip;
    double         widest; /* of its fragments, which gives the edges */
    ktpr_reading_t reading;

    const ktpr_region_t *province;
} ktpr_head_line_t;


/* Joins a fragment to the line it is on, or begins one. */
static int
ktpr_head_add(ktpr_head_line_t *lines, int n, double y, double reach,
              const ktpr_fragment_t *f)
{
    int               i;
    ktpr_head_line_t *line;

    for (i = 0; i < n; i++) {
        if (fabs(lines[i].y - y) < reach) {
            break;
        }
    }

    if (i == KTPR_HEAD_LINES) {
        return n;
    }

    line = &lines[i];

    if (i == n) {
        memset(line, 0, sizeof(ktpr_head_line_t));
        line->y = y;
        line->strip.x0 = f->x0;
        line->strip.x1 = f->x1;
    }

    line->strip.x0 = fmin(line->strip.x0, f->x0);
    line->strip.x1 = fmax(line->strip.x1, f->x1);

    if (f->x1 - f->x0 > line->widest) {
        line->widest = f->x1 - f->x0;
        line->strip.slope = f->slope;
        line->strip.top = f->top;
        line->strip.bottom = f->bottom;
    }

    return i == n ? n + 1 : n;
}


/* Lines above the number, read. */
static int
ktpr_head_lines(ktpr_scan_t *scan, ktpr_head_line_t *lines)
{
    int                    i, n;
    double                 y, first, spacing, capital;
    const ktpr_fragment_t *f;

    n = 0;
    first = ktpr_fields_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        y = f->bottom + f->slope * f->x0
            - scan->rows.slope
                  * (f->x0 - ktpr_edge_at(&scan->columns.values, first));

        if (y < first - KTPR_HEAD_LOW * spacing
            && y > first - KTPR_HEAD_HIGH * spacing
            && f->height > 1.05 * capital && f->height < 2.6 * capital
            && f->x1 - f->x0 > 3 * capital) {
            n = ktpr_head_add(lines, n, y, .55 * spacing, f);
        }
    }

    for (i = 0; i < n; i++) {
        ktpr_scan_look(scan, &lines[i].strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT,
                       KTPR_HEAD_ALPHABET, &lines[i].reading);
    }

    return n;
}


/* Whether a text begins like a word, one edit in three letters apart. */
static int
ktpr_begins(const char *text, const char *word)
{
    char   start[32];
    size_t n;

    n = strlen(word);
    ktpr_text_copy(start, n + 1, text);

    return ktpr_text_distance(start, word) * 3 <= (int) n;
}


/* The region that a line most likely names, or NULL; how likely. */
static const ktpr_region_t *
ktpr_head_try(const ktpr_head_line_t *line, const ktpr_region_t *inside,
              ktpr_level_t level, double *score)
{
    double        distance;
    const char   *name;
    ktpr_choice_t choice;

    if (line->reading.nlooks == 0 || line->reading.text[0] == '\0') {
        return NULL;
    }

    ktpr_choice_begin(&choice, &line->reading);

    if (level == KTPR_LEVEL_PROVINCE) {
        ktpr_gazetteer_try(&choice, inside, level, 0, "PROVINSI ", "");
    }

    ktpr_gazetteer_try(&choice, inside, level, 0, "", "");
    *score = choice.best;

    if (ktpr_choice_made(&choice, KTPR_HEAD_LIKELY, KTPR_CHOICE_CLEAR)) {
        return choice.what;
    }

    /* a line of which an end is missing is still like its name */
    *score = (double) KTPR_CTC_NEVER;
    name = line->reading.text;

    if (level == KTPR_LEVEL_PROVINCE && ktpr_begins(name, "PROVINSI")) {
        name += strcspn(name, " ");
    }

    return ktpr_gazetteer_match(
        inside, level, name,
        name != line->reading.text || inside != NULL ? .34 : .2, &distance);
}


/* The line that names the province. */
static ktpr_head_line_t *
ktpr_head_province(ktpr_head_line_t *lines, int n)
{
    int               i;
    double            score, most;
    ktpr_head_line_t *best;

    best = NULL;
    most = 0;

    for (i = 0; i < n; i++) {
        lines[i].province =
            ktpr_head_try(&lines[i], NULL, KTPR_LEVEL_PROVINCE, &score);

        if (lines[i].province != NULL && (best == NULL || score > most)) {
            best = &lines[i];
            most = score;
        }
    }

    return best;
}


/* The line that names the regency or city; *city: which, or NULL. */
static ktpr_head_line_t *
ktpr_head_city(ktpr_head_line_t *lines, int n, const ktpr_head_line_t *state,
               const ktpr_region_t **city)
{
    int                  i;
    double               score, most;
    ktpr_head_line_t    *best;
    const ktpr_region_t *found;

    best = NULL;
    most = 0;
    *city = NULL;

    for (i = 0; i < n; i++) {
        if (&lines[i] == state) {
            continue;
        }

        found =
            ktpr_head_try(&lines[i], state != NULL ? state->province : NULL,
                          KTPR_LEVEL_REGENCY, &score);

        if (found != NULL && (*city == NULL || score > most)) {
            most = score;
            best = &lines[i];
            *city = found;
        }

        if (best == NULL
            && (ktpr_begins(lines[i].reading.text, "KABUPATEN")
                || ktpr_begins(lines[i].reading.text, "KOTA"))) {
            best = &lines[i];
        }
    }

    return best;
}


/* Whether a province is not what its line says. */
static int
ktpr_head_other(const char *text, const char *name)
{
    size_t n, m;

    n = strlen(text);
    m = strlen(name);

    return n < m || strcmp(text + n - m, name) != 0;
}


void
ktpr_head_read(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    int                  n;
    ktpr_field_t        *field;
    ktpr_head_line_t     lines[KTPR_HEAD_LINES], *state, *line;
    const ktpr_region_t *city;

    n = ktpr_head_lines(scan, lines);

    state = ktpr_head_province(lines, n);
    if (state != NULL) {
        field = &fields[KTPR_STATE];
        ktpr_fields_set(scan, field, state->province->name, &state->reading,
                        &state->strip);
        field->repaired =
            ktpr_head_other(state->reading.text, state->province->name);
    }

    line = ktpr_head_city(lines, n, state, &city);
    if (line != NULL) {
        field = &fields[KTPR_CITY];
        ktpr_fields_set(scan, field, line->reading.text, &line->reading,
                        &line->strip);

        if (city != NULL) {
            ktpr_fields_repair(field, city->name);
        }
    }
}


/*
 * The region of a level that a line says, which its field becomes; NULL when
 * it is none of the table's.
 */
static const ktpr_region_t *
ktpr_region_repair(ktpr_scan_t *scan, ktpr_line_id_t line, ktpr_field_t *field,
                   const ktpr_region_t *inside, ktpr_level_t level)
{
    ktpr_entry_t        *e;
    ktpr_choice_t        choice;
    const ktpr_region_t *region;

    e = ktpr_scan_line(scan, line);
    if (e == NULL || e->value.nlooks == 0 || e->value.text[0] == '\0') {
        return NULL;
    }

    ktpr_choice_begin(&choice, &e->value);
    ktpr_gazetteer_try(&choice, inside, level, 0, "", "");

    if (!ktpr_choice_made(&choice, KTPR_REGION_LIKELY, KTPR_CHOICE_CLEAR)) {
        return NULL;
    }

    region = choice.what;
    field->confidence = ktpr_choice_sure(&choice);
    ktpr_fields_repair(field, region->name);

    return region;
}


/* The place of birth is often a regency or city, written without the word. */
static void
ktpr_birth_repair(ktpr_scan_t *scan, ktpr_field_t *field)
{
    size_t        n;
    const char   *date;
    ktpr_entry_t *e;
    ktpr_choice_t choice;

    e = ktpr_scan_line(scan, KTPR_LINE_BIRTH);
    if (e == NULL || e->value.nlooks == 0 || field->value[0] == '\0') {
        return;
    }

    date = e->value.text + strlen(e->value.text);
    while (date > e->value.text && !isalpha((unsigned char) date[-1])) {
        date--;
    }

    ktpr_choice_begin(&choice, &e->value);
    ktpr_gazetteer_try(&choice, NULL, KTPR_LEVEL_REGENCY, 1, "", date);
    ktpr_gazetteer_try(&choice, NULL, KTPR_LEVEL_REGENCY, 0, "", date);

    if (ktpr_choice_made(&choice, KTPR_BIRTH_LIKELY, KTPR_CHOICE_CLEAR)) {
        n = strlen(choice.text) - strlen(date);
        choice.text[n] = '\0';
        ktpr_fields_repair(field, choice.text);
    }
}


void
ktpr_head_repair(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    double               distance;
    const ktpr_region_t *city, *district;

    city = ktpr_gazetteer_match(NULL, KTPR_LEVEL_REGENCY,
                                fields[KTPR_CITY].value, 0, &distance);

    if (city != NULL) {
        district = ktpr_region_repair(scan, KTPR_LINE_DISTRICT,
                                      &fields[KTPR_DISTRICT], city,
                                      KTPR_LEVEL_DISTRICT);
        ktpr_region_repair(
            scan, KTPR_LINE_VILLAGE, &fields[KTPR_ADMINISTRATIVE_VILLAGE],
            district != NULL ? district : city, KTPR_LEVEL_VILLAGE);
    }

    ktpr_birth_repair(scan, &fields[KTPR_PLACE_OF_BIRTH]);
}
