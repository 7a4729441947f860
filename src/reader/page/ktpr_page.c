#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_page.h"


/* Three capitals' height on a card that fills the plane. */
#define KTPR_WORK_WINDOW 41

#define KTPR_SKEW_LIMIT 14.

/* Ink, for telling where lines of writing go. */
#define KTPR_LETTERS ((int) (.70 * KTPR_PAPER))

/* Lines of writing are this much sharper where they are than where not. */
#define KTPR_SHARPER 1.2

/* What is seen around a straightened card, in pixels. */
#define KTPR_STRAIGHT_MARGIN 30

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
ktpr_edge_at(const ktpr_edge_t *edge, double y)
{
    return edge->at + edge->slope * y;
}


/* A small image is enlarged: blobs need pixels to be told apart. */
static int
ktpr_page_enlarge(ktpr_pool_t *pool, int side, ktpr_page_t *page)
{
    double      up;
    ktpr_map_t  map;
    ktpr_gray_t large;

    up = (double) KTPR_WORK_SIDE / side;
    map = ktpr_map_affine(1 / up, 0, .5 / up - .5, 0, 1 / up, .5 / up - .5);

    if (ktpr_gray_create(pool, (int) (page->work.w * up),
                         (int) (page->work.h * up), &large)
        != 0) {
        return -1;
    }

    ktpr_gray_warp(&page->work, &map, 1, &large);
    ktpr_pool_free(pool, page->work.px);
    page->work = large;
    page->to_full = map;

    return 0;
}


int
ktpr_page_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                 ktpr_page_t *page)
{
    int          side, w, h;
    double       down;
    ktpr_image_t small;

    side = image->w > image->h ? image->w : image->h;

    if (side <= KTPR_WORK_SIDE) {
        if (ktpr_flatten(pool, image, KTPR_WORK_WINDOW * side / KTPR_WORK_SIDE,
                         KTPR_MIX_LIGHTEST, &page->work)
            != 0) {
            return -1;
        }

        return ktpr_page_enlarge(pool, side, page);
    }

    down = (double) side / KTPR_WORK_SIDE;
    w = (int) (image->w / down);
    h = (int) (image->h / down);

    if (w < 1 || h < 1 || ktpr_image_reduce(pool, image, w, h, &small) != 0) {
        return -1;
    }

    page->to_full =
        ktpr_map_affine(down, 0, down / 2 - .5, 0, down, down / 2 - .5);

    if (ktpr_flatten(pool, &small, KTPR_WORK_WINDOW, KTPR_MIX_LIGHTEST,
                     &page->work)
        != 0) {
        return -1;
    }

    ktpr_pool_free(pool, small.rgb);

    return 0;
}


int
ktpr_page_straight(ktpr_pool_t *pool, const ktpr_image_t *image,
                   const ktpr_quad_t *quad, ktpr_page_t *page)
{
    int          h;
    double       scale;
    ktpr_map_t   map, shrink;
    ktpr_image_t small, plane;
    ktpr_point_t to[4];

    h = (int) ((KTPR_WORK_SIDE - 2 * KTPR_STRAIGHT_MARGIN) * KTPR_CARD_HEIGHT
               / KTPR_CARD_WIDTH)
        + 2 * KTPR_STRAIGHT_MARGIN;
    to[0].x = to[3].x = to[0].y = to[1].y = KTPR_STRAIGHT_MARGIN;
    to[1].x = to[2].x = KTPR_WORK_SIDE - KTPR_STRAIGHT_MARGIN;
    to[2].y = to[3].y = h - KTPR_STRAIGHT_MARGIN;

    memset(page, 0, sizeof(ktpr_page_t));
    page->straight = 1;

    if (ktpr_map_corners(to, quad->corners, &page->to_full) != 0) {
        return -1;
    }

    /* what is made smaller is so by means, before it is straightened */
    map = page->to_full;
    small = *image;
    scale = ktpr_map_size(&map, KTPR_WORK_SIDE / 2., h / 2.);

    if (scale > 1.3) {
        if (ktpr_image_reduce(pool, image, (int) (image->w / scale),
                              (int) (image->h / scale), &small)
            != 0) {
            return -1;
        }

        shrink = ktpr_map_scale(1 / scale);
        map = ktpr_map_then(&map, &shrink);
    }

    if (ktpr_image_warp(pool, &small, &map, KTPR_WORK_SIDE, h, &plane) != 0
        || ktpr_flatten(pool, &plane, KTPR_WORK_WINDOW, KTPR_MIX_LIGHTEST,
                        &page->work)
               != 0) {
        return -1;
    }

    ktpr_pool_free(pool, plane.rgb);
    if (small.rgb != image->rgb) {
        ktpr_pool_free(pool, small.rgb);
    }

    return 0;
}


