#include <math.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_glance.h"
#include "ktpr_quad.h"


/*
 * Lengths are in pixels of an image of KTPR_GLANCE_SIDE.  Numbers were chosen
 * on the sets of docs/accuracy.md.
 */

/* Window of the closing: as that of the reader's page, for this size. */
#define KTPR_GLANCE_WINDOW 21

/*
 * Lines whose labels make a card certain, less a little for each that is not
 * quite clear; a family card has three of them.
 */
#define KTPR_GLANCE_ENOUGH 4.5

/* Confidence from which on no other turn is tried. */
#define KTPR_GLANCE_SURE .75

/* Likeness of a label from which on it counts. */
#define KTPR_GLANCE_LIKE .5

/* Labels that are read, of one pair of columns, at most. */
#define KTPR_GLANCE_READ 16

/* Without one of a card among so many, the rest is not read. */
#define KTPR_GLANCE_PROMISE 5

/* A label's margin in capitals, as ktpr_scan.c has it. */
#define KTPR_GLANCE_MARGIN .3

/* Columns with a lower score have no rows; a card's have 15 and more. */
#define KTPR_GLANCE_COLUMNS 4.

/* Pairs of columns whose labels are read, at most. */
#define KTPR_GLANCE_PAIRS 2

/* Columns this good need no other threshold tried. */
#define KTPR_GLANCE_COLUMNS_GOOD 19.

/* A card has some 40 fragments; more than so many are grain. */
#define KTPR_GLANCE_FRAGMENTS 150

typedef struct {
    ktpr_scan_t *scan;
    double       confidence; /* the highest so far */
} ktpr_glance_t;


/*
 * Reads a label; like becomes that of the line that it is most like.  The line
 * and its row are kept in the table if no label before was clearer.
 */
static void
ktpr_glance_label(const ktpr_scan_t *scan, const ktpr_row_t *row,
                  double like[KTPR_LINES], ktpr_table_t *table)
{
    int          i, most;
    ktpr_entry_t entry;

    memset(&entry, 0, sizeof(ktpr_entry_t));
    entry.row = *row;

    ktpr_scan_glance(scan, &row->label, KTPR_GLANCE_MARGIN, KTPR_GLANCE_MARGIN,
                     NULL, &entry.label);
    ktpr_assign_weigh(&entry);

    most = 0;
    for (i = 1; i < KTPR_LINES; i++) {
        most = entry.like[i] > entry.like[most] ? i : most;
    }

    if (entry.like[most] < KTPR_GLANCE_LIKE) {
        return;
    }

    like[most] = fmax(like[most], entry.like[most]);

    if (table->n == 0 || entry.like[most] > table->score) {
        entry.line = most;
        table->entries[0] = entry;
        table->score = entry.like[most];
        table->n = 1;
    }
}


/* The likeness of the labels of the scan's columns, until there are enough. */
static ktpr_status_t
ktpr_glance_labels(ktpr_scan_t *scan, double *confidence)
{
    int           i, k, read;
    double        sum, like[KTPR_LINES] = {0};
    ktpr_table_t *table;

    table = ktpr_pool_alloc(scan->pool, 1, sizeof(ktpr_table_t));
    if (table == NULL) {
        return KTPR_NO_MEMORY;
    }

    table->spacing = scan->columns.spacing;
    scan->table = table;

    if (ktpr_rows_find(scan->pool, &scan->page, &scan->columns, &scan->rows)
        < 0) {
        return KTPR_NO_MEMORY;
    }

    sum = 0;
    read = 0;

    for (i = 0; i < scan->rows.n && read < KTPR_GLANCE_READ
                && sum < KTPR_GLANCE_ENOUGH;
         i++) {
        if (!scan->rows.rows[i].has_label) {
            continue;
        }

        ktpr_glance_label(scan, &scan->rows.rows[i], like, table);
        read++;
        sum = 0;

        for (k = 0; k < KTPR_LINES; k++) {
            sum += like[k];
        }

        if (read == KTPR_GLANCE_PROMISE && sum == 0) {
            break;
        }
    }

    *confidence = fmin(1, sum / KTPR_GLANCE_ENOUGH);

    return ktpr_pool_failed(scan->pool) ? KTPR_NO_MEMORY : KTPR_DONE;
}


/*
 * The best pairs of columns of a level page, best first.  Their number, or
 * KTPR_NO_MEMORY.
 */
static int
ktpr_glance_columns(ktpr_scan_t *scan, ktpr_columns_t best[KTPR_MAX_COLUMNS])
{
    int            n, found;
    size_t         i;
    ktpr_page_t    page;
    ktpr_status_t  rc;
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];

    /* parts of KTPR_PAPER, as ktpr_scan.c tries them: faint print last */
    static const double thresholds[] = {.70, .78, .84};

    found = 0;
    page = scan->page;

    for (i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++) {
        rc = ktpr_page_fragments(scan->pool, &page, thresholds[i], 0);
        if (rc == KTPR_NO_MEMORY) {
            return KTPR_NO_MEMORY;
        }

        if (rc == KTPR_UNFIT || page.n > KTPR_GLANCE_FRAGMENTS) {
            continue;
        }

        n = ktpr_columns_find(scan->pool, &page, columns);
        if (n < 0) {
            return KTPR_NO_MEMORY;
        }

        if (n > 0 && (found == 0 || columns[0].score > best[0].score)) {
            memcpy(best, columns, sizeof(columns));
            found = n;
            scan->page = page;
        }

        if (found > 0 && best[0].score > KTPR_GLANCE_COLUMNS_GOOD) {
            break;
        }
    }

    return found;
}


