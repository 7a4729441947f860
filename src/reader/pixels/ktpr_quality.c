#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_glare.h"
#include "ktpr_gray.h"
#include "ktpr_quality.h"
#include "ktpr_warp.h"


/*
 * "make quality SET=dir" finds thresholds from labelled images and shows what
 * they do (docs/accuracy.md).  Flashlight's was tuned on the "quality" set and
 * on bench/reader/draw-set quality, seeds 12000 and 15000; the set of the
 * other numbers is not recorded.
 */

/* Longer side that is measured when there is no card, in pixels. */
#define KTPR_QUALITY_SIDE 1000

/*
 * Row spacing at which cards are measured, and the longer side of the image
 * then, at least and at most, in pixels.  Print has to be the same size in all
 * images, or large cards are taken as blurred.
 */
#define KTPR_QUALITY_SPACING 22.
#define KTPR_QUALITY_LEAST   500
#define KTPR_QUALITY_MOST    1400

/* Tiles that an image is wide and high, at least, to be measured. */
#define KTPR_QUALITY_TILES 4

/* Side of the tiles for sharpness, of the squares for colour, in pixels. */
#define KTPR_QUALITY_TILE  32
#define KTPR_QUALITY_PATCH 8

/* One tile in so many has print, and one has nothing but grain. */
#define KTPR_QUALITY_SHARPEST 8

/* Luma of paper in good light. */
#define KTPR_QUALITY_WHITE 200.

/*
 * Energy of gradients a pixel that is no print, in that light.  Less makes an
 * empty image sharp; more makes faint print blurred.
 */
#define KTPR_QUALITY_FLOOR 30

/* Rims that are not measured: 1 / RIM of a side for luma and for colour. */
#define KTPR_QUALITY_DARK_RIM 20
#define KTPR_QUALITY_GRAY_RIM 10

/* The part of pixels that are darker than the measure of darkness. */
#define KTPR_QUALITY_DARK .9

/* fixed: colour differences, ITU-R BT.601, 2.5.2, from 1 / 1.772 and 1
 * / 1.402. */
#define KTPR_QUALITY_BLUE .564
#define KTPR_QUALITY_RED  .713

const double ktpr_quality_thresholds[KTPR_MEASURES] = {
    [KTPR_MEASURE_BLUR] = .180,
    [KTPR_MEASURE_DARK] = 97.,
    [KTPR_MEASURE_FLASH] = 15.,
    [KTPR_MEASURE_GRAY] = .045,
};


const char *const ktpr_quality_names[KTPR_MEASURES] = {
    "blur", "dark", "flashlight", "grayscale"};


typedef struct {
    double gradient, laplace;
} ktpr_tile_t;


/* Luma, ITU-R BT.601, 2.5.1. */
static int
ktpr_luma(const unsigned char *rgb)
{
    return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000;
}


static int
ktpr_tile_compare(const void *a, const void *b)
{
    const ktpr_tile_t *p = a, *q = b;

    return (q->gradient > p->gradient) - (q->gradient < p->gradient);
}


