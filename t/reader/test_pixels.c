/*
 * Planes that are computed many numbers at once, against the same one number
 * after the other.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <leptonica/allheaders.h>

#include "ktpr_flatten.h"
#include "ktpr_skew.h"
#include "ktpr_warp.h"


/* Pixels of a plane's row: some runs, and a rest. */
#define WIDTH  75
#define HEIGHT 53


static ktpr_pool_t *
pixels_pool(void)
{
    ktpr_pool_t *pool;

    pool = ktpr_pool_create(64 << 20);
    assert_non_null(pool);

    return pool;
}


/* An image of noise on light that falls off to the right. */
static void
pixels_image(ktpr_pool_t *pool, int w, int h, ktpr_image_t *image)
{
    int i;

    srand(1);
    assert_int_equal(ktpr_image_create(pool, w, h, image), KTPR_DONE);

    for (i = 0; i < 3 * w * h; i++) {
        image->rgb[i] =
            (unsigned char) (rand() % 60 + 195 - 195 * (i / 3 % w) / w);
    }
}


static int
pixels_at(const ktpr_gray_t *gray, int x, int y)
{
    x = x < 0 ? 0 : (x >= gray->w ? gray->w - 1 : x);
    y = y < 0 ? 0 : (y >= gray->h ? gray->h - 1 : y);

    return gray->px[y * gray->w + x];
}


/* The cubic kernel's weight of a pixel that is so far away. */
static double
pixels_cubic(double t)
{
    t = fabs(t);

    return t < 1 ? (1.5 * t - 2.5) * t * t + 1
                 : (t < 2 ? ((-.5 * t + 2.5) * t - 4) * t + 2 : 0);
}


/* A pixel of the plane between pixels. */
static double
pixels_between(const ktpr_gray_t *gray, int smooth, ktpr_point_t p)
{
    int    i, j, x0, y0;
    double sum, wx, wy;

    x0 = (int) floor(p.x);
    y0 = (int) floor(p.y);
    sum = 0;

    for (j = -1; j <= 2; j++) {
        for (i = -1; i <= 2; i++) {
            wx = p.x - (x0 + i);
            wy = p.y - (y0 + j);
            wx = smooth ? pixels_cubic(wx) : fmax(0, 1 - fabs(wx));
            wy = smooth ? pixels_cubic(wy) : fmax(0, 1 - fabs(wy));
            sum += wx * wy * pixels_at(gray, x0 + i, y0 + j);
        }
    }

    return fmax(0, fmin(255, sum));
}


static void
pixels_map(ktpr_map_t *map, int i)
{
    double a;

    static const double turns[] = {0, .3, -4.6, 30, 180, 91};

    a = turns[i % 6] * M_PI / 180;
    *map = ktpr_map_affine(cos(a), -sin(a), 1.5 + (sin(a) > .1 ? 40 : 0),
                           sin(a), cos(a), cos(a) < -.5 ? 50 : -2.25);

    if (i >= 6) {
        map->m[2][0] = 1e-3;
        map->m[2][1] = -2e-3;
    }
}


static void
warped(void **state)
{
    int          i, x, y, smooth;
    ktpr_map_t   map;
    ktpr_gray_t  src, dst;
    ktpr_pool_t *pool;
    ktpr_point_t p;

    (void) state;

    pool = pixels_pool();
    assert_int_equal(ktpr_gray_create(pool, WIDTH, HEIGHT, &src), KTPR_DONE);
    assert_int_equal(ktpr_gray_create(pool, WIDTH + 8, HEIGHT, &dst),
                     KTPR_DONE);
    srand(2);

    for (i = 0; i < WIDTH * HEIGHT; i++) {
        src.px[i] = (unsigned char) rand();
    }

    for (i = 0; i < 24; i++) {
        smooth = i >= 12;
        pixels_map(&map, i % 12);
        ktpr_warp_gray(&src, &map, smooth, &dst);

        for (y = 0; y < dst.h; y++) {
            for (x = 0; x < dst.w; x++) {
                p = ktpr_map_point(&map, x, y);

                if (p.x > -4 && p.y > -4 && p.x < src.w + 4
                    && p.y < src.h + 4) {
                    assert_true(fabs(pixels_between(&src, smooth, p)
                                     - dst.px[y * dst.w + x])
                                < .501);
                }
            }
        }
    }

    ktpr_pool_destroy(pool);
}


