#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_rows.h"
#include "ktpr_sort.h"


/*
 * Lengths are in heights of a capital (ctx->capital) if no other unit is
 * given.  Numbers were chosen by eye, set not recorded; "make accuracy" with
 * the hard sets of docs/accuracy.md shows what a change does.
 */

/*
 * A fragment of a row begins at most RIGHT beyond the left end of values.
 * Less loses values that are printed off; more takes the blood group for one.
 */
#define KTPR_ROWS_RIGHT 1.5

/*
 * One that begins up to FAR beyond it is the rest of a value whose first
 * letters are faint, when ink leads to it.  Less loses such rows; more lets
 * the blood group make a row.
 */
#define KTPR_ROWS_FAR 9.

/*
 * One that begins more than LEFT before the labels is chained to clutter
 * beside the card; its blobs from CLUTTER before them on are kept.  Less cuts
 * first letters off; more reads clutter as part of a label.
 */
#define KTPR_ROWS_LEFT    1.2
#define KTPR_ROWS_CLUTTER .8

/*
 * Height of a fragment.  Less at HIGH loses rows of large print; more lets the
 * head and the number in.  Less at LOW lets dotted lines in; more loses small
 * print.
 */
#define KTPR_ROWS_HIGH 1.32
#define KTPR_ROWS_LOW  .5

/*
 * Blobs that tell where a row's edges are: higher than TALL, so that commas
 * and dots do not count, and for the lower edge lower than JOINED, so that
 * letters joined to the row below do not.
 */
#define KTPR_ROWS_TALL   .6
#define KTPR_ROWS_JOINED 1.25

/* Weight of the blobs' middles in the lower edge; the rest is of bottoms. */
#define KTPR_ROWS_MIDDLE .5

/*
 * First letters left of the value's edge: at most BESIDE from the next one,
 * which is nearer than a colon is; at most BEFORE from the edge, or else they
 * are a label that runs into its value; of a letter's size.  Less at BEFORE
 * loses first letters, more moves the end of a label into the value.
 */
#define KTPR_ROWS_BESIDE      .4
#define KTPR_ROWS_BEFORE      1.6
#define KTPR_ROWS_LETTER_HIGH .65
#define KTPR_ROWS_LETTER_WIDE .3

/*
 * A blob is the value's from VALUE before its edge on.  One before that is a
 * colon when it is narrower than COLON_WIDE, lower than a capital, and at most
 * COLON before the edge.  More at VALUE reads colons as I.
 */
#define KTPR_ROWS_VALUE      .75
#define KTPR_ROWS_COLON      2.2
#define KTPR_ROWS_COLON_WIDE .45

/* The slope of a row is told from at least so many blobs, over so long. */
#define KTPR_ROWS_SLOPE_BLOBS 4
#define KTPR_ROWS_SLOPE_LONG  7

/* A slope is at most this off the usual one: a tangent. */
#define KTPR_ROWS_SLOPE_OFF .03

/* A value begins at its edge if its first blob is further right. */
#define KTPR_ROWS_START .3

/*
 * A fragment beside a value: its start, from the start of the value; and from
 * its end, in pixels; its base line off the row's; its height.
 */
#define KTPR_ROWS_ASIDE_FROM 2
#define KTPR_ROWS_ASIDE_END  2 /* pixels */
#define KTPR_ROWS_ASIDE_OFF  .5
#define KTPR_ROWS_ASIDE_HIGH 1.5

/* fixed: fragments beside a value that are looked at */
#define KTPR_ROWS_ASIDE 16

/*
 * Faint ink in a column of pixels: parts of KTPR_PAPER, for each pixel of ink
 * and for the darkest; and the part of a capital's height that has ink.  Less
 * light loses ends of faint values; more takes grain for them.
 */
#define KTPR_ROWS_INK         .85
#define KTPR_ROWS_INK_DARKEST .80
#define KTPR_ROWS_INK_PART    .07

/* Gaps that end a value: to the right, a word's; to the left, a colon's. */
#define KTPR_ROWS_WORD_GAP  1.1
#define KTPR_ROWS_COLON_GAP .24

