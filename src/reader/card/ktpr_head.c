#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_burnt.h"
#include "ktpr_ctc.h"
#include "ktpr_fields.h"
#include "ktpr_gazetteer.h"
#include "ktpr_head.h"
#include "ktpr_lines.h"
#include "ktpr_text.h"


/* fixed: lines that are kept; the head has two, the rest is clutter */
#define KTPR_HEAD_LINES 4

/*
 * Numbers of this file.  "capitals" are heights of a capital, "spacings"
 * distances from row to row; a likelihood is a natural logarithm.  "Hard
 * sets": the sets "hard" and "own, hard" of docs/accuracy.md.
 */

/*
 * Spacings above the name's base line where the head ends and begins.
 * Geometry of the card; set not recorded.  LOW smaller: the number is read
 * as a name; larger, or HIGH smaller: the regency or the province is missed;
 * HIGH larger: writing above the card is read.
 */
#define KTPR_HEAD_LOW  2.1
#define KTPR_HEAD_HIGH 6.5

/*
 * Spacings from the values to the sides of the card.  Geometry of the card.
 * Wider: the head of a card beside it is read; narrower: a long head is cut.
 */
#define KTPR_HEAD_LEFT  (-9.5)
#define KTPR_HEAD_RIGHT 24.

/*
 * Capitals: least and largest height and least width of a fragment of the
 * head, which is set larger than the values.  Geometry; set not recorded.
 * Narrower: words of the head are missed; wider: clutter is read.
 */
#define KTPR_HEAD_HEIGHT_LEAST 1.05
#define KTPR_HEAD_HEIGHT_MOST  2.6
#define KTPR_HEAD_WIDTH_LEAST  3.

/*
 * Spacings: fragments nearer than this are on one line.  Geometry; set not
 * recorded.  Lower: words of a tilted line are parted; higher: both lines
 * become one.
 */
#define KTPR_HEAD_REACH .55

/*
 * Spacings beside a line that are read with it if no region is found in it
 * alone: what is under a glare is faint, and no fragment.  Tuned on the hard
 * set.  Narrower: long names stay cut; wider: what is printed around the card
 * is read.
 */
#define KTPR_HEAD_FAINT 6.

/*
 * Likelihood, a character: how much less likely a region's name may be than
 * the text as read: in the head, in a line within a known region, as place
 * of birth (any regency, so that the wrong one is near).  Tuned on the hard
 * sets.  Lower: misread names stay; higher: a wrong region replaces a name
 * that the table lacks.
 */
#define KTPR_HEAD_LIKELY        1.4
#define KTPR_HEAD_REGION_LIKELY 1.2
#define KTPR_HEAD_BIRTH_LIKELY  .5

/*
 * Edits a letter at which a head line of which an end is missing still names
 * a region: KNOWN behind the word PROVINSI or inside a known province, else
 * ANY.  Set not recorded.  Lower: worn heads are left empty; higher: other
 * writing becomes a region.
 */
#define KTPR_HEAD_KNOWN_EDITS .34
#define KTPR_HEAD_ANY_EDITS   .2

/*
 * Letters for each edit that a word like KABUPATEN may be off.  Set not
 * recorded.  Lower: other words are taken for it; higher: misread ones are
 * not.
 */
#define KTPR_HEAD_WORD_LETTERS 3

/*
 * Part of a line's confidence that a region keeps of which an end is missing.
 * Set not recorded.  Higher: a region that was guessed is taken for one that
 * was read.
 */
#define KTPR_HEAD_CUT .7f

/*
 * Letters of a part of a district or village, at least, that is completed. Set
 * not recorded.  Fewer: a name that the table lacks becomes another one; more:
 * short names stay cut.
 */
#define KTPR_HEAD_CUT_LETTERS 3

/*
 * Capitals from where values begin to the middle of a letter that is hardly
 * the first one.  Of whole values it is .4 to .8 from there.  Lower: whole
 * names that the table lacks become longer ones; higher: one missing letter is
 * not noticed.
 */
#define KTPR_HEAD_CUT_BEGINNING 1.1

/*
 * Edits a letter at which a district may still be the one that the village is
 * in.  Higher: the district that the village was in before, on an older card,
 * becomes the one that it is in now.
 */
#define KTPR_HEAD_DISTRICT_EDITS .5

/* fixed: letters of the shortest names, BALI and RIAU */
#define KTPR_HEAD_PROVINCE_LETTERS 4

