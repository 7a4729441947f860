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

/*
 * One tile in so many has print, and one has nothing but grain: of a picture,
 * and of a card alone.
 */
#define KTPR_QUALITY_SHARPEST 8
#define KTPR_QUALITY_PRINT    3

/*
 * By so much a card alone is sharper than a picture with as much blur.  Chosen
 * on the "quality" set and on bench/reader/draw-set quality, seeds 12000 and
 * 15000.
 */
#define KTPR_QUALITY_ALONE 1.065

/*
 * By so much an image that was reduced is sharper than the file, at most. More
 * takes a card on a large page for blurred.
 */
#define KTPR_QUALITY_SHARPER 1.5

/* Luma of paper in good light. */
#define KTPR_QUALITY_WHITE 200.

/*
 * Energy of gradients a pixel that is no print, in that light.  Less makes an
 * empty image sharp; more makes faint print blurred.
 */
#define KTPR_QUALITY_FLOOR 30

/*
 * The measured part of a card, in its plane (row spacings), without a rim for
 * the error of its place.  More measures the table, less loses print.
 */
#define KTPR_QUALITY_LEFT   -8.5
#define KTPR_QUALITY_TOP    -6.4
#define KTPR_QUALITY_RIGHT  23.2
#define KTPR_QUALITY_BOTTOM 13.6

/*
 * Rims that are not measured without a card: 1 / RIM of a side for luma and
 * for colour.
 */
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


/* fixed: pixels that are smoothed at once */
#define KTPR_QUALITY_RUN 16

/* Numbers in registers; the first kind lies anywhere in memory. */
typedef float ktpr_quality_four_t
    __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));
typedef double ktpr_quality_sums_t __attribute__((vector_size(32)));

typedef struct {
    double gradient, laplace;
} ktpr_tile_t;

/* What is measured: an image, or the part of one that a card is in. */
typedef struct {
    ktpr_image_t image;
    ktpr_gray_t  luma;
    double       by; /* its pixels to one of the whole image, as a length */
    int          has_card;
    int          alone; /* cut to the card */
    ktpr_map_t   card_to_image, image_to_card;
} ktpr_measured_t;


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


/* Smooths KTPR_QUALITY_RUN pixels of three rows. */
static void
ktpr_quality_run(const unsigned char *restrict a,
                 const unsigned char *restrict b,
                 const unsigned char *restrict c, float *restrict smooth)
{
    int i;

    for (i = 0; i < KTPR_QUALITY_RUN; i++) {
        smooth[i] = (float) (4 * b[i] + 2 * (b[i - 1] + b[i + 1] + a[i] + c[i])
                             + a[i - 1] + a[i + 1] + c[i - 1] + c[i + 1])
                    / 16.f;
    }
}


/*
 * Smooths by a 3x3 binomial filter, so that noise does not look sharp.  What
 * is less than a run from the right border is left; no tile is there.
 */
static void
ktpr_quality_smooth(const ktpr_gray_t *luma, float *smooth)
{
    int                  x, y, w;
    const unsigned char *p;

    w = luma->w;

    for (y = 1; y < luma->h - 1; y++) {
        p = luma->px + (size_t) y * w;

        for (x = 1; x + KTPR_QUALITY_RUN < w; x += KTPR_QUALITY_RUN) {
            ktpr_quality_run(p - w + x, p + x, p + w + x,
                             smooth + (size_t) y * w + x);
        }
    }
}


static void
ktpr_quality_tile(const float *p, int w, ktpr_tile_t *tile)
{
    int                 x, y;
    ktpr_quality_four_t dx, dy, l, left, right, above, below;
    ktpr_quality_sums_t gradient = {0}, laplace = {0};

    for (y = 0; y < KTPR_QUALITY_TILE; y++, p += w) {
        for (x = 0; x < KTPR_QUALITY_TILE; x += 4) {
            left = *(const ktpr_quality_four_t *) (p + x - 1);
            right = *(const ktpr_quality_four_t *) (p + x + 1);
            above = *(const ktpr_quality_four_t *) (p + x - w);
            below = *(const ktpr_quality_four_t *) (p + x + w);
            dx = right - left;
            dy = below - above;
            l = right + left + below + above
                - 4 * *(const ktpr_quality_four_t *) (p + x);
            gradient += __builtin_convertvector(dx * dx + dy * dy,
                                                ktpr_quality_sums_t);
            laplace += __builtin_convertvector(l * l, ktpr_quality_sums_t);
        }
    }

    tile->gradient = gradient[0] + gradient[1] + gradient[2] + gradient[3];
    tile->laplace = laplace[0] + laplace[1] + laplace[2] + laplace[3];
}


