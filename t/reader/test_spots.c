/* Places in a photo that may be a card far away, on photos painted here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_spots.h"


/* A photo, and the bounds of what looks like print in it. */
typedef struct {
    const char *name;
    int         w, h, grain;
    ktpr_area_t prints[3]; /* the clearest first; no width: none */
    int         stripes;   /* only in one direction */
} photo_t;


static void
paint(const photo_t *photo, ktpr_image_t *image)
{
    int                x, y, k, v, dark;
    unsigned           random;
    const ktpr_area_t *a;

    random = 1;

    for (y = 0; y < photo->h; y++) {
        for (x = 0; x < photo->w; x++) {
            random = random * 1103515245 + 12345;
            v = 128 + (int) (random >> 16) % (photo->grain + 1);

            for (k = 0; k < 3 && photo->prints[k].w; k++) {
                a = &photo->prints[k];
                dark = photo->stripes ? y / 3 % 2 : x / 3 % 2 && y / 3 % 2;

                if (x >= a->x && x < a->x + a->w && y >= a->y
                    && y < a->y + a->h) {
                    v = dark ? 150 : 200 + 10 * k;
                }
            }

            memset(image->rgb + 3 * (y * photo->w + x), v, 3);
        }
    }
}


/* The part of a that is in b, in hundredths. */
static int
inside(const ktpr_area_t *a, const ktpr_area_t *b)
{
    int x0, y0, x1, y1;

    x0 = a->x > b->x ? a->x : b->x;
    y0 = a->y > b->y ? a->y : b->y;
    x1 = a->x + a->w < b->x + b->w ? a->x + a->w : b->x + b->w;
    y1 = a->y + a->h < b->y + b->h ? a->y + a->h : b->y + b->h;

    return x1 <= x0 || y1 <= y0 ? 0
                                : 100 * (x1 - x0) * (y1 - y0) / (a->w * a->h);
}


static void
spots(void **state)
{
    int          n, k, wanted;
    size_t       i;
    ktpr_pool_t *pool;
    ktpr_area_t  found[KTPR_MAX_SPOTS];
    ktpr_image_t image;

    static const photo_t photos[] = {
        {"a small one", 1600, 1200, 0, {{803, 455, 170, 110}}, 0},
        {"lying", 2000, 1500, 4, {{211, 1190, 420, 265}}, 0},
        {"standing", 1500, 2000, 4, {{1100, 30, 265, 420}}, 0},
        {"on grain", 2000, 1500, 9, {{900, 700, 420, 265}}, 0},
        {"at the rim", 2000, 1500, 4, {{1600, 1240, 400, 260}}, 0},
        {"two",
         2000,
         1500,
         4,
         {{100, 100, 420, 265}, {1400, 1000, 300, 190}},
         0},
        {"none", 2000, 1500, 0, {{0}}, 0},
        {"grain alone", 2000, 1500, 16, {{0}}, 0},
        {"stripes", 2000, 1500, 0, {{900, 700, 420, 265}}, 1},
        {"a page", 2000, 1500, 0, {{0, 0, 2000, 1500}}, 0},
        {"no cells", 60, 8, 0, {{0}}, 0},
        {"one pixel", 1, 1, 0, {{0}}, 0},
    };

    (void) state;

    pool = ktpr_pool_create(64UL << 20);

    for (i = 0; i < sizeof(photos) / sizeof(photos[0]); i++) {
        print_message("# %s\n", photos[i].name);
        assert_int_equal(
            ktpr_image_create(pool, photos[i].w, photos[i].h, &image),
            KTPR_DONE);
        paint(&photos[i], &image);
        n = ktpr_spots_find(pool, &image, found);

        wanted = 0;
        if (!photos[i].stripes && photos[i].prints[0].w < photos[i].w) {
            for (/* void */; photos[i].prints[wanted].w; wanted++) {
                /* void */
            }
        }

        assert_int_equal(n, wanted);

        for (k = 0; k < n; k++) {
            assert_in_range(inside(&photos[i].prints[k], &found[k]), 70, 100);
            assert_in_range(inside(&found[k], &photos[i].prints[k]), 40, 100);
        }

        ktpr_pool_reset(pool);
    }

    ktpr_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(spots)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