/* How far left of its edge a value's ink is followed. */
#define KTPR_ROWS_START_FAR 2

/* A fragment nearer than this to a value's end is a word of it. */
#define KTPR_ROWS_NEXT_WORD 1.6

/*
 * Base lines of one row, in row spacings apart.  Less splits slanted rows;
 * more joins two.
 */
#define KTPR_ROWS_REACH .42


/* A fragment of a row, without what is chained to it outside the card. */
typedef struct {
    double          y;
    ktpr_fragment_t f;
} ktpr_member_t;

/* The input and the scratch memory of a search for rows. */
typedef struct {
    ktpr_pool_t          *pool;
    const ktpr_page_t    *page;
    const ktpr_columns_t *columns;
    double                capital;
    double               *v; /* scratch */
    ktpr_blob_t          *blobs, *labels, *values;
} ktpr_rows_ctx_t;


double
ktpr_rows_strip_bottom(const ktpr_strip_t *strip, double x)
{
    return strip->bottom + strip->slope * x;
}


static int
ktpr_member_compare(const void *a, const void *b)
{
    const ktpr_member_t *p = a, *q = b;

    return (p->y > q->y) - (p->y < q->y);
}


/* Whether a row whose lower edge is at bottom has ink at x, faint included. */
static int
ktpr_row_ink(const ktpr_rows_ctx_t *ctx, double x, double bottom)
{
    int                y, y0, y1, ink, darkest, v;
    const ktpr_gray_t *g;

    g = &ctx->page->level;
    y0 = (int) (bottom - ctx->capital);
    y1 = (int) bottom;
    y0 = y0 < 0 ? 0 : y0;
    y1 = y1 < g->h ? y1 : g->h;
    ink = 0;
    darkest = 255;

    if (x < 0 || x >= g->w) {
        return 0;
    }

    for (y = y0; y < y1; y++) {
        v = g->px[(size_t) y * g->w + (size_t) x];
        ink += v < KTPR_ROWS_INK * KTPR_PAPER;
        darkest = v < darkest ? v : darkest;
    }

    return darkest < KTPR_ROWS_INK_DARKEST * KTPR_PAPER && ink >= 1
           && ink >= KTPR_ROWS_INK_PART * (y1 - y0);
}


/*
 * Whether a fragment right of the values' left end is the rest of a value: ink
 * leads to it from there, and nothing else was found of its row's value.
 */
static int
ktpr_row_rest(const ktpr_rows_ctx_t *ctx, const ktpr_fragment_t *f, double y,
              double values)
{
    int                    i, gap;
    double                 x;
    const ktpr_fragment_t *other;

    if (f->x0 > values + KTPR_ROWS_FAR * ctx->capital) {
        return 0;
    }

    for (i = 0; i < ctx->page->n; i++) {
        other = &ctx->page->fragments[i];
        if (other->x0 < f->x0 && other->x1 > values
            && fabs(other->bottom + other->slope * f->x0 - y)
                   < KTPR_ROWS_REACH * ctx->columns->spacing) {
            return 0;
        }
    }

    gap = 0;
    for (x = f->x0 - 1;
         x > values && gap <= KTPR_ROWS_NEXT_WORD * ctx->capital; x--) {
        gap = ktpr_row_ink(ctx, x, f->bottom + f->slope * x) ? 0 : gap + 1;
    }

    return x <= values;
}


