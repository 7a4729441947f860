/* Decoding: what each kind of file becomes, and what is too costly. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <spng.h>

#include "ktpr_decode.h"


typedef struct {
    int w, h, components, scans, arithmetic;
} jpeg_t;

typedef struct {
    int w, h, depth, color, interlace;
} png_t;


/* The colour of a pixel: unlike at each place, and smooth. */
static void
color(int x, int y, int w, int h, unsigned char rgb[3])
{
    rgb[0] = (unsigned char) (255 * x / w);
    rgb[1] = (unsigned char) (255 * y / h);
    rgb[2] = (unsigned char) (255 - 200 * x / w);
}


/*
 * A JPEG file; scans of one component each after the first, which has all:
 * with 0 it is a baseline file.
 */
static unsigned char *
jpeg(const jpeg_t *c, size_t *len)
{
    int                         x, y, i;
    unsigned long               n;
    unsigned char              *out, *row;
    jpeg_scan_info             *scans;
    struct jpeg_error_mgr       errors;
    struct jpeg_compress_struct file;

    out = NULL;
    n = 0;
    scans = calloc((size_t) c->scans + 1, sizeof(jpeg_scan_info));
    row = calloc((size_t) c->w, 4);
    assert_non_null(scans);
    assert_non_null(row);

    file.err = jpeg_std_error(&errors);
    jpeg_create_compress(&file);
    jpeg_mem_dest(&file, &out, &n);
    file.image_width = (JDIMENSION) c->w;
    file.image_height = (JDIMENSION) c->h;
    file.input_components = c->components;
    file.in_color_space = c->components == 4   ? JCS_CMYK
                          : c->components == 3 ? JCS_RGB
                                               : JCS_GRAYSCALE;
    jpeg_set_defaults(&file);
    jpeg_set_quality(&file, 95, TRUE);
    file.arith_code = c->arithmetic;

    if (c->scans > 0) {
        for (i = 0; i < c->components; i++) {
            scans[0].component_index[i] = i;
        }

        scans[0].comps_in_scan = c->components;

        /* one frequency each */
        for (i = 1; i < c->scans; i++) {
            scans[i].comps_in_scan = 1;
            scans[i].Ss = i;
            scans[i].Se = i;
        }

        file.scan_info = scans;
        file.num_scans = c->scans;
    }

    jpeg_start_compress(&file, TRUE);

    for (y = 0; y < c->h; y++) {
        for (x = 0; x < c->w; x++) {
            if (c->components == 3) {
                color(x, y, c->w, c->h, row + 3 * x);
            } else {
                memset(row + c->components * x, 255 - 200 * x / c->w,
                       (size_t) c->components);
            }
        }

        jpeg_write_scanlines(&file, &row, 1);
    }

    jpeg_finish_compress(&file);
    jpeg_destroy_compress(&file);
    free(scans);
    free(row);
    *len = n;

    return out;
}


/* A PNG file: black, or with 8 bits of RGB the colours of above. */
static unsigned char *
png(const png_t *c, size_t *len)
{
    int              x, y, rc;
    size_t           size;
    spng_ctx        *ctx;
    unsigned char   *pixels, *out;
    struct spng_ihdr ihdr = {0};

    static const int channels[] = {1, 0, 3, 1, 2, 0, 4};

    size = (size_t) c->w * (size_t) (channels[c->color] * c->depth / 8);
    pixels = calloc((size_t) c->h, size);
    assert_non_null(pixels);

    for (y = 0; size == 3 * (size_t) c->w && y < c->h; y++) {
        for (x = 0; x < c->w; x++) {
            color(x, y, c->w, c->h, pixels + size * (size_t) y + 3 * x);
        }
    }

    ctx = spng_ctx_new(SPNG_CTX_ENCODER);
    spng_set_option(ctx, SPNG_ENCODE_TO_BUFFER, 1);
    spng_set_option(ctx, SPNG_IMG_COMPRESSION_LEVEL, 1);
    ihdr.width = (uint32_t) c->w;
    ihdr.height = (uint32_t) c->h;
    ihdr.bit_depth = (uint8_t) c->depth;
    ihdr.color_type = (uint8_t) c->color;
    ihdr.interlace_method = (uint8_t) c->interlace;
    assert_int_equal(spng_set_ihdr(ctx, &ihdr), 0);
    assert_int_equal(spng_encode_image(ctx, pixels, size * (size_t) c->h,
                                       SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE),
                     0);
    out = spng_get_png_buffer(ctx, len, &rc);
    assert_non_null(out);
    spng_ctx_free(ctx);
    free(pixels);

    return out;
}


