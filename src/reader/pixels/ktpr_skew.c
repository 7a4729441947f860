#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_map.h"
#include "ktpr_skew.h"


/* Numbers were chosen by eye, set not recorded. */

/*
 * Pixels of ink that a profile is made of, at most: for a fine search, and for
 * one of all directions.  Fewer make the angle uncertain; more cost time.
 */
#define KTPR_SKEW_POINTS 20000
#define KTPR_SKEW_COARSE 5000

/* fixed: longer side of the page in bins of the profile, and its diagonal */
#define KTPR_SKEW_SIDE 420
#define KTPR_SKEW_BINS 640

/* Heights of blobs that may be letters, in pixels. */
#define KTPR_SKEW_LOW  5
#define KTPR_SKEW_HIGH 50

/* Steps of the search, in degrees: the first, and around the best of it. */
#define KTPR_SKEW_STEP  .5
#define KTPR_SKEW_FINE  .25
#define KTPR_SKEW_FINER .1


/*
 * fixed: points that are turned at once, and profiles that are counted in
 * turn: neighbours are mostly of one bin, and each count waits for the last.
 */
#define KTPR_SKEW_RUN      16
#define KTPR_SKEW_PROFILES 4

/* Pixels of ink, from the middle of the page; room for whole runs. */
typedef struct {
    int   n;
    float x[KTPR_SKEW_POINTS + KTPR_SKEW_RUN];
    float y[KTPR_SKEW_POINTS + KTPR_SKEW_RUN];
} ktpr_ink_t;


/* The bins of KTPR_SKEW_RUN points after a turn with sine s, cosine c. */
static void
ktpr_skew_bins(const float *restrict x, const float *restrict y, float c,
               float s, int *restrict bins)
{
    int i;

    for (i = 0; i < KTPR_SKEW_RUN; i++) {
        bins[i] = (int) (y[i] * c - x[i] * s + KTPR_SKEW_BINS / 2.f);
    }
}


/* The sharpness of the profile after a turn by angle degrees. */
static double
ktpr_skew_score(const ktpr_ink_t *ink, double angle)
{
    int      i, k, n, bins[KTPR_SKEW_RUN];
    float    c, s, profile[KTPR_SKEW_BINS + 2], last, now;
    double   sum;
    unsigned counts[KTPR_SKEW_PROFILES][KTPR_SKEW_BINS];

    c = (float) cos(angle * M_PI / 180);
    s = (float) sin(angle * M_PI / 180);
    memset(counts, 0, sizeof(counts));
    memset(profile, 0, sizeof(profile));

    for (i = 0; i < ink->n; i += KTPR_SKEW_RUN) {
        ktpr_skew_bins(ink->x + i, ink->y + i, c, s, bins);

        n = ink->n - i < KTPR_SKEW_RUN ? ink->n - i : KTPR_SKEW_RUN;

#pragma GCC unroll 4
        for (k = 0; k < n; k++) {
            if (bins[k] >= 0 && bins[k] < KTPR_SKEW_BINS) {
                counts[k % KTPR_SKEW_PROFILES][bins[k]]++;
            }
        }
    }

    for (k = 0; k < KTPR_SKEW_PROFILES; k++) {
        for (i = 0; i < KTPR_SKEW_BINS; i++) {
            profile[i + 1] += (float) counts[k][i];
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


/*
 * Collects up to most pixels of ink in blobs of a letter's size, which belong
 * to the pool; NULL: no memory.
 */
static ktpr_ink_t *
ktpr_skew_ink(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
              const ktpr_blob_t *blobs, int n, int most)
{
    int         i, x, y, step, seen;
    double      scale;
    ktpr_ink_t *ink;

    ink = ktpr_pool_alloc(pool, 1, sizeof(ktpr_ink_t));
    if (ink == NULL) {
        return NULL;
    }

    scale = (double) KTPR_SKEW_SIDE / (gray->w > gray->h ? gray->w : gray->h);
    seen = 0;

    for (i = 0; i < n; i++) {
        seen += (blobs[i].h >= KTPR_SKEW_LOW && blobs[i].h <= KTPR_SKEW_HIGH)
                    ? blobs[i].area
                    : 0;
    }

    step = seen / most + 1;
    seen = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < KTPR_SKEW_LOW || blobs[i].h > KTPR_SKEW_HIGH) {
            continue;
        }

        for (y = blobs[i].y; y < blobs[i].y + blobs[i].h; y++) {
            for (x = blobs[i].x; x < blobs[i].x + blobs[i].w; x++) {
                if (gray->px[(size_t) y * gray->w + x] < threshold
                    && seen++ % step == 0 && ink->n < most) {
                    ink->x[ink->n] = (float) ((x - gray->w / 2.) * scale);
                    ink->y[ink->n++] = (float) ((y - gray->h / 2.) * scale);
                }
            }
        }
    }

    return ink;
}


ktpr_status_t
ktpr_skew_turn(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
               const ktpr_blob_t *blobs, int n, double limit, double sharper,
               double *turn)
{
    int         angle, best;
    double      score, level, most;
    ktpr_ink_t *ink;

    best = 0;
    level = most = 0;

    ink = ktpr_skew_ink(pool, gray, threshold, blobs, n, KTPR_SKEW_COARSE);
    if (ink == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (angle = -89; angle <= 90; angle++) {
        score = ktpr_skew_score(ink, angle);

        if (score > most) {
            most = score;
            best = angle;
        }

        if (abs(angle) <= limit) {
            level = fmax(level, score);
        }
    }

    ktpr_pool_free(pool, ink);

    *turn = abs(best) > limit && most > sharper * level ? best : 0;

    return KTPR_DONE;
}


ktpr_status_t
ktpr_skew_level(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                const ktpr_blob_t *blobs, int n, double limit, double *turn)
{
    int         i;
    double      angle, best, most, score, centre;
    ktpr_ink_t *ink;

    static const double steps[] = {KTPR_SKEW_FINE, KTPR_SKEW_FINER};

    best = 0;
    most = 0;

    ink = ktpr_skew_ink(pool, gray, threshold, blobs, n, KTPR_SKEW_POINTS);
    if (ink == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (angle = -limit; angle <= limit; angle += KTPR_SKEW_STEP) {
        score = ktpr_skew_score(ink, angle);
        if (score > most) {
            most = score;
            best = angle;
        }
    }

    for (i = 0; i < 4; i++) {
        centre = best;
        angle = centre + (i % 2 ? steps[i / 2] : -steps[i / 2]);
        score = ktpr_skew_score(ink, angle);
        if (score > most) {
            most = score;
            best = angle;
        }
    }

    ktpr_pool_free(pool, ink);

    *turn = best;

    return KTPR_DONE;
}