#define KTPR_HEAD_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ .-'()"

typedef struct {
    double         y;
    ktpr_strip_t   strip;
    double         widest; /* width of the fragment that gives the edges */
    ktpr_reading_t reading;
    const char    *name;     /* of the reading, behind the word PROVINSI */
    float          sure;     /* that it is the region found */
    unsigned       near : 1; /* which is only the nearest by letters */

    const ktpr_region_t *province;
} ktpr_head_line_t;


/* Adds a fragment to its line or to a new one; the number of lines. */
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


static void
ktpr_head_look(ktpr_scan_t *scan, ktpr_head_line_t *line)
{
    ktpr_scan_look(scan, &line->strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT,
                   KTPR_HEAD_ALPHABET, &line->reading);
}


/* Finds and reads the lines above the number; how many. */
static int
ktpr_head_lines(ktpr_scan_t *scan, ktpr_head_line_t *lines)
{
    int                    i, n;
    double                 y, middle, first, values, spacing, capital;
    const ktpr_fragment_t *f;

    n = 0;
    first = ktpr_lines_first(scan);
    spacing = scan->table->spacing;
    capital = scan->rows.capital;
    values = ktpr_columns_at(&scan->columns.values, first);

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        y = f->bottom + f->slope * f->x0 - scan->rows.slope * (f->x0 - values);
        middle = (f->x0 + f->x1) / 2 - values;

        if (middle > KTPR_HEAD_LEFT * spacing
            && middle < KTPR_HEAD_RIGHT * spacing
            && y < first - KTPR_HEAD_LOW * spacing
            && y > first - KTPR_HEAD_HIGH * spacing
            && f->height > KTPR_HEAD_HEIGHT_LEAST * capital
            && f->height < KTPR_HEAD_HEIGHT_MOST * capital
            && f->x1 - f->x0 > KTPR_HEAD_WIDTH_LEAST * capital) {
            n = ktpr_head_add(lines, n, y, KTPR_HEAD_REACH * spacing, f);
        }
    }

    for (i = 0; i < n; i++) {
        ktpr_head_look(scan, &lines[i]);
    }

    return n;
}


/* Sets wide to the lines, read together with what is beside them; how many. */
static int
ktpr_head_widen(ktpr_scan_t *scan, const ktpr_head_line_t *lines, int n,
                ktpr_head_line_t *wide)
{
    int           i;
    double        values, spacing;
    ktpr_strip_t *strip;

    spacing = scan->table->spacing;
    values = ktpr_columns_at(&scan->columns.values, ktpr_lines_first(scan));

    for (i = 0; i < n; i++) {
        wide[i] = lines[i];
        strip = &wide[i].strip;
        strip->x0 = fmax(strip->x0 - KTPR_HEAD_FAINT * spacing,
                         values + KTPR_HEAD_LEFT * spacing);
        strip->x1 = fmin(strip->x1 + KTPR_HEAD_FAINT * spacing,
                         values + KTPR_HEAD_RIGHT * spacing);
        ktpr_head_look(scan, &wide[i]);
    }

    return n;
}


/* Whether a text begins with a word, some letters of which may be off. */
static int
ktpr_begins(const char *text, const char *word)
{
    char   start[32];
    size_t n;

    n = strlen(word);
    ktpr_text_copy(start, n + 1, text);

    return ktpr_text_distance(start, word) * KTPR_HEAD_WORD_LETTERS <= (int) n;
}


/*
 * Whether a text leaves open which of a city and a regency of one name it is,
 * of which a region is one.
 */
static int
ktpr_head_twin(const char *text, const ktpr_region_t *region,
               const ktpr_region_t *inside)
{
    char word[KTPR_MAX_VALUE];

    ktpr_text_copy(word, strcspn(region->name, " ") + 1, region->name);

    return !ktpr_begins(text, word)
           && ktpr_gazetteer_twin(inside, region) != NULL;
}


