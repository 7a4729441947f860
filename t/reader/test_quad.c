/* The card's corners, in pictures painted here. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_page.h"
#include "ktpr_quad.h"


#define WIDTH  800
#define HEIGHT 600

/* A plane of the card's shape, in tenths of a millimetre. */
#define CARD_W 856.
#define CARD_H 540.

static const ktpr_point_t card[4] = {
    {0, 0}, {CARD_W, 0}, {CARD_W, CARD_H}, {0, CARD_H}};


/* Grain, the same each time, and streaks. */
static int
table_light(int x, int y, int streaks)
{
    unsigned v;

    v = (unsigned) x * 2654435761u ^ (unsigned) y * 2246822519u;
    v = (v ^ v >> 15) * 2654435761u;

    return 118 + (int) (v >> 28) + streaks * (y / 7 % 3) * 9;
}


/* A light card with dark rows and a dark photo, where x, y are on it. */
static int
card_light(double x, double y)
{
    if (x > 620 && x < 810 && y > 150 && y < 400) {
        return 70;
    }

    if (x > 30 && x < 560 && y > 60 && fmod(y, 30) < 18 && fmod(x, 16) < 9) {
        return 60;
    }

    return 215;
}


/*
 * corners may be NULL, for the table alone; blank leaves what is on the card
 * and on the table away.
 */
static void
paint(ktpr_image_t *image, ktpr_pool_t *pool, const ktpr_point_t corners[4],
      int blank)
{
    int          x, y, light;
    ktpr_map_t   map;
    ktpr_point_t p;

    image->w = WIDTH;
    image->h = HEIGHT;
    image->scale = 1;
    image->rgb = ktpr_pool_alloc(pool, WIDTH * HEIGHT, 3);
    assert_non_null(image->rgb);

    if (corners != NULL) {
        assert_int_equal(ktpr_map_corners(corners, card, &map), 0);
    }

    for (y = 0; y < HEIGHT; y++) {
        for (x = 0; x < WIDTH; x++) {
            light = table_light(x, y, !blank);

            if (corners != NULL) {
                p = ktpr_map_point(&map, x, y);
                if (p.x >= 0 && p.x < CARD_W && p.y >= 0 && p.y < CARD_H) {
                    light = blank ? 215 : card_light(p.x, p.y);
                }
            }

            memset(image->rgb + 3 * (y * WIDTH + x), light, 3);
        }
    }
}


/*
 * A card seen by a camera with a focal length of one picture's width: turned
 * clockwise, then yaw and pitch, in degrees.
 */
static void
pose(double turn, double yaw, double pitch, ktpr_point_t corners[4])
{
    int    i;
    double x, y, z, u, v, far;

    turn *= M_PI / 180;
    yaw *= M_PI / 180;
    pitch *= M_PI / 180;
    far = 2 * CARD_W;

    for (i = 0; i < 4; i++) {
        u = card[i].x - CARD_W / 2;
        v = card[i].y - CARD_H / 2;
        x = (u * cos(turn) - v * sin(turn)) * cos(yaw);
        z = (u * cos(turn) - v * sin(turn)) * sin(yaw);
        y = u * sin(turn) + v * cos(turn);
        v = y * cos(pitch) - z * sin(pitch);
        z = y * sin(pitch) + z * cos(pitch);
        corners[i].x = WIDTH / 2. + x / (far + z) * WIDTH;
        corners[i].y = HEIGHT / 2. + v / (far + z) * WIDTH;
    }
}


/* Corner i of the card is found as corner i + first. */
static void
assert_corners(const ktpr_quad_t *quad, const ktpr_point_t corners[4],
               int first)
{
    int                 i;
    const ktpr_point_t *p;

    for (i = 0; i < 4; i++) {
        p = &quad->corners[(i + first) % 4];

        if (hypot(p->x - corners[i].x, p->y - corners[i].y) > 8) {
            fail_msg("corner %d is %.0f,%.0f, found %.0f,%.0f", i,
                     corners[i].x, corners[i].y, p->x, p->y);
        }
    }
}


