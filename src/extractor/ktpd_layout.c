#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpd_flatten.h"
#include "ktpd_layout.h"


/* Three capitals' height on a card that fills the plane. */
#define KTPD_WORK_WINDOW 41

#define KTPD_SKEW_LIMIT 14.

/* Ink, for telling where lines of writing go. */
#define KTPD_LETTERS ((int) (.70 * KTPD_PAPER))

/* Lines of writing are this much sharper where they are than where not. */
#define KTPD_SHARPER 1.2

/* What is seen around a straightened card, in pixels. */
#define KTPD_STRAIGHT_MARGIN 30

/* Points that columns are drawn through, and the columns kept. */
#define KTPD_MAX_POINTS 1200
#define KTPD_MAX_EDGES  10

/* From the labels' left end to the values', in row spacings. */
#define KTPD_COLUMN_OFFSET     7.65
#define KTPD_COLUMN_OFFSET_MIN 5.6
#define KTPD_COLUMN_OFFSET_MAX 9.2

typedef struct {
    double x, y;
} ktpd_start_t;

typedef struct {
    double      score;
    ktpd_edge_t edge;
    double     *rows; /* where writing starts on it, sorted */
    int         n;
    double      spacing; /* 0: unknown */
} ktpd_line_t;


double
ktpd_edge_at(const ktpd_edge_t *edge, double y)
{
    return edge->at + edge->slope * y;
}


/* A small image is enlarged: blobs need pixels to be told apart. */
static int
ktpd_page_enlarge(ktpd_pool_t *pool, int side, ktpd_page_t *page)
{
    double      up;
    ktpd_map_t  map;
    ktpd_gray_t large;

    up = (double) KTPD_WORK_SIDE / side;
    map = ktpd_map_affine(1 / up, 0, .5 / up - .5, 0, 1 / up, .5 / up - .5);

    if (ktpd_gray_create(pool, (int) (page->work.w * up),
                         (int) (page->work.h * up), &large)
        != 0) {
        return -1;
    }

    ktpd_gray_warp(&page->work, &map, 1, &large);
    ktpd_pool_free(pool, page->work.px);
    page->work = large;
    page->to_full = map;

    return 0;
}


int
ktpd_page_create(ktpd_pool_t *pool, const ktpd_image_t *image,
                 ktpd_page_t *page)
{
    int          side, w, h;
    double       down;
    ktpd_image_t small;

    side = image->w > image->h ? image->w : image->h;

    if (side <= KTPD_WORK_SIDE) {
        if (ktpd_flatten(pool, image, KTPD_WORK_WINDOW * side / KTPD_WORK_SIDE,
                         KTPD_MIX_LIGHTEST, &page->work)
            != 0) {
            return -1;
        }

        return ktpd_page_enlarge(pool, side, page);
    }

    down = (double) side / KTPD_WORK_SIDE;
    w = (int) (image->w / down);
    h = (int) (image->h / down);

    if (w < 1 || h < 1 || ktpd_image_reduce(pool, image, w, h, &small) != 0) {
        return -1;
    }

    page->to_full =
        ktpd_map_affine(down, 0, down / 2 - .5, 0, down, down / 2 - .5);

    if (ktpd_flatten(pool, &small, KTPD_WORK_WINDOW, KTPD_MIX_LIGHTEST,
                     &page->work)
        != 0) {
        return -1;
    }

    ktpd_pool_free(pool, small.rgb);

    return 0;
}


int
ktpd_page_straight(ktpd_pool_t *pool, const ktpd_image_t *image,
                   const ktpd_quad_t *quad, ktpd_page_t *page)
{
    int          h;
    double       scale;
    ktpd_map_t   map, shrink;
    ktpd_image_t small, plane;
    ktpd_point_t to[4];

    h = (int) ((KTPD_WORK_SIDE - 2 * KTPD_STRAIGHT_MARGIN) * KTPD_CARD_HEIGHT
               / KTPD_CARD_WIDTH)
        + 2 * KTPD_STRAIGHT_MARGIN;
    to[0].x = to[3].x = to[0].y = to[1].y = KTPD_STRAIGHT_MARGIN;
    to[1].x = to[2].x = KTPD_WORK_SIDE - KTPD_STRAIGHT_MARGIN;
    to[2].y = to[3].y = h - KTPD_STRAIGHT_MARGIN;

    memset(page, 0, sizeof(ktpd_page_t));
    page->straight = 1;

    if (ktpd_map_corners(to, quad->corners, &page->to_full) != 0) {
        return -1;
    }

    /* what is made smaller is so by means, before it is straightened */
    map = page->to_full;
    small = *image;
    scale = ktpd_map_size(&map, KTPD_WORK_SIDE / 2., h / 2.);

    if (scale > 1.3) {
        if (ktpd_image_reduce(pool, image, (int) (image->w / scale),
                              (int) (image->h / scale), &small)
            != 0) {
            return -1;
        }

        shrink = ktpd_map_scale(1 / scale);
        map = ktpd_map_then(&map, &shrink);
    }

    if (ktpd_image_warp(pool, &small, &map, KTPD_WORK_SIDE, h, &plane) != 0
        || ktpd_flatten(pool, &plane, KTPD_WORK_WINDOW, KTPD_MIX_LIGHTEST,
                        &page->work)
               != 0) {
        return -1;
    }

    ktpd_pool_free(pool, plane.rgb);
    if (small.rgb != image->rgb) {
        ktpd_pool_free(pool, small.rgb);
    }

    return 0;
}


