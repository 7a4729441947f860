#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_scan.h"
#include "ktpr_text.h"


/*
 * Scores of columns are about rows (ktpr_columns.c), those of tables are
 * evidence (ktpr_assign.c).  Numbers were chosen on the hard sets of
 * docs/accuracy.md if no other source is given.
 */

/* Columns this good need no other threshold tried; a better try is so much. */
#define KTPR_SCAN_COLUMNS_GOOD   19.
#define KTPR_SCAN_COLUMNS_BETTER .5

/*
 * After good columns were seen, a pair so far behind is not read; nor is one
 * of a straightened card with a lower score.  More at BEHIND, or less at
 * STRAIGHT, reads more pages that are no card.
 */
#define KTPR_SCAN_COLUMNS_BEHIND   6.
#define KTPR_SCAN_COLUMNS_STRAIGHT 15.

/* Pairs of columns that are read on a page that is turned. */
#define KTPR_SCAN_COLUMNS_TURNED 2

/* Rows assigned this well need no other columns tried. */
#define KTPR_SCAN_TABLE_GOOD 5.

/*
 * A card: a table with a score of TABLE_SURE, or of TABLE_LABELS with so many
 * LABELS.  With TABLE_DOUBT and so many LINES it is one if a number is read.
 * Less takes other documents for a card; more loses worn cards.
 */
#define KTPR_SCAN_TABLE_SURE   3.
#define KTPR_SCAN_TABLE_LABELS 1.5
#define KTPR_SCAN_LABELS       3
#define KTPR_SCAN_TABLE_DOUBT  .8
#define KTPR_SCAN_LINES        6

/* A card has some 40 fragments; more than so many are grain. */
#define KTPR_SCAN_FRAGMENTS 150

/*
 * A table has rows at least.  After ENOUGH rows one must have evidence of
 * PROMISE, or the rest is not read: it saves the time of other documents.
 */
#define KTPR_SCAN_ROWS         4
#define KTPR_SCAN_ROWS_ENOUGH  7
#define KTPR_SCAN_ROWS_PROMISE .2

/*
 * Degrees between opposite sides from which on a card is straightened first,
 * not last.  Less costs time on level cards; more on tilted ones.
 */
#define KTPR_SCAN_SQUINT 7.

/*
 * A label that is like one by CLEAR at a glance, which is one without a wrong
 * letter, is not looked at again: lower saves time and loses doubtful ones.
 * One that is like none by LIKE, and has fewer LETTERS, is a speck.  A row
 * without a value whose label is like one by KNOWN is read from where a value
 * begins, up to LONG row spacings in lines of free text, where the photo
 * begins on some templates, else up to VALUE heights of a capital.
 */
#define KTPR_SCAN_LABEL_CLEAR   .95
#define KTPR_SCAN_LABEL_LIKE    .3
#define KTPR_SCAN_LABEL_LETTERS 3
#define KTPR_SCAN_LABEL_KNOWN   .5
#define KTPR_SCAN_LONG          14.5
#define KTPR_SCAN_VALUE         14

/*
 * Widths of one letter or dash, in capitals, and its confidence.  Narrower, or
 * less sure: specks are read; wider: the beginning of a faint value is taken
 * for all of it.  HALF: from the middle of a letter to its end.
 */
#define KTPR_SCAN_LETTER_LEAST .12
#define KTPR_SCAN_LETTER_MOST  1.6
#define KTPR_SCAN_LETTER_SURE  .5f
#define KTPR_SCAN_LETTER_HALF  .4

/* Margin of a label's cut, in capitals: the value stays outside. */
#define KTPR_SCAN_LABEL_MARGIN .3

/*
 * Height of text, in pixels, from which on half of it is tried too: letters
 * that touch the row below look twice as high.
 */
#define KTPR_SCAN_TEXT_HALF 17

/*
 * The sheet is made anew for a card whose capitals differ by this part: less
 * costs time, more flattens with the wrong window.
 */
#define KTPR_SCAN_SHEET_OFF .3


/* The level page, for strips to be read from. */
static ktpr_view_t
ktpr_scan_view(const ktpr_scan_t *scan)
{
    ktpr_view_t view;

    view.pool = scan->pool;
    view.engines = scan->engines;
    view.sheet = &scan->sheet;
    view.to_image = &scan->page.level_to_image;

    return view;
}


void
ktpr_scan_read(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
               const ktpr_cut_t *cut, const char *alphabet,
               ktpr_reading_t *reading)
{
    ktpr_view_t view;

    view = ktpr_scan_view(scan);
    ktpr_view_read(&view, strip, cut, alphabet, reading);
}