/* Collects fragments that begin in the columns, sorted by y: how many. */
static int
ktpr_rows_members(const ktpr_rows_ctx_t *ctx, ktpr_member_t *members)
{
    int             i, n;
    double          y, labels, values;
    ktpr_fragment_t f;

    n = 0;

    for (i = 0; i < ctx->page->n; i++) {
        f = ctx->page->fragments[i];
        y = f.bottom + f.slope * f.x0;
        labels = ktpr_columns_at(&ctx->columns->labels, y);
        values = ktpr_columns_at(&ctx->columns->values, y);

        if (f.x0 > values + KTPR_ROWS_RIGHT * ctx->capital
            && !ktpr_row_rest(ctx, &f, y, values)) {
            continue;
        }

        if (f.x0 < labels - KTPR_ROWS_LEFT * ctx->capital) {
            /* chained to clutter outside the card: keeps the rest */
            while (f.n > 0
                   && f.blobs[0].x
                          <= labels - KTPR_ROWS_CLUTTER * ctx->capital) {
                f.blobs++;
                f.n--;
            }

            if (f.n < 2) {
                continue;
            }

            if (ktpr_fragments_fit(ctx->pool, &f) != KTPR_DONE) {
                return KTPR_NO_MEMORY;
            }
        }

        if ((f.height > KTPR_ROWS_HIGH * ctx->capital
             && f.height > KTPR_ROWS_HIGH * ctx->page->text)
            || f.height < KTPR_ROWS_LOW * ctx->capital) {
            continue;
        }

        members[n].f = f;
        members[n++].y = f.bottom + f.slope * values;
    }

    qsort(members, (size_t) n, sizeof(ktpr_member_t), ktpr_member_compare);

    return n;
}


static int
ktpr_blob_left(const void *a, const void *b)
{
    const ktpr_blob_t *p = a, *q = b;

    return p->x - q->x;
}


/* Sets the upper and lower edge of a row from the blobs of its value. */
static void
ktpr_row_edges(const ktpr_rows_ctx_t *ctx, const ktpr_blob_t *blobs, int n,
               double slope, ktpr_strip_t *strip)
{
    int                i, k, tall;
    double             middle, bottom, x;
    const ktpr_blob_t *b;

    tall = 0;
    for (i = 0; i < n; i++) {
        tall += blobs[i].h > KTPR_ROWS_TALL * ctx->capital;
    }

    k = 0;
    for (i = 0; i < n; i++) {
        b = &blobs[i];
        if (tall == 0 || b->h > KTPR_ROWS_TALL * ctx->capital) {
            ctx->v[k++] = b->y + b->h / 2. - slope * (b->x + b->w / 2.);
        }
    }

    middle = ktpr_sort_median(ctx->v, k);

    k = 0;
    for (i = 0; i < n; i++) {
        b = &blobs[i];
        x = b->x + b->w / 2.;
        if (b->h < KTPR_ROWS_JOINED * ctx->capital
            && (tall == 0 || b->h > KTPR_ROWS_TALL * ctx->capital)) {
            ctx->v[k++] = b->y + b->h - slope * x;
        }
    }

    bottom = k > 0 ? ktpr_sort_median(ctx->v, k) : middle + ctx->capital / 2;

    strip->slope = slope;
    strip->bottom = KTPR_ROWS_MIDDLE * (middle + ctx->capital / 2)
                    + (1 - KTPR_ROWS_MIDDLE) * bottom;
    strip->top = strip->bottom - ctx->capital;
}


/*
 * Moves a value's first letters from the labels to the values: the edge may
 * have been drawn through the second letters.  They are as high as letters and
 * nearer to the value than a colon is.  Letters that continue further left
 * than an edge can be off are a label that runs into its value: none is moved.
 */
static void
ktpr_row_first(const ktpr_rows_ctx_t *ctx, double values, int *nlabels,
               int *nvalues)
{
    int                i, k, n;
    double             start;
    const ktpr_blob_t *b;

    start = *nvalues > 0 ? ctx->values[0].x : values;

    for (i = *nlabels - 1; i >= 0; i--) {
        b = &ctx->labels[i];

        if (start - b->x - b->w > KTPR_ROWS_BESIDE * ctx->capital) {
            break;
        }

        if (b->x < values - KTPR_ROWS_BEFORE * ctx->capital) {
            return;
        }

        start = b->x;
    }

    n = 0;
    for (k = *nlabels - 1; k > i; k--) {
        b = &ctx->labels[k];

        if (b->h < KTPR_ROWS_LETTER_HIGH * ctx->capital
            || b->w < KTPR_ROWS_LETTER_WIDE * ctx->capital) {
            break;
        }

        n++;
    }

    *nlabels -= n;
    memmove(ctx->values + n, ctx->values,
            sizeof(ktpr_blob_t) * (size_t) *nvalues);
    memcpy(ctx->values, ctx->labels + *nlabels,
           sizeof(ktpr_blob_t) * (size_t) n);
    *nvalues += n;
}


