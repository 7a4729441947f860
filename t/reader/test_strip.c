/*
 * Pictures without their metadata have the same pixels: files of libjpeg,
 * baseline and of many scans, grey, in colours and as RGB, turned by Exif.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>

#include "ktp_strip.h"
#include "ktpr_decode.h"


#define WIDTH  331
#define HEIGHT 203

static const unsigned char exif[] = "Exif\0\0MM\0*\0\0\0\x08\0\2\1\x0f\0\2\0\0"
                                    "\0\4ABC\0\1\x12\0\3\0\0\0\1\0\6\0\0"
                                    "\0\0\0\0SECRET";


static unsigned char *
draw(unsigned long *len, J_COLOR_SPACE colors, int progressive, int restart)
{
    int                         x, c;
    unsigned char              *file, row[WIDTH * 3];
    JSAMPROW                    rows[1] = {row};
    struct jpeg_error_mgr       err;
    struct jpeg_compress_struct cinfo;

    file = NULL;
    *len = 0;

    cinfo.err = jpeg_std_error(&err);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &file, len);

    cinfo.image_width = WIDTH;
    cinfo.image_height = HEIGHT;
    cinfo.input_components = 3;
    cinfo.in_color_space = JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_colorspace(&cinfo, colors);
    cinfo.restart_interval = (unsigned) restart;

    if (progressive) {
        jpeg_simple_progression(&cinfo);
    }

    jpeg_start_compress(&cinfo, TRUE);
    jpeg_write_marker(&cinfo, 0xe1, exif, sizeof(exif) - 1);
    jpeg_write_marker(&cinfo, 0xed, (const unsigned char *) "SECRET", 6);
    jpeg_write_marker(&cinfo, JPEG_COM, (const unsigned char *) "SECRET", 6);

    while (cinfo.next_scanline < HEIGHT) {
        for (x = 0; x < WIDTH * 3; x++) {
            c = (int) cinfo.next_scanline;
            row[x] = (unsigned char) (x * (c + 7) / 5 + (x % 3) * c);
        }

        (void) jpeg_write_scanlines(&cinfo, rows, 1);
    }

    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);

    return file;
}


static void
test_pixels(void **state)
{
    size_t             i, n;
    ktp_store_t        store;
    ktp_strip_t        strip;
    ktpr_pool_t       *pool;
    ktpr_image_t       before, after;
    unsigned char     *file, *stripped;
    unsigned long      len;
    const ktp_chunk_t *chunk;

    static const J_COLOR_SPACE spaces[] = {JCS_GRAYSCALE, JCS_YCbCr, JCS_RGB};

    (void) state;

    for (i = 0; i < 12; i++) {
        file = draw(&len, spaces[i % 3], i / 3 % 2, i < 6 ? 0 : 5);

        ktp_store_init(&store, NULL, len);
        ktp_strip_init(&strip, &store);
        assert_int_equal(ktp_strip_feed(&strip, file, len), KTP_OK);

        stripped = malloc(store.size);
        assert_non_null(stripped);
        n = 0;

        for (chunk = store.first; chunk; chunk = chunk->next) {
            memcpy(stripped + n, chunk->data, chunk->len);
            n += chunk->len;
        }

        assert_true(n < len);
        assert_non_null(memmem(file, len, "SECRET", 6));
        assert_null(memmem(stripped, n, "SECRET", 6));

        pool = ktpr_pool_create(16UL << 20);
        assert_non_null(pool);
        assert_int_equal(ktpr_decode(pool, file, len, NULL, &before),
                         KTPR_DONE);
        assert_int_equal(ktpr_decode(pool, stripped, n, NULL, &after),
                         KTPR_DONE);

        /* turned by a quarter, both */
        assert_int_equal(before.w, HEIGHT);
        assert_int_equal(after.w, before.w);
        assert_int_equal(after.h, before.h);
        assert_memory_equal(after.rgb, before.rgb,
                            (size_t) before.w * (size_t) before.h * 3);

        ktpr_pool_destroy(pool);
        ktp_store_free(&store);
        free(stripped);
        free(file);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