void
ktpr_scan_glance(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                 double left, double right, const char *alphabet,
                 ktpr_reading_t *reading)
{
    ktpr_view_t view;

    view = ktpr_scan_view(scan);
    ktpr_view_glance(&view, strip, left, right, alphabet, reading);
}


static void
ktpr_scan_again(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                double left, double right, const char *alphabet,
                ktpr_reading_t *reading)
{
    ktpr_view_t view;

    view = ktpr_scan_view(scan);
    ktpr_view_again(&view, strip, left, right, alphabet, reading);
}


void
ktpr_scan_look(const ktpr_scan_t *scan, const ktpr_strip_t *strip, double left,
               double right, const char *alphabet, ktpr_reading_t *reading)
{
    ktpr_scan_glance(scan, strip, left, right, alphabet, reading);
    ktpr_scan_again(scan, strip, left, right, alphabet, reading);
}


int
ktpr_scan_cells(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                const char *pattern, ktpr_evidence_t *evidence)
{
    ktpr_view_t view;

    view = ktpr_scan_view(scan);

    return ktpr_evidence_cells(&view, strip, pattern, evidence);
}


ktpr_entry_t *
ktpr_scan_line(ktpr_scan_t *scan, ktpr_line_id_t line)
{
    int i;

    for (i = 0; i < scan->table->n; i++) {
        if (scan->table->entries[i].line == (int) line) {
            return &scan->table->entries[i];
        }
    }

    return NULL;
}


void
ktpr_scan_box(const ktpr_scan_t *scan, const ktpr_strip_t *strip, int *x_file,
              int *y_file, int *w_file, int *h_file)
{
    int          i;
    double       x_level, x0_image, y0_image, x1_image, y1_image;
    ktpr_point_t p_image;

    x0_image = y0_image = 1e9;
    x1_image = y1_image = -1e9;

    for (i = 0; i < 4; i++) {
        x_level = i % 2 ? strip->x1 : strip->x0;
        p_image = ktpr_map_point(&scan->page.level_to_image, x_level,
                                 (i / 2 ? strip->bottom : strip->top)
                                     + strip->slope * x_level);
        x0_image = fmin(x0_image, p_image.x);
        x1_image = fmax(x1_image, p_image.x);
        y0_image = fmin(y0_image, p_image.y);
        y1_image = fmax(y1_image, p_image.y);
    }

    x0_image = fmax(0, fmin(x0_image, scan->image.w - 1));
    y0_image = fmax(0, fmin(y0_image, scan->image.h - 1));
    x1_image = fmax(x0_image, fmin(x1_image, scan->image.w));
    y1_image = fmax(y0_image, fmin(y1_image, scan->image.h));
    *x_file = (int) (scan->image.x + x0_image * scan->image.scale);
    *y_file = (int) (scan->image.y + y0_image * scan->image.scale);
    *w_file = (int) ((x1_image - x0_image) * scan->image.scale);
    *h_file = (int) ((y1_image - y0_image) * scan->image.scale);
}


/* The number of letters of a text. */
static int
ktpr_letters(const char *s)
{
    int n;

    for (n = 0; *s != '\0'; s++) {
        n += isalpha((unsigned char) *s) != 0;
    }

    return n;
}


static double
ktpr_most_like(const ktpr_entry_t *e)
{
    int    i;
    double most;

    most = 0;
    for (i = 0; i < KTPR_LINES; i++) {
        most = fmax(most, e->like[i]);
    }

    return most;
}


static double
ktpr_most_evident(const ktpr_entry_t *e)
{
    int    i;
    double most;

    most = 0;
    for (i = 0; i < KTPR_LINES; i++) {
        most = fmax(most, e->evidence[i]);
    }

    return most;
}


/* The width of the longest value of a line. */
static double
ktpr_scan_longest(const ktpr_scan_t *scan, ktpr_line_id_t line)
{
    switch (line) {

    case KTPR_LINE_NAME:
    case KTPR_LINE_BIRTH:
    case KTPR_LINE_ADDRESS:
    case KTPR_LINE_VILLAGE:
    case KTPR_LINE_DISTRICT:
        return KTPR_SCAN_LONG * scan->columns.spacing;

    default:
        return KTPR_SCAN_VALUE * scan->rows.capital;
    }
}


