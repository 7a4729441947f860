#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_columns.h"
#include "ktpr_sort.h"


/* Points that columns are drawn through, and the columns kept. */
#define KTPR_MAX_POINTS 1200
#define KTPR_MAX_EDGES  10

/* From the labels' left end to the values', in row spacings. */
#define KTPR_COLUMN_OFFSET     7.65
#define KTPR_COLUMN_OFFSET_MIN 5.6
#define KTPR_COLUMN_OFFSET_MAX 9.2

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


/* Left ends of fragments, and of the words in them. */
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

        for (j = 0; j < f->n && n < KTPR_MAX_POINTS; j++) {
            b = &f->blobs[j];
            if (j > 0) {
                gap = b->x - f->blobs[j - 1].x - f->blobs[j - 1].w;
            }

            if (j == 0 || gap > .35 * page->text) {
                starts[n].x = b->x;
                starts[n++].y = f->bottom + f->slope * b->x;
            }
        }
    }

    return n;
}


/* How good an edge is: rows that start on it, less how far off they are. */
static double
ktpr_edge_score(const ktpr_start_t *starts, int n, const ktpr_edge_t *edge,
                double text)
{
    int           i, rows, hits, bin;
    double        off, sum;
    unsigned char seen[256] = {0};

    rows = 0;
    hits = 0;
    sum = 0;

    for (i = 0; i < n; i++) {
        off = fabs(starts[i].x - ktpr_columns_at(edge, starts[i].y));
        if (off >= .4 * text) {
            continue;
        }

        hits++;
        sum += off;
        bin = (int) (starts[i].y / (.9 * text)) & 255;
        rows += !seen[bin];
        seen[bin] = 1;
    }

    return hits ? rows - 1.5 * sum / hits / text - 12 * fabs(edge->slope) : 0;
}


static int
ktpr_line_compare(const void *a, const void *b)
{
    const ktpr_line_t *p = a, *q = b;

    return (q->score > p->score) - (q->score < p->score);
}


/* Edges through pairs of starts, the best ones, well apart from each other. */
static int
ktpr_lines_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                const ktpr_start_t *starts, int n, double middle,
                ktpr_line_t *lines)
{
    int          i, j, k, found, kept, room;
    double       dy, slope;
    ktpr_line_t *all;

    room = 20000;
    found = 0;
    kept = 0;

    all = ktpr_pool_alloc(pool, (size_t) room, sizeof(ktpr_line_t));
    if (all == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < n; i++) {
        for (j = 0; j < n && found < room; j++) {
            dy = starts[j].y - starts[i].y;
            if (dy <= 5 * page->text || dy >= 32 * page->text) {
                continue;
            }

            slope = (starts[j].x - starts[i].x) / dy;
            if (fabs(slope) > .12) {
                continue;
            }

            all[found].edge.slope = slope;
            all[found].edge.at = starts[i].x - slope * starts[i].y;
            all[found].score =
                ktpr_edge_score(starts, n, &all[found].edge, page->text);
            found += all[found].score >= 2.5;
        }
    }

    qsort(all, (size_t) found, sizeof(ktpr_line_t), ktpr_line_compare);

    for (i = 0; i < found && kept < KTPR_MAX_EDGES; i++) {
        for (k = 0; k < kept; k++) {
            if (fabs(ktpr_columns_at(&all[i].edge, middle)
                     - ktpr_columns_at(&lines[k].edge, middle))
                <= 1.2 * page->text) {
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


/* Where words start on the line, and the usual distance between them. */
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

            if (gap > .2 * page->text
                && fabs(b->x - ktpr_columns_at(&line->edge, y))
                       < .6 * page->text) {
                line->rows[line->n++] = y;
                break;
            }
        }
    }

    ktpr_sort(line->rows, line->n);
    n = 0;

    for (i = 1; i < line->n; i++) {
        gap = line->rows[i] - line->rows[i - 1];
        if (gap > 1.3 * page->text && gap < 3.4 * page->text) {
            steps[n++] = gap;
        }
    }

    if (n >= 2) {
        line->spacing = ktpr_sort_median(steps, n);
    }

    ktpr_pool_free(pool, steps);

    return KTPR_DONE;
}


/* Keeps the best few, one for each place of the value column. */
static void
ktpr_columns_add(ktpr_columns_t *best, int *n, const ktpr_columns_t *c,
                 double middle, double text)
{
    int i, j;

    for (i = 0; i < *n; i++) {
        if (fabs(ktpr_columns_at(&best[i].values, middle)
                 - ktpr_columns_at(&c->values, middle))
            <= .8 * text) {
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


/* Rows that start on both lines. */
static int
ktpr_lines_common(const ktpr_line_t *a, const ktpr_line_t *b, double spacing)
{
    int i, j, n;

    n = 0;

    for (i = 0; i < b->n; i++) {
        for (j = 0; j < a->n; j++) {
            if (fabs(a->rows[j] - b->rows[i]) < .45 * spacing) {
                n++;
                break;
            }
        }
    }

    return n;
}


static int
ktpr_lines_pair(const ktpr_line_t *a, const ktpr_line_t *b, double middle,
                ktpr_columns_t *c)
{
    double offset;

    c->spacing = a->spacing;
    if (c->spacing == 0 || (b->spacing != 0 && b->spacing < c->spacing)) {
        c->spacing = b->spacing;
    }

    if (c->spacing == 0 || fabs(a->edge.slope - b->edge.slope) > .05) {
        return 0;
    }

    offset =
        (ktpr_columns_at(&b->edge, middle) - ktpr_columns_at(&a->edge, middle))
        / c->spacing;

    if (offset < KTPR_COLUMN_OFFSET_MIN || offset > KTPR_COLUMN_OFFSET_MAX) {
        return 0;
    }

    c->labels = a->edge;
    c->values = b->edge;
    c->score = (a->n < 10 ? a->n : 10) + (b->n < 13 ? b->n : 13)
               + .5 * ktpr_lines_common(a, b, c->spacing)
               - 2 * fabs(offset - KTPR_COLUMN_OFFSET)
               - 80 * fabs(a->edge.slope - b->edge.slope)
               - 30 * fabs(a->edge.slope);

    return 1;
}


/* The other column placed where it must be, beside the one that shows. */
static void
ktpr_lines_alone(const ktpr_line_t *a, int shows_labels, ktpr_columns_t *c)
{
    c->spacing = a->spacing;
    c->labels = a->edge;
    c->values = a->edge;
    c->score = a->n - 3 - 30 * fabs(a->edge.slope) + .5 * shows_labels;

    if (shows_labels) {
        c->values.at += KTPR_COLUMN_OFFSET * c->spacing;
    } else {
        c->labels.at -= KTPR_COLUMN_OFFSET * c->spacing;
    }
}


int
ktpr_columns_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                  ktpr_columns_t columns[KTPR_MAX_COLUMNS])
{
    int            i, j, n, found, best;
    double         middle, *ys;
    ktpr_start_t  *starts;
    ktpr_line_t    lines[KTPR_MAX_EDGES];
    ktpr_columns_t c;

    starts = ktpr_pool_alloc(pool, KTPR_MAX_POINTS, sizeof(ktpr_start_t));
    ys = ktpr_pool_alloc(pool, KTPR_MAX_POINTS, sizeof(double));
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

        for (j = 0; j < 2 && lines[i].spacing != 0 && lines[i].n >= 5; j++) {
            ktpr_lines_alone(&lines[i], j, &c);
            ktpr_columns_add(columns, &best, &c, middle, page->text);
        }
    }

    return best;
}
