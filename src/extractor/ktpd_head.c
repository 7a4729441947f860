/*
 * The head of a card: two centred lines above the number, the province and
 * the regency or city; and what the table of regions makes of all names.
 */

#include <math.h>
#include <string.h>

#include "ktpd_fields.h"
#include "ktpd_region.h"
#include "ktpd_text.h"


/* Above the name, in row spacings: the head ends and begins. */
#define KTPD_HEAD_LOW  2.1
#define KTPD_HEAD_HIGH 6.5

#define KTPD_HEAD_LINES 4

#define KTPD_HEAD_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ .-'()"

typedef struct {
    double         y;
    ktpd_strip_t   strip;
    double         widest; /* of its fragments, which gives the edges */
    ktpd_reading_t reading;
    double         distance; /* from a province's name */

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
        ktpd_scan_read(scan, &lines[i].strip, &ktpd_cut_value, KTPD_OCR_WORDS,
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


static const char *
ktpd_after_word(const char *text)
{
    const char *p;

    p = strchr(text, ' ');

    return p != NULL ? p + 1 : text;
}


/* The line that names the province: by its first word, else by its name. */
static ktpd_head_line_t *
ktpd_head_province(ktpd_head_line_t *lines, int n)
{
    int               i;
    ktpd_head_line_t *best;
    const char       *name;

    best = NULL;

    for (i = 0; i < n; i++) {
        name = lines[i].reading.text;
        if (ktpd_begins(name, "PROVINSI")) {
            name = ktpd_after_word(name);
            lines[i].distance = -1;
        }

        lines[i].province = ktpd_region_match(NULL, KTPD_LEVEL_PROVINCE, name,
                                              lines[i].distance < 0 ? .45 : .2,
                                              &lines[i].distance);

        if (lines[i].province != NULL
            && (best == NULL || lines[i].distance < best->distance)) {
            best = &lines[i];
        }
    }

    return best;
}


static ktpd_head_line_t *
ktpd_head_city(ktpd_head_line_t *lines, int n, const ktpd_head_line_t *state,
               const ktpd_region_t **city)
{
    int                  i;
    double               distance, least;
    ktpd_head_line_t    *best;
    const ktpd_region_t *found;

    best = NULL;
    least = 9;
    *city = NULL;

    for (i = 0; i < n; i++) {
        if (&lines[i] == state) {
            continue;
        }

        found = ktpd_region_match(state != NULL ? state->province : NULL,
                                  KTPD_LEVEL_REGENCY, lines[i].reading.text,
                                  state != NULL ? .34 : .2, &distance);

        if (found != NULL && distance < least) {
            least = distance;
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
        field->repaired = state->distance > 0;
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
 * Takes the region's name over that is nearest to what was read, at first or
 * again.
 */
static const ktpd_region_t *
ktpd_region_repair(ktpd_field_t *field, const ktpd_region_t *inside,
                   ktpd_level_t level, double limit)
{
    double               distance, other;
    const ktpd_region_t *region, *first;

    region = ktpd_region_match(inside, level, field->value, limit, &distance);
    first = ktpd_region_match(inside, level, field->raw, limit, &other);

    if (first != NULL && other < distance) {
        region = first;
    }

    if (region != NULL) {
        ktpd_field_repair(field, region->name);
    }

    return region;
}


/* The place of birth is often a regency or city, written without the word. */
static void
ktpd_birth_repair(ktpd_field_t *field)
{
    char                 full[KTPD_MAX_VALUE + 16];
    size_t               i;
    double               distance, least;
    const char          *name;
    const ktpd_region_t *region, *best;

    static const char *const words[] = {"KABUPATEN ", "KOTA ", ""};

    best = NULL;
    name = NULL;
    least = 9;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        ktpd_text_copy(full, sizeof(full), words[i]);
        ktpd_text_append(full, sizeof(full), field->value);

        region =
            ktpd_region_match(NULL, KTPD_LEVEL_REGENCY, full, .1, &distance);
        if (region != NULL && distance < least) {
            least = distance;
            best = region;
            name = region->name + strlen(words[i]);
        }
    }

    if (best != NULL) {
        ktpd_field_repair(field, name);
    }
}


void
ktpd_regions_repair(ktpd_card_t *card)
{
    double               distance;
    const ktpd_region_t *city, *district;

    city = ktpd_region_match(NULL, KTPD_LEVEL_REGENCY,
                             card->fields[KTPD_CITY].value, 0, &distance);

    if (city != NULL) {
        district = ktpd_region_repair(&card->fields[KTPD_DISTRICT], city,
                                      KTPD_LEVEL_DISTRICT, .34);
        ktpd_region_repair(&card->fields[KTPD_ADMINISTRATIVE_VILLAGE],
                           district != NULL ? district : city,
                           KTPD_LEVEL_VILLAGE, district != NULL ? .34 : .2);
    }

    ktpd_birth_repair(&card->fields[KTPD_PLACE_OF_BIRTH]);
}