/* Reads a row's value; the x of its last letter, or where it begins. */
static double
ktpr_scan_text(ktpr_scan_t *scan, ktpr_entry_t *e)
{
    double              left, w, h, first, last;
    const ktpr_strip_t *strip;

    strip = &e->row.value;
    ktpr_scan_look(scan, strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT, NULL,
                   &e->value);

    if (!ktpr_reading_span(&e->value, &first, &last)) {
        e->begins = strip->x0;
        return strip->x0;
    }

    h = strip->bottom - strip->top;
    left = strip->x0 - KTPR_LOOK_LEFT * h;
    w = strip->x1 + KTPR_LOOK_RIGHT * h - left;
    e->begins = left + first * w;

    return left + last * w;
}


void
ktpr_scan_value(ktpr_scan_t *scan, ktpr_line_id_t line, ktpr_entry_t *e)
{
    ktpr_strip_t *strip;

    strip = &e->row.value;
    strip->x1 = strip->x0 + ktpr_scan_longest(scan, line);
    strip->x1 = ktpr_scan_text(scan, e);

    if (strip->x1 > strip->x0) {
        strip->x1 += KTPR_SCAN_LETTER_HALF * scan->rows.capital;
    }
}


/*
 * Reads a value that was not found beside a label: one letter or a dash, which
 * are no fragment, if there is a little ink, else a faint one.
 */
static void
ktpr_scan_missed(ktpr_scan_t *scan, ktpr_entry_t *e)
{
    int    line;
    double ink;

    ink = e->row.value.x1 - e->row.value.x0;

    if (ink > KTPR_SCAN_LETTER_LEAST * scan->rows.capital
        && ink < KTPR_SCAN_LETTER_MOST * scan->rows.capital) {
        ktpr_scan_text(scan, e);

        if (e->value.confidence > KTPR_SCAN_LETTER_SURE) {
            return;
        }
    }

    for (line = 0; e->like[line] < ktpr_most_like(e); line++) {
        /* void */
    }

    ktpr_scan_value(scan, (ktpr_line_id_t) line, e);
}


static void
ktpr_scan_entry(ktpr_scan_t *scan, ktpr_entry_t *e)
{
    if (e->row.has_label) {
        ktpr_scan_glance(scan, &e->row.label, KTPR_SCAN_LABEL_MARGIN,
                         KTPR_SCAN_LABEL_MARGIN, NULL, &e->label);
        ktpr_assign_weigh(e);

        if (ktpr_most_like(e) < KTPR_SCAN_LABEL_CLEAR) {
            ktpr_scan_again(scan, &e->row.label, KTPR_SCAN_LABEL_MARGIN,
                            KTPR_SCAN_LABEL_MARGIN, NULL, &e->label);
            ktpr_assign_weigh(e);
        }

        if (ktpr_most_like(e) < KTPR_SCAN_LABEL_LIKE
            && ktpr_letters(e->label.text) < KTPR_SCAN_LABEL_LETTERS) {
            /* a speck, or a piece of the colon */
            e->row.has_label = 0;
            e->label.text[0] = '\0';
        }
    }

    if (e->row.has_value) {
        ktpr_scan_text(scan, e);

    } else if (e->row.has_label
               && ktpr_most_like(e) >= KTPR_SCAN_LABEL_KNOWN) {
        ktpr_scan_missed(scan, e);
    }

    memset(e->evidence, 0, sizeof(e->evidence));
    ktpr_assign_weigh(e);
}


/*
 * Reads the rows that a pair of columns makes, and gives them their lines.  1,
 * 0 when they are no card's, or KTPR_NO_MEMORY.
 */
static int
ktpr_scan_table(ktpr_scan_t *scan, ktpr_table_t *table)
{
    int    i;
    double promise;

    promise = 0;
    memset(table, 0, sizeof(ktpr_table_t));

    if (ktpr_rows_find(scan->pool, &scan->page, &scan->columns, &scan->rows)
        < 0) {
        return KTPR_NO_MEMORY;
    }

    if (scan->rows.n < KTPR_SCAN_ROWS) {
        return 0;
    }

    table->n = scan->rows.n;
    table->spacing = scan->columns.spacing;

    for (i = 0; i < table->n; i++) {
        table->entries[i].row = scan->rows.rows[i];
        ktpr_scan_entry(scan, &table->entries[i]);
        if (ktpr_pool_failed(scan->pool)) {
            return KTPR_NO_MEMORY;
        }

        promise = fmax(promise, ktpr_most_evident(&table->entries[i]));

        if (i == KTPR_SCAN_ROWS_ENOUGH && promise < KTPR_SCAN_ROWS_PROMISE) {
            return 0;
        }
    }

    ktpr_assign(table);

    return 1;
}