/* Whether pixels from (x, y) on are measured: all, or those on the card. */
static int
ktpr_quality_within(const ktpr_measured_t *measured, int x, int y, int w,
                    int h)
{
    ktpr_point_t p;

    if (!measured->has_card) {
        return 1;
    }

    p = ktpr_map_point(&measured->image_to_card, x + w / 2., y + h / 2.);

    return p.x > KTPR_QUALITY_LEFT && p.x < KTPR_QUALITY_RIGHT
           && p.y > KTPR_QUALITY_TOP && p.y < KTPR_QUALITY_BOTTOM;
}


/* What is measured, without the rim of an image without a card. */
static ktpr_area_t
ktpr_quality_area(const ktpr_measured_t *measured, int rim)
{
    ktpr_area_t area;

    area.w = measured->image.w;
    area.h = measured->image.h;
    area.x = measured->has_card ? 0 : area.w / rim;
    area.y = measured->has_card ? 0 : area.h / rim;
    area.w -= 2 * area.x;
    area.h -= 2 * area.y;

    return area;
}


/*
 * The mean of Laplacian over gradient in the tiles with most gradient, less
 * what grain adds to both, which is measured in the emptiest tiles.  One tile
 * in part is used for either; floor is the energy of gradients that are no
 * print, at the light of the photo.
 */
static double
ktpr_quality_ratio(const ktpr_tile_t *tiles, int n, int part, double floor)
{
    int    i, used;
    double sum, gradient, laplace;

    used = n / part + 1 < n ? n / part + 1 : n;
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
ktpr_quality_blur(ktpr_pool_t *pool, const ktpr_measured_t *measured,
                  double light, double *blur)
{
    int                x, y, n;
    float             *smooth;
    ktpr_tile_t       *tiles;
    const ktpr_gray_t *luma;

    luma = &measured->luma;

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
            if (!measured->alone
                || ktpr_quality_within(measured, x, y, KTPR_QUALITY_TILE,
                                       KTPR_QUALITY_TILE)) {
                ktpr_quality_tile(smooth + (size_t) y * luma->w + x, luma->w,
                                  &tiles[n++]);
            }
        }
    }

    qsort(tiles, (size_t) n, sizeof(ktpr_tile_t), ktpr_tile_compare);

    *blur = ktpr_quality_ratio(
        tiles, n, measured->alone ? KTPR_QUALITY_PRINT : KTPR_QUALITY_SHARPEST,
        KTPR_QUALITY_FLOOR * light * light);

    ktpr_pool_free(pool, smooth);
    ktpr_pool_free(pool, tiles);

    return KTPR_DONE;
}


