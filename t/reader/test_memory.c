/*
 * Memory that runs out: each allocation of each step fails in turn, and the
 * step says so, whatever it was doing.  Linked with --wrap=ktpr_pool_alloc.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <leptonica/allheaders.h>
#include <spng.h>
#include <turbojpeg.h>

#include "ktpr_columns.h"
#include "ktpr_crop.h"
#include "ktpr_decode.h"
#include "ktpr_glance.h"
#include "ktpr_page.h"
#include "ktpr_quad.h"
#include "ktpr_quality.h"
#include "ktpr_rows.h"
#include "ktpr_scan.h"
#include "ktpr_warp.h"


#define WIDTH  1200
#define HEIGHT 800

/* The card painted: its corner, and its rows, in pixels. */
#define LEFT   100
#define TOP    80
#define CARD_W 1000
#define CARD_H 630
#define ROW    42
#define ROWS   12

typedef struct {
    ktpr_pool_t   *pool; /* of what a step makes */
    ktpr_image_t   image, small;
    ktpr_page_t    page;
    ktpr_sheet_t   sheet;
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];
    ktpr_engines_t engines;

    unsigned char *file; /* an image file to decode */
    size_t         len;
} step_t;

typedef int run_t(step_t *step);

/* Allocations since the step began, and the one that fails: 0 for none. */
static unsigned long calls, failing;


void *__real_ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size);
void *__wrap_ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size);


void *
__wrap_ktpr_pool_alloc(ktpr_pool_t *pool, size_t n, size_t size)
{
    /* more than any pool has */
    if (++calls == failing) {
        n = SIZE_MAX;
        size = 1;
    }

    return __real_ktpr_pool_alloc(pool, n, size);
}


/* Leptonica's pixels fail in the same turn. */
static void *
pixels_alloc(size_t size)
{
    return ++calls == failing ? NULL : malloc(size);
}


static void
fill(ktpr_image_t *image, int x0, int y0, int w, int h, int light)
{
    int y;

    for (y = y0; y < y0 + h; y++) {
        memset(image->rgb + 3 * ((size_t) y * image->w + x0), light,
               3 * (size_t) w);
    }
}


/* A word of letters: strokes with gaps, that no two letters are joined by. */
static void
word(ktpr_image_t *image, int x, int y, int letters)
{
    for (; letters > 0; letters--, x += 18) {
        fill(image, x, y, 5, 21, 40);
        fill(image, x, y, 13, 5, 40);
        fill(image, x, y + 16, 13, 5, 40);
    }
}


/* A light card on a dark table: rows of a label, a colon and a value. */
static void
paint(ktpr_pool_t *pool, ktpr_image_t *image)
{
    int i, y;

    image->w = WIDTH;
    image->h = HEIGHT;
    image->scale = 1;
    image->rgb = ktpr_pool_alloc(pool, WIDTH * HEIGHT, 3);
    assert_non_null(image->rgb);

    fill(image, 0, 0, WIDTH, HEIGHT, 90);
    fill(image, LEFT, TOP, CARD_W, CARD_H, 210);

    /* a lamp, and a photo with a white headscarf */
    fill(image, LEFT + 600, TOP + 300, 60, 60, 255);
    fill(image, LEFT + 920, TOP + 180, 170, 220, 60);
    fill(image, LEFT + 940, TOP + 210, 130, 160, 255);
    fill(image, LEFT + 975, TOP + 245, 60, 80, 120);

    for (i = 0; i < ROWS; i++) {
        y = TOP + 110 + i * ROW;
        word(image, LEFT + 30, y, 6 + i % 3);
        word(image, LEFT + 350, y, 9 + i % 5);
    }
}


static void
prepare(step_t *step, ktpr_pool_t *kept)
{
    failing = 0;
    memset(step, 0, sizeof(step_t));
    step->pool = ktpr_pool_create(160UL << 20);
    assert_non_null(step->pool);
    paint(kept, &step->image);
    assert_int_equal(ktpr_warp_reduce(kept, &step->image, WIDTH / 2,
                                      HEIGHT / 2, &step->small),
                     KTPR_DONE);
    assert_int_equal(ktpr_page_create(kept, &step->image, &step->page),
                     KTPR_DONE);
    assert_int_equal(ktpr_page_level(kept, &step->page, 0), KTPR_DONE);
    assert_int_equal(ktpr_page_fragments(kept, &step->page, .7, 0), KTPR_DONE);
    assert_true(ktpr_columns_find(kept, &step->page, step->columns) > 0);
    assert_int_equal(
        ktpr_crop_sheet_create(kept, &step->image, 21, &step->sheet),
        KTPR_DONE);
}


