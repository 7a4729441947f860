#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_fragments.h"
#include "ktpr_sort.h"


ktpr_status_t
ktpr_fragments_text(ktpr_pool_t *pool, const ktpr_blob_t *blobs, int n,
                    double *text)
{
    int              i, j, found, best, votes;
    double           score, most, histogram[82];
    ktpr_fragment_t *f;

    memset(histogram, 0, sizeof(histogram));
    votes = 0;

    found = ktpr_fragments_find(pool, blobs, n, 8, 1.2, &f);
    if (found < 0) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < found; i++) {
        for (j = 0; f[i].n >= 4 && j < f[i].n; j++) {
            if (f[i].blobs[j].h < 61) {
                histogram[f[i].blobs[j].h]++;
                votes++;
            }
        }
    }

    for (i = 0; votes < 15 && i < n; i++) {
        if (blobs[i].h >= 6 && blobs[i].h <= 45
            && blobs[i].w < 6 * blobs[i].h) {
            histogram[blobs[i].h]++;
        }
    }

    best = 0;
    most = 0;

    for (i = 6; i < 60; i++) {
        score = histogram[i] + .5 * (histogram[i - 1] + histogram[i + 1]);
        if (score > most) {
            most = score;
            best = i;
        }
    }

    *text = best;

    return KTPR_DONE;
}


/* The best right-hand neighbour of blob i, or -1. */
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

        if (c->h < .45 * height || c->x <= b->x + .3 * b->w
            || (b->h > c->h ? b->h : c->h) >= 2.2 * lower) {
            continue;
        }

        overlap = (b->y + b->h < c->y + c->h ? b->y + b->h : c->y + c->h)
                  - (b->y > c->y ? b->y : c->y);
        if (overlap <= .55 * lower) {
            continue;
        }

        distance = c->x - (b->x + b->w) + 2 * abs(c->y + c->h - b->y - b->h);

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

    for (j = 0; j < 3 && f->n >= 4 && f->x1 - f->x0 > 7 * h; j++) {
        used = 0;
        sx = sy = sxx = sxy = 0;

        for (i = 0; i < f->n; i++) {
            x = f->blobs[i].x + f->blobs[i].w / 2.;
            y = f->blobs[i].y + f->blobs[i].h / 2.;

            if (j > 0 && fabs(y - a - b * x) >= (h > 6 ? .25 * h : 1.5)) {
                continue;
            }

            used++;
            sx += x;
            sy += y;
            sxx += x * x;
            sxy += x * y;
        }

        det = used * sxx - sx * sx;
        if (used < 3 || det < 1) {
            break;
        }

        b = (used * sxy - sx * sy) / det;
        a = (sy - b * sx) / used;
        f->slope = b > .12 ? .12 : (b < -.12 ? -.12 : b);
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

        if (blobs[i].h >= .45 * height) {
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
        if (has[i] || blobs[i].h < .45 * height) {
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