/* Divides a row's blobs between its label and its value, without the colon.
 */
static void
ktpr_row_part(const ktpr_rows_ctx_t *ctx, const ktpr_member_t *members, int n,
              int *nlabels, int *nvalues)
{
    int                i, j;
    double             values;
    const ktpr_blob_t *b;

    *nlabels = 0;
    *nvalues = 0;

    for (i = 0; i < n; i++) {
        values = ktpr_columns_at(&ctx->columns->values, members[i].y);

        for (j = 0; j < members[i].f.n; j++) {
            b = &members[i].f.blobs[j];

            if (b->x > values - KTPR_ROWS_VALUE * ctx->capital) {
                ctx->values[(*nvalues)++] = *b;

            } else if (b->w >= KTPR_ROWS_COLON_WIDE * ctx->capital
                       || b->x <= values - KTPR_ROWS_COLON * ctx->capital
                       || b->h >= ctx->capital) {
                ctx->labels[(*nlabels)++] = *b;
            }
        }
    }

    qsort(ctx->labels, (size_t) *nlabels, sizeof(ktpr_blob_t), ktpr_blob_left);
    qsort(ctx->values, (size_t) *nvalues, sizeof(ktpr_blob_t), ktpr_blob_left);
    ktpr_row_first(ctx, ktpr_columns_at(&ctx->columns->values, members[0].y),
                   nlabels, nvalues);
}


static double
ktpr_blobs_right(const ktpr_blob_t *blobs, int n)
{
    int    i;
    double right;

    right = 0;
    for (i = 0; i < n; i++) {
        right =
            blobs[i].x + blobs[i].w > right ? blobs[i].x + blobs[i].w : right;
    }

    return right;
}


/*
 * Makes a row of the members; its slope is NAN when it is too short to tell.
 * 1, 0 when they have no blob, or KTPR_NO_MEMORY.
 */
