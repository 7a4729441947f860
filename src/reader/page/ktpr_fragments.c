#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_fragments.h"
#include "ktpr_sort.h"


/*
 * Heights and gaps are in heights of a capital if no other unit is given.
 * Numbers were chosen by eye, set not recorded.
 */

/*
 * Blobs of a chain: LOW at least, or dots and grain chain rows together; one
 * begins at least STEP of the last one's width right of it, is at most TIMES
 * as high or as low, and beside at least OVERLAP of the lower one.
 */
#define KTPR_FRAGMENTS_LOW     .45
#define KTPR_FRAGMENTS_STEP    .3
#define KTPR_FRAGMENTS_TIMES   2.2
#define KTPR_FRAGMENTS_OVERLAP .55

/* Pixels of distance that a pixel between base lines counts as. */
#define KTPR_FRAGMENTS_BASE 2

/*
 * The slope is told from at least so many blobs, over so many of their
 * heights, in so many rounds; less makes words of three letters slant.
 */
#define KTPR_FRAGMENTS_SLOPE_BLOBS 4
#define KTPR_FRAGMENTS_SLOPE_LONG  7
#define KTPR_FRAGMENTS_ROUNDS      3

/*
 * From the second round on blobs whose middle is further off the line do not
 * count, and fewer than USED tell nothing.  In heights of the blobs, but
 * pixels where these are lower than SMALL pixels.
 */
#define KTPR_FRAGMENTS_OFF       .25
#define KTPR_FRAGMENTS_OFF_SMALL 1.5
#define KTPR_FRAGMENTS_SMALL     6
#define KTPR_FRAGMENTS_USED      3

/* The largest slope, a tangent: the page is level to a few degrees. */
#define KTPR_FRAGMENTS_SLOPE .12

/*
 * Measuring the height of text: chains are made for capitals of HEIGHT pixels
 * with GAP between, and count from CHAIN blobs on.  With fewer than VOTES
 * blobs in them each blob of a letter's shape counts.
 */
#define KTPR_FRAGMENTS_TEXT_HEIGHT 8 /* pixels */
#define KTPR_FRAGMENTS_TEXT_GAP    1.2
#define KTPR_FRAGMENTS_TEXT_CHAIN  4
#define KTPR_FRAGMENTS_TEXT_VOTES  15

/* fixed: heights of text on the level page, in pixels, 6 to 59 */
#define KTPR_FRAGMENTS_TEXT_LEAST 6
#define KTPR_FRAGMENTS_TEXT_MOST  60

/* A lone blob of a letter's shape: height in pixels, width in its heights. */
#define KTPR_FRAGMENTS_LONE_HIGH 45
#define KTPR_FRAGMENTS_LONE_WIDE 6

/* Weight of the two heights beside one in its score. */
#define KTPR_FRAGMENTS_TEXT_BESIDE .5


ktpr_status_t
ktpr_fragments_text(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                    double *text)
{
    int              i, j, found, best, votes;
    double           score, most, histogram[KTPR_FRAGMENTS_TEXT_MOST + 1];
    ktpr_fragment_t *f;

    memset(histogram, 0, sizeof(histogram));
    votes = 0;

    found = ktpr_fragments_find(pool, blobs, n, KTPR_FRAGMENTS_TEXT_HEIGHT,
                                KTPR_FRAGMENTS_TEXT_GAP, &f);
    if (found < 0) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < found; i++) {
        for (j = 0; f[i].n >= KTPR_FRAGMENTS_TEXT_CHAIN && j < f[i].n; j++) {
            if (f[i].blobs[j].h <= KTPR_FRAGMENTS_TEXT_MOST) {
                histogram[f[i].blobs[j].h]++;
                votes++;
            }
        }
    }

    for (i = 0; votes < KTPR_FRAGMENTS_TEXT_VOTES && i < n; i++) {
        if (blobs[i].h >= KTPR_FRAGMENTS_TEXT_LEAST
            && blobs[i].h <= KTPR_FRAGMENTS_LONE_HIGH
            && blobs[i].w < KTPR_FRAGMENTS_LONE_WIDE * blobs[i].h) {
            histogram[blobs[i].h]++;
        }
    }

    best = 0;
    most = 0;

    for (i = KTPR_FRAGMENTS_TEXT_LEAST; i < KTPR_FRAGMENTS_TEXT_MOST; i++) {
        score = histogram[i]
                + KTPR_FRAGMENTS_TEXT_BESIDE
                      * (histogram[i - 1] + histogram[i + 1]);
        if (score > most) {
            most = score;
            best = i;
        }
    }

    *text = best;

    return KTPR_DONE;
}


