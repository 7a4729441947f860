#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_columns.h"
#include "ktpr_sort.h"


/*
 * Lengths are in heights of a capital (page->text) and slopes are tangents if
 * no other unit is given.  Numbers were chosen by eye, set not recorded; "make
 * accuracy" with the hard sets of docs/accuracy.md shows what a change does.
 */

/* fixed: points that columns are drawn through, pairs of them, and edges kept.
 */
#define KTPR_COLUMNS_POINTS 1200
#define KTPR_COLUMNS_PAIRS  20000
#define KTPR_COLUMNS_EDGES  10

/*
 * From the left end of labels to that of values, in row spacings: OFFSET is
 * the geometry of the card; the limits allow for narrow columns and for
 * perspective. A narrower range loses such cards; a wider one pairs a column
 * with the photo.
 */
#define KTPR_COLUMNS_OFFSET     7.65
#define KTPR_COLUMNS_OFFSET_MIN 5.6
#define KTPR_COLUMNS_OFFSET_MAX 9.2

/* A gap before a blob makes it the start of a word: more misses the colon. */
#define KTPR_COLUMNS_WORD .35

/*
 * Starts within NEAR of an edge are on it; a row is BIN high.  Less at NEAR
 * loses worn print; more takes slanted edges.
 */
#define KTPR_COLUMNS_NEAR .4
#define KTPR_COLUMNS_BIN  .9

/* fixed: rows are counted modulo this power of two */
#define KTPR_COLUMNS_BINS 256

/* An edge's score, in rows: less a capital's mean distance, less the slope. */
#define KTPR_COLUMNS_DISTANCE_COST 1.5
#define KTPR_COLUMNS_SLOPE_COST    12

/* Edges go through starts this far apart, and have no more slope. */
#define KTPR_COLUMNS_SPAN_MIN 5
#define KTPR_COLUMNS_SPAN_MAX 32
#define KTPR_COLUMNS_SLOPE    .12

/* The least score of an edge kept, and the distance between two of them. */
#define KTPR_COLUMNS_LEAST 2.5
#define KTPR_COLUMNS_APART 1.2

/* Rows of an edge: words that start this near to it, after such a gap. */
#define KTPR_COLUMNS_ROW_NEAR .6
#define KTPR_COLUMNS_ROW_GAP  .2

/* Steps from row to row that tell the spacing, and how many are needed. */
#define KTPR_COLUMNS_STEP_MIN 1.3
#define KTPR_COLUMNS_STEP_MAX 3.4
#define KTPR_COLUMNS_STEPS    2

/* Value columns nearer than this are one: the better pair is kept. */
#define KTPR_COLUMNS_SAME .8

/* Starts in two columns of one row, in row spacings apart. */
#define KTPR_COLUMNS_COMMON .45

/* The two edges of a pair are parallel to this. */
#define KTPR_COLUMNS_PARALLEL .05

/*
 * The score of a pair: a row of each column counts 1, up to so many, one of
 * both COMMON_EARN more.  Costs: a row spacing of offset; slopes that differ;
 * slope.
 */
#define KTPR_COLUMNS_LABELS_MOST   10
#define KTPR_COLUMNS_VALUES_MOST   13
#define KTPR_COLUMNS_COMMON_EARN   .5
#define KTPR_COLUMNS_OFFSET_COST   2
#define KTPR_COLUMNS_PARALLEL_COST 80
#define KTPR_COLUMNS_LEVEL_COST    30

/*
 * One column alone, the other being placed beside it: rows it has at least,
 * and what its score is less; labels are more likely to be the one that shows.
 */
#define KTPR_COLUMNS_ALONE_ROWS   5
#define KTPR_COLUMNS_ALONE_COST   3
#define KTPR_COLUMNS_ALONE_LABELS .5


typedef struct {
    double x, y;
} ktpr_start_t;

typedef struct {
    double      score;
    ktpr_edge_t edge;
    double     *rows; /* where writing starts on it, sorted */
    int         n;
    double      spacing; /* 0: unknown */
} ktpr_line_t;


double
ktpr_columns_at(const ktpr_edge_t *edge, double y)
{
    return edge->at + edge->slope * y;
}


/* Collects left ends of fragments, and of the words in them: how many. */
static int
ktpr_starts(const ktpr_page_t *page, ktpr_start_t *starts)
{
    int                    i, j, n;
    double                 gap;
    const ktpr_blob_t     *b;
    const ktpr_fragment_t *f;

    n = 0;

    for (i = 0; i < page->n; i++) {
        f = &page->fragments[i];
        gap = 0;

        for (j = 0; j < f->n && n < KTPR_COLUMNS_POINTS; j++) {
            b = &f->blobs[j];
            if (j > 0) {
                gap = b->x - f->blobs[j - 1].x - f->blobs[j - 1].w;
            }

            if (j == 0 || gap > KTPR_COLUMNS_WORD * page->text) {
                starts[n].x = b->x;
                starts[n++].y = f->bottom + f->slope * b->x;
            }
        }
    }

    return n;
}