/* The part of pixel x that is in place i, of from pixels in to places. */
static double
pixels_share(int x, int i, int from, int to)
{
    double step;

    step = (double) from / to;

    return fmax(0, fmin(x + 1, (i + 1) * step) - fmax(x, i * step)) / step;
}


static void
reduced(void **state)
{
    int          i, x, y, c, j, k;
    double       sum;
    ktpr_pool_t *pool;
    ktpr_image_t src, dst;

    static const int sizes[][2] = {
        {WIDTH, HEIGHT}, {40, 31}, {WIDTH - 1, 7}, {1, 1}};

    (void) state;

    pool = pixels_pool();
    pixels_image(pool, WIDTH, HEIGHT, &src);

    for (i = 0; i < 4; i++) {
        assert_int_equal(
            ktpr_warp_reduce(pool, &src, sizes[i][0], sizes[i][1], &dst),
            KTPR_DONE);

        for (k = 0; k < 3 * dst.w * dst.h; k++) {
            c = k % 3;
            sum = 0;

            for (y = 0; y < src.h; y++) {
                for (x = 0; x < src.w; x++) {
                    j = (y * src.w + x) * 3 + c;
                    sum += src.rgb[j]
                           * pixels_share(x, k / 3 % dst.w, src.w, dst.w)
                           * pixels_share(y, k / 3 / dst.w, src.h, dst.h);
                }
            }

            assert_true(fabs(sum - dst.rgb[k]) < .51);
        }
    }

    ktpr_pool_destroy(pool);
}


/* The background of a channel, reduced. */
static PIX *
pixels_ground(const ktpr_image_t *image, int channel, int by, int window)
{
    int      i, x, y, sum;
    PIX     *pix, *closed, *smooth;
    unsigned value;

    pix = pixCreate(image->w / by, image->h / by, 8);

    for (y = 0; y < image->h / by; y++) {
        for (x = 0; x < image->w / by; x++) {
            for (sum = 0, i = 0; i < by * by; i++) {
                sum +=
                    image->rgb[((y * by + i / by) * image->w + x * by + i % by)
                                   * 3
                               + channel];
            }

            value = (unsigned) (sum / (by * by));
            pixSetPixel(pix, x, y, value);
        }
    }

    closed = pixCloseGray(pix, window, window);
    smooth = pixGetWidth(pix) > window && pixGetHeight(pix) > window
                 ? pixBlockconvGray(closed, NULL, window / 2, window / 2)
                 : pixClone(closed);
    pixDestroy(&pix);
    pixDestroy(&closed);

    return smooth;
}


/* The background at (x, y), between its pixels in parts of 256. */
static int
pixels_light(PIX *ground, int by, int x, int y)
{
    int      i, at[2], part[2], side[2];
    unsigned a, b, c, d;

    side[0] = pixGetWidth(ground);
    side[1] = pixGetHeight(ground);

    for (i = 0; i < 2; i++) {
        at[i] = (2 * (i ? y : x) - by + 1) * 128 / by;
        at[i] = at[i] < 0 ? 0 : at[i];
        at[i] = at[i] > 256 * (side[i] - 1) ? 256 * (side[i] - 1) : at[i];
        part[i] = at[i] % 256;
        at[i] /= 256;
        side[i] = at[i] + 1 < side[i] ? at[i] + 1 : at[i];
    }

    pixGetPixel(ground, at[0], at[1], &a);
    pixGetPixel(ground, side[0], at[1], &b);
    pixGetPixel(ground, at[0], side[1], &c);
    pixGetPixel(ground, side[0], side[1], &d);

    return (((int) a * (256 - part[1]) + (int) c * part[1]) * (256 - part[0])
            + ((int) b * (256 - part[1]) + (int) d * part[1]) * part[0])
           / 65536;
}


/* The planes of the channels, divided by their backgrounds. */
static void
pixels_flat(const ktpr_image_t *image, int by, int window, unsigned char *flat)
{
    int  i, c, ratio;
    PIX *ground;

    for (c = 0; c < 3; c++) {
        ground = pixels_ground(image, c, by, window);

        for (i = 0; i < image->w * image->h; i++) {
            ratio =
                (image->rgb[3 * i + c] + 2) * KTPR_PAPER
                / (pixels_light(ground, by, i % image->w, i / image->w) + 2);
            flat[3 * i + c] = (unsigned char) (ratio > 255 ? 255 : ratio);
        }

        pixDestroy(&ground);
    }
}