/* The region of a level that a line may name, or NULL; *score: how likely. */
static const ktpr_region_t *
ktpr_head_guess(ktpr_head_line_t *line, const ktpr_region_t *inside,
                ktpr_level_t level, double *score)
{
    int                  n, known;
    double               distance;
    ktpr_choice_t        choice;
    const ktpr_region_t *region;

    ktpr_choice_begin(&choice, &line->reading);

    if (level == KTPR_LEVEL_PROVINCE) {
        ktpr_gazetteer_try(&choice, inside, level, 0, "PROVINSI ", "");
    }

    ktpr_gazetteer_try(&choice, inside, level, 0, "", "");
    *score = choice.best;
    line->near = 0;

    if (ktpr_choice_made(&choice, KTPR_HEAD_LIKELY, KTPR_CHOICE_CLEAR)) {
        line->sure = ktpr_choice_sure(&choice);
        return choice.what;
    }

    /* an end of the line may be missing */
    *score = (double) KTPR_CTC_NEVER;
    line->sure = line->reading.confidence * KTPR_HEAD_CUT;

    known = line->name != line->reading.text;

    if (known || level != KTPR_LEVEL_PROVINCE) {
        n = ktpr_gazetteer_part(inside, level, 0, line->name, &region);
        if (n > 0) {
            return n == 1 ? region : NULL;
        }
    }

    region = ktpr_gazetteer_match(
        inside, level, line->name,
        known || inside != NULL ? KTPR_HEAD_KNOWN_EDITS : KTPR_HEAD_ANY_EDITS,
        &distance);

    return region != NULL
                   && !(level == KTPR_LEVEL_REGENCY
                        && ktpr_head_twin(line->name, region, inside))
               ? region
               : NULL;
}


/*
 * The region of a level that a line names, or NULL: also if the line is
 * clearly another one that the table lacks.
 */
static const ktpr_region_t *
ktpr_head_try(ktpr_head_line_t *line, const ktpr_region_t *inside,
              ktpr_level_t level, double *score)
{
    const ktpr_region_t *region;

    if (line->reading.nlooks == 0 || line->reading.text[0] == '\0') {
        return NULL;
    }

    line->name = line->reading.text;

    if (level == KTPR_LEVEL_PROVINCE && ktpr_begins(line->name, "PROVINSI")) {
        line->name += strcspn(line->name, " ");
        line->name += strspn(line->name, " ");
    }

    region = ktpr_head_guess(line, inside, level, score);

    return region != NULL
                   && ktpr_reading_yields(&line->reading, line->name,
                                          region->name)
               ? region
               : NULL;
}


/* The line that names the province, or NULL. */
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