static int
ktpr_glance_sure(const ktpr_glance_t *glance)
{
    return glance->confidence > KTPR_GLANCE_SURE;
}


/* Looks at the page turned back by so many degrees. */
static ktpr_status_t
ktpr_glance_turned(ktpr_glance_t *glance, const ktpr_page_t *page, double turn)
{
    int            i, n;
    double         confidence;
    ktpr_scan_t    tried;
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];

    tried = *glance->scan;
    tried.page = *page;

    if (ktpr_page_level(tried.pool, &tried.page, turn) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_glance_columns(&tried, columns);
    if (n < 0) {
        return KTPR_NO_MEMORY;
    }

    if (n > 0) {
        tried.best_columns = fmax(tried.best_columns, columns[0].score);
        glance->scan->best_columns = tried.best_columns;
    }

    for (i = 0; i < n && i < KTPR_GLANCE_PAIRS
                && columns[i].score >= KTPR_GLANCE_COLUMNS
                && !ktpr_glance_sure(glance);
         i++) {
        tried.columns = columns[i];

        if (ktpr_glance_labels(&tried, &confidence) != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }

        if (confidence > glance->confidence) {
            glance->confidence = confidence;
            *glance->scan = tried;
        }
    }

    return KTPR_DONE;
}


/* Looks at the page turned by each of some angles, until it is a card. */
static ktpr_status_t
ktpr_glance_turns(ktpr_glance_t *glance, const ktpr_page_t *page,
                  const double *turns, int n)
{
    int           i;
    ktpr_status_t rc;

    rc = KTPR_DONE;

    for (i = 0; i < n && rc == KTPR_DONE && !ktpr_glance_sure(glance); i++) {
        rc = ktpr_glance_turned(glance, page, turns[i]);
    }

    return rc;
}


/*
 * Looks at a page upright, since most are, and only then for the direction of
 * its lines.
 */
static ktpr_status_t
ktpr_glance_page(ktpr_glance_t *glance, const ktpr_page_t *page)
{
    double        turns[2] = {0};
    ktpr_status_t rc;

    rc = ktpr_glance_turns(glance, page, turns, 1);

    if (rc == KTPR_DONE && !ktpr_glance_sure(glance)) {
        rc = ktpr_page_turn(glance->scan->pool, page, &turns[0]);
    }

    turns[1] = turns[0] + 180;

    return rc != KTPR_DONE ? rc
           : turns[0] != 0 ? ktpr_glance_turns(glance, page, turns, 2)
                           : ktpr_glance_turns(glance, page, &turns[1], 1);
}


/* Straightens the card by its corners, and looks at it. */
static ktpr_status_t
ktpr_glance_straight(ktpr_glance_t *glance)
{
    int           seen;
    ktpr_scan_t  *scan;
    ktpr_page_t   page;
    ktpr_quad_t   quad;
    ktpr_status_t rc;

    static const double turns[] = {0, 180};

    scan = glance->scan;
    seen = ktpr_quad_find(scan->pool, &scan->image, &quad);

    if (seen <= 0) {
        return seen < 0 ? KTPR_NO_MEMORY : KTPR_DONE;
    }

    rc = ktpr_page_straight(scan->pool, &scan->image, &quad, &page);
    if (rc != KTPR_DONE) {
        return rc == KTPR_UNFIT ? KTPR_DONE : rc;
    }

    return ktpr_glance_turns(glance, &page, turns, 2);
}


int
ktpr_glance_find(ktpr_scan_t *scan, double *confidence)
{
    ktpr_page_t   page;
    ktpr_glance_t glance;
    ktpr_status_t rc;

    glance.scan = scan;
    glance.confidence = 0;
    *confidence = 0;

    memset(&page, 0, sizeof(ktpr_page_t));
    page.work_to_image = ktpr_map_affine(1, 0, 0, 0, 1, 0);

    rc = ktpr_flatten(scan->pool, &scan->image, KTPR_GLANCE_WINDOW,
                      KTPR_MIX_LIGHTEST, &page.work);
    if (rc != KTPR_DONE) {
        return rc == KTPR_UNFIT ? 0 : rc;
    }

    /* labels are cut from the same plane: it is as large as they need */

    scan->sheet.sizes[0] = page.work;
    scan->sheet.n = 1;

    if (ktpr_glance_page(&glance, &page) != KTPR_DONE
        || (!ktpr_glance_sure(&glance)
            && ktpr_glance_straight(&glance) != KTPR_DONE)) {
        return KTPR_NO_MEMORY;
    }

    *confidence = glance.confidence;

    return glance.confidence > 0;
}