/* Blobs that may be letters, to tell by where lines of writing go. */
static int
ktpr_page_letters(ktpr_pool_t *pool, const ktpr_gray_t *gray,
                  ktpr_blob_t **blobs)
{
    return ktpr_blobs_find(pool, gray, KTPR_LETTERS, 70, 500, blobs);
}


double
ktpr_page_turn(ktpr_pool_t *pool, const ktpr_page_t *page)
{
    int          n;
    double       turn;
    ktpr_blob_t *blobs;

    n = ktpr_page_letters(pool, &page->work, &blobs);
    if (n < 0) {
        return 0;
    }

    turn = ktpr_blobs_turn(&page->work, KTPR_LETTERS, blobs, n,
                           KTPR_SKEW_LIMIT, KTPR_SHARPER);
    ktpr_pool_free(pool, blobs);

    return turn;
}


/*
 * A copy of the page on which what went turn degrees clockwise goes to the
 * right; map is from there to the page.  0 or -1.
 */
static int
ktpr_page_turned(ktpr_pool_t *pool, const ktpr_page_t *page, double turn,
                 ktpr_gray_t *turned, ktpr_map_t *map)
{
    int          x, y, w, h;
    double       c, s;
    ktpr_point_t p;

    c = cos(turn * M_PI / 180);
    s = sin(turn * M_PI / 180);
    w = (int) lrint(fabs(c) * page->work.w + fabs(s) * page->work.h);
    h = (int) lrint(fabs(s) * page->work.w + fabs(c) * page->work.h);
    *map = ktpr_map_affine(
        c, -s, ((page->work.w - 1) - c * (w - 1) + s * (h - 1)) / 2, s, c,
        ((page->work.h - 1) - s * (w - 1) - c * (h - 1)) / 2);

    if (ktpr_gray_create(pool, w, h, turned) != 0) {
        return -1;
    }

    ktpr_gray_warp(&page->work, map, 0, turned);

    /* beyond the page is paper, and not what its border shows */

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            p = ktpr_map_point(map, x, y);
            if (p.x < -1 || p.y < -1 || p.x > page->work.w
                || p.y > page->work.h) {
                turned->px[(size_t) y * w + x] = KTPR_PAPER;
            }
        }
    }

    return 0;
}


int
ktpr_page_level(ktpr_pool_t *pool, ktpr_page_t *page, double turn)
{
    int          n, w, h;
    double       c, s, angle;
    ktpr_map_t   map, tilt;
    ktpr_gray_t  turned;
    ktpr_blob_t *blobs;

    map = ktpr_map_identity();
    turned = page->work;

    if (turn != 0 && ktpr_page_turned(pool, page, turn, &turned, &map) != 0) {
        return -1;
    }

    w = turned.w;
    h = turned.h;
    n = ktpr_page_letters(pool, &turned, &blobs);
    if (n < 0) {
        return -1;
    }

    angle = ktpr_blobs_skew(&turned, KTPR_LETTERS, blobs, n, KTPR_SKEW_LIMIT);
    ktpr_pool_free(pool, blobs);
    c = cos(angle * M_PI / 180);
    s = sin(angle * M_PI / 180);
    tilt = ktpr_map_affine(c, -s, w / 2. - c * w / 2. + s * h / 2., s, c,
                           h / 2. - s * w / 2. - c * h / 2.);

    if (ktpr_gray_create(pool, w, h, &page->level) != 0) {
        return -1;
    }

    ktpr_gray_warp(&turned, &tilt, 0, &page->level);
    map = ktpr_map_then(&tilt, &map);
    page->map = ktpr_map_then(&map, &page->to_full);

    if (turn != 0) {
        ktpr_pool_free(pool, turned.px);
    }

    return 0;
}


