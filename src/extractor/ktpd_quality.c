#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpd_glare.h"
#include "ktpd_quality.h"


/* The longer side of what is measured when there is no card. */
#define KTPD_QUALITY_SIDE 1000

/* The spacing of rows at which cards are measured, and the sides allowed. */
#define KTPD_QUALITY_SPACING 22.
#define KTPD_QUALITY_LEAST   500
#define KTPD_QUALITY_MOST    1400

/* The side of the squares that sharpness is told by. */
#define KTPD_QUALITY_TILE 32

/* The side of the squares that colour is told by. */
#define KTPD_QUALITY_PATCH 8

/* Luma of paper in good light. */
#define KTPD_QUALITY_WHITE 200.

const double ktpd_quality_thresholds[KTPD_MEASURES] = {.180, 97., 15., .045};

const char *const ktpd_quality_names[KTPD_MEASURES] = {
    "blur", "dark", "flashlight", "grayscale"};


typedef struct {
    double gradient, laplace;
} ktpd_tile_t;


/* ITU-R BT.601, 2.5.1. */
static int
ktpd_luma(const unsigned char *rgb)
{
    return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000;
}


static int
ktpd_tile_compare(const void *a, const void *b)
{
    const ktpd_tile_t *p = a, *q = b;

    return (q->gradient > p->gradient) - (q->gradient < p->gradient);
}


/* 3x3 binomial smoothing, so that noise is not taken for sharpness. */
static void
ktpd_quality_smooth(const ktpd_gray_t *luma, float *smooth)
{
    int                  x, y, w;
    const unsigned char *p;

    w = luma->w;

    for (y = 1; y < luma->h - 1; y++) {
        for (x = 1; x < w - 1; x++) {
            p = luma->px + (size_t) y * w + x;
            smooth[(size_t) y * w + x] =
                (float) (4 * p[0] + 2 * (p[-1] + p[1] + p[-w] + p[w])
                         + p[-w - 1] + p[-w + 1] + p[w - 1] + p[w + 1])
                / 16.f;
        }
    }
}


static void
ktpd_quality_tile(const float *p, int w, ktpd_tile_t *tile)
{
    int    x, y;
    float  dx, dy, l;
    double gradient, laplace;

    gradient = 0;
    laplace = 0;

    for (y = 0; y < KTPD_QUALITY_TILE; y++, p += w) {
        for (x = 0; x < KTPD_QUALITY_TILE; x++) {
            dx = p[x + 1] - p[x - 1];
            dy = p[x + w] - p[x - w];
            l = p[x + 1] + p[x - 1] + p[x + w] + p[x - w] - 4 * p[x];
            gradient += dx * dx + dy * dy;
            laplace += l * l;
        }
    }

    tile->gradient = gradient;
    tile->laplace = laplace;
}


/*
 * The mean of Laplacian over gradient in the eighth of the tiles with most
 * gradient, less what grain adds to both, which the emptiest tiles tell.
 * floor is the energy of a gradient that is none, for a photo's own light.
 */
static double
ktpd_quality_ratio(const ktpd_tile_t *tiles, int n, double floor)
{
    int    i, used;
    double sum, gradient, laplace;

    used = n / 8 + 1 < n ? n / 8 + 1 : n;
    sum = gradient = laplace = 0;

    for (i = n - used; i < n; i++) {
        gradient += tiles[i].gradient / used;
        laplace += tiles[i].laplace / used;
    }

    for (i = 0; i < used; i++) {
        sum += fmax(0, tiles[i].laplace - laplace)
               / (fmax(0, tiles[i].gradient - gradient)
                  + floor * KTPD_QUALITY_TILE * KTPD_QUALITY_TILE);
    }

    return used > 0 ? sum / used : 0;
}