/*
 * Finds columns with several thresholds, for faint and for blurred print, and
 * several heights of text, until they are good; keeps the best.  Their number,
 * or KTPR_NO_MEMORY.
 */
static int
ktpr_scan_columns(ktpr_scan_t *scan, ktpr_columns_t best[KTPR_MAX_COLUMNS])
{
    int            n, found;
    size_t         i;
    double         text, first;
    ktpr_page_t    page, kept;
    ktpr_status_t  rc;
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];

    static const struct {
        double threshold; /* of KTPR_PAPER */
        int    half;      /* half the height of text that was measured first */
        int    smooth;    /* grain is taken away */
    } tries[] = {
        {.70, 0, 0}, {.78, 0, 0}, {.70, 1, 0}, {.78, 1, 0},
        {.84, 0, 0}, {.74, 0, 1}, {.82, 0, 1}, {.89, 0, 1},
    };

    page = scan->page;
    kept = page;
    found = 0;
    first = 0;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        text = 0;

        if (tries[i].half) {
            if (first < KTPR_SCAN_TEXT_HALF) {
                continue;
            }
            text = first / 2;
        }

        if (tries[i].smooth && page.level.px == scan->page.level.px
            && ktpr_gray_smooth(scan->pool, &scan->page.level, &page.level)
                   != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }

        rc = ktpr_page_fragments(scan->pool, &page, tries[i].threshold, text);
        if (rc == KTPR_NO_MEMORY) {
            return KTPR_NO_MEMORY;
        }

        if (rc == KTPR_UNFIT || page.n > KTPR_SCAN_FRAGMENTS) {
            continue;
        }

        first = first > 0 ? first : page.text;
        n = ktpr_columns_find(scan->pool, &page, columns);
        if (n < 0) {
            return KTPR_NO_MEMORY;
        }

        if (n > 0
            && (found == 0
                || columns[0].score
                       > best[0].score + KTPR_SCAN_COLUMNS_BETTER)) {
            memcpy(best, columns, sizeof(columns));
            found = n;
            kept = page;
        }

        if (found > 0 && best[0].score > KTPR_SCAN_COLUMNS_GOOD) {
            break;
        }
    }

    scan->page = kept;

    return found;
}


double
ktpr_scan_spacing(const ktpr_scan_t *scan)
{
    return scan->columns.spacing
           * ktpr_map_size(&scan->page.level_to_image, scan->page.level.w / 2.,
                           scan->page.level.h / 2.);
}


static ktpr_status_t
ktpr_scan_sheet(ktpr_scan_t *scan)
{
    double capital;

    capital = ktpr_scan_spacing(scan) * KTPR_CAPITAL;

    if (scan->sheet.n > 0
        && fabs(capital - scan->capital) < KTPR_SCAN_SHEET_OFF * capital) {
        return KTPR_DONE;
    }

    ktpr_crop_sheet_free(scan->pool, &scan->sheet);
    scan->capital = capital;

    return ktpr_crop_sheet_create(scan->pool, &scan->image, capital,
                                  &scan->sheet);
}


/* Whether a table is a card's for sure. */
static int
ktpr_table_sure(const ktpr_table_t *table)
{
    return table != NULL
           && (table->score >= KTPR_SCAN_TABLE_SURE
               || (table->labels >= KTPR_SCAN_LABELS
                   && table->score >= KTPR_SCAN_TABLE_LABELS));
}


/* Whether a table may be a card's, if there is a number. */
static int
ktpr_table_card(const ktpr_table_t *table)
{
    return ktpr_table_sure(table)
           || (table != NULL && table->score >= KTPR_SCAN_TABLE_DOUBT
               && table->lines >= KTPR_SCAN_LINES);
}


/* The number of pairs of columns, best first, that are worth reading. */
static int
ktpr_scan_worth(ktpr_scan_t *scan, const ktpr_page_t *page,
                const ktpr_columns_t *columns, int n)
{
    int    i;
    double least;

    least = page->straight ? KTPR_SCAN_COLUMNS_STRAIGHT : -HUGE_VAL;

    if (n > 0 && columns[0].score > scan->best_columns) {
        scan->best_columns = columns[0].score;
    }

    if (scan->best_columns > KTPR_SCAN_COLUMNS_GOOD) {
        least = fmax(least, scan->best_columns - KTPR_SCAN_COLUMNS_BEHIND);
    }

    for (i = 0; i < n && columns[i].score >= least; i++) {
        /* void */
    }

    return i;
}