/* The best right neighbour of blob i, or -1 when it has none. */
static int
ktpr_blob_next(const ktpr_blob_t *blobs, int n, int i, double height,
               double gap)
{
    int                j, best, overlap, lower;
    double             distance, least, reach;
    const ktpr_blob_t *b, *c;

    b = &blobs[i];
    best = -1;
    least = 0;
    reach = gap * (b->h > height ? b->h : height);

    for (j = i + 1; j < n && blobs[j].x - (b->x + b->w) < reach; j++) {
        c = &blobs[j];
        lower = b->h < c->h ? b->h : c->h;

        if (c->h < KTPR_FRAGMENTS_LOW * height
            || c->x <= b->x + KTPR_FRAGMENTS_STEP * b->w
            || (b->h > c->h ? b->h : c->h) >= KTPR_FRAGMENTS_TIMES * lower) {
            continue;
        }

        overlap = (b->y + b->h < c->y + c->h ? b->y + b->h : c->y + c->h)
                  - (b->y > c->y ? b->y : c->y);
        if (overlap <= KTPR_FRAGMENTS_OVERLAP * lower) {
            continue;
        }

        distance = c->x - (b->x + b->w)
                   + KTPR_FRAGMENTS_BASE * abs(c->y + c->h - b->y - b->h);

        if (best < 0 || distance < least) {
            best = j;
            least = distance;
        }
    }

    return best;
}


ktpr_status_t
ktpr_fragments_fit(ktpr_pool_t *pool, ktpr_fragment_t *f)
{
    int    i, j, used;
    double h, sx, sy, sxx, sxy, x, y, a, b, det, *v;

    v = ktpr_pool_alloc(pool, (size_t) f->n, sizeof(double));
    if (v == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < f->n; i++) {
        v[i] = f->blobs[i].h;
    }

    h = ktpr_sort_median(v, f->n);
    f->x0 = f->blobs[0].x;
    f->x1 = 0;

    for (i = 0; i < f->n; i++) {
        if (f->blobs[i].x + f->blobs[i].w > f->x1) {
            f->x1 = f->blobs[i].x + f->blobs[i].w;
        }
    }

    f->slope = 0;
    a = 0;
    b = 0;

    for (j = 0; j < KTPR_FRAGMENTS_ROUNDS && f->n >= KTPR_FRAGMENTS_SLOPE_BLOBS
                && f->x1 - f->x0 > KTPR_FRAGMENTS_SLOPE_LONG * h;
         j++) {
        used = 0;
        sx = sy = sxx = sxy = 0;

        for (i = 0; i < f->n; i++) {
            x = f->blobs[i].x + f->blobs[i].w / 2.;
            y = f->blobs[i].y + f->blobs[i].h / 2.;

            if (j > 0
                && fabs(y - a - b * x) >= (h > KTPR_FRAGMENTS_SMALL
                                               ? KTPR_FRAGMENTS_OFF * h
                                               : KTPR_FRAGMENTS_OFF_SMALL)) {
                continue;
            }

            used++;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }

        det = used * sxx - sx * sx;
        if (used < KTPR_FRAGMENTS_USED || det < 1) {
            break;
        }

        b = (used * sxy - sx * sy) / det;
        a = (sy - b * sx) / used;
        f->slope =
            b > KTPR_FRAGMENTS_SLOPE
                ? KTPR_FRAGMENTS_SLOPE
                : (b < -KTPR_FRAGMENTS_SLOPE ? -KTPR_FRAGMENTS_SLOPE : b);
    }

    for (i = 0; i < f->n; i++) {
        v[i] = f->blobs[i].y + f->blobs[i].h
               - f->slope * (f->blobs[i].x + f->blobs[i].w / 2.);
    }

    f->bottom = ktpr_sort_median(v, f->n);

    for (i = 0; i < f->n; i++) {
        v[i] = f->blobs[i].y - f->slope * (f->blobs[i].x + f->blobs[i].w / 2.);
    }

    f->top = ktpr_sort_median(v, f->n);
    f->height = h;
    ktpr_pool_free(pool, v);

    return KTPR_DONE;
}


int
ktpr_fragments_find(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                    double height, double gap, ktpr_fragment_t **fragments)
{
    int              i, j, k, found, *next, *has;
    ktpr_blob_t     *chained;
    ktpr_fragment_t *f;

    next = ktpr_pool_alloc(pool, (size_t) n + 1, 2 * sizeof(int));
    chained = ktpr_pool_alloc(pool, (size_t) n + 1, sizeof(ktpr_blob_t));
    f = ktpr_pool_alloc(pool, (size_t) n + 1, sizeof(ktpr_fragment_t));

    if (next == NULL || chained == NULL || f == NULL) {
        return KTPR_NO_MEMORY;
    }

    has = next + n;

    for (i = 0; i < n; i++) {
        next[i] = -1;

        if (blobs[i].h >= KTPR_FRAGMENTS_LOW * height) {
            j = ktpr_blob_next(blobs, n, i, height, gap);
            if (j >= 0 && !has[j]) {
                next[i] = j;
                has[j] = 1;
            }
        }
    }

    found = 0;
    k = 0;

    for (i = 0; i < n; i++) {
        if (has[i] || blobs[i].h < KTPR_FRAGMENTS_LOW * height) {
            continue;
        }

        f[found].blobs = chained + k;

        for (j = i; j >= 0; j = next[j]) {
            chained[k++] = blobs[j];
            f[found].n++;
        }

        if (ktpr_fragments_fit(pool, &f[found++]) != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }
    }

    *fragments = f;

    return found;
}
