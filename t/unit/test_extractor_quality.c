/* The measures of quality, on pictures painted here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpd_quality.h"


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
paint(ktpd_image_t *image, ktpd_pool_t *pool, int light, int grain)
{
    size_t i;

    dice = 7;
    image->w = WIDTH;
    image->h = HEIGHT;
    image->scale = 1;
    image->rgb = ktpd_pool_alloc(pool, WIDTH * HEIGHT, 3);
    assert_non_null(image->rgb);

    for (i = 0; i < WIDTH * HEIGHT * 3; i++) {
        image->rgb[i] = (unsigned char) (light + roll(2 * grain + 1) - grain);
    }
}


static void
patch(ktpd_image_t *image, int x, int y, int w, int h, int red, int green,
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
    double       m[KTPD_MEASURES];
    ktpd_pool_t *pool;
    ktpd_image_t image;

    (void) state;

    pool = ktpd_pool_create(64UL << 20);
    assert_non_null(pool);

    /*
     * A dark photocopy: grain of a quarter of its light.  One pixel's chroma
     * is spread by a tenth of that light; the mean of 64 by an eighth of it.
     */
    paint(&image, pool, 40, 10);
    assert_int_equal(ktpd_quality_measures(pool, &image, 0, m), 0);
    assert_true(m[KTPD_MEASURE_GRAY]
                < ktpd_quality_thresholds[KTPD_MEASURE_GRAY]);

    /* the same with a small red photo on it */
    patch(&image, 400, 120, 90, 120, 60, 25, 25);
    assert_int_equal(ktpd_quality_measures(pool, &image, 0, m), 0);
    assert_true(m[KTPD_MEASURE_GRAY]
                > ktpd_quality_thresholds[KTPD_MEASURE_GRAY]);

    ktpd_pool_destroy(pool);
}


/* How large a burnt-out spot is depends on the card, not on the picture. */
static void
glare_is_of_the_card(void **state)
{
    double       m[KTPD_MEASURES], whole;
    ktpd_pool_t *pool;
    ktpd_image_t image;

    (void) state;

    pool = ktpd_pool_create(64UL << 20);
    assert_non_null(pool);

    paint(&image, pool, 180, 4);
    patch(&image, 200, 150, 20, 20, 255, 255, 255);

    /* no card: 400 of 240,000 pixels */
    assert_int_equal(ktpd_quality_measures(pool, &image, 0, m), 0);
    whole = 400. / (WIDTH * HEIGHT);
    assert_true(m[KTPD_MEASURE_FLASH] > .99 * whole
                && m[KTPD_MEASURE_FLASH] < 1.01 * whole);
    assert_true(m[KTPD_MEASURE_FLASH]
                < ktpd_quality_thresholds[KTPD_MEASURE_FLASH]);

    /* a card of 330 by 210 pixels, which has rows each 10 */
    assert_int_equal(ktpd_quality_measures(pool, &image, 10, m), 0);
    whole = 400. / (330 * 210);
    assert_true(m[KTPD_MEASURE_FLASH] > .99 * whole
                && m[KTPD_MEASURE_FLASH] < 1.01 * whole);
    assert_true(m[KTPD_MEASURE_FLASH]
                > ktpd_quality_thresholds[KTPD_MEASURE_FLASH]);

    ktpd_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grain_is_no_colour),
        cmocka_unit_test(glare_is_of_the_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