/* A pixel of the two mixes. */
static int
pixels_mixed(const unsigned char *flat, const ktpr_image_t *image,
             ktpr_mix_t mix, int x, int y)
{
    int                  i, c, sum, most;
    const unsigned char *p;

    p = flat + (y * image->w + x) * 3;

    if (mix == KTPR_MIX_MEAN || x == 0 || y == 0 || x == image->w - 1
        || y == image->h - 1) {
        return (p[0] + p[1] + p[2]) / 3;
    }

    most = 0;

    for (c = 0; c < 3; c++) {
        for (sum = 0, i = 0; i < 9; i++) {
            sum += p[((i / 3 - 1) * image->w + i % 3 - 1) * 3 + c];
        }

        most = sum > most ? sum : most;
    }

    return most / 18 + (p[0] + p[1] + p[2]) / 6;
}


static void
flattened(void **state)
{
    int            i, x, y;
    ktpr_gray_t    gray;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *flat;

    /* a window, and what it is at which reduction */
    static const struct {
        int window, by, closed;
    } cases[] = {{9, 2, 5}, {21, 2, 11}, {43, 3, 15}, {100, 5, 21}, {1, 2, 3}};

    (void) state;

    pool = pixels_pool();
    pixels_image(pool, WIDTH, HEIGHT, &image);
    flat = ktpr_pool_alloc(pool, WIDTH * HEIGHT, 3);
    assert_non_null(flat);

    for (i = 0; i < 10; i++) {
        assert_int_equal(ktpr_flatten(pool, &image, cases[i / 2].window,
                                      (ktpr_mix_t) (i % 2), &gray),
                         KTPR_DONE);
        pixels_flat(&image, cases[i / 2].by, cases[i / 2].closed, flat);

        for (y = 0; y < HEIGHT; y++) {
            for (x = 0; x < WIDTH; x++) {
                assert_int_equal(
                    gray.px[y * WIDTH + x],
                    pixels_mixed(flat, &image, (ktpr_mix_t) (i % 2), x, y));
            }
        }
    }

    /* nothing to flatten in a few pixels */
    image.w = 7;
    assert_int_equal(ktpr_flatten(pool, &image, 21, KTPR_MIX_MEAN, &gray),
                     KTPR_UNFIT);

    ktpr_pool_destroy(pool);
}


/* Eleven lines of marks as large as letters, turned by so many degrees. */
static void
pixels_writing(ktpr_gray_t *gray, double turn)
{
    int    i, k, u, v, x, y, side;
    double c, s;

    side = gray->w;
    c = cos(turn * M_PI / 180);
    s = sin(turn * M_PI / 180);
    memset(gray->px, KTPR_PAPER, (size_t) (side * side));

    for (i = 0; i < 11 * 20; i++) {
        /* not evenly apart, or they are columns */
        u = i % 20 * 12 - 120 + i * i * 7 % 13;
        v = i / 20 * 18 - 90;
        x = side / 2 + (int) lrint(c * u - s * v);
        y = side / 2 + (int) lrint(s * u + c * v);

        for (k = 0; k < 6 * 7; k++) {
            gray->px[(y + k / 6) * side + x + k % 6] = 20;
        }
    }
}


static void
levelled(void **state)
{
    int          i, n;
    double       turn;
    ktpr_gray_t  gray;
    ktpr_blob_t *blobs;
    ktpr_pool_t *pool;

    static const double turns[] = {0, 3.3, -11.8, 60, -75};

    (void) state;

    pool = pixels_pool();
    assert_int_equal(ktpr_gray_create(pool, 320, 320, &gray), KTPR_DONE);

    for (i = 0; i < 5; i++) {
        pixels_writing(&gray, turns[i]);
        n = ktpr_blobs_find(pool, &gray, 128, 40, 200, &blobs);
        assert_true(n > 0);

        assert_int_equal(
            ktpr_skew_turn(pool, &gray, 128, blobs, n, 14, 1.2, &turn),
            KTPR_DONE);
        assert_true(fabs(turn - (fabs(turns[i]) > 14 ? turns[i] : 0)) <= 1);

        if (fabs(turns[i]) <= 14) {
            assert_int_equal(
                ktpr_skew_level(pool, &gray, 128, blobs, n, 14, &turn),
                KTPR_DONE);
            assert_true(fabs(turn - turns[i]) <= .4);
        }
    }

    ktpr_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warped),
        cmocka_unit_test(reduced),
        cmocka_unit_test(flattened),
        cmocka_unit_test(levelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