/* Blobs that may be letters, to tell by where lines of writing go. */
static int
ktpd_page_letters(ktpd_pool_t *pool, const ktpd_gray_t *gray,
                  ktpd_blob_t **blobs)
{
    return ktpd_blobs_find(pool, gray, KTPD_LETTERS, 70, 500, blobs);
}


double
ktpd_page_turn(ktpd_pool_t *pool, const ktpd_page_t *page)
{
    int          n;
    double       turn;
    ktpd_blob_t *blobs;

    n = ktpd_page_letters(pool, &page->work, &blobs);
    if (n < 0) {
        return 0;
    }

    turn = ktpd_blobs_turn(&page->work, KTPD_LETTERS, blobs, n,
                           KTPD_SKEW_LIMIT, KTPD_SHARPER);
    ktpd_pool_free(pool, blobs);

    return turn;
}


/*
 * A copy of the page on which what went turn degrees clockwise goes to the
 * right; map is from there to the page.  0 or -1.
 */
static int
ktpd_page_turned(ktpd_pool_t *pool, const ktpd_page_t *page, double turn,
                 ktpd_gray_t *turned, ktpd_map_t *map)
{
    int          x, y, w, h;
    double       c, s;
    ktpd_point_t p;

    c = cos(turn * M_PI / 180);
    s = sin(turn * M_PI / 180);
    w = (int) lrint(fabs(c) * page->work.w + fabs(s) * page->work.h);
    h = (int) lrint(fabs(s) * page->work.w + fabs(c) * page->work.h);
    *map = ktpd_map_affine(
        c, -s, ((page->work.w - 1) - c * (w - 1) + s * (h - 1)) / 2, s, c,
        ((page->work.h - 1) - s * (w - 1) - c * (h - 1)) / 2);

    if (ktpd_gray_create(pool, w, h, turned) != 0) {
        return -1;
    }

    ktpd_gray_warp(&page->work, map, 0, turned);

    /* beyond the page is paper, and not what its border shows */

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            p = ktpd_map_point(map, x, y);
            if (p.x < -1 || p.y < -1 || p.x > page->work.w
                || p.y > page->work.h) {
                turned->px[(size_t) y * w + x] = KTPD_PAPER;
            }
        }
    }

    return 0;
}


int
ktpd_page_level(ktpd_pool_t *pool, ktpd_page_t *page, double turn)
{
    int          n, w, h;
    double       c, s, angle;
    ktpd_map_t   map, tilt;
    ktpd_gray_t  turned;
    ktpd_blob_t *blobs;

    map = ktpd_map_identity();
    turned = page->work;

    if (turn != 0 && ktpd_page_turned(pool, page, turn, &turned, &map) != 0) {
        return -1;
    }

    w = turned.w;
    h = turned.h;
    n = ktpd_page_letters(pool, &turned, &blobs);
    if (n < 0) {
        return -1;
    }

    angle = ktpd_blobs_skew(&turned, KTPD_LETTERS, blobs, n, KTPD_SKEW_LIMIT);
    ktpd_pool_free(pool, blobs);
    c = cos(angle * M_PI / 180);
    s = sin(angle * M_PI / 180);
    tilt = ktpd_map_affine(c, -s, w / 2. - c * w / 2. + s * h / 2., s, c,
                           h / 2. - s * w / 2. - c * h / 2.);

    if (ktpd_gray_create(pool, w, h, &page->level) != 0) {
        return -1;
    }

    ktpd_gray_warp(&turned, &tilt, 0, &page->level);
    map = ktpd_map_then(&tilt, &map);
    page->map = ktpd_map_then(&map, &page->to_full);

    if (turn != 0) {
        ktpd_pool_free(pool, turned.px);
    }

    return 0;
}