/* Writing, and not a speck, a rule or a piece of a picture. */
static int
ktpr_fragment_writing(const ktpr_fragment_t *f, double text)
{
    if (f->height < .55 * text) {
        return 0;
    }

    return f->n >= 2 || f->blobs[0].w > 2.5 * text
           || (f->blobs[0].w > 1.2 * text && f->blobs[0].h > .7 * text
               && f->blobs[0].h < 1.5 * text);
}


int
ktpr_page_fragments(ktpr_pool_t *pool, ktpr_page_t *page, double threshold,
                    double text)
{
    int          i, n, kept;
    ktpr_blob_t *blobs;

    page->n = 0;

    n = ktpr_blobs_find(pool, &page->level, (int) (threshold * KTPR_PAPER), 70,
                        400, &blobs);
    if (n < 20) {
        return -1;
    }

    page->text = text > 0 ? text : ktpr_blobs_height(pool, blobs, n);
    if (page->text < 5) {
        return -1;
    }

    kept = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < 3.6 * page->text) {
            blobs[kept++] = blobs[i];
        }
    }

    n = ktpr_fragments_find(pool, blobs, kept, page->text, 1.9,
                            &page->fragments);

    for (i = 0; i < n; i++) {
        if (ktpr_fragment_writing(&page->fragments[i], page->text)) {
            page->fragments[page->n++] = page->fragments[i];
        }
    }

    return page->n < 8 ? -1 : 0;
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
        off = fabs(starts[i].x - ktpr_edge_at(edge, starts[i].y));
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
        return 0;
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
            if (fabs(ktpr_edge_at(&all[i].edge, middle)
                     - ktpr_edge_at(&lines[k].edge, middle))
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


static int
ktpr_number_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


/* Where words start on the line, and the usual distance between them. */
static int
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
        return -1;
    }

    for (i = 0; i < page->n; i++) {
        f = &page->fragments[i];

        for (j = 0; j < f->n; j++) {
            b = &f->blobs[j];
            y = f->bottom + f->slope * b->x;
            gap = j > 0 ? b->x - f->blobs[j - 1].x - f->blobs[j - 1].w
                        : page->text;

            if (gap > .2 * page->text
                && fabs(b->x - ktpr_edge_at(&line->edge, y))
                       < .6 * page->text) {
                line->rows[line->n++] = y;
                break;
            }
        }
    }

    qsort(line->rows, (size_t) line->n, sizeof(double), ktpr_number_compare);
    n = 0;

    for (i = 1; i < line->n; i++) {
        gap = line->rows[i] - line->rows[i - 1];
        if (gap > 1.3 * page->text && gap < 3.4 * page->text) {
            steps[n++] = gap;
        }
    }

    if (n >= 2) {
        line->spacing = ktpr_median(steps, n);
    }

    ktpr_pool_free(pool, steps);

    return 0;
}


/* Keeps the best few, one for each place of the value column. */
static void
ktpr_columns_add(ktpr_columns_t *best, int *n, const ktpr_columns_t *c,
                 double middle, double text)
{
    int i, j;

    for (i = 0; i < *n; i++) {
        if (fabs(ktpr_edge_at(&best[i].values, middle)
                 - ktpr_edge_at(&c->values, middle))
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

    offset = (ktpr_edge_at(&b->edge, middle) - ktpr_edge_at(&a->edge, middle))
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
        return 0;
    }

    n = ktpr_starts(page, starts);
    if (n == 0) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        ys[i] = starts[i].y;
    }

    middle = ktpr_median(ys, n);
    found = ktpr_lines_find(pool, page, starts, n, middle, lines);

    for (i = 0; i < found; i++) {
        if (ktpr_line_rows(pool, page, &lines[i]) != 0) {
            return 0;
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