/* Whether the image shows the colours, within a few grey levels. */
static void
check_colors(const ktpr_image_t *image)
{
    int           x, y, k;
    unsigned char rgb[3];

    for (y = 0; y < image->h; y += 7) {
        for (x = 0; x < image->w; x += 7) {
            color(x, y, image->w, image->h, rgb);

            for (k = 0; k < 3; k++) {
                assert_in_range(image->rgb[(y * image->w + x) * 3 + k] + 6
                                    - rgb[k],
                                0, 12);
            }
        }
    }
}


static void
jpegs(void **state)
{
    size_t         i, len;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *file;

    static const struct {
        jpeg_t        jpeg;
        ktpr_status_t status;
        int           w, h;
    } cases[] = {
        {{640, 480, 3, 0, 0}, KTPR_DONE, 640, 480},
        {{640, 480, 3, 40, 0}, KTPR_DONE, 640, 480},
        {{640, 480, 3, 40, 1}, KTPR_DONE, 640, 480},
        {{640, 480, 4, 0, 0}, KTPR_DONE, 640, 480},
        {{4400, 1000, 3, 0, 0}, KTPR_DONE, 2200, 500},
        {{4401, 1000, 3, 0, 0}, KTPR_DONE, 1651, 375},
        {{8192, 6144, 1, 0, 0}, KTPR_DONE, 2048, 1536},
        {{8192, 6144, 1, 32, 0}, KTPR_DONE, 2048, 1536},
        {{8192, 6144, 1, 34, 0}, KTPR_COSTLY, 0, 0},
        {{8192, 6144, 1, 5, 1}, KTPR_COSTLY, 0, 0},
        {{8192, 6401, 1, 0, 0}, KTPR_UNFIT, 0, 0},
    };

    (void) state;

    pool = ktpr_pool_create(160UL << 20);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# JPEG %zu\n", i);
        file = jpeg(&cases[i].jpeg, &len);
        assert_int_equal(ktpr_decode(pool, file, len, NULL, &image),
                         cases[i].status);
        free(file);

        if (cases[i].status == KTPR_DONE) {
            assert_int_equal(image.w, cases[i].w);
            assert_int_equal(image.h, cases[i].h);

            if (cases[i].jpeg.components == 3) {
                check_colors(&image);
            }
        }

        ktpr_pool_reset(pool);
    }

    ktpr_pool_destroy(pool);
}


static void
pngs(void **state)
{
    size_t         i, len;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *file;

    static const struct {
        png_t         png;
        ktpr_status_t status;
        int           w, h;
    } cases[] = {
        {{640, 480, 8, 2, 0}, KTPR_DONE, 640, 480},
        {{640, 480, 8, 2, 1}, KTPR_DONE, 640, 480},
        {{4403, 1001, 8, 2, 0}, KTPR_DONE, 1467, 333},
        {{4403, 1001, 8, 2, 1}, KTPR_DONE, 1467, 333},
        {{640, 480, 16, 6, 0}, KTPR_DONE, 640, 480},
        {{8192, 6144, 8, 0, 1}, KTPR_DONE, 2048, 1536},
        {{8192, 6144, 16, 4, 0}, KTPR_DONE, 2048, 1536},
        {{8192, 6144, 16, 2, 0}, KTPR_COSTLY, 0, 0},
        {{8192, 6401, 8, 0, 0}, KTPR_UNFIT, 0, 0},
    };

    (void) state;

    pool = ktpr_pool_create(160UL << 20);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("# PNG %zu\n", i);
        file = png(&cases[i].png, &len);
        assert_int_equal(ktpr_decode(pool, file, len, NULL, &image),
                         cases[i].status);
        free(file);

        if (cases[i].status == KTPR_DONE) {
            assert_int_equal(image.w, cases[i].w);
            assert_int_equal(image.h, cases[i].h);

            if (cases[i].png.depth == 8 && cases[i].png.color == 2) {
                check_colors(&image);
            }
        }

        ktpr_pool_reset(pool);
    }

    ktpr_pool_destroy(pool);
}


