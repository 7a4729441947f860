#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <leptonica/allheaders.h>

#include "ktpr_fragments.h"


#define KTPR_SKEW_POINTS 20000
#define KTPR_TURN_POINTS 5000
#define KTPR_SKEW_SIDE   420 /* the image's longer side, in profile bins */
#define KTPR_SKEW_BINS   640 /* enough for its diagonal */


static PIX *
ktpr_blobs_mask(const ktpr_gray_t *gray, int threshold)
{
    int                  x, y;
    PIX                 *pix;
    l_uint32            *line;
    const unsigned char *p;

    pix = pixCreate(gray->w, gray->h, 1);
    if (pix == NULL) {
        return NULL;
    }

    p = gray->px;

    for (y = 0; y < gray->h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);
        for (x = 0; x < gray->w; x++) {
            if (*p++ < threshold) {
                SET_DATA_BIT(line, x);
            }
        }
    }

    return pix;
}


static int
ktpr_blob_compare(const void *a, const void *b)
{
    const ktpr_blob_t *p = a, *q = b;

    return p->x != q->x ? p->x - q->x : p->y - q->y;
}


static int
ktpr_blobs_keep(PIXA *pixa, BOXA *boxa, int max_height, int max_width,
                ktpr_blob_t *blobs, int *tab)
{
    int         i, n, kept;
    PIX        *pix;
    ktpr_blob_t b;

    n = boxaGetCount(boxa);
    kept = 0;

    for (i = 0; i < n && kept < KTPR_MAX_BLOBS; i++) {
        boxaGetBoxGeometry(boxa, i, &b.x, &b.y, &b.w, &b.h);

        if ((b.h < 4 && b.w < 4) || b.h > max_height || b.w > max_width) {
            continue;
        }

        pix = pixaGetPix(pixa, i, L_CLONE);
        pixCountPixels(pix, &b.area, tab);
        pixDestroy(&pix);

        if (b.area < 4 || b.area * 100 < 8 * b.w * b.h) {
            continue;
        }

        blobs[kept++] = b;
    }

    return kept;
}


int
ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                int max_height, int max_width, ktpr_blob_t **blobs)
{
    int   n, *tab;
    PIX  *pix;
    BOXA *boxa;
    PIXA *pixa;

    *blobs = ktpr_pool_alloc(pool, KTPR_MAX_BLOBS, sizeof(ktpr_blob_t));
    pix = ktpr_blobs_mask(gray, threshold);
    pixa = NULL;
    boxa = pix != NULL ? pixConnComp(pix, &pixa, 8) : NULL;
    tab = makePixelSumTab8();
    n = -1;

    if (*blobs != NULL && boxa != NULL && tab != NULL) {
        n = ktpr_blobs_keep(pixa, boxa, max_height, max_width, *blobs, tab);
        qsort(*blobs, (size_t) n, sizeof(ktpr_blob_t), ktpr_blob_compare);
        n = n < KTPR_MAX_BLOBS ? n : 0;
    }

    LEPT_FREE(tab);
    boxaDestroy(&boxa);
    pixaDestroy(&pixa);
    pixDestroy(&pix);

    return n;
}


/* How spiky the profile is after a turn by angle degrees. */
static double
ktpr_skew_score(const ktpr_point_t *points, int n, double angle)
{
    int    i, bin;
    float  c, s, profile[KTPR_SKEW_BINS + 2], last, now;
    double sum;

    c = (float) cos(angle * M_PI / 180);
    s = (float) sin(angle * M_PI / 180);
    memset(profile, 0, sizeof(profile));

    for (i = 0; i < n; i++) {
        bin = (int) ((float) points[i].y * c - (float) points[i].x * s
                     + KTPR_SKEW_BINS / 2.f);
        if (bin >= 0 && bin < KTPR_SKEW_BINS) {
            profile[bin + 1]++;
        }
    }

    sum = 0;
    last = 0;

    for (i = 1; i <= KTPR_SKEW_BINS; i++) {
        now = .25f * profile[i - 1] + .5f * profile[i] + .25f * profile[i + 1];
        sum += (now - last) * (now - last);
        last = now;
    }

    return sum;
}