static int
ktpr_row_make(const ktpr_rows_ctx_t *ctx, const ktpr_member_t *members, int n,
              ktpr_row_t *row)
{
    int             nl, nv;
    ktpr_fragment_t f;

    memset(row, 0, sizeof(ktpr_row_t));
    memset(&f, 0, sizeof(ktpr_fragment_t));
    ktpr_row_part(ctx, members, n, &nl, &nv);

    if (nl + nv == 0) {
        return 0;
    }

    memcpy(ctx->blobs, ctx->labels, sizeof(ktpr_blob_t) * (size_t) nl);
    memcpy(ctx->blobs + nl, ctx->values, sizeof(ktpr_blob_t) * (size_t) nv);

    f.blobs = ctx->blobs;
    f.n = nl + nv;
    qsort(f.blobs, (size_t) f.n, sizeof(ktpr_blob_t), ktpr_blob_left);
    if (ktpr_fragments_fit(ctx->pool, &f) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    row->value.slope = (f.n < KTPR_ROWS_SLOPE_BLOBS
                        || f.x1 - f.x0 < KTPR_ROWS_SLOPE_LONG * ctx->capital)
                           ? NAN
                           : f.slope;
    row->has_label = nl > 0;
    row->has_value = nv > 0;

    if (nl > 0) {
        row->label.x0 = ctx->labels[0].x;
        row->label.x1 = ktpr_blobs_right(ctx->labels, nl);
    }

    if (nv > 0) {
        row->value.x0 = ctx->values[0].x;
        row->value.x1 = ktpr_blobs_right(ctx->values, nv);
    }

    return 1;
}


/* Sets a row's slope, the usual one if it is not known, and its edges. */
static void
ktpr_row_place(const ktpr_rows_ctx_t *ctx, const ktpr_member_t *members, int n,
               double slope, ktpr_row_t *row)
{
    int    nl, nv;
    double values;

    if (isnan(row->value.slope)
        || fabs(row->value.slope - slope) > KTPR_ROWS_SLOPE_OFF) {
        row->value.slope = slope;
    }

    ktpr_row_part(ctx, members, n, &nl, &nv);
    ktpr_row_edges(ctx, nv > 0 ? ctx->values : ctx->labels, nv > 0 ? nv : nl,
                   row->value.slope, &row->value);

    row->label.slope = row->value.slope;
    row->label.top = row->value.top;
    row->label.bottom = row->value.bottom;

    values = ktpr_columns_at(&ctx->columns->values, row->value.bottom);
    row->y = ktpr_rows_strip_bottom(&row->value, values);
    values = ktpr_columns_at(&ctx->columns->values, row->y);

    if (!row->has_value) {
        row->value.x1 = values;
    }

    if (!row->has_value
        || row->value.x0 > values + KTPR_ROWS_START * ctx->capital) {
        row->value.x0 = values;
    }
}


/* Finds fragments right of a row's value, from left to right: how many. */
static int
ktpr_row_aside(const ktpr_rows_ctx_t *ctx, const ktpr_row_t *row,
               double aside[][2], int room)
{
    int                    i, j, n;
    double                 y;
    const ktpr_fragment_t *f;

    n = 0;

    for (i = 0; i < ctx->page->n; i++) {
        f = &ctx->page->fragments[i];
        y = f->bottom + f->slope * f->x0;

        if (f->x0 <= row->value.x1 - KTPR_ROWS_ASIDE_END
            || f->x0 <= row->value.x0 + KTPR_ROWS_ASIDE_FROM * ctx->capital
            || fabs(y - ktpr_rows_strip_bottom(&row->value, f->x0))
                   >= KTPR_ROWS_ASIDE_OFF * ctx->capital
            || f->height >= KTPR_ROWS_ASIDE_HIGH * ctx->capital) {
            continue;
        }

        for (j = n < room ? n++ : n - 1; j > 0 && aside[j - 1][0] > f->x0;
             j--) {
            aside[j][0] = aside[j - 1][0];
            aside[j][1] = aside[j - 1][1];
        }

        aside[j][0] = f->x0;
        aside[j][1] = f->x1;
    }

    return n;
}


/* Follows ink from x to the right, over gaps narrower than a word's. */
static double
ktpr_row_grow(const ktpr_rows_ctx_t *ctx, const ktpr_row_t *row, double x,
              double limit)
{
    int    gap;
    double last;

    limit = fmin(limit, ctx->page->level.w - 1);
    last = x;
    gap = 0;

    for (; x < limit; x++) {
        if (ktpr_row_ink(ctx, x, ktpr_rows_strip_bottom(&row->value, x))) {
            last = x;
            gap = 0;

        } else if (++gap > KTPR_ROWS_WORD_GAP * ctx->capital) {
            break;
        }
    }

    return last;
}


/*
 * Moves the value's left end: where thin letters fall apart, the edge may have
 * been drawn through second letters.  Ink nearer than a colon is the value's,
 * unless it does not end: then a label runs into the value.
 */
static void
ktpr_row_start(const ktpr_rows_ctx_t *ctx, ktpr_row_t *row)
{
    int    gap;
    double x, start, limit;

    gap = 0;
    start = row->value.x0;
    limit = row->value.x0 - KTPR_ROWS_START_FAR * ctx->capital;

    for (x = row->value.x0; gap <= KTPR_ROWS_COLON_GAP * ctx->capital; x--) {
        if (x <= limit) {
            return;
        }

        if (ktpr_row_ink(ctx, x, ktpr_rows_strip_bottom(&row->value, x))) {
            start = x;
            gap = 0;

        } else {
            gap++;
        }
    }

    row->value.x0 = start;
}


/* Moves the value's right end over faint ink and fragments close by. */
static void
ktpr_row_extend(const ktpr_rows_ctx_t *ctx, ktpr_row_t *row)
{
    int    i, n;
    double photo, aside[KTPR_ROWS_ASIDE][2], limit;

    photo = ktpr_columns_at(&ctx->columns->values, row->y)
            + KTPR_PHOTO * ctx->columns->spacing;
    n = ktpr_row_aside(ctx, row, aside, KTPR_ROWS_ASIDE);

    for (i = 0;; i++) {
        limit = i < n && aside[i][0] < photo ? aside[i][0] : photo;
        row->value.x1 = ktpr_row_grow(ctx, row, row->value.x1, limit);

        if (i == n
            || aside[i][0] - row->value.x1
                   >= KTPR_ROWS_NEXT_WORD * ctx->capital
            || aside[i][0] >= photo) {
            break;
        }

        if (aside[i][1] > row->value.x1) {
            row->value.x1 = aside[i][1];
        }
    }

    for (; i < n && row->naside < KTPR_MAX_ASIDE; i++) {
        row->aside[row->naside][0] = aside[i][0];
        row->aside[row->naside++][1] = aside[i][1];
    }
}


/* The number of members, from the first on, that are on its row. */
static int
ktpr_rows_group(const ktpr_member_t *members, int n, double reach)
{
    int    i;
    double sum;

    sum = members[0].y;

    for (i = 1; i < n && fabs(members[i].y - sum / i) < reach; i++) {
        sum += members[i].y;
    }

    return i;
}


static ktpr_status_t
ktpr_rows_build(const ktpr_rows_ctx_t *ctx, const ktpr_member_t *members,
                int n, ktpr_rows_t *rows)
{
    int    i, k, rc, first[KTPR_MAX_ROWS], count[KTPR_MAX_ROWS], sloped;
    double slopes[KTPR_MAX_ROWS];

    sloped = 0;

    for (i = 0; i < n && rows->n < KTPR_MAX_ROWS; i += k) {
        k = ktpr_rows_group(members + i, n - i,
                            KTPR_ROWS_REACH * ctx->columns->spacing);

        rc = ktpr_row_make(ctx, members + i, k, &rows->rows[rows->n]);
        if (rc < 0) {
            return KTPR_NO_MEMORY;
        }

        if (rc > 0) {
            first[rows->n] = i;
            count[rows->n] = k;

            if (!isnan(rows->rows[rows->n].value.slope)) {
                slopes[sloped++] = rows->rows[rows->n].value.slope;
            }

            rows->n++;
        }
    }

    rows->slope = sloped > 0 ? ktpr_sort_median(slopes, sloped) : 0;

    for (i = 0; i < rows->n; i++) {
        ktpr_row_place(ctx, members + first[i], count[i], rows->slope,
                       &rows->rows[i]);
        ktpr_row_start(ctx, &rows->rows[i]);
        ktpr_row_extend(ctx, &rows->rows[i]);
    }

    return KTPR_DONE;
}


int
ktpr_rows_find(ktpr_pool_t *pool, const ktpr_page_t *page,
               const ktpr_columns_t *columns, ktpr_rows_t *rows)
{
    int             i, n;
    size_t          blobs;
    ktpr_rows_ctx_t ctx;
    ktpr_member_t  *members;

    memset(rows, 0, sizeof(ktpr_rows_t));
    rows->capital = columns->spacing * KTPR_CAPITAL;

    blobs = 1;
    for (i = 0; i < page->n; i++) {
        blobs += (size_t) page->fragments[i].n;
    }

    ctx.pool = pool;
    ctx.page = page;
    ctx.columns = columns;
    ctx.capital = rows->capital;
    ctx.v = ktpr_pool_alloc(pool, blobs, sizeof(double));
    ctx.blobs = ktpr_pool_alloc(pool, blobs, sizeof(ktpr_blob_t));
    ctx.labels = ktpr_pool_alloc(pool, blobs, sizeof(ktpr_blob_t));
    ctx.values = ktpr_pool_alloc(pool, blobs, sizeof(ktpr_blob_t));
    members =
        ktpr_pool_alloc(pool, (size_t) page->n + 1, sizeof(ktpr_member_t));

    if (ctx.v == NULL || ctx.blobs == NULL || ctx.labels == NULL
        || ctx.values == NULL || members == NULL) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_rows_members(&ctx, members);
    if (n < 0 || ktpr_rows_build(&ctx, members, n, rows) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    return rows->n;
}
