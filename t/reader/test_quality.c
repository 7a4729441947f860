/* The measures of quality, on pictures painted here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_quality.h"


#define WIDTH  600
#define HEIGHT 400

static unsigned dice;


/* 0 to n - 1, the same ones each time. */
static int
roll(int n)
{
    dice = dice * 1664525u + 1013904223u;

    return (int) ((dice >> 8) % (unsigned) n);
}


/* Paper of a light, with grain of its own in each channel. */
static void
paint(ktpr_image_t *image, ktpr_pool_t *pool, int light, int grain)
{
    size_t i;

    dice = 7;
    image->w = WIDTH;
    image->h = HEIGHT;
    image->scale = 1;
    image->rgb = ktpr_pool_alloc(pool, WIDTH * HEIGHT, 3);
    assert_non_null(image->rgb);

    for (i = 0; i < WIDTH * HEIGHT * 3; i++) {
        image->rgb[i] = (unsigned char) (light + roll(2 * grain + 1) - grain);
    }
}


static void
patch(ktpr_image_t *image, int x, int y, int w, int h, int red, int green,
      int blue)
{
    int            i;
    unsigned char *p;

    for (i = 0; i < w * h; i++) {
        p = image->rgb + 3 * ((y + i / w) * WIDTH + x + i % w);
        p[0] = (unsigned char) red;
        p[1] = (unsigned char) green;
        p[2] = (unsigned char) blue;
    }
}


static void
grain_is_no_colour(void **state)
{
    double       m[KTPR_MEASURES];
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);

    /*
     * A dark photocopy: grain of a quarter of its light.  One pixel's chroma
     * is spread by a tenth of that light; the mean of 64 by an eighth of it.
     */
    paint(&image, pool, 40, 10);
    assert_int_equal(
        ktpr_quality_measures(pool, &image, KTPR_PART_ALL, 0, NULL, m), 0);
    assert_true(m[KTPR_MEASURE_GRAY]
                < ktpr_quality_thresholds[KTPR_MEASURE_GRAY]);

    /* the same with a small red photo on it */
    patch(&image, 400, 120, 90, 120, 60, 25, 25);
    assert_int_equal(
        ktpr_quality_measures(pool, &image, KTPR_PART_ALL, 0, NULL, m), 0);
    assert_true(m[KTPR_MEASURE_GRAY]
                > ktpr_quality_thresholds[KTPR_MEASURE_GRAY]);

    ktpr_pool_destroy(pool);
}


/* Rows each 17 pixels: a card (33 x 21 of them) that fills the picture. */
#define SPACING 17

static const ktpr_map_t plane = {
    {{SPACING, 0, 150}, {0, SPACING, 120}, {0, 0, 1}},
};


static int
flagged(ktpr_pool_t *pool, const ktpr_image_t *image, const ktpr_map_t *at)
{
    double m[KTPR_MEASURES];

    assert_int_equal(ktpr_quality_measures(pool, image, KTPR_PART_ALL,
                                           at != NULL ? SPACING : 0, at, m),
                     0);

    return m[KTPR_MEASURE_FLASH] > ktpr_quality_thresholds[KTPR_MEASURE_FLASH];
}


static void
glare_is_a_spot_that_hides_print(void **state)
{
    int          x, y;
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);

    /* half a spacing is less than the least spot, of three quarters */
    paint(&image, pool, 180, 4);
    patch(&image, 300, 200, 8, 8, 255, 255, 255);
    assert_false(flagged(pool, &image, &plane));

    /* three spacings are more, and paper beside it is 75 steps darker */
    patch(&image, 300, 200, 51, 51, 255, 255, 255);
    assert_true(flagged(pool, &image, &plane));

    /* print each four fifths of a spacing: no lamp leaves that */
    for (y = 200; y < 251; y += 13) {
        patch(&image, 300, y, 51, 4, 40, 40, 40);
    }
    assert_false(flagged(pool, &image, &plane));

    /* bright red paper is at its limit in one channel of three */
    patch(&image, 300, 200, 51, 51, 255, 248, 248);
    assert_false(flagged(pool, &image, &plane));

    /* where the card is not */
    paint(&image, pool, 180, 4);
    patch(&image, 300, 200, 51, 51, 255, 255, 255);
    for (x = 0; x < 2; x++) {
        ktpr_map_t aside = {{{SPACING / 2., 0, 100 + 400 * x},
                             {0, SPACING / 2., 160},
                             {0, 0, 1}}};

        assert_false(flagged(pool, &image, &aside));
    }

    ktpr_pool_destroy(pool);
}


/* Over 340 pixels light falls from 130 to 60 %, and paper of 220 burns out. */
static void
uneven_light_is_no_glare(void **state)
{
    int            x, y, v;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *p;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);
    paint(&image, pool, 180, 4);

    for (y = 0; y < HEIGHT; y++) {
        for (x = 0; x < WIDTH; x++) {
            p = image.rgb + 3 * (y * WIDTH + x);
            v = 220 * (1300 - x) / 1000;
            p[0] = p[1] = p[2] = (unsigned char) (v > 255 ? 255 : v);
        }
    }

    /* 140 of the picture's columns, and so a fifth of the card, are burnt */
    assert_int_equal(image.rgb[3 * 140], 255);
    assert_false(flagged(pool, &image, &plane));
    assert_false(flagged(pool, &image, NULL));

    /* the same, and a lamp in its darker half */
    patch(&image, 400, 200, 34, 34, 255, 255, 255);
    assert_true(flagged(pool, &image, &plane));
    assert_true(flagged(pool, &image, NULL));

    ktpr_pool_destroy(pool);
}