/*
 * The line of the regency or city, or NULL; *city: its entry of the table,
 * NULL when it has none.
 */
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
        if (state != NULL && lines[i].y == state->y) {
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


/* Whether a line does not end in the name of its province. */
static int
ktpr_head_other(const char *text, const char *name)
{
    size_t n, m;

    n = strlen(text);
    m = strlen(name);

    return n < m || strcmp(text + n - m, name) != 0;
}


/*
 * A line that is clearly a province which the table lacks, and no known one of
 * which letters were misread or cut off, or NULL.
 */
static ktpr_head_line_t *
ktpr_head_unknown(ktpr_head_line_t *lines, int n)
{
    int                  i;
    double               distance;
    const char          *name;
    const ktpr_region_t *region;

    for (i = 0; i < n; i++) {
        name = lines[i].name;

        if (lines[i].reading.confidence <= KTPR_READING_CLEAR
            || !ktpr_begins(lines[i].reading.text, "PROVINSI")
            || strlen(name) < KTPR_HEAD_PROVINCE_LETTERS) {
            continue;
        }

        ktpr_gazetteer_match(NULL, KTPR_LEVEL_PROVINCE, name,
                             KTPR_HEAD_KNOWN_EDITS, &distance);

        if (distance > KTPR_HEAD_KNOWN_EDITS
            && ktpr_gazetteer_part(NULL, KTPR_LEVEL_PROVINCE, 0, name, &region)
                   == 0) {
            return &lines[i];
        }
    }

    return NULL;
}


/* Whether a line is the title of a document that is no KTP. */
static int
ktpr_head_title(const char *text)
{
    size_t i;

    static const char *const titles[] = {
        "IDENTITAS ANAK",   "MAHASISWA",       "UNIVERSITAS", "SEKOLAH",
        "SURAT IZIN",       "MENGEMUDI",       "PELAJAR",     "FORMULIR",
        "SURAT KETERANGAN", "INDONESIA SEHAT",
    };

    for (i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (strstr(text, titles[i]) != NULL) {
            return 1;
        }
    }

    return 0;
}


/* The kind of head that the lines make. */
static ktpr_head_t
ktpr_head_kind(const ktpr_head_line_t *lines, int n,
               const ktpr_head_line_t *state, const ktpr_head_line_t *city)
{
    int         i;
    ktpr_head_t kind;

    kind = state != NULL && city != NULL ? KTPR_HEAD_PROVINCE : KTPR_HEAD_NONE;

    for (i = 0; i < n; i++) {
        if (ktpr_head_title(lines[i].reading.text)) {
            return KTPR_HEAD_OTHER;
        }

        if (ktpr_begins(lines[i].reading.text, "PROVINSI")) {
            kind = KTPR_HEAD_PROVINCE;
        }
    }

    return kind;
}


ktpr_head_t
ktpr_head_read(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    int                  n, nwide;
    ktpr_field_t        *field;
    ktpr_head_line_t     lines[KTPR_HEAD_LINES], wide[KTPR_HEAD_LINES];
    ktpr_head_line_t    *state, *line, *wider;
    const ktpr_region_t *city, *province;

    nwide = 0;
    n = ktpr_head_lines(scan, lines);

    state = ktpr_head_province(lines, n);
    if (state == NULL) {
        nwide = ktpr_head_widen(scan, lines, n, wide);
        state = ktpr_head_province(wide, nwide);
    }

    field = &fields[KTPR_STATE];

    if (state != NULL) {
        ktpr_fields_set(scan, field, state->province->name, &state->reading,
                        &state->strip);

        if (ktpr_head_other(state->reading.text, state->province->name)) {
            field->confidence = state->sure;
            field->repaired = 1;
        }

    } else {
        state = ktpr_head_unknown(lines, n);
        if (state != NULL) {
            ktpr_fields_set(scan, field, state->name, &state->reading,
                            &state->strip);
        }
    }

    line = ktpr_head_city(lines, n, state, &city);
    if (city == NULL) {
        nwide = nwide > 0 ? nwide : ktpr_head_widen(scan, lines, n, wide);
        wider = ktpr_head_city(wide, nwide, state, &city);
        line = city != NULL ? wider : line;
    }

    if (line != NULL) {
        field = &fields[KTPR_CITY];
        ktpr_fields_set(scan, field, line->reading.text, &line->reading,
                        &line->strip);

        if (city != NULL) {
            ktpr_fields_repair(field, city->name, line->sure);
        }
    }

    if (state == NULL && city != NULL && !line->near) {
        province = ktpr_gazetteer_province(city);
        if (province != NULL) {
            field = &fields[KTPR_STATE];
            ktpr_fields_repair(field, province->name,
                               line->sure * KTPR_HEAD_CUT);
            field->burnt = 1;
        }
    }

    return ktpr_head_kind(lines, n, state, line);
}


/* The region of a level that a reading names, or NULL; *sure: that it is. */
static const ktpr_region_t *
ktpr_region_named(const ktpr_reading_t *reading, const ktpr_region_t *inside,
                  ktpr_level_t level, float *sure)
{
    ktpr_choice_t choice;

    ktpr_choice_begin(&choice, reading);
    ktpr_gazetteer_try(&choice, inside, level, 0, "", "");

    if (!ktpr_choice_made(&choice, KTPR_HEAD_REGION_LIKELY,
                          KTPR_CHOICE_CLEAR)) {
        return NULL;
    }

    *sure = ktpr_choice_sure(&choice);

    return choice.what;
}


/*
 * The same of a line whose first or last letters are faint, or under a
 * reflection: more is read where it seems to end, and the name is that, or is
 * the only one that begins so, or that has these letters.
 */
static const ktpr_region_t *
ktpr_region_cut(ktpr_scan_t *scan, const ktpr_entry_t *e, int burnt,
                const ktpr_region_t *inside, ktpr_level_t level, float *sure)
{
    int                  begins;
    size_t               n;
    double               photo;
    ktpr_strip_t         strip;
    ktpr_reading_t       wide;
    const ktpr_region_t *region;

    photo = ktpr_columns_at(&scan->columns.values, e->row.y)
            + KTPR_PHOTO * scan->table->spacing;
    strip = e->row.value;
    strip.x1 = fmin(strip.x1 + KTPR_HEAD_FAINT * scan->table->spacing, photo);
    ktpr_scan_look(scan, &strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT, NULL, &wide);

    n = strlen(e->value.text);

    if (wide.nlooks == 0 || strncmp(wide.text, e->value.text, n) != 0
        || (strlen(wide.text) == n && !burnt)) {
        return NULL;
    }

    region = ktpr_region_named(&wide, inside, level, sure);
    if (region != NULL) {
        return region;
    }

    *sure = wide.confidence * KTPR_HEAD_CUT;

    if (strlen(wide.text) < KTPR_HEAD_CUT_LETTERS) {
        return NULL;
    }

    /* what it begins with may be hidden, too */
    strip.x1 = strip.x0;
    begins = e->begins < ktpr_columns_at(&scan->columns.values, e->row.y)
                             + KTPR_HEAD_CUT_BEGINNING * scan->rows.capital
             || !ktpr_burnt_strip(scan, &strip);

    return ktpr_gazetteer_part(inside, level, !begins, wide.text, &region) == 1
               ? region
               : NULL;
}


/*
 * Sets a field to the name of the region of a level that its line names, and
 * returns the region; NULL when none of the table fits.
 */
static const ktpr_region_t *
ktpr_region_repair(ktpr_scan_t *scan, ktpr_line_id_t line, ktpr_field_t *field,
                   const ktpr_region_t *inside, ktpr_level_t level)
{
    float                sure;
    ktpr_entry_t        *e;
    const ktpr_region_t *region;

    e = ktpr_scan_line(scan, line);
    if (e == NULL || e->value.nlooks == 0 || e->value.text[0] == '\0') {
        return NULL;
    }

    region = ktpr_region_named(&e->value, inside, level, &sure);

    if (region == NULL) {
        region =
            ktpr_region_cut(scan, e, (int) field->burnt, inside, level, &sure);
        if (region == NULL) {
            return NULL;
        }
    }

    if (ktpr_reading_yields(&e->value, field->value, region->name)) {
        ktpr_fields_repair(field, region->name, sure);
    }

    return region;
}


/*
 * Sets a district that is not clear, and none of which a part is missing, to
 * that of the village, if a card of the city can mean no other village.
 */
static void
ktpr_district_repair(ktpr_scan_t *scan, const ktpr_region_t *city,
                     const ktpr_region_t *village, ktpr_field_t *fields)
{
    ktpr_entry_t        *e;
    ktpr_field_t        *field, *from;
    const ktpr_region_t *district, *other;

    field = &fields[KTPR_DISTRICT];
    from = &fields[KTPR_ADMINISTRATIVE_VILLAGE];
    e = ktpr_scan_line(scan, KTPR_LINE_DISTRICT);
    district = ktpr_gazetteer_district(city, village);

    if (e != NULL && district != NULL
        && strcmp(from->value, village->name) == 0
        && ktpr_gazetteer_part(city, KTPR_LEVEL_VILLAGE, 1, village->name,
                               &other)
               == 0
        && ktpr_gazetteer_part(city, KTPR_LEVEL_DISTRICT, 1, field->value,
                               &other)
               == 0
        && ktpr_text_distance(field->value, district->name)
               <= KTPR_HEAD_DISTRICT_EDITS * (double) strlen(district->name)
        && ktpr_reading_yields(&e->value, field->value, district->name)) {
        ktpr_fields_repair(field, district->name,
                           from->confidence * KTPR_HEAD_CUT);
        field->burnt = 1;
    }
}


/* The place of birth is often a regency or city, without that word. */
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

    if (ktpr_choice_made(&choice, KTPR_HEAD_BIRTH_LIKELY, KTPR_CHOICE_CLEAR)) {
        n = strlen(choice.text) - strlen(date);
        choice.text[n] = '\0';

        if (ktpr_reading_yields(&e->value, field->value, choice.text)) {
            ktpr_fields_repair(field, choice.text, ktpr_choice_sure(&choice));
        }
    }
}


void
ktpr_head_repair(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    double               distance;
    ktpr_field_t        *field;
    const ktpr_region_t *city, *district, *village;

    city = ktpr_gazetteer_match(NULL, KTPR_LEVEL_REGENCY,
                                fields[KTPR_CITY].value, 0, &distance);

    if (city != NULL) {
        district = ktpr_region_repair(scan, KTPR_LINE_DISTRICT,
                                      &fields[KTPR_DISTRICT], city,
                                      KTPR_LEVEL_DISTRICT);
        field = &fields[KTPR_ADMINISTRATIVE_VILLAGE];
        village = ktpr_region_repair(scan, KTPR_LINE_VILLAGE, field,
                                     district != NULL ? district : city,
                                     KTPR_LEVEL_VILLAGE);

        if (district == NULL && village != NULL) {
            ktpr_district_repair(scan, city, village, fields);
        }
    }

    ktpr_birth_repair(scan, &fields[KTPR_PLACE_OF_BIRTH]);
}