/*
 * Runs a step with its first, second ... allocation failing, every stride-th,
 * until none does.  It returns KTPR_NO_MEMORY each time, and what it returns
 * in the end is not negative.
 */
static void
each(run_t *run, step_t *step, unsigned long stride)
{
    int           rc;
    unsigned long n;

    for (n = 1;; n += stride) {
        calls = 0;
        failing = n;
        rc = run(step);
        failing = 0;
        ktpr_pool_reset(step->pool);

        if (calls < n) {
            break;
        }

        if (rc != KTPR_NO_MEMORY) {
            fail_msg("allocation %lu failed, and the step returned %d", n, rc);
        }
    }

    assert_true(rc >= 0);
    assert_true(n > 1);
}


static int
run_quad(step_t *step)
{
    ktpr_quad_t quad;

    return ktpr_quad_find(step->pool, &step->image, &quad);
}


static int
run_page(step_t *step)
{
    ktpr_page_t page;

    return ktpr_page_create(step->pool, &step->image, &page);
}


static int
run_page_small(step_t *step)
{
    ktpr_page_t page;

    return ktpr_page_create(step->pool, &step->small, &page);
}


static int
run_straight(step_t *step)
{
    ktpr_page_t       page;
    const ktpr_quad_t quad = {.corners = {{LEFT, TOP},
                                          {LEFT + CARD_W, TOP},
                                          {LEFT + CARD_W, TOP + CARD_H},
                                          {LEFT, TOP + CARD_H}}};

    return ktpr_page_straight(step->pool, &step->image, &quad, &page);
}


static int
run_turn(step_t *step)
{
    double turn;

    return ktpr_page_turn(step->pool, &step->page, &turn);
}


static int
run_level(step_t *step)
{
    ktpr_page_t page;

    page = step->page;

    return ktpr_page_level(step->pool, &page, 90);
}


static int
run_fragments(step_t *step)
{
    ktpr_page_t page;

    page = step->page;

    return ktpr_page_fragments(step->pool, &page, .7, 0);
}


static int
run_columns(step_t *step)
{
    ktpr_columns_t columns[KTPR_MAX_COLUMNS];

    return ktpr_columns_find(step->pool, &step->page, columns);
}


static int
run_rows(step_t *step)
{
    ktpr_rows_t rows;

    return ktpr_rows_find(step->pool, &step->page, &step->columns[0], &rows);
}


static int
run_sheet(step_t *step)
{
    ktpr_sheet_t sheet;

    return ktpr_crop_sheet_create(step->pool, &step->image, 21, &sheet);
}


static int
run_crop(step_t *step)
{
    ktpr_gray_t        line;
    const ktpr_strip_t strip = {100, 400, 0, 200, 220};
    const ktpr_cut_t   cut = {
          .capital = 30, .wide = 1, .above = .45, .left = .38, .right = .5};

    return ktpr_crop(step->pool, &step->sheet, &step->page.level_to_image,
                     &strip, &cut, &line);
}


static int
run_smooth(step_t *step)
{
    ktpr_gray_t smooth;

    return ktpr_gray_smooth(step->pool, &step->page.level, &smooth);
}


static int
run_quality(step_t *step)
{
    double     measures[KTPR_MEASURES];
    ktpr_map_t card_to_image;

    card_to_image =
        ktpr_map_affine(ROW, 0, LEFT + 350, 0, ROW, TOP + 110 + 21);

    return ktpr_quality_measures(step->pool, &step->image, KTPR_PART_CARD, ROW,
                                 &card_to_image, measures);
}


static int
run_quality_none(step_t *step)
{
    double measures[KTPR_MEASURES];

    return ktpr_quality_measures(step->pool, &step->image, KTPR_PART_ALL, 0,
                                 NULL, measures);
}


static int
run_decode(step_t *step)
{
    ktpr_image_t image;

    return ktpr_decode(step->pool, step->file, step->len, NULL, &image);
}


static void
steps(void **state)
{
    size_t       i;
    step_t       step;
    ktpr_pool_t *kept;

    static run_t *const runs[] = {
        run_quad,  run_page,      run_page_small, run_straight,     run_turn,
        run_level, run_fragments, run_columns,    run_rows,         run_sheet,
        run_crop,  run_smooth,    run_quality,    run_quality_none,
    };

    (void) state;

    kept = ktpr_pool_create(160UL << 20);
    assert_non_null(kept);
    prepare(&step, kept);

    for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        print_message("# step %zu\n", i);
        each(runs[i], &step, 1);
    }

    ktpr_pool_destroy(step.pool);
    ktpr_pool_destroy(kept);
}