static double
ktpr_quality_dark(const ktpr_measured_t *measured)
{
    int                  x, y, n, i, run, sum, v;
    unsigned             histogram[256] = {0};
    ktpr_area_t          area;
    const unsigned char *p;

    n = 0;
    area = ktpr_quality_area(measured, KTPR_QUALITY_DARK_RIM);

    for (y = area.y; y < area.y + area.h; y++) {
        p = measured->luma.px + (size_t) y * measured->luma.w;

        for (x = area.x; x < area.x + area.w; x += run) {
            run = area.x + area.w - x < KTPR_QUALITY_PATCH
                      ? area.x + area.w - x
                      : KTPR_QUALITY_PATCH;

            if (ktpr_quality_within(measured, x, y, run, 1)) {
                for (i = 0; i < run; i++) {
                    histogram[p[x + i]]++;
                }
                n += run;
            }
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
ktpr_quality_square(const ktpr_measured_t *measured, int x, int y, double c[3])
{
    int                  i, sums[3] = {0};
    size_t               at;
    const unsigned char *p;

    for (i = 0; i < KTPR_QUALITY_PATCH * KTPR_QUALITY_PATCH; i++) {
        at = (size_t) (y + i / KTPR_QUALITY_PATCH) * (size_t) measured->image.w
             + (size_t) (x + i % KTPR_QUALITY_PATCH);
        p = measured->image.rgb + 3 * at;
        sums[0] += p[2];
        sums[1] += p[0];
        sums[2] += measured->luma.px[at];
    }

    c[0] = KTPR_QUALITY_BLUE * (sums[0] - sums[2]);
    c[1] = KTPR_QUALITY_RED * (sums[1] - sums[2]);
    c[2] = sums[2];

    for (i = 0; i < 3; i++) {
        c[i] /= KTPR_QUALITY_PATCH * KTPR_QUALITY_PATCH;
    }
}


/*
 * The spread of chroma, not its level: a tinted photocopy is grey too.  It is
 * measured on squares, in which the colour of grain cancels out.
 */
static double
ktpr_quality_gray(const ktpr_measured_t *measured)
{
    int         x, y, i, n;
    double      sum[3] = {0}, square[2] = {0}, c[3];
    ktpr_area_t area;

    n = 0;
    area = ktpr_quality_area(measured, KTPR_QUALITY_GRAY_RIM);

    for (y = area.y; y < area.y + area.h - KTPR_QUALITY_PATCH;
         y += KTPR_QUALITY_PATCH) {
        for (x = area.x; x < area.x + area.w - KTPR_QUALITY_PATCH;
             x += KTPR_QUALITY_PATCH) {
            if (!ktpr_quality_within(measured, x, y, KTPR_QUALITY_PATCH,
                                     KTPR_QUALITY_PATCH)) {
                continue;
            }

            ktpr_quality_square(measured, x, y, c);

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


/* The part of an image that the card is in; 0 if there is not enough of it. */
static int
ktpr_quality_part(const ktpr_image_t *image, const ktpr_map_t *card_to_image,
                  ktpr_area_t *part)
{
    int          i;
    double       x0, y0, x1, y1;
    ktpr_point_t p;

    x0 = y0 = HUGE_VAL;
    x1 = y1 = 0;

    for (i = 0; i < 4; i++) {
        p = ktpr_map_point(card_to_image,
                           i % 2 ? KTPR_QUALITY_RIGHT : KTPR_QUALITY_LEFT,
                           i / 2 ? KTPR_QUALITY_BOTTOM : KTPR_QUALITY_TOP);
        x0 = fmin(x0, p.x);
        y0 = fmin(y0, p.y);
        x1 = fmax(x1, p.x);
        y1 = fmax(y1, p.y);
    }

    x0 = floor(fmax(x0, 0));
    y0 = floor(fmax(y0, 0));
    x1 = fmin(x1, image->w);
    y1 = fmin(y1, image->h);

    /* also when a corner is not a number */
    if (!(x1 - x0 >= KTPR_QUALITY_TILES * KTPR_QUALITY_TILE
          && y1 - y0 >= KTPR_QUALITY_TILES * KTPR_QUALITY_TILE)) {
        return 0;
    }

    part->x = (int) x0;
    part->y = (int) y0;
    part->w = (int) (x1 - x0);
    part->h = (int) (y1 - y0);

    return 1;
}


/* Cuts what is measured to the part of the image that the card is in. */
static ktpr_status_t
ktpr_quality_cut(ktpr_pool_t *pool, const ktpr_image_t *image,
                 const ktpr_area_t *part, ktpr_measured_t *measured)
{
    int           i;
    ktpr_map_t    shift;
    ktpr_image_t *cut;

    cut = &measured->image;

    if (ktpr_image_create(pool, part->w, part->h, cut) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < cut->h; i++) {
        memcpy(cut->rgb + (size_t) i * (size_t) cut->w * 3,
               image->rgb
                   + ((size_t) (part->y + i) * (size_t) image->w
                      + (size_t) part->x)
                         * 3,
               (size_t) cut->w * 3);
    }

    shift = ktpr_map_affine(1, 0, -part->x, 0, 1, -part->y);
    measured->card_to_image = ktpr_map_then(&measured->card_to_image, &shift);

    return KTPR_DONE;
}


/* Reduces what is measured, and its card, to a longer side. */
static ktpr_status_t
ktpr_quality_reduce(ktpr_pool_t *pool, int to, ktpr_measured_t *measured)
{
    int          side;
    ktpr_map_t   shrink;
    ktpr_image_t large;

    large = measured->image;
    measured->by = 1;
    side = large.w > large.h ? large.w : large.h;

    if (side <= to) {
        return KTPR_DONE;
    }

    if (ktpr_warp_reduce(pool, &large, large.w * to / side,
                         large.h * to / side, &measured->image)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    measured->by = (double) measured->image.w / large.w;
    shrink = ktpr_map_affine(measured->by, 0, 0, 0,
                             (double) measured->image.h / large.h, 0);
    measured->card_to_image = ktpr_map_then(&measured->card_to_image, &shrink);

    return KTPR_DONE;
}


/* The longer side at which an image is measured, in pixels. */
static int
ktpr_quality_side(const ktpr_image_t *image, double spacing)
{
    int side;

    side = image->w > image->h ? image->w : image->h;

    return spacing > 0 ? (int) fmax(
               fmin(side * KTPR_QUALITY_SPACING / spacing, KTPR_QUALITY_MOST),
               KTPR_QUALITY_LEAST)
                       : KTPR_QUALITY_SIDE;
}


/* Creates what is measured of an image.  KTPR_NO_MEMORY. */
static ktpr_status_t
ktpr_quality_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                    ktpr_part_t part, double spacing,
                    const ktpr_map_t *card_to_image, ktpr_measured_t *measured)
{
    int         i, n;
    ktpr_area_t area;

    memset(measured, 0, sizeof(ktpr_measured_t));
    measured->image = *image;
    measured->card_to_image =
        card_to_image != NULL ? *card_to_image : ktpr_map_identity();

    measured->has_card = card_to_image != NULL
                         && ktpr_quality_part(image, card_to_image, &area);
    measured->alone = measured->has_card && part == KTPR_PART_CARD;

    if (measured->alone
        && ktpr_quality_cut(pool, image, &area, measured) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    if (ktpr_quality_reduce(pool, ktpr_quality_side(&measured->image, spacing),
                            measured)
            != KTPR_DONE
        || ktpr_gray_create(pool, measured->image.w, measured->image.h,
                            &measured->luma)
               != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    if (ktpr_map_invert(&measured->card_to_image, &measured->image_to_card)
        != 0) {
        measured->has_card = 0;
        measured->alone = 0;
    }

    n = measured->image.w * measured->image.h;

    for (i = 0; i < n; i++) {
        measured->luma.px[i] =
            (unsigned char) ktpr_luma(measured->image.rgb + 3 * (size_t) i);
    }

    return KTPR_DONE;
}


/*
 * Times the blur that the file has at its own size, or at that at which cards
 * are measured: pixels that were averaged when it was decoded are sharper.
 */
static double
ktpr_quality_sharper(const ktpr_image_t *image, double spacing)
{
    double by;

    by = fmin(image->scale, KTPR_QUALITY_SPACING / fmax(spacing, 1));

    return fmax(1, fmin(by, KTPR_QUALITY_SHARPER));
}


ktpr_status_t
ktpr_quality_measures(ktpr_pool_t *pool, const ktpr_image_t *image,
                      ktpr_part_t part, double spacing,
                      const ktpr_map_t *card_to_image,
                      double            measures[KTPR_MEASURES])
{
    double          blur;
    ktpr_measured_t measured;

    memset(measures, 0, sizeof(double) * KTPR_MEASURES);

    if (image->w < KTPR_QUALITY_TILES * KTPR_QUALITY_TILE
        || image->h < KTPR_QUALITY_TILES * KTPR_QUALITY_TILE) {
        return KTPR_UNFIT;
    }

    if (ktpr_quality_create(pool, image, part, spacing, card_to_image,
                            &measured)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    measures[KTPR_MEASURE_DARK] = ktpr_quality_dark(&measured);
    measures[KTPR_MEASURE_GRAY] = ktpr_quality_gray(&measured);

    if (ktpr_quality_blur(pool, &measured,
                          measures[KTPR_MEASURE_DARK] / KTPR_QUALITY_WHITE,
                          &blur)
            != KTPR_DONE
        || ktpr_glare_measure(
               pool, &measured.image,
               card_to_image != NULL ? &measured.card_to_image : NULL,
               spacing * measured.by, &measures[KTPR_MEASURE_FLASH])
               != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    measures[KTPR_MEASURE_BLUR] =
        measured.alone
            ? blur / ktpr_quality_sharper(image, spacing) / KTPR_QUALITY_ALONE
            : blur;

    ktpr_pool_free(pool, measured.luma.px);
    if (measured.image.rgb != image->rgb) {
        ktpr_pool_free(pool, measured.image.rgb);
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