static int
ktpd_quality_blur(ktpd_pool_t *pool, const ktpd_gray_t *luma, double light,
                  double *blur)
{
    int          x, y, n;
    float       *smooth;
    ktpd_tile_t *tiles;

    smooth = ktpd_pool_alloc(pool, (size_t) luma->w * (size_t) luma->h,
                             sizeof(float));
    tiles = ktpd_pool_alloc(pool,
                            (size_t) (luma->w / KTPD_QUALITY_TILE + 1)
                                * (size_t) (luma->h / KTPD_QUALITY_TILE + 1),
                            sizeof(ktpd_tile_t));
    if (smooth == NULL || tiles == NULL) {
        return -1;
    }

    ktpd_quality_smooth(luma, smooth);
    n = 0;

    for (y = KTPD_QUALITY_TILE; y < luma->h - 2 * KTPD_QUALITY_TILE;
         y += KTPD_QUALITY_TILE) {
        for (x = KTPD_QUALITY_TILE; x < luma->w - 2 * KTPD_QUALITY_TILE;
             x += KTPD_QUALITY_TILE) {
            ktpd_quality_tile(smooth + (size_t) y * luma->w + x, luma->w,
                              &tiles[n++]);
        }
    }

    qsort(tiles, (size_t) n, sizeof(ktpd_tile_t), ktpd_tile_compare);

    *blur = ktpd_quality_ratio(tiles, n, 30 * light * light);

    ktpd_pool_free(pool, smooth);
    ktpd_pool_free(pool, tiles);

    return 0;
}


static double
ktpd_quality_dark(const ktpd_gray_t *luma)
{
    int      x, y, n, sum, v;
    unsigned histogram[256] = {0};

    n = 0;

    for (y = luma->h / 20; y < luma->h - luma->h / 20; y++) {
        for (x = luma->w / 20; x < luma->w - luma->w / 20; x++) {
            histogram[luma->px[(size_t) y * luma->w + x]]++;
            n++;
        }
    }

    sum = 0;
    for (v = 0; v < 255; v++) {
        sum += (int) histogram[v];
        if (sum >= n * .9) {
            break;
        }
    }

    return v;
}


/* The mean colour differences of a square of pixels, and its mean luma. */
static void
ktpd_quality_square(const ktpd_image_t *image, const ktpd_gray_t *luma, int x,
                    int y, double c[3])
{
    int                  i;
    size_t               at;
    const unsigned char *p;

    memset(c, 0, 3 * sizeof(double));

    for (i = 0; i < KTPD_QUALITY_PATCH * KTPD_QUALITY_PATCH; i++) {
        at = (size_t) (y + i / KTPD_QUALITY_PATCH) * (size_t) image->w
             + (size_t) (x + i % KTPD_QUALITY_PATCH);
        p = image->rgb + 3 * at;
        c[0] += .564 * (p[2] - luma->px[at]);
        c[1] += .713 * (p[0] - luma->px[at]);
        c[2] += luma->px[at];
    }

    for (i = 0; i < 3; i++) {
        c[i] /= KTPD_QUALITY_PATCH * KTPD_QUALITY_PATCH;
    }
}


/*
 * A tinted photocopy is gray too: chroma's spread, not its level; and grain
 * is no colour: of squares, in which it cancels out.
 */
static double
ktpd_quality_gray(const ktpd_image_t *image, const ktpd_gray_t *luma)
{
    int    x, y, i, n;
    double sum[3] = {0}, square[2] = {0}, c[3];

    n = 0;

    for (y = luma->h / 10; y < luma->h - luma->h / 10 - KTPD_QUALITY_PATCH;
         y += KTPD_QUALITY_PATCH) {
        for (x = luma->w / 10; x < luma->w - luma->w / 10 - KTPD_QUALITY_PATCH;
             x += KTPD_QUALITY_PATCH) {
            ktpd_quality_square(image, luma, x, y, c);

            for (i = 0; i < 3; i++) {
                sum[i] += c[i];
            }

            square[0] += c[0] * c[0];
            square[1] += c[1] * c[1];
            n++;
        }
    }

    if (n == 0 || sum[2] == 0) {
        return 0;
    }

    square[0] = square[0] / n - sum[0] / n * sum[0] / n;
    square[1] = square[1] / n - sum[1] / n * sum[1] / n;

    return sqrt(fmax(0, square[0]) + fmax(0, square[1])) / (sum[2] / n);
}