/* Writing, and not a speck, a rule or a piece of a picture. */
static int
ktpd_fragment_writing(const ktpd_fragment_t *f, double text)
{
    if (f->height < .55 * text) {
        return 0;
    }

    return f->n >= 2 || f->blobs[0].w > 2.5 * text
           || (f->blobs[0].w > 1.2 * text && f->blobs[0].h > .7 * text
               && f->blobs[0].h < 1.5 * text);
}


int
ktpd_page_fragments(ktpd_pool_t *pool, ktpd_page_t *page, double threshold,
                    double text)
{
    int          i, n, kept;
    ktpd_blob_t *blobs;

    page->n = 0;

    n = ktpd_blobs_find(pool, &page->level, (int) (threshold * KTPD_PAPER), 70,
                        400, &blobs);
    if (n < 20) {
        return -1;
    }

    page->text = text > 0 ? text : ktpd_blobs_height(pool, blobs, n);
    if (page->text < 5) {
        return -1;
    }

    kept = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < 3.6 * page->text) {
            blobs[kept++] = blobs[i];
        }
    }

    n = ktpd_fragments_find(pool, blobs, kept, page->text, 1.9,
                            &page->fragments);

    for (i = 0; i < n; i++) {
        if (ktpd_fragment_writing(&page->fragments[i], page->text)) {
            page->fragments[page->n++] = page->fragments[i];
        }
    }

    return page->n < 8 ? -1 : 0;
}


/* Left ends of fragments, and of the words in them. */
static int
ktpd_starts(const ktpd_page_t *page, ktpd_start_t *starts)
{
    int                    i, j, n;
    double                 gap;
    const ktpd_blob_t     *b;
    const ktpd_fragment_t *f;

    n = 0;

    for (i = 0; i < page->n; i++) {
        f = &page->fragments[i];
        gap = 0;

        for (j = 0; j < f->n && n < KTPD_MAX_POINTS; j++) {
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
ktpd_edge_score(const ktpd_start_t *starts, int n, const ktpd_edge_t *edge,
                double text)
{
    int           i, rows, hits, bin;
    double        off, sum;
    unsigned char seen[256] = {0};

    rows = 0;
    hits = 0;
    sum = 0;

    for (i = 0; i < n; i++) {
        off = fabs(starts[i].x - ktpd_edge_at(edge, starts[i].y));
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
ktpd_line_compare(const void *a, const void *b)
{
    const ktpd_line_t *p = a, *q = b;

    return (q->score > p->score) - (q->score < p->score);
}


/* Edges through pairs of starts, the best ones, well apart from each other. */
static int
ktpd_lines_find(ktpd_pool_t *pool, const ktpd_page_t *page,
                const ktpd_start_t *starts, int n, double middle,
                ktpd_line_t *lines)
{
    int          i, j, k, found, kept, room;
    double       dy, slope;
    ktpd_line_t *all;

    room = 20000;
    found = 0;
    kept = 0;

    all = ktpd_pool_alloc(pool, (size_t) room, sizeof(ktpd_line_t));
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
                ktpd_edge_score(starts, n, &all[found].edge, page->text);
            found += all[found].score >= 2.5;
        }
    }

    qsort(all, (size_t) found, sizeof(ktpd_line_t), ktpd_line_compare);

    for (i = 0; i < found && kept < KTPD_MAX_EDGES; i++) {
        for (k = 0; k < kept; k++) {
            if (fabs(ktpd_edge_at(&all[i].edge, middle)
                     - ktpd_edge_at(&lines[k].edge, middle))
                <= 1.2 * page->text) {
                break;
            }
        }

        if (k == kept) {
            lines[kept++] = all[i];
        }
    }

    ktpd_pool_free(pool, all);

    return kept;
}


static int
ktpd_number_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


/* Where words start on the line, and the usual distance between them. */
static int
ktpd_line_rows(ktpd_pool_t *pool, const ktpd_page_t *page, ktpd_line_t *line)
{
    int                    i, j, n;
    double                 y, gap, *steps;
    const ktpd_blob_t     *b;
    const ktpd_fragment_t *f;

    line->n = 0;
    line->spacing = 0;
    line->rows = ktpd_pool_alloc(pool, (size_t) page->n, sizeof(double));
    steps = ktpd_pool_alloc(pool, (size_t) page->n, sizeof(double));

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
                && fabs(b->x - ktpd_edge_at(&line->edge, y))
                       < .6 * page->text) {
                line->rows[line->n++] = y;
                break;
            }
        }
    }

    qsort(line->rows, (size_t) line->n, sizeof(double), ktpd_number_compare);
    n = 0;

    for (i = 1; i < line->n; i++) {
        gap = line->rows[i] - line->rows[i - 1];
        if (gap > 1.3 * page->text && gap < 3.4 * page->text) {
            steps[n++] = gap;
        }
    }

    if (n >= 2) {
        line->spacing = ktpd_median(steps, n);
    }

    ktpd_pool_free(pool, steps);

    return 0;
}