/* The file with EXIF in front that tells an orientation; frees the old one. */
static unsigned char *
oriented(unsigned char *file, size_t *len, int orientation)
{
    unsigned char *out;

    static const unsigned char exif[] = {
        0xff, 0xe1, 0x00, 0x22, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
        0,    42,   0,    0,    0,   8,   0,   1,   0x01, 0x12, 0,   3,
        0,    0,    0,    1,    0,   0,   0,   0,   0,    0,    0,   0,
    };

    out = malloc(*len + sizeof(exif));
    assert_non_null(out);
    memcpy(out, file, 2);
    memcpy(out + 2, exif, sizeof(exif));
    out[2 + 29] = (unsigned char) orientation;
    memcpy(out + 2 + sizeof(exif), file + 2, *len - 2);
    *len += sizeof(exif);
    free(file);

    return out;
}


/* Whether what is decoded of an area is that part of the whole. */
static void
check_area(ktpr_pool_t *pool, const unsigned char *file, size_t len,
           const ktpr_area_t *area, const ktpr_area_t *kept)
{
    int          y;
    ktpr_image_t whole, part;

    assert_int_equal(ktpr_decode(pool, file, len, NULL, &whole), KTPR_DONE);
    assert_int_equal(ktpr_decode(pool, file, len, area, &part), KTPR_DONE);
    assert_int_equal(part.scale, 1);
    assert_int_equal(part.x, kept->x);
    assert_int_equal(part.y, kept->y);
    assert_int_equal(part.w, kept->w);
    assert_int_equal(part.h, kept->h);

    for (y = 0; y < part.h; y++) {
        assert_memory_equal(
            part.rgb + 3 * y * part.w,
            whole.rgb + 3 * ((kept->y + y) * whole.w + kept->x), 3 * part.w);
    }

    ktpr_pool_reset(pool);
}


static void
areas(void **state)
{
    int            k;
    size_t         i, len;
    ktpr_pool_t   *pool;
    ktpr_image_t   image;
    unsigned char *file;

    static const jpeg_t picture = {321, 243, 3, 0, 0};
    static const jpeg_t large = {4400, 3000, 3, 0, 0};
    static const png_t  pngs[] = {{321, 243, 8, 2, 0}, {321, 243, 8, 2, 1}};

    static const struct {
        ktpr_area_t area, kept;
    } cases[] = {
        {{0, 0, 200, 200}, {0, 0, 200, 200}},
        {{57, 33, 100, 71}, {57, 33, 100, 71}},
        {{-20, -30, 90, 80}, {0, 0, 70, 50}},
        {{200, 201, 43, 42}, {200, 201, 43, 42}},
    };

    const ktpr_area_t part = {2200, 1500, 1100, 750};

    (void) state;

    pool = ktpr_pool_create(160UL << 20);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (k = 1; k <= 8; k++) {
            file = oriented(jpeg(&picture, &len), &len, k);
            check_area(pool, file, len, &cases[i].area, &cases[i].kept);
            free(file);
        }

        for (k = 0; k < 2; k++) {
            file = png(&pngs[k], &len);
            check_area(pool, file, len, &cases[i].area, &cases[i].kept);
            free(file);
        }
    }

    /* what does not fit is as the file ends, and one pixel at least */
    for (k = 1; k <= 8; k++) {
        const ktpr_area_t out = {300, 400, 500, 600};

        file = oriented(jpeg(&picture, &len), &len, k);
        assert_int_equal(ktpr_decode(pool, file, len, &out, &image),
                         KTPR_DONE);
        assert_int_equal(image.w, k < 5 ? 21 : 1);
        assert_int_equal(image.h, 1);
        free(file);
    }

    /* a part is larger than in the whole */
    file = jpeg(&large, &len);
    assert_int_equal(ktpr_decode(pool, file, len, &part, &image), KTPR_DONE);
    assert_int_equal(image.w, 1100);
    assert_int_equal(image.h, 750);
    assert_in_range(image.rgb[0], 255 / 2 - 3, 255 / 2 + 3);
    assert_in_range(image.rgb[3 * 1099], 255 * 3 / 4 - 3, 255 * 3 / 4 + 3);
    free(file);
    ktpr_pool_destroy(pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpegs),
        cmocka_unit_test(pngs),
        cmocka_unit_test(areas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