/* Ink inside blobs of about a letter's size, at most so many pixels of it. */
static int
ktpr_skew_points(const ktpr_gray_t *gray, int threshold,
                 const ktpr_blob_t *blobs, int n, int most,
                 ktpr_point_t *points)
{
    int    i, x, y, found, step, seen;
    double scale;

    scale = (double) KTPR_SKEW_SIDE / (gray->w > gray->h ? gray->w : gray->h);
    seen = 0;

    for (i = 0; i < n; i++) {
        seen += (blobs[i].h >= 5 && blobs[i].h <= 50) ? blobs[i].area : 0;
    }

    step = seen / most + 1;
    found = 0;
    seen = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < 5 || blobs[i].h > 50) {
            continue;
        }

        for (y = blobs[i].y; y < blobs[i].y + blobs[i].h; y++) {
            for (x = blobs[i].x; x < blobs[i].x + blobs[i].w; x++) {
                if (gray->px[(size_t) y * gray->w + x] < threshold
                    && seen++ % step == 0 && found < most) {
                    points[found].x = (x - gray->w / 2.) * scale;
                    points[found++].y = (y - gray->h / 2.) * scale;
                }
            }
        }
    }

    return found;
}


double
ktpr_blobs_turn(const ktpr_gray_t *gray, int threshold,
                const ktpr_blob_t *blobs, int n, double limit, double sharper)
{
    int           angle, found, best;
    double        score, level, most;
    ktpr_point_t *points;

    best = 0;
    level = most = 0;

    points = malloc(KTPR_TURN_POINTS * sizeof(ktpr_point_t));
    if (points == NULL) {
        return 0;
    }

    found =
        ktpr_skew_points(gray, threshold, blobs, n, KTPR_TURN_POINTS, points);

    for (angle = -89; angle <= 90; angle++) {
        score = ktpr_skew_score(points, found, angle);

        if (score > most) {
            most = score;
            best = angle;
        }

        if (abs(angle) <= limit) {
            level = fmax(level, score);
        }
    }

    free(points);

    return abs(best) > limit && most > sharper * level ? best : 0;
}


double
ktpr_blobs_skew(const ktpr_gray_t *gray, int threshold,
                const ktpr_blob_t *blobs, int n, double limit)
{
    int           i, found;
    double        angle, best, most, score, centre;
    ktpr_point_t *points;

    static const double steps[] = {.25, .1};

    best = 0;
    most = 0;

    points = malloc(KTPR_SKEW_POINTS * sizeof(ktpr_point_t));
    if (points == NULL) {
        return 0;
    }

    found =
        ktpr_skew_points(gray, threshold, blobs, n, KTPR_SKEW_POINTS, points);

    for (angle = -limit; angle <= limit; angle += .5) {
        score = ktpr_skew_score(points, found, angle);
        if (score > most) {
            most = score;
            best = angle;
        }
    }

    for (i = 0; i < 4; i++) {
        centre = best;
        angle = centre + (i % 2 ? steps[i / 2] : -steps[i / 2]);
        score = ktpr_skew_score(points, found, angle);
        if (score > most) {
            most = score;
            best = angle;
        }
    }

    free(points);

    return best;
}


static int
ktpr_double_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


double
ktpr_median(double *v, int n)
{
    qsort(v, (size_t) n, sizeof(double), ktpr_double_compare);

    return v[(n - 1) / 2];
}


double
ktpr_blobs_height(ktpr_pool_t *pool, ktpr_blob_t *blobs, int n)
{
    int              i, j, found, best, votes;
    double           score, most, histogram[82];
    ktpr_fragment_t *f;

    memset(histogram, 0, sizeof(histogram));
    votes = 0;

    found = ktpr_fragments_find(pool, blobs, n, 8, 1.2, &f);

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

    return best;
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


void
ktpr_fragment_fit(ktpr_fragment_t *f)
{
    int    i, j, used;
    double h, sx, sy, sxx, sxy, x, y, a, b, det, *v;

    v = malloc(sizeof(double) * (size_t) f->n);
    if (v == NULL) {
        return;
    }

    for (i = 0; i < f->n; i++) {
        v[i] = f->blobs[i].h;
    }

    h = ktpr_median(v, f->n);
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

    f->bottom = ktpr_median(v, f->n);

    for (i = 0; i < f->n; i++) {
        v[i] = f->blobs[i].y - f->slope * (f->blobs[i].x + f->blobs[i].w / 2.);
    }

    f->top = ktpr_median(v, f->n);
    f->height = h;
    free(v);
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
        return -1;
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

        ktpr_fragment_fit(&f[found++]);
    }

    *fragments = f;

    return found;
}