/* A glare that is mostly beside the card counts with what is on it. */
static void
glare_goes_over_the_edge(void **state)
{
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);

    /* the plane ends at 150 + 23.1 x 17 = 543: 10 pixels are on it */
    paint(&image, pool, 180, 4);
    patch(&image, 533, 200, 67, 90, 255, 255, 255);
    assert_true(flagged(pool, &image, &plane));

    /* and now 3, which is less than three eighths of a spacing */
    paint(&image, pool, 180, 4);
    patch(&image, 540, 200, 60, 90, 255, 255, 255);
    assert_false(flagged(pool, &image, &plane));

    ktpr_pool_destroy(pool);
}


/*
 * A photo at its place, 8 x 9 spacings from (15, 0), its ground blue, with a
 * white headscarf around a face and a little below it.
 */
static void
paint_scarf(ktpr_image_t *image, ktpr_pool_t *pool, int right, int down)
{
    paint(image, pool, 180, 4);
    patch(image, 405 + right, 120 + down, 136, 153, 30, 40, 160);
    patch(image, 425 + right, 125 + down, 95, 115, 255, 255, 255);
    patch(image, 440 + right, 140 + down, 65, 75, 200, 150, 120);
}


/* White cloth is as burnt out, but no lamp's light leaves a face inside. */
static void
white_headscarf_is_no_glare(void **state)
{
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);

    /* around the face, and open at its right, below, and above */
    paint_scarf(&image, pool, 0, 0);
    assert_false(flagged(pool, &image, &plane));

    patch(&image, 505, 140, 15, 75, 30, 40, 160);
    assert_false(flagged(pool, &image, &plane));

    paint_scarf(&image, pool, 0, 0);
    patch(&image, 440, 215, 65, 25, 30, 40, 160);
    assert_false(flagged(pool, &image, &plane));

    paint_scarf(&image, pool, 0, 0);
    patch(&image, 440, 125, 65, 15, 30, 40, 160);
    assert_false(flagged(pool, &image, &plane));

    /* a lamp over it, in the same photo */
    paint_scarf(&image, pool, 0, 0);
    patch(&image, 440, 140, 65, 75, 255, 255, 255);
    assert_true(flagged(pool, &image, &plane));

    /* the same shape left of the photo, below it, and above it */
    paint_scarf(&image, pool, -250, 0);
    assert_true(flagged(pool, &image, &plane));

    paint_scarf(&image, pool, 0, 80);
    assert_true(flagged(pool, &image, &plane));

    paint_scarf(&image, pool, 0, -60);
    assert_true(flagged(pool, &image, &plane));

    /* where no card is known no photo is */
    paint_scarf(&image, pool, 0, 0);
    assert_true(flagged(pool, &image, NULL));

    ktpr_pool_destroy(pool);
}


/* Rows each 12 pixels: a card that takes a part of the picture. */
static const ktpr_map_t part = {
    {{12, 0, 210}, {0, 12, 150}, {0, 0, 1}},
};


static void
table_is_no_card(void **state)
{
    int          i;
    double       m[KTPR_MEASURES];
    ktpr_pool_t *pool;
    ktpr_image_t image;

    static const double *const least = ktpr_quality_thresholds;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);

    /* a dark grey copy on white paper with red things */
    paint(&image, pool, 220, 4);
    patch(&image, 0, 0, 80, 300, 200, 40, 40);
    patch(&image, 100, 68, 390, 250, 70, 70, 70);

    for (i = 0; i < 3; i++) {
        assert_int_equal(
            ktpr_quality_measures(pool, &image,
                                  i > 1 ? KTPR_PART_CARD : KTPR_PART_ALL, 12,
                                  i > 0 ? &part : NULL, m),
            0);
        assert_int_equal(m[KTPR_MEASURE_DARK]<least[KTPR_MEASURE_DARK], i> 0);
        assert_int_equal(m[KTPR_MEASURE_GRAY]<least[KTPR_MEASURE_GRAY], i> 0);
    }

    ktpr_pool_destroy(pool);
}


static void
reduction_is_not_sharp(void **state)
{
    int          i;
    double       m[2][KTPR_MEASURES];
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);
    paint(&image, pool, 180, 1);

    for (i = 0; i < 60; i++) {
        patch(&image, 130 + 6 * i, 90 + i % 4 * 40, 3, 12, 30, 30, 30);
    }

    for (i = 0; i < 2; i++) {
        image.scale = 1 + i * .4;
        assert_int_equal(ktpr_quality_measures(pool, &image, KTPR_PART_CARD,
                                               12, &part, m[i]),
                         0);
    }

    /* print of the file is larger, and has as much less detail */
    assert_true(m[1][KTPR_MEASURE_BLUR] > 0);
    assert_true(m[0][KTPR_MEASURE_BLUR] > 1.39 * m[1][KTPR_MEASURE_BLUR]);
    assert_true(m[0][KTPR_MEASURE_BLUR] < 1.41 * m[1][KTPR_MEASURE_BLUR]);

    ktpr_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grain_is_no_colour),
        cmocka_unit_test(glare_is_a_spot_that_hides_print),
        cmocka_unit_test(uneven_light_is_no_glare),
        cmocka_unit_test(glare_goes_over_the_edge),
        cmocka_unit_test(white_headscarf_is_no_glare),
        cmocka_unit_test(table_is_no_card),
        cmocka_unit_test(reduction_is_not_sharp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