/* Keeps the best few, one for each place of the value column. */
static void
ktpd_columns_add(ktpd_columns_t *best, int *n, const ktpd_columns_t *c,
                 double middle, double text)
{
    int i, j;

    for (i = 0; i < *n; i++) {
        if (fabs(ktpd_edge_at(&best[i].values, middle)
                 - ktpd_edge_at(&c->values, middle))
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

    if (i == KTPD_MAX_COLUMNS) {
        return;
    }

    *n += *n < KTPD_MAX_COLUMNS;

    for (j = *n - 1; j > i; j--) {
        best[j] = best[j - 1];
    }

    best[i] = *c;
}


/* Rows that start on both lines. */
static int
ktpd_lines_common(const ktpd_line_t *a, const ktpd_line_t *b, double spacing)
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
ktpd_lines_pair(const ktpd_line_t *a, const ktpd_line_t *b, double middle,
                ktpd_columns_t *c)
{
    double offset;

    c->spacing = a->spacing;
    if (c->spacing == 0 || (b->spacing != 0 && b->spacing < c->spacing)) {
        c->spacing = b->spacing;
    }

    if (c->spacing == 0 || fabs(a->edge.slope - b->edge.slope) > .05) {
        return 0;
    }

    offset = (ktpd_edge_at(&b->edge, middle) - ktpd_edge_at(&a->edge, middle))
             / c->spacing;

    if (offset < KTPD_COLUMN_OFFSET_MIN || offset > KTPD_COLUMN_OFFSET_MAX) {
        return 0;
    }

    c->labels = a->edge;
    c->values = b->edge;
    c->score = (a->n < 10 ? a->n : 10) + (b->n < 13 ? b->n : 13)
               + .5 * ktpd_lines_common(a, b, c->spacing)
               - 2 * fabs(offset - KTPD_COLUMN_OFFSET)
               - 80 * fabs(a->edge.slope - b->edge.slope)
               - 30 * fabs(a->edge.slope);

    return 1;
}


/* The other column placed where it must be, beside the one that shows. */
static void
ktpd_lines_alone(const ktpd_line_t *a, int shows_labels, ktpd_columns_t *c)
{
    c->spacing = a->spacing;
    c->labels = a->edge;
    c->values = a->edge;
    c->score = a->n - 3 - 30 * fabs(a->edge.slope) + .5 * shows_labels;

    if (shows_labels) {
        c->values.at += KTPD_COLUMN_OFFSET * c->spacing;
    } else {
        c->labels.at -= KTPD_COLUMN_OFFSET * c->spacing;
    }
}


int
ktpd_columns_find(ktpd_pool_t *pool, const ktpd_page_t *page,
                  ktpd_columns_t columns[KTPD_MAX_COLUMNS])
{
    int            i, j, n, found, best;
    double         middle, *ys;
    ktpd_start_t  *starts;
    ktpd_line_t    lines[KTPD_MAX_EDGES];
    ktpd_columns_t c;

    starts = ktpd_pool_alloc(pool, KTPD_MAX_POINTS, sizeof(ktpd_start_t));
    ys = ktpd_pool_alloc(pool, KTPD_MAX_POINTS, sizeof(double));
    if (starts == NULL || ys == NULL) {
        return 0;
    }

    n = ktpd_starts(page, starts);
    if (n == 0) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        ys[i] = starts[i].y;
    }

    middle = ktpd_median(ys, n);
    found = ktpd_lines_find(pool, page, starts, n, middle, lines);

    for (i = 0; i < found; i++) {
        if (ktpd_line_rows(pool, page, &lines[i]) != 0) {
            return 0;
        }
    }

    best = 0;

    for (i = 0; i < found; i++) {
        for (j = 0; j < found; j++) {
            if (i != j && ktpd_lines_pair(&lines[i], &lines[j], middle, &c)) {
                ktpd_columns_add(columns, &best, &c, middle, page->text);
            }
        }

        for (j = 0; j < 2 && lines[i].spacing != 0 && lines[i].n >= 5; j++) {
            ktpd_lines_alone(&lines[i], j, &c);
            ktpd_columns_add(columns, &best, &c, middle, page->text);
        }
    }

    return best;
}