/* Smooths by a 3x3 binomial filter, so that noise does not look sharp. */
static void
ktpr_quality_smooth(const ktpr_gray_t *luma, float *smooth)
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
ktpr_quality_tile(const float *p, int w, ktpr_tile_t *tile)
{
    int    x, y;
    float  dx, dy, l;
    double gradient, laplace;

    gradient = 0;
    laplace = 0;

    for (y = 0; y < KTPR_QUALITY_TILE; y++, p += w) {
        for (x = 0; x < KTPR_QUALITY_TILE; x++) {
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
 * The mean of Laplacian over gradient in the tiles with most gradient, less
 * what grain adds to both, which is measured in the emptiest tiles.  floor is
 * the energy of gradients that are no print, at the light of the photo.
 */
static double
ktpr_quality_ratio(const ktpr_tile_t *tiles, int n, double floor)
{
    int    i, used;
    double sum, gradient, laplace;

    used =
        n / KTPR_QUALITY_SHARPEST + 1 < n ? n / KTPR_QUALITY_SHARPEST + 1 : n;
    sum = gradient = laplace = 0;

    for (i = n - used; i < n; i++) {
        gradient += tiles[i].gradient / used;
        laplace += tiles[i].laplace / used;
    }

    for (i = 0; i < used; i++) {
        sum += fmax(0, tiles[i].laplace - laplace)
               / (fmax(0, tiles[i].gradient - gradient)
                  + floor * KTPR_QUALITY_TILE * KTPR_QUALITY_TILE);
    }

    return used > 0 ? sum / used : 0;
}


static ktpr_status_t
ktpr_quality_blur(ktpr_pool_t *pool, const ktpr_gray_t *luma, double light,
                  double *blur)
{
    int          x, y, n;
    float       *smooth;
    ktpr_tile_t *tiles;

    smooth = ktpr_pool_alloc(pool, (size_t) luma->w * (size_t) luma->h,
                             sizeof(float));
    tiles = ktpr_pool_alloc(pool,
                            (size_t) (luma->w / KTPR_QUALITY_TILE + 1)
                                * (size_t) (luma->h / KTPR_QUALITY_TILE + 1),
                            sizeof(ktpr_tile_t));
    if (smooth == NULL || tiles == NULL) {
        return KTPR_NO_MEMORY;
    }

    ktpr_quality_smooth(luma, smooth);
    n = 0;

    for (y = KTPR_QUALITY_TILE; y < luma->h - 2 * KTPR_QUALITY_TILE;
         y += KTPR_QUALITY_TILE) {
        for (x = KTPR_QUALITY_TILE; x < luma->w - 2 * KTPR_QUALITY_TILE;
             x += KTPR_QUALITY_TILE) {
            ktpr_quality_tile(smooth + (size_t) y * luma->w + x, luma->w,
                              &tiles[n++]);
        }
    }

    qsort(tiles, (size_t) n, sizeof(ktpr_tile_t), ktpr_tile_compare);

    *blur = ktpr_quality_ratio(tiles, n, KTPR_QUALITY_FLOOR * light * light);

    ktpr_pool_free(pool, smooth);
    ktpr_pool_free(pool, tiles);

    return KTPR_DONE;
}


static double
ktpr_quality_dark(const ktpr_gray_t *luma)
{
    int      x, y, n, sum, v;
    unsigned histogram[256] = {0};

    n = 0;

    for (y = luma->h / KTPR_QUALITY_DARK_RIM;
         y < luma->h - luma->h / KTPR_QUALITY_DARK_RIM; y++) {
        for (x = luma->w / KTPR_QUALITY_DARK_RIM;
             x < luma->w - luma->w / KTPR_QUALITY_DARK_RIM; x++) {
            histogram[luma->px[(size_t) y * luma->w + x]]++;
            n++;
        }
    }

    sum = 0;
    for (v = 0; v < 255; v++) {
        sum += (int) histogram[v];
        if (sum >= n * KTPR_QUALITY_DARK) {
            break;
        }
    }

    return v;
}


/* The mean colour differences of a square of pixels, and its mean luma. */
static void
ktpr_quality_square(const ktpr_image_t *image, const ktpr_gray_t *luma, int x,
                    int y, double c[3])
{
    int                  i;
    size_t               at;
    const unsigned char *p;

    memset(c, 0, 3 * sizeof(double));

    for (i = 0; i < KTPR_QUALITY_PATCH * KTPR_QUALITY_PATCH; i++) {
        at = (size_t) (y + i / KTPR_QUALITY_PATCH) * (size_t) image->w
             + (size_t) (x + i % KTPR_QUALITY_PATCH);
        p = image->rgb + 3 * at;
        c[0] += KTPR_QUALITY_BLUE * (p[2] - luma->px[at]);
        c[1] += KTPR_QUALITY_RED * (p[0] - luma->px[at]);
        c[2] += luma->px[at];
    }

    for (i = 0; i < 3; i++) {
        c[i] /= KTPR_QUALITY_PATCH * KTPR_QUALITY_PATCH;
    }
}


/*
 * The spread of chroma, not its level: a tinted photocopy is grey too.  It is
 * measured on squares, in which the colour of grain cancels out.
 */
static double
ktpr_quality_gray(const ktpr_image_t *image, const ktpr_gray_t *luma)
{
    int    x, y, i, n;
    double sum[3] = {0}, square[2] = {0}, c[3];

    n = 0;

    for (y = luma->h / KTPR_QUALITY_GRAY_RIM;
         y < luma->h - luma->h / KTPR_QUALITY_GRAY_RIM - KTPR_QUALITY_PATCH;
         y += KTPR_QUALITY_PATCH) {
        for (x = luma->w / KTPR_QUALITY_GRAY_RIM;
             x
             < luma->w - luma->w / KTPR_QUALITY_GRAY_RIM - KTPR_QUALITY_PATCH;
             x += KTPR_QUALITY_PATCH) {
            ktpr_quality_square(image, luma, x, y, c);

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


ktpr_status_t
ktpr_quality_measures(ktpr_pool_t *pool, const ktpr_image_t *image,
                      double spacing, const ktpr_map_t *card_to_image,
                      double measures[KTPR_MEASURES])
{
    int          i, side, to, n;
    ktpr_map_t   card_to_small, image_to_small;
    ktpr_gray_t  luma;
    ktpr_image_t small;

    memset(measures, 0, sizeof(double) * KTPR_MEASURES);
    small = *image;
    side = image->w > image->h ? image->w : image->h;

    if (image->w < KTPR_QUALITY_TILES * KTPR_QUALITY_TILE
        || image->h < KTPR_QUALITY_TILES * KTPR_QUALITY_TILE) {
        return KTPR_UNFIT;
    }

    to = KTPR_QUALITY_SIDE;

    if (spacing > 0) {
        to = (int) fmax(
            fmin(side * KTPR_QUALITY_SPACING / spacing, KTPR_QUALITY_MOST),
            KTPR_QUALITY_LEAST);
    }

    if (side > to
        && ktpr_warp_reduce(pool, image, image->w * to / side,
                            image->h * to / side, &small)
               != 0) {
        return KTPR_NO_MEMORY;
    }

    if (ktpr_gray_create(pool, small.w, small.h, &luma) != 0) {
        return KTPR_NO_MEMORY;
    }

    n = small.w * small.h;
    for (i = 0; i < n; i++) {
        luma.px[i] = (unsigned char) ktpr_luma(small.rgb + 3 * (size_t) i);
    }

    measures[KTPR_MEASURE_DARK] = ktpr_quality_dark(&luma);

    if (card_to_image != NULL) {
        image_to_small = ktpr_map_affine((double) small.w / image->w, 0, 0, 0,
                                         (double) small.h / image->h, 0);
        card_to_small = ktpr_map_then(card_to_image, &image_to_small);
    }

    if (ktpr_quality_blur(pool, &luma,
                          measures[KTPR_MEASURE_DARK] / KTPR_QUALITY_WHITE,
                          &measures[KTPR_MEASURE_BLUR])
            != 0
        || ktpr_glare_measure(
               pool, &small, card_to_image != NULL ? &card_to_small : NULL,
               spacing * small.w / image->w, &measures[KTPR_MEASURE_FLASH])
               != 0) {
        return KTPR_NO_MEMORY;
    }

    measures[KTPR_MEASURE_GRAY] = ktpr_quality_gray(&small, &luma);

    ktpr_pool_free(pool, luma.px);
    if (small.rgb != image->rgb) {
        ktpr_pool_free(pool, small.rgb);
    }

    return KTPR_DONE;
}


/* .5 at the threshold, and towards 0 or 1 away from it. */
static double
ktpr_quality_score(double measure, double threshold)
{
    return measure / (measure + threshold);
}


void
ktpr_quality_judge(const double    measures[KTPR_MEASURES],
                   ktpr_quality_t *quality)
{
    double        score[KTPR_MEASURES];
    const double *t;

    t = ktpr_quality_thresholds;

    score[KTPR_MEASURE_BLUR] =
        ktpr_quality_score(t[KTPR_MEASURE_BLUR], measures[KTPR_MEASURE_BLUR]);
    score[KTPR_MEASURE_DARK] =
        ktpr_quality_score(t[KTPR_MEASURE_DARK], measures[KTPR_MEASURE_DARK]);
    score[KTPR_MEASURE_GRAY] =
        ktpr_quality_score(t[KTPR_MEASURE_GRAY], measures[KTPR_MEASURE_GRAY]);
    score[KTPR_MEASURE_FLASH] = ktpr_quality_score(
        measures[KTPR_MEASURE_FLASH], t[KTPR_MEASURE_FLASH]);

    memcpy(quality->measures, measures, sizeof(quality->measures));
    quality->blur = score[KTPR_MEASURE_BLUR] > .5;
    quality->dark = score[KTPR_MEASURE_DARK] > .5;
    quality->flashlight = score[KTPR_MEASURE_FLASH] > .5;
    quality->grayscale = score[KTPR_MEASURE_GRAY] > .5;
    quality->blur_score = score[KTPR_MEASURE_BLUR];
    quality->dark_score = score[KTPR_MEASURE_DARK];
    quality->flashlight_score = score[KTPR_MEASURE_FLASH];
    quality->grayscale_score = score[KTPR_MEASURE_GRAY];
}