/* The image as a JPEG file with inks, and as a PNG file. */
static void
encode(const ktpr_image_t *image, int png, unsigned char **file, size_t *len)
{
    int              rc;
    size_t           size;
    tjhandle         jpeg;
    spng_ctx        *ctx;
    unsigned long    n;
    unsigned char   *inks;
    struct spng_ihdr ihdr = {0};

    *file = NULL;
    size = (size_t) image->w * (size_t) image->h;

    if (png) {
        ctx = spng_ctx_new(SPNG_CTX_ENCODER);
        assert_non_null(ctx);
        spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
        ihdr.width = (uint32_t) image->w;
        ihdr.height = (uint32_t) image->h;
        ihdr.bit_depth = 8;
        ihdr.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
        assert_int_equal(spng_set_ihdr(ctx, &ihdr), 0);
        assert_int_equal(spng_encode_image(ctx, image->rgb, 3 * size,
                                           SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE),
                         0);
        *file = spng_get_png_buffer(ctx, len, &rc);
        spng_ctx_free(ctx);

    } else {
        n = 0;
        inks = calloc(4, size);
        assert_non_null(inks);
        jpeg = tjInitCompress();
        assert_int_equal(tjCompress2(jpeg, inks, image->w, 0, image->h,
                                     TJPF_CMYK, file, &n, TJSAMP_444, 90, 0),
                         0);
        tjDestroy(jpeg);
        free(inks);
        *len = n;
    }

    assert_non_null(*file);
}


static void
decoding(void **state)
{
    int          png;
    step_t       step;
    ktpr_pool_t *kept;

    (void) state;

    kept = ktpr_pool_create(160UL << 20);
    assert_non_null(kept);
    prepare(&step, kept);

    for (png = 0; png < 2; png++) {
        encode(&step.small, png, &step.file, &step.len);
        each(run_decode, &step, 1);

        /* the file's fault is not memory's */
        step.file[step.len / 2 % 2] ^= 0xff;
        assert_int_equal(run_decode(&step), KTPR_UNFIT);
        free(step.file);
    }

    ktpr_pool_destroy(step.pool);
    ktpr_pool_destroy(kept);
}


static int
run_scan(step_t *step)
{
    ktpr_scan_t scan;

    memset(&scan, 0, sizeof(ktpr_scan_t));
    scan.pool = step->pool;
    scan.engines = &step->engines;
    scan.image = step->image;

    return ktpr_scan_find(&scan);
}


static int
run_glance(step_t *step)
{
    double      confidence;
    ktpr_scan_t scan;

    memset(&scan, 0, sizeof(ktpr_scan_t));
    scan.pool = step->pool;
    scan.engines = &step->engines;
    scan.image = step->small;

    return ktpr_glance_find(&scan, &confidence);
}


/* A line of a card that was found: a reading returns nothing but text. */
static int
run_look(step_t *step)
{
    ktpr_scan_t        scan;
    ktpr_reading_t     reading;
    const ktpr_strip_t strip = {400, 600, 0, 330, 350};

    memset(&scan, 0, sizeof(ktpr_scan_t));
    scan.pool = step->pool;
    scan.engines = &step->engines;
    scan.page = step->page;
    scan.sheet = step->sheet;
    ktpr_scan_look(&scan, &strip, KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT, NULL,
                   &reading);

    return ktpr_pool_failed(step->pool) ? KTPR_NO_MEMORY : 0;
}


static void
scanning(void **state)
{
    step_t       step;
    ktpr_pool_t *kept;

    (void) state;

    kept = ktpr_pool_create(160UL << 20);
    assert_non_null(kept);
    prepare(&step, kept);
    assert_int_equal(ktpr_view_engines_create(&step.engines, NULL), 0);

    each(run_look, &step, 1);
    each(run_scan, &step, 89);
    each(run_glance, &step, 41);

    ktpr_view_engines_destroy(&step.engines);
    ktpr_pool_destroy(step.pool);
    ktpr_pool_destroy(kept);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps),
        cmocka_unit_test(decoding),
        cmocka_unit_test(scanning),
    };

    setPixMemoryManager(pixels_alloc, free);
    setMsgSeverity(L_SEVERITY_NONE);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
