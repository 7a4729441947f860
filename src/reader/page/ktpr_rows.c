#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_flatten.h"
#include "ktpr_rows.h"
#include "ktpr_sort.h"


/* A fragment that belongs to a row, cut at the card's edge. */
typedef struct {
    double          y;
    ktpr_fragment_t f;
} ktpr_member_t;

/* What rows are made from. */
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


/* Fragments that begin between the columns' left ends. */
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

        if (f.x0 > values + 1.5 * ctx->capital) {
            continue;
        }

        if (f.x0 < labels - 1.2 * ctx->capital) {
            /* chained to clutter outside the card: the rest of it */
            while (f.n > 0 && f.blobs[0].x <= labels - .8 * ctx->capital) {
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

        if ((f.height > 1.32 * ctx->capital
             && f.height > 1.32 * ctx->page->text)
            || f.height < .5 * ctx->capital) {
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


/* The place of a row's upper and lower edge, by the blobs of its value. */
static void
ktpr_row_edges(const ktpr_rows_ctx_t *ctx, const ktpr_blob_t *blobs, int n,
               double slope, ktpr_strip_t *strip)
{
    int                i, k, tall;
    double             middle, bottom, x;
    const ktpr_blob_t *b;

    tall = 0;
    for (i = 0; i < n; i++) {
        tall += blobs[i].h > .6 * ctx->capital;
    }

    k = 0;
    for (i = 0; i < n; i++) {
        b = &blobs[i];
        if (tall == 0 || b->h > .6 * ctx->capital) {
            ctx->v[k++] = b->y + b->h / 2. - slope * (b->x + b->w / 2.);
        }
    }

    middle = ktpr_sort_median(ctx->v, k);

    k = 0;
    for (i = 0; i < n; i++) {
        b = &blobs[i];
        x = b->x + b->w / 2.;
        if (b->h < 1.25 * ctx->capital
            && (tall == 0 || b->h > .6 * ctx->capital)) {
            ctx->v[k++] = b->y + b->h - slope * x;
        }
    }

    bottom = k > 0 ? ktpr_sort_median(ctx->v, k) : middle + ctx->capital / 2;

    strip->slope = slope;
    strip->bottom = .5 * (middle + ctx->capital / 2) + .5 * bottom;
    strip->top = strip->bottom - ctx->capital;
}


/*
 * A value's first letters left of the edge, which may have been drawn through
 * the second ones: as high as letters, and nearer to the value than a colon
 * is.  They go over from the labels.  Letters that go on further left than an
 * edge can be off are a label that runs into its value: none goes over.
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

        if (start - b->x - b->w > .4 * ctx->capital) {
            break;
        }

        if (b->x < values - 1.6 * ctx->capital) {
            return;
        }

        start = b->x;
    }

    n = 0;
    for (k = *nlabels - 1; k > i; k--) {
        b = &ctx->labels[k];

        if (b->h < .65 * ctx->capital || b->w < .3 * ctx->capital) {
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


/* Parts a row's blobs between its label and its value; the colon goes. */
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

            if (b->x > values - .75 * ctx->capital) {
                ctx->values[(*nvalues)++] = *b;

            } else if (b->w >= .45 * ctx->capital
                       || b->x <= values - 2.2 * ctx->capital
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


/* A row of the members; its slope is NAN when it is too short to tell. */
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

    row->value.slope =
        (f.n < 4 || f.x1 - f.x0 < 7 * ctx->capital) ? NAN : f.slope;
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


/* Slopes that could not be told are the usual one; then the edges. */
static void
ktpr_row_place(const ktpr_rows_ctx_t *ctx, const ktpr_member_t *members, int n,
               double slope, ktpr_row_t *row)
{
    int    nl, nv;
    double values;

    if (isnan(row->value.slope) || fabs(row->value.slope - slope) > .03) {
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

    if (!row->has_value || row->value.x0 > values + .3 * ctx->capital) {
        row->value.x0 = values;
    }
}


/* Fragments further right on the row, from left to right. */
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

        if (f->x0 <= row->value.x1 - 2
            || f->x0 <= row->value.x0 + 2 * ctx->capital
            || fabs(y - ktpr_rows_strip_bottom(&row->value, f->x0))
                   >= .5 * ctx->capital
            || f->height >= 1.5 * ctx->capital) {
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


/* Whether there is ink on the row at x, faint ink too. */
static int
ktpr_row_ink(const ktpr_rows_ctx_t *ctx, const ktpr_row_t *row, double x)
{
    int                y, y0, y1, ink, darkest, v;
    double             bottom;
    const ktpr_gray_t *g;

    g = &ctx->page->level;
    bottom = ktpr_rows_strip_bottom(&row->value, x);
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
        ink += v < .85 * KTPR_PAPER;
        darkest = v < darkest ? v : darkest;
    }

    return darkest < .80 * KTPR_PAPER && ink >= 1 && ink >= .07 * (y1 - y0);
}


/* How far ink goes on from x to the right, over gaps narrower than a word's.
 */
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
        if (ktpr_row_ink(ctx, row, x)) {
            last = x;
            gap = 0;

        } else if (++gap > 1.1 * ctx->capital) {
            break;
        }
    }

    return last;
}


/*
 * The value's left end: where thin letters fall apart, the edge may have been
 * drawn through second letters.  Ink nearer than a colon stands is the
 * value's, unless it has no end: then a label runs into the value.
 */
static void
ktpr_row_start(const ktpr_rows_ctx_t *ctx, ktpr_row_t *row)
{
    int    gap;
    double x, start, limit;

    gap = 0;
    start = row->value.x0;
    limit = row->value.x0 - 2 * ctx->capital;

    for (x = row->value.x0; gap <= .24 * ctx->capital; x--) {
        if (x <= limit) {
            return;
        }

        if (ktpr_row_ink(ctx, row, x)) {
            start = x;
            gap = 0;

        } else {
            gap++;
        }
    }

    row->value.x0 = start;
}


/* The value's right end: faint ink, and fragments near by, belong to it. */
static void
ktpr_row_extend(const ktpr_rows_ctx_t *ctx, ktpr_row_t *row)
{
    int    i, n;
    double photo, aside[16][2], limit;

    photo = ktpr_columns_at(&ctx->columns->values, row->y)
            + KTPR_PHOTO * ctx->columns->spacing;
    n = ktpr_row_aside(ctx, row, aside, 16);

    for (i = 0;; i++) {
        limit = i < n && aside[i][0] < photo ? aside[i][0] : photo;
        row->value.x1 = ktpr_row_grow(ctx, row, row->value.x1, limit);

        if (i == n || aside[i][0] - row->value.x1 >= 1.6 * ctx->capital
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


/* The members from the first on that are on its row. */
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
        k = ktpr_rows_group(members + i, n - i, .42 * ctx->columns->spacing);

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