static void
corners_found(void **state)
{
    size_t       i;
    ktpr_quad_t  quad;
    ktpr_pool_t *pool;
    ktpr_image_t image;
    ktpr_point_t corners[4];

    static const struct {
        double turn, yaw, pitch;
        int    first; /* 2: the card is upside down */
    } poses[] = {
        {0, 0, 0, 0},      {12, 0, 0, 0},    {-30, 0, 0, 0},
        {45, 0, 0, 0},     {170, 0, 0, 2},   {-120, 0, 0, 2},
        {0, 40, 0, 0},     {0, -40, 0, 0},   {0, 0, 40, 0},
        {0, 0, -45, 0},    {20, 30, -25, 0}, {-60, -25, 25, 0},
        {150, 25, -30, 2},
    };

    (void) state;

    for (i = 0; i < sizeof(poses) / sizeof(poses[0]); i++) {
        pool = ktpr_pool_create(64UL << 20);
        assert_non_null(pool);

        pose(poses[i].turn, poses[i].yaw, poses[i].pitch, corners);
        paint(&image, pool, corners, 0);
        assert_int_equal(ktpr_quad_find(pool, &image, &quad), 1);
        assert_corners(&quad, corners, poses[i].first);
        assert_true(quad.turn > -90.01 && quad.turn < 90.01);

        /* opposite sides are as parallel as the card is flat to the camera */
        if (poses[i].yaw == 0 && poses[i].pitch == 0) {
            assert_true(quad.squint < 3);
            assert_true(fabs(remainder(quad.turn - poses[i].turn, 180)) < 2);

        } else {
            assert_true(quad.squint > 8);
        }

        ktpr_pool_destroy(pool);
    }
}


/* A table alone, a square, a strip, and a card of which a side is not seen. */
static void
no_corners(void **state)
{
    size_t       i;
    ktpr_quad_t  quad;
    ktpr_pool_t *pool;
    ktpr_image_t image;

    static const ktpr_point_t others[][4] = {
        {{200, 100}, {600, 100}, {600, 500}, {200, 500}},
        {{50, 200}, {750, 200}, {750, 400}, {50, 400}},
        {{-200, 100}, {500, 100}, {500, 541}, {-200, 541}},
    };

    (void) state;

    for (i = 0; i <= sizeof(others) / sizeof(others[0]); i++) {
        pool = ktpr_pool_create(64UL << 20);
        assert_non_null(pool);

        paint(&image, pool, i > 0 ? others[i - 1] : NULL, 1);
        if (ktpr_quad_find(pool, &image, &quad) != 0) {
            fail_msg("picture %zu: %.0f,%.0f %.0f,%.0f %.0f,%.0f %.0f,%.0f", i,
                     quad.corners[0].x, quad.corners[0].y, quad.corners[1].x,
                     quad.corners[1].y, quad.corners[2].x, quad.corners[2].y,
                     quad.corners[3].x, quad.corners[3].y);
        }

        ktpr_pool_destroy(pool);
    }
}


/* A place on the straight page is the place on the card. */
static void
straightened(void **state)
{
    int           x, y, i;
    double        u, v, error;
    ktpr_map_t    map;
    ktpr_page_t   page;
    ktpr_pool_t  *pool;
    ktpr_quad_t   quad;
    ktpr_image_t  image;
    ktpr_point_t  p, q, corners[4];
    unsigned char light[2];

    (void) state;

    pool = ktpr_pool_create(64UL << 20);
    assert_non_null(pool);
    pose(25, 30, -20, corners);
    paint(&image, pool, corners, 0);
    memcpy(quad.corners, corners, sizeof(corners));
    assert_int_equal(ktpr_page_straight(pool, &image, &quad, &page), 0);
    assert_int_equal(page.work.w, KTPR_WORK_SIDE);
    assert_int_equal(ktpr_map_corners(corners, card, &map), 0);

    /* the middles of the two ends of the card's first row, inside it */
    for (i = 0; i < 2; i++) {
        u = i ? CARD_W - 5 : 5;
        v = CARD_H / 2;
        x = (int) (30 + u * (page.work.w - 60) / CARD_W);
        y = (int) (30 + v * (page.work.h - 60) / CARD_H);
        p = ktpr_map_point(&page.work_to_image, x, y);
        q = ktpr_map_point(&map, p.x, p.y);
        error = hypot(q.x - u, q.y - v);
        assert_true(error < 3);
        light[i] = page.work.px[y * page.work.w + x];
        assert_true(light[i] > 200);
    }

    ktpr_pool_destroy(pool);
}


/* An image that is too small has no card; too little memory is an error. */
static void
nothing_to_see(void **state)
{
    ktpr_quad_t  quad;
    ktpr_pool_t *pool;
    ktpr_image_t image;

    (void) state;

    pool = ktpr_pool_create(1 << 21);
    assert_non_null(pool);
    paint(&image, pool, NULL, 1);

    image.w = 20;
    image.h = 20;
    assert_int_equal(ktpr_quad_find(pool, &image, &quad), 0);

    image.w = WIDTH;
    image.h = HEIGHT;
    assert_int_equal(ktpr_quad_find(pool, &image, &quad), KTPR_NO_MEMORY);

    ktpr_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corners_found),
        cmocka_unit_test(no_corners),
        cmocka_unit_test(straightened),
        cmocka_unit_test(nothing_to_see),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