/* The score of an edge: rows that start on it, less their distance. */
static double
ktpr_edge_score(const ktpr_start_t *starts, int n, const ktpr_edge_t *edge,
                double text)
{
    int           i, rows, hits, bin;
    double        off, sum;
    unsigned char seen[KTPR_COLUMNS_BINS] = {0};

    rows = 0;
    hits = 0;
    sum = 0;

    for (i = 0; i < n; i++) {
        off = fabs(starts[i].x - ktpr_columns_at(edge, starts[i].y));
        if (off >= KTPR_COLUMNS_NEAR * text) {
            continue;
        }

        hits++;
        sum += off;
        bin = (int) (starts[i].y / (KTPR_COLUMNS_BIN * text))
              & (KTPR_COLUMNS_BINS - 1);
        rows += !seen[bin];
        seen[bin] = 1;
    }

    return hits ? rows - KTPR_COLUMNS_DISTANCE_COST * sum / hits / text
                      - KTPR_COLUMNS_SLOPE_COST * fabs(edge->slope)
                : 0;
}


static int
ktpr_line_compare(const void *a, const void *b)
{
    const ktpr_line_t *p = a, *q = b;

    return (q->score > p->score) - (q->score < p->score);
}


/*
 * Finds the best edges through pairs of starts, apart from each other.  Their
 * number, or KTPR_NO_MEMORY.
 */
static int
ktpr_lines_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                const ktpr_start_t *starts, int n, double middle,
                ktpr_line_t *lines)
{
    int          i, j, k, found, kept, room;
    double       dy, slope;
    ktpr_line_t *all;

    room = KTPR_COLUMNS_PAIRS;
    found = 0;
    kept = 0;

    all = ktpr_pool_alloc(pool, (size_t) room, sizeof(ktpr_line_t));
    if (all == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        for (j = 0; j < n && found < room; j++) {
            dy = starts[j].y - starts[i].y;
            if (dy <= KTPR_COLUMNS_SPAN_MIN * page->text
                || dy >= KTPR_COLUMNS_SPAN_MAX * page->text) {
                continue;
            }

            slope = (starts[j].x - starts[i].x) / dy;
            if (fabs(slope) > KTPR_COLUMNS_SLOPE) {
                continue;
            }

            all[found].edge.slope = slope;
            all[found].edge.at = starts[i].x - slope * starts[i].y;
            all[found].score =
                ktpr_edge_score(starts, n, &all[found].edge, page->text);
            found += all[found].score >= KTPR_COLUMNS_LEAST;
        }
    }

    qsort(all, (size_t) found, sizeof(ktpr_line_t), ktpr_line_compare);

    for (i = 0; i < found && kept < KTPR_COLUMNS_EDGES; i++) {
        for (k = 0; k < kept; k++) {
            if (fabs(ktpr_columns_at(&all[i].edge, middle)
                     - ktpr_columns_at(&lines[k].edge, middle))
                <= KTPR_COLUMNS_APART * page->text) {
                break;
            }
        }

        if (k == kept) {
            lines[kept++] = all[i];
        }
    }

    ktpr_pool_free(pool, all);

    return kept;
}


/* Finds the words that start on the line, and the spacing of rows. */
static ktpr_status_t
ktpr_line_rows(ktpr_pool_t *pool, const ktpr_page_t *page, ktpr_line_t *line)
{
    int                    i, j, n;
    double                 y, gap, *steps;
    const ktpr_blob_t     *b;
    const ktpr_fragment_t *f;

    line->n = 0;
    line->spacing = 0;
    line->rows = ktpr_pool_alloc(pool, (size_t) page->n, sizeof(double));
    steps = ktpr_pool_alloc(pool, (size_t) page->n, sizeof(double));

    if (line->rows == NULL || steps == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < page->n; i++) {
        f = &page->fragments[i];

        for (j = 0; j < f->n; j++) {
            b = &f->blobs[j];
            y = f->bottom + f->slope * b->x;
            gap = j > 0 ? b->x - f->blobs[j - 1].x - f->blobs[j - 1].w
                        : page->text;

            if (gap > KTPR_COLUMNS_ROW_GAP * page->text
                && fabs(b->x - ktpr_columns_at(&line->edge, y))
                       < KTPR_COLUMNS_ROW_NEAR * page->text) {
                line->rows[line->n++] = y;
                break;
            }
        }
    }

    ktpr_sort(line->rows, line->n);
    n = 0;

    for (i = 1; i < line->n; i++) {
        gap = line->rows[i] - line->rows[i - 1];
        if (gap > KTPR_COLUMNS_STEP_MIN * page->text
            && gap < KTPR_COLUMNS_STEP_MAX * page->text) {
            steps[n++] = gap;
        }
    }

    if (n >= KTPR_COLUMNS_STEPS) {
        line->spacing = ktpr_sort_median(steps, n);
    }

    ktpr_pool_free(pool, steps);

    return KTPR_DONE;
}


