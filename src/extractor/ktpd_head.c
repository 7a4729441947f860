/*
 * The head of a card: two centred lines above the number, the province and
 * the regency or city; and what the table of regions makes of all names.
 */

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpd_ctc.h"
#include "ktpd_fields.h"
#include "ktpd_region.h"
#include "ktpd_text.h"


/* Above the name, in row spacings: the head ends and begins. */
#define KTPD_HEAD_LOW  2.1
#define KTPD_HEAD_HIGH 6.5

#define KTPD_HEAD_LINES 4

/*
 * How much less likely a letter the name of a region may be than what was
 * read: in the head, in a line whose region is known, as place of birth.
 */
#define KTPD_HEAD_LIKELY   1.4
#define KTPD_REGION_LIKELY 1.2
#define KTPD_BIRTH_LIKELY  .5

#define KTPD_HEAD_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ .-'()"

typedef struct {
    double         y;
    ktpd_strip_t   strip;
    double         widest; /* of its fragments, which gives the edges */
    ktpd_reading_t reading;

    const ktpd_region_t *province;
} ktpd_head_line_t;


/* Joins a fragment to the line it is on, or begins one. */
static int
ktpd_head_add(ktpd_head_line_t *lines, int n, double y, double reach,
              const ktpd_fragment_t *f)
{
    int               i;
    ktpd_head_line_t *line;

    for (i = 0; i < n; i++) {
        if (fabs(lines[i].y - y) < reach) {
            break;
        }
    }

    if (i == KTPD_HEAD_LINES) {
        return n;
    }

    line = &lines[i];

    if (i == n) {
        memset(line, 0, sizeof(ktpd_head_line_t));
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
ktpd_head_lines(ktpd_scan_t *scan, ktpd_head_line_t *lines)
{
    int                    i, n;
    double                 y, first, spacing, capital;
    const ktpd_fragment_t *f;

    n = 0;
    first = ktpd_fields_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        y = f->bottom + f->slope * f->x0
            - scan->rows.slope
                  * (f->x0 - ktpd_edge_at(&scan->columns.values, first));

        if (y < first - KTPD_HEAD_LOW * spacing
            && y > first - KTPD_HEAD_HIGH * spacing
            && f->height > 1.05 * capital && f->height < 2.6 * capital
            && f->x1 - f->x0 > 3 * capital) {
            n = ktpd_head_add(lines, n, y, .55 * spacing, f);
        }
    }

    for (i = 0; i < n; i++) {
        ktpd_scan_look(scan, &lines[i].strip, KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT,
                       KTPD_HEAD_ALPHABET, &lines[i].reading);
    }

    return n;
}


/* Whether a text begins like a word, one edit in three letters apart. */
static int
ktpd_begins(const char *text, const char *word)
{
    char   start[32];
    size_t n;

    n = strlen(word);
    ktpd_text_copy(start, n + 1, text);

    return ktpd_text_distance(start, word) * 3 <= (int) n;
}


/* The region that a line most likely names, or NULL; how likely. */
static const ktpd_region_t *
ktpd_head_try(const ktpd_head_line_t *line, const ktpd_region_t *inside,
              ktpd_level_t level, double *score)
{
    double        distance;
    const char   *name;
    ktpd_choice_t choice;

    if (line->reading.nlooks == 0 || line->reading.text[0] == '\0') {
        return NULL;
    }

    ktpd_choice_begin(&choice, &line->reading);

    if (level == KTPD_LEVEL_PROVINCE) {
        ktpd_region_try(&choice, inside, level, 0, "PROVINSI ", "");
    }

    ktpd_region_try(&choice, inside, level, 0, "", "");
    *score = choice.best;

    if (ktpd_choice_made(&choice, KTPD_HEAD_LIKELY, KTPD_CHOICE_CLEAR)) {
        return choice.what;
    }

    /* a line of which an end is missing is still like its name */
    *score = (double) KTPD_CTC_NEVER;
    name = line->reading.text;

    if (level == KTPD_LEVEL_PROVINCE && ktpd_begins(name, "PROVINSI")) {
        name += strcspn(name, " ");
    }

    return ktpd_region_match(
        inside, level, name,
        name != line->reading.text || inside != NULL ? .34 : .2, &distance);
}


/* The line that names the province. */
static ktpd_head_line_t *
ktpd_head_province(ktpd_head_line_t *lines, int n)
{
    int               i;
    double            score, most;
    ktpd_head_line_t *best;

    best = NULL;
    most = 0;

    for (i = 0; i < n; i++) {
        lines[i].province =
            ktpd_head_try(&lines[i], NULL, KTPD_LEVEL_PROVINCE, &score);

        if (lines[i].province != NULL && (best == NULL || score > most)) {
            best = &lines[i];
            most = score;
        }
    }

    return best;
}


/* The line that names the regency or city; *city: which, or NULL. */
static ktpd_head_line_t *
ktpd_head_city(ktpd_head_line_t *lines, int n, const ktpd_head_line_t *state,
               const ktpd_region_t **city)
{
    int                  i;
    double               score, most;
    ktpd_head_line_t    *best;
    const ktpd_region_t *found;

    best = NULL;
    most = 0;
    *city = NULL;

    for (i = 0; i < n; i++) {
        if (&lines[i] == state) {
            continue;
        }

        found =
            ktpd_head_try(&lines[i], state != NULL ? state->province : NULL,
                          KTPD_LEVEL_REGENCY, &score);

        if (found != NULL && (*city == NULL || score > most)) {
            most = score;
            best = &lines[i];
            *city = found;
        }

        if (best == NULL
            && (ktpd_begins(lines[i].reading.text, "KABUPATEN")
                || ktpd_begins(lines[i].reading.text, "KOTA"))) {
            best = &lines[i];
        }
    }

    return best;
}


/* Whether a province is not what its line says. */
static int
ktpd_head_other(const char *text, const char *name)
{
    size_t n, m;

    n = strlen(text);
    m = strlen(name);

    return n < m || strcmp(text + n - m, name) != 0;
}


void
ktpd_head_read(ktpd_scan_t *scan, ktpd_card_t *card)
{
    int                  n;
    ktpd_field_t        *field;
    ktpd_head_line_t     lines[KTPD_HEAD_LINES], *state, *line;
    const ktpd_region_t *city;

    n = ktpd_head_lines(scan, lines);

    state = ktpd_head_province(lines, n);
    if (state != NULL) {
        field = &card->fields[KTPD_STATE];
        ktpd_field_set(scan, field, state->province->name, &state->reading,
                       &state->strip);
        field->repaired =
            ktpd_head_other(state->reading.text, state->province->name);
    }

    line = ktpd_head_city(lines, n, state, &city);
    if (line != NULL) {
        field = &card->fields[KTPD_CITY];
        ktpd_field_set(scan, field, line->reading.text, &line->reading,
                       &line->strip);

        if (city != NULL) {
            ktpd_field_repair(field, city->name);
        }
    }
}


/*
 * The region of a level that a line says, which its field becomes; NULL when
 * it is none of the table's.
 */
static const ktpd_region_t *
ktpd_region_repair(ktpd_scan_t *scan, ktpd_line_id_t line, ktpd_field_t *field,
                   const ktpd_region_t *inside, ktpd_level_t level)
{
    ktpd_entry_t        *e;
    ktpd_choice_t        choice;
    const ktpd_region_t *region;

    e = ktpd_scan_line(scan, line);
    if (e == NULL || e->value.nlooks == 0 || e->value.text[0] == '\0') {
        return NULL;
    }

    ktpd_choice_begin(&choice, &e->value);
    ktpd_region_try(&choice, inside, level, 0, "", "");

    if (!ktpd_choice_made(&choice, KTPD_REGION_LIKELY, KTPD_CHOICE_CLEAR)) {
        return NULL;
    }

    region = choice.what;
    field->confidence = ktpd_choice_sure(&choice);
    ktpd_field_repair(field, region->name);

    return region;
}


/* The place of birth is often a regency or city, written without the word. */
static void
ktpd_birth_repair(ktpd_scan_t *scan, ktpd_field_t *field)
{
    size_t        n;
    const char   *date;
    ktpd_entry_t *e;
    ktpd_choice_t choice;

    e = ktpd_scan_line(scan, KTPD_LINE_BIRTH);
    if (e == NULL || e->value.nlooks == 0 || field->value[0] == '\0') {
        return;
    }

    date = e->value.text + strlen(e->value.text);
    while (date > e->value.text && !isalpha((unsigned char) date[-1])) {
        date--;
    }

    ktpd_choice_begin(&choice, &e->value);
    ktpd_region_try(&choice, NULL, KTPD_LEVEL_REGENCY, 1, "", date);
    ktpd_region_try(&choice, NULL, KTPD_LEVEL_REGENCY, 0, "", date);

    if (ktpd_choice_made(&choice, KTPD_BIRTH_LIKELY, KTPD_CHOICE_CLEAR)) {
        n = strlen(choice.text) - strlen(date);
        choice.text[n] = '\0';
        ktpd_field_repair(field, choice.text);
    }
}


void
ktpd_regions_repair(ktpd_scan_t *scan, ktpd_card_t *card)
{
    double               distance;
    const ktpd_region_t *city, *district;

    city = ktpd_region_match(NULL, KTPD_LEVEL_REGENCY,
                             card->fields[KTPD_CITY].value, 0, &distance);

    if (city != NULL) {
        district = ktpd_region_repair(scan, KTPD_LINE_DISTRICT,
                                      &card->fields[KTPD_DISTRICT], city,
                                      KTPD_LEVEL_DISTRICT);
        ktpd_region_repair(scan, KTPD_LINE_VILLAGE,
                           &card->fields[KTPD_ADMINISTRATIVE_VILLAGE],
                           district != NULL ? district : city,
                           KTPD_LEVEL_VILLAGE);
    }

    ktpd_birth_repair(scan, &card->fields[KTPD_PLACE_OF_BIRTH]);
}