int
ktpd_quality_measures(ktpd_pool_t *pool, const ktpd_image_t *image,
                      double spacing, const ktpd_map_t *plane,
                      double measures[KTPD_MEASURES])
{
    int          i, side, to, n;
    ktpd_map_t   map, reduce;
    ktpd_gray_t  luma;
    ktpd_image_t small;

    memset(measures, 0, sizeof(double) * KTPD_MEASURES);
    small = *image;
    side = image->w > image->h ? image->w : image->h;

    if (image->w < 4 * KTPD_QUALITY_TILE || image->h < 4 * KTPD_QUALITY_TILE) {
        return -1;
    }

    to = KTPD_QUALITY_SIDE;

    if (spacing > 0) {
        to = (int) fmax(
            fmin(side * KTPD_QUALITY_SPACING / spacing, KTPD_QUALITY_MOST),
            KTPD_QUALITY_LEAST);
    }

    if (side > to
        && ktpd_image_reduce(pool, image, image->w * to / side,
                             image->h * to / side, &small)
               != 0) {
        return -1;
    }

    if (ktpd_gray_create(pool, small.w, small.h, &luma) != 0) {
        return -1;
    }

    n = small.w * small.h;
    for (i = 0; i < n; i++) {
        luma.px[i] = (unsigned char) ktpd_luma(small.rgb + 3 * (size_t) i);
    }

    measures[KTPD_MEASURE_DARK] = ktpd_quality_dark(&luma);

    if (plane != NULL) {
        reduce = ktpd_map_affine((double) small.w / image->w, 0, 0, 0,
                                 (double) small.h / image->h, 0);
        map = ktpd_map_then(plane, &reduce);
    }

    if (ktpd_quality_blur(pool, &luma,
                          measures[KTPD_MEASURE_DARK] / KTPD_QUALITY_WHITE,
                          &measures[KTPD_MEASURE_BLUR])
            != 0
        || ktpd_glare_measure(pool, &small, plane != NULL ? &map : NULL,
                              spacing * small.w / image->w,
                              &measures[KTPD_MEASURE_FLASH])
               != 0) {
        return -1;
    }

    measures[KTPD_MEASURE_GRAY] = ktpd_quality_gray(&small, &luma);

    ktpd_pool_free(pool, luma.px);
    if (small.rgb != image->rgb) {
        ktpd_pool_free(pool, small.rgb);
    }

    return 0;
}


/* .5 at the threshold, towards 0 and 1 at a few times it. */
static double
ktpd_quality_score(double measure, double threshold)
{
    return measure / (measure + threshold);
}


void
ktpd_quality_judge(const double    measures[KTPD_MEASURES],
                   ktpd_quality_t *quality)
{
    double        score[KTPD_MEASURES];
    const double *t;

    t = ktpd_quality_thresholds;

    score[KTPD_MEASURE_BLUR] =
        ktpd_quality_score(t[KTPD_MEASURE_BLUR], measures[KTPD_MEASURE_BLUR]);
    score[KTPD_MEASURE_DARK] =
        ktpd_quality_score(t[KTPD_MEASURE_DARK], measures[KTPD_MEASURE_DARK]);
    score[KTPD_MEASURE_GRAY] =
        ktpd_quality_score(t[KTPD_MEASURE_GRAY], measures[KTPD_MEASURE_GRAY]);
    score[KTPD_MEASURE_FLASH] = ktpd_quality_score(
        measures[KTPD_MEASURE_FLASH], t[KTPD_MEASURE_FLASH]);

    memcpy(quality->measures, measures, sizeof(quality->measures));
    quality->blur = score[KTPD_MEASURE_BLUR] > .5;
    quality->dark = score[KTPD_MEASURE_DARK] > .5;
    quality->flashlight = score[KTPD_MEASURE_FLASH] > .5;
    quality->grayscale = score[KTPD_MEASURE_GRAY] > .5;
    quality->blur_score = score[KTPD_MEASURE_BLUR];
    quality->dark_score = score[KTPD_MEASURE_DARK];
    quality->flashlight_score = score[KTPD_MEASURE_FLASH];
    quality->grayscale_score = score[KTPD_MEASURE_GRAY];
}
