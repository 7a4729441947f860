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


/* The sharpness of the profile after a turn by angle degrees. */
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


/* Collects up to most pixels of ink in blobs of a letter's size: how many. */
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
        seen += (blobs[i].h >= KTPR_SKEW_LOW && blobs[i].h <= KTPR_SKEW_HIGH)
                    ? blobs[i].area
                    : 0;
    }

    step = seen / most + 1;
    found = 0;
    seen = 0;

    for (i = 0; i < n; i++) {
        if (blobs[i].h < KTPR_SKEW_LOW || blobs[i].h > KTPR_SKEW_HIGH) {
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


ktpr_status_t
ktpr_skew_turn(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
               const ktpr_blob_t *blobs, int n, double limit, double sharper,
               double *turn)
{
    int           angle, found, best;
    double        score, level, most;
    ktpr_point_t *points;

    best = 0;
    level = most = 0;

    points = ktpr_pool_alloc(pool, KTPR_SKEW_COARSE, sizeof(ktpr_point_t));
    if (points == NULL) {
        return KTPR_NO_MEMORY;
    }

    found =
        ktpr_skew_points(gray, threshold, blobs, n, KTPR_SKEW_COARSE, points);

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

    ktpr_pool_free(pool, points);

    *turn = abs(best) > limit && most > sharper * level ? best : 0;

    return KTPR_DONE;
}


ktpr_status_t
ktpr_skew_level(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                const ktpr_blob_t *blobs, int n, double limit, double *turn)
{
    int           i, found;
    double        angle, best, most, score, centre;
    ktpr_point_t *points;

    static const double steps[] = {KTPR_SKEW_FINE, KTPR_SKEW_FINER};

    best = 0;
    most = 0;

    points = ktpr_pool_alloc(pool, KTPR_SKEW_POINTS, sizeof(ktpr_point_t));
    if (points == NULL) {
        return KTPR_NO_MEMORY;
    }

    found =
        ktpr_skew_points(gray, threshold, blobs, n, KTPR_SKEW_POINTS, points);

    for (angle = -limit; angle <= limit; angle += KTPR_SKEW_STEP) {
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

    ktpr_pool_free(pool, points);

    *turn = best;

    return KTPR_DONE;
}