/* Keeps the best few pairs, one for each place of the value column. */
static void
ktpr_columns_add(ktpr_columns_t *best, int *n, const ktpr_columns_t *c,
                 double middle, double text)
{
    int i, j;

    for (i = 0; i < *n; i++) {
        if (fabs(ktpr_columns_at(&best[i].values, middle)
                 - ktpr_columns_at(&c->values, middle))
            <= KTPR_COLUMNS_SAME * text) {
            if (best[i].score >= c->score) {
                return;
            }

            for (j = i; j < *n - 1; j++) {
                best[j] = best[j + 1];
            }
            (*n)--;
            break;
        }
    }

    for (i = 0; i < *n && best[i].score >= c->score; i++) {
        /* void */
    }

    if (i == KTPR_MAX_COLUMNS) {
        return;
    }

    *n += *n < KTPR_MAX_COLUMNS;

    for (j = *n - 1; j > i; j--) {
        best[j] = best[j - 1];
    }

    best[i] = *c;
}


/* The number of rows that start on both lines. */
static int
ktpr_lines_common(const ktpr_line_t *a, const ktpr_line_t *b, double spacing)
{
    int i, j, n;

    n = 0;

    for (i = 0; i < b->n; i++) {
        for (j = 0; j < a->n; j++) {
            if (fabs(a->rows[j] - b->rows[i])
                < KTPR_COLUMNS_COMMON * spacing) {
                n++;
                break;
            }
        }
    }

    return n;
}


/* Pairs two lines as labels and values; 0 when they cannot be. */
static int
ktpr_lines_pair(const ktpr_line_t *a, const ktpr_line_t *b, double middle,
                ktpr_columns_t *c)
{
    double offset;

    c->spacing = a->spacing;
    if (c->spacing == 0 || (b->spacing != 0 && b->spacing < c->spacing)) {
        c->spacing = b->spacing;
    }

    if (c->spacing == 0
        || fabs(a->edge.slope - b->edge.slope) > KTPR_COLUMNS_PARALLEL) {
        return 0;
    }

    offset =
        (ktpr_columns_at(&b->edge, middle) - ktpr_columns_at(&a->edge, middle))
        / c->spacing;

    if (offset < KTPR_COLUMNS_OFFSET_MIN || offset > KTPR_COLUMNS_OFFSET_MAX) {
        return 0;
    }

    c->labels = a->edge;
    c->values = b->edge;
    c->score =
        (a->n < KTPR_COLUMNS_LABELS_MOST ? a->n : KTPR_COLUMNS_LABELS_MOST)
        + (b->n < KTPR_COLUMNS_VALUES_MOST ? b->n : KTPR_COLUMNS_VALUES_MOST)
        + KTPR_COLUMNS_COMMON_EARN * ktpr_lines_common(a, b, c->spacing)
        - KTPR_COLUMNS_OFFSET_COST * fabs(offset - KTPR_COLUMNS_OFFSET)
        - KTPR_COLUMNS_PARALLEL_COST * fabs(a->edge.slope - b->edge.slope)
        - KTPR_COLUMNS_LEVEL_COST * fabs(a->edge.slope);

    return 1;
}


/* Makes a pair of one line: the other column is at the usual offset. */
static void
ktpr_lines_alone(const ktpr_line_t *a, int shows_labels, ktpr_columns_t *c)
{
    c->spacing = a->spacing;
    c->labels = a->edge;
    c->values = a->edge;
    c->score = a->n - KTPR_COLUMNS_ALONE_COST
               - KTPR_COLUMNS_LEVEL_COST * fabs(a->edge.slope)
               + KTPR_COLUMNS_ALONE_LABELS * shows_labels;

    if (shows_labels) {
        c->values.at += KTPR_COLUMNS_OFFSET * c->spacing;
    } else {
        c->labels.at -= KTPR_COLUMNS_OFFSET * c->spacing;
    }
}


int
ktpr_columns_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                  ktpr_columns_t columns[KTPR_MAX_COLUMNS])
{
    int            i, j, n, found, best;
    double         middle, *ys;
    ktpr_start_t  *starts;
    ktpr_line_t    lines[KTPR_COLUMNS_EDGES];
    ktpr_columns_t c;

    starts = ktpr_pool_alloc(pool, KTPR_COLUMNS_POINTS, sizeof(ktpr_start_t));
    ys = ktpr_pool_alloc(pool, KTPR_COLUMNS_POINTS, sizeof(double));
    if (starts == NULL || ys == NULL) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_starts(page, starts);
    if (n == 0) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        ys[i] = starts[i].y;
    }

    middle = ktpr_sort_median(ys, n);
    found = ktpr_lines_find(pool, page, starts, n, middle, lines);
    if (found < 0) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < found; i++) {
        if (ktpr_line_rows(pool, page, &lines[i]) != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }
    }

    best = 0;

    for (i = 0; i < found; i++) {
        for (j = 0; j < found; j++) {
            if (i != j && ktpr_lines_pair(&lines[i], &lines[j], middle, &c)) {
                ktpr_columns_add(columns, &best, &c, middle, page->text);
            }
        }

        for (j = 0; j < 2 && lines[i].spacing != 0
                    && lines[i].n >= KTPR_COLUMNS_ALONE_ROWS;
             j++) {
            ktpr_lines_alone(&lines[i], j, &c);
            ktpr_columns_add(columns, &best, &c, middle, page->text);
        }
    }

    return best;
}
