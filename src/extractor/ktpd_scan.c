#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpd_scan.h"
#include "ktpd_text.h"


/* A layout this good needs no other threshold tried. */
#define KTPD_COLUMNS_GOOD 19.

/* Rows assigned this well need no other columns tried. */
#define KTPD_TABLE_GOOD 5.

/*
 * Rows that fit well are a card's, less well with some labels among them;
 * when they fit half well, and many lines have one, it takes a number.
 */
#define KTPD_TABLE_MIN    3.
#define KTPD_TABLE_LABELS 1.5
#define KTPD_LABELS_MIN   3
#define KTPD_TABLE_DOUBT  .8
#define KTPD_LINES_MIN    6

/* A card has some 40 fragments; so many are grain. */
#define KTPD_FRAGMENTS_MANY 150

/* After so many rows one must look like a card's, or the rest is not read. */
#define KTPD_ROWS_ENOUGH  7
#define KTPD_ROWS_PROMISE .2

/*
 * Columns this far behind good ones are none, nor are those of a straightened
 * card that do not stand out.
 */
#define KTPD_COLUMNS_BEHIND   6.
#define KTPD_COLUMNS_STRAIGHT 15.

/* A card whose opposite sides are more off parallel is straightened first. */
#define KTPD_SQUINT 7.

/* Pairs of columns tried on a page that is turned. */
#define KTPD_TURNED_COLUMNS 2

/* A line read this surely, a character, needs no second look. */
#define KTPD_LOOK_SURE .98f

/* The label's cut: nothing must come in from the value's side. */
#define KTPD_LABEL_MARGIN .3


void
ktpd_scan_read(ktpd_scan_t *scan, const ktpd_strip_t *strip,
               const ktpd_cut_t *cut, ktpd_ocr_engine_t engine,
               const char *alphabet, ktpd_reading_t *reading)
{
    ktpd_gray_t line;

    memset(reading, 0, sizeof(ktpd_reading_t));


    if (ktpd_crop(scan->pool, &scan->sheet, &scan->page.map, strip, cut, &line)
        != 0) {
        return;
    }

    ktpd_ocr_line(scan->ocr, engine, &line, alphabet, reading);
    ktpd_pool_free(scan->pool, line.px);
}


void
ktpd_scan_look(ktpd_scan_t *scan, const ktpd_strip_t *strip, double left,
               double right, const char *alphabet, ktpd_reading_t *reading)
{
    size_t      i;
    ktpd_cut_t  cut;
    ktpd_gray_t line;

    /* the height that a capital is taken to have, by the expected one */
    static const double heights[KTPD_LOOKS] = {1, 1.08, .93, 1};

    memset(reading, 0, sizeof(ktpd_reading_t));

    for (i = 0; i < KTPD_LOOKS; i++) {
        cut.capital = KTPD_LINE_CAPITAL * heights[i];
        cut.wide = (double) KTPD_LINE_ACROSS / KTPD_LINE_CAPITAL;
        cut.above = ((KTPD_LINE_H + .01) / cut.capital - 1) / 2;
        cut.left = left;
        cut.right = right;

        if (i == KTPD_LOOKS - 1) {
            cut.wide *= 1.1;
        }

        if (ktpd_crop(scan->pool, &scan->sheet, &scan->page.map, strip, &cut,
                      &line)
            != 0) {
            return;
        }

        ktpd_ocr_look(scan->ocr, scan->pool, &line, reading);
        ktpd_pool_free(scan->pool, line.px);

        if (i == 0 || i == KTPD_LOOKS - 1) {
            ktpd_ocr_agree(alphabet, reading);
        }

        if (i == 0 && reading->confidence > KTPD_LOOK_SURE) {
            break;
        }
    }
}


ktpd_entry_t *
ktpd_scan_line(ktpd_scan_t *scan, ktpd_line_id_t line)
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
ktpd_scan_box(const ktpd_scan_t *scan, const ktpd_strip_t *strip, int *x,
              int *y, int *w, int *h)
{
    int          i;
    double       px, x0, y0, x1, y1;
    ktpd_point_t p;

    x0 = y0 = 1e9;
    x1 = y1 = -1e9;

    for (i = 0; i < 4; i++) {
        px = i % 2 ? strip->x1 : strip->x0;
        p = ktpd_map_point(&scan->page.map, px,
                           (i / 2 ? strip->bottom : strip->top)
                               + strip->slope * px);
        x0 = fmin(x0, p.x);
        x1 = fmax(x1, p.x);
        y0 = fmin(y0, p.y);
        y1 = fmax(y1, p.y);
    }

    x0 = fmax(0, fmin(x0, scan->image.w - 1));
    y0 = fmax(0, fmin(y0, scan->image.h - 1));
    x1 = fmax(x0, fmin(x1, scan->image.w));
    y1 = fmax(y0, fmin(y1, scan->image.h));
    *x = (int) (x0 * scan->image.scale);
    *y = (int) (y0 * scan->image.scale);
    *w = (int) ((x1 - x0) * scan->image.scale);
    *h = (int) ((y1 - y0) * scan->image.scale);
}