/*
 * Reads the page turned back by so many degrees, by its best few columns;
 * better than what the scan has is taken over.  KTPR_UNFIT when the image is
 * too small for its letters.
 */
static ktpr_status_t
ktpr_scan_turned(ktpr_scan_t *scan, const ktpr_page_t *page, double turn,
                 int most)
{
    int            i, n, rc;
    ktpr_scan_t    tried;
    ktpr_table_t  *table;
    ktpr_status_t  status;
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];

    tried = *scan;
    tried.page = *page;

    if (ktpr_page_level(scan->pool, &tried.page, turn) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_scan_columns(&tried, columns);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_scan_worth(scan, page, columns, n < most ? n : most);
    tried.best_columns = scan->best_columns;

    for (i = 0; i < n; i++) {
        tried.columns = columns[i];

        if (i == 0) {
            status = ktpr_scan_sheet(&tried);
            if (status != KTPR_DONE) {
                return status;
            }
        }

        scan->sheet = tried.sheet;
        scan->capital = tried.capital;

        table = ktpr_pool_alloc(scan->pool, 1, sizeof(ktpr_table_t));
        if (table == NULL) {
            return KTPR_NO_MEMORY;
        }

        rc = ktpr_scan_table(&tried, table);
        if (rc < 0) {
            return KTPR_NO_MEMORY;
        }

        if (rc > 0
            && (scan->table == NULL || table->score > scan->table->score)) {
            tried.table = table;
            *scan = tried;
        }

        if (scan->table != NULL && scan->table->score > KTPR_SCAN_TABLE_GOOD) {
            break;
        }
    }

    return KTPR_DONE;
}


/* Reads the page upright and, if that is no card, upside down. */
static ktpr_status_t
ktpr_scan_page(ktpr_scan_t *scan, const ktpr_page_t *page, double turn,
               int most)
{
    if (ktpr_scan_turned(scan, page, turn, most) == KTPR_NO_MEMORY) {
        return KTPR_NO_MEMORY;
    }

    if (ktpr_table_sure(scan->table)) {
        return KTPR_DONE;
    }

    return ktpr_scan_turned(scan, page, turn + 180, KTPR_SCAN_COLUMNS_TURNED);
}


/* Straightens the card by its corners, and reads it. */
static ktpr_status_t
ktpr_scan_straight(ktpr_scan_t *scan, const ktpr_quad_t *quad)
{
    ktpr_page_t   page;
    ktpr_status_t rc;

    rc = ktpr_page_straight(scan->pool, &scan->image, quad, &page);
    if (rc != KTPR_DONE) {
        return rc;
    }

    return ktpr_scan_page(scan, &page, 0, KTPR_SCAN_COLUMNS_TURNED);
}


int
ktpr_scan_find(ktpr_scan_t *scan)
{
    int           seen, slanted;
    double        turn;
    ktpr_page_t   page;
    ktpr_quad_t   quad;
    ktpr_status_t rc;

    memset(&page, 0, sizeof(ktpr_page_t));
    seen = ktpr_quad_find(scan->pool, &scan->image, &quad);
    if (seen < 0) {
        return KTPR_NO_MEMORY;
    }

    slanted = seen && quad.squint > KTPR_SCAN_SQUINT;

    if (slanted && ktpr_scan_straight(scan, &quad) == KTPR_NO_MEMORY) {
        return KTPR_NO_MEMORY;
    }

    if (!ktpr_table_sure(scan->table)) {
        rc = ktpr_page_create(scan->pool, &scan->image, &page);
        if (rc != KTPR_DONE) {
            return rc == KTPR_UNFIT ? 0 : rc;
        }

        if (ktpr_page_turn(scan->pool, &page, &turn) != KTPR_DONE
            || ktpr_scan_page(scan, &page, turn, KTPR_MAX_COLUMNS)
                   == KTPR_NO_MEMORY) {
            return KTPR_NO_MEMORY;
        }

        if (!ktpr_table_sure(scan->table) && turn != 0
            && ktpr_scan_turned(scan, &page, 0, KTPR_SCAN_COLUMNS_TURNED)
                   == KTPR_NO_MEMORY) {
            return KTPR_NO_MEMORY;
        }
    }

    if (!ktpr_table_sure(scan->table) && seen && !slanted
        && ktpr_scan_straight(scan, &quad) == KTPR_NO_MEMORY) {
        return KTPR_NO_MEMORY;
    }

    scan->doubtful = !ktpr_table_sure(scan->table);

    return ktpr_table_card(scan->table);
}