/* The number of letters in a text. */
static int
ktpd_letters(const char *s)
{
    int n;

    for (n = 0; *s != '\0'; s++) {
        n += isalpha((unsigned char) *s) != 0;
    }

    return n;
}


static double
ktpd_most_like(const ktpd_entry_t *e)
{
    int    i;
    double most;

    most = 0;
    for (i = 0; i < KTPD_LINES; i++) {
        most = fmax(most, e->like[i]);
    }

    return most;
}


static double
ktpd_most_evident(const ktpd_entry_t *e)
{
    int    i;
    double most;

    most = 0;
    for (i = 0; i < KTPD_LINES; i++) {
        most = fmax(most, e->evidence[i]);
    }

    return most;
}


static void
ktpd_scan_entry(ktpd_scan_t *scan, ktpd_entry_t *e)
{
    ktpd_strip_t strip;

    if (e->row.has_label) {
        ktpd_scan_look(scan, &e->row.label, KTPD_LABEL_MARGIN,
                       KTPD_LABEL_MARGIN, NULL, &e->label);
        ktpd_assign_weigh(e);

        if (ktpd_most_like(e) < .3 && ktpd_letters(e->label.text) < 3) {
            /* a speck, or a piece of the colon */
            e->row.has_label = 0;
            e->label.text[0] = '\0';
        }
    }

    strip = e->row.value;

    if (e->row.has_value) {
        ktpd_scan_look(scan, &strip, KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT, NULL,
                       &e->value);

    } else if (e->row.has_label && ktpd_most_like(e) >= .5) {
        strip.x1 = strip.x0 + 14 * scan->rows.capital;
        ktpd_scan_look(scan, &strip, KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT, NULL,
                       &e->value);
    }

    memset(e->evidence, 0, sizeof(e->evidence));
    ktpd_assign_weigh(e);
}


/* Reads the rows that a pair of columns makes, and gives them their lines. */
static int
ktpd_scan_table(ktpd_scan_t *scan, ktpd_table_t *table)
{
    int    i;
    double promise;

    promise = 0;
    memset(table, 0, sizeof(ktpd_table_t));

    if (ktpd_rows_find(scan->pool, &scan->page, &scan->columns, &scan->rows)
        < 0) {
        return -1;
    }

    if (scan->rows.n < 4) {
        return 0;
    }

    table->n = scan->rows.n;
    table->spacing = scan->columns.spacing;

    for (i = 0; i < table->n; i++) {
        table->entries[i].row = scan->rows.rows[i];
        ktpd_scan_entry(scan, &table->entries[i]);
        promise = fmax(promise, ktpd_most_evident(&table->entries[i]));

        if (i == KTPD_ROWS_ENOUGH && promise < KTPD_ROWS_PROMISE) {
            return 0;
        }
    }

    ktpd_assign(table);

    return 1;
}


/*
 * Faint or blurred print needs another threshold, and the height of text may
 * be mistaken: tries until columns are good, keeps the best.
 */
static int
ktpd_scan_columns(ktpd_scan_t *scan, ktpd_columns_t best[KTPD_MAX_COLUMNS])
{
    int            n, found;
    size_t         i;
    double         text, first;
    ktpd_page_t    page, kept;
    ktpd_columns_t columns[KTPD_MAX_COLUMNS];

    static const struct {
        double threshold;
        int    half;   /* half the height of text that was measured first */
        int    smooth; /* grain is taken away */
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
            if (first < 17) {
                continue;
            }
            text = first / 2;
        }

        if (tries[i].smooth && page.level.px == scan->page.level.px
            && ktpd_gray_smooth(scan->pool, &scan->page.level, &page.level)
                   != 0) {
            break;
        }

        if (ktpd_page_fragments(scan->pool, &page, tries[i].threshold, text)
                != 0
            || page.n > KTPD_FRAGMENTS_MANY) {
            continue;
        }

        first = first > 0 ? first : page.text;
        n = ktpd_columns_find(scan->pool, &page, columns);

        if (n > 0 && (found == 0 || columns[0].score > best[0].score + .5)) {
            memcpy(best, columns, sizeof(columns));
            found = n;
            kept = page;
        }

        if (found > 0 && best[0].score > KTPD_COLUMNS_GOOD) {
            break;
        }
    }

    scan->page = kept;

    return found;
}


double
ktpd_scan_spacing(const ktpd_scan_t *scan)
{
    return scan->columns.spacing
           * ktpd_map_size(&scan->page.map, scan->page.level.w / 2.,
                           scan->page.level.h / 2.);
}


static int
ktpd_scan_sheet(ktpd_scan_t *scan)
{
    double capital;

    capital = ktpd_scan_spacing(scan) * KTPD_CAPITAL;

    if (scan->sheet.n > 0 && fabs(capital - scan->capital) < .3 * capital) {
        return 0;
    }

    ktpd_sheet_free(scan->pool, &scan->sheet);
    scan->capital = capital;

    return ktpd_sheet_create(scan->pool, &scan->image, capital, &scan->sheet);
}


/* Whether a table is a card's. */
static int
ktpd_table_sure(const ktpd_table_t *table)
{
    return table != NULL
           && (table->score >= KTPD_TABLE_MIN
               || (table->labels >= KTPD_LABELS_MIN
                   && table->score >= KTPD_TABLE_LABELS));
}


/* Whether it may be, if there is a number. */
static int
ktpd_table_card(const ktpd_table_t *table)
{
    return ktpd_table_sure(table)
           || (table != NULL && table->score >= KTPD_TABLE_DOUBT
               && table->lines >= KTPD_LINES_MIN);
}


/* How many of the pairs of columns found, best first, are worth reading. */
static int
ktpd_scan_worth(ktpd_scan_t *scan, const ktpd_page_t *page,
                const ktpd_columns_t *columns, int n)
{
    int    i;
    double least;

    least = page->straight ? KTPD_COLUMNS_STRAIGHT : -HUGE_VAL;

    if (n > 0 && columns[0].score > scan->best_columns) {
        scan->best_columns = columns[0].score;
    }

    if (scan->best_columns > KTPD_COLUMNS_GOOD) {
        least = fmax(least, scan->best_columns - KTPD_COLUMNS_BEHIND);
    }

    for (i = 0; i < n && columns[i].score >= least; i++) {
        /* void */
    }

    return i;
}


/*
 * Reads the page turned back by so many degrees, by its best few columns;
 * better than what the scan has is taken over.  0, or -1 when memory is short.
 */
static int
ktpd_scan_turned(ktpd_scan_t *scan, const ktpd_page_t *page, double turn,
                 int most)
{
    int            i, n, rc;
    ktpd_scan_t    tried;
    ktpd_table_t  *table;
    ktpd_columns_t columns[KTPD_MAX_COLUMNS];

    tried = *scan;
    tried.page = *page;

    if (ktpd_page_level(scan->pool, &tried.page, turn) != 0) {
        return -1;
    }

    n = ktpd_scan_columns(&tried, columns);
    n = ktpd_scan_worth(scan, page, columns, n < most ? n : most);
    tried.best_columns = scan->best_columns;

    for (i = 0; i < n; i++) {
        tried.columns = columns[i];

        if (i == 0 && ktpd_scan_sheet(&tried) != 0) {
            return -1;
        }

        scan->sheet = tried.sheet;
        scan->capital = tried.capital;

        table = ktpd_pool_alloc(scan->pool, 1, sizeof(ktpd_table_t));
        if (table == NULL) {
            return -1;
        }

        rc = ktpd_scan_table(&tried, table);
        if (rc < 0) {
            return -1;
        }

        if (rc > 0
            && (scan->table == NULL || table->score > scan->table->score)) {
            tried.table = table;
            *scan = tried;
        }

        if (scan->table != NULL && scan->table->score > KTPD_TABLE_GOOD) {
            break;
        }
    }

    return 0;
}


/* Reads the page upright, and if that is no card upside down. */
static int
ktpd_scan_page(ktpd_scan_t *scan, const ktpd_page_t *page, double turn,
               int most)
{
    if (ktpd_scan_turned(scan, page, turn, most) != 0) {
        return -1;
    }

    if (ktpd_table_sure(scan->table)) {
        return 0;
    }

    return ktpd_scan_turned(scan, page, turn + 180, KTPD_TURNED_COLUMNS);
}


/* Straightens the card by its corners, and reads that. */
static int
ktpd_scan_straight(ktpd_scan_t *scan, const ktpd_quad_t *quad)
{
    ktpd_page_t page;

    if (ktpd_page_straight(scan->pool, &scan->image, quad, &page) != 0) {
        return -1;
    }

    return ktpd_scan_page(scan, &page, 0, KTPD_TURNED_COLUMNS);
}


int
ktpd_scan_find(ktpd_scan_t *scan)
{
    int         seen, slanted;
    double      turn;
    ktpd_page_t page;
    ktpd_quad_t quad;

    memset(&page, 0, sizeof(ktpd_page_t));
    seen = ktpd_quad_find(scan->pool, &scan->image, &quad);
    slanted = seen && quad.squint > KTPD_SQUINT;

    if (slanted && ktpd_scan_straight(scan, &quad) != 0) {
        return -1;
    }

    if (!ktpd_table_sure(scan->table)) {
        if (ktpd_page_create(scan->pool, &scan->image, &page) != 0) {
            return 0;
        }

        turn = ktpd_page_turn(scan->pool, &page);

        if (ktpd_scan_page(scan, &page, turn, KTPD_MAX_COLUMNS) != 0) {
            return -1;
        }

        if (!ktpd_table_sure(scan->table) && turn != 0
            && ktpd_scan_turned(scan, &page, 0, KTPD_TURNED_COLUMNS) != 0) {
            return -1;
        }
    }

    if (!ktpd_table_sure(scan->table) && seen && !slanted
        && ktpd_scan_straight(scan, &quad) != 0) {
        return -1;
    }

    scan->doubtful = !ktpd_table_sure(scan->table);

    return ktpd_table_card(scan->table);
}
