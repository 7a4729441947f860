#include <spng.h>

#include "ktp_limits.h"
#include "ktpr_png.h"


/*
 * fixed: bytes of all rows of a file, at most, which are inflated and
 * filtered: the largest image with 8 bits a channel and alpha, which takes
 * 0.8 s of CPU time.  With 16 bits it would take twice that.
 */
#define KTPR_PNG_WORK (4L * KTP_MAX_PIXELS)

/*
 * fixed: sides of a file, and bytes of one chunk of text or profile and of
 * all, that libspng holds: KTP_MAX_PIXELS limits an image before these do.
 */
#define KTPR_PNG_SIDE   30000
#define KTPR_PNG_CHUNK  (1 << 20)
#define KTPR_PNG_CHUNKS (4 << 20)

/* Passes of an interlaced file (PNG, 8.2). */
#define KTPR_PNG_PASSES 7


/*
 * Adds pixels of a row of RGBA, on a white ground, to the sums of a reduced
 * row, of which each pixel is the mean of reduce x reduce pixels: w pixels,
 * from first on by step.
 */
static void
ktpr_png_add(const unsigned char *rgba, int w, int first, int step, int reduce,
             unsigned *sums)
{
    int      i, c;
    unsigned alpha;

    for (i = first; i < w; i += step) {
        alpha = rgba[4 * i + 3];

        for (c = 0; c < 3; c++) {
            sums[i / reduce * 3 + c] +=
                (rgba[4 * i + c] * alpha + 255 * (255 - alpha)) / 255;
        }
    }
}


/* Sets a row of the image to the means of its sums, and these to 0. */
static void
ktpr_png_mean(unsigned *sums, int y, int count, ktpr_image_t *image)
{
    int            i;
    unsigned char *rgb;

    rgb = image->rgb + (size_t) y * image->w * 3;

    for (i = 0; i < 3 * image->w; i++) {
        rgb[i] = sums[i] / count;
        sums[i] = 0;
    }
}


/*
 * Decodes the rows.  Those of an interlaced file come pass by pass, so that
 * the sums of the whole image are kept, and not of one row.
 */
static ktpr_status_t
ktpr_png_rows(ktpr_pool_t *pool, spng_ctx *png, const struct spng_ihdr *ihdr,
              int reduce, ktpr_image_t *image)
{
    int                  y, w, rc, whole, pass;
    size_t               size;
    unsigned            *sums;
    unsigned char       *row;
    struct spng_row_info info;

    /* of each pass: the first column, and from one to the next */
    static const unsigned char columns[KTPR_PNG_PASSES][2] = {
        {0, 8}, {4, 8}, {0, 4}, {2, 4}, {0, 2}, {1, 2}, {0, 1}};

    whole = ihdr->interlace_method != 0;
    w = image->w * reduce;
    size = (size_t) image->w * 3;
    row = ktpr_pool_alloc(pool, ihdr->width, 4);
    sums = ktpr_pool_alloc(pool, whole ? size * (size_t) image->h : size,
                           sizeof(unsigned));

    if (row == NULL || sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    rc = spng_decode_image(png, NULL, 0, SPNG_FMT_RGBA8,
                           SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);

    while (rc == 0) {
        rc = spng_get_row_info(png, &info);
        if (rc != 0) {
            break;
        }

        rc = spng_decode_row(png, row, (size_t) ihdr->width * 4);
        if (rc != 0 && rc != SPNG_EOI) {
            break;
        }

        y = (int) info.row_num / reduce;
        if (y >= image->h) {
            continue;
        }

        pass = whole ? info.pass : KTPR_PNG_PASSES - 1;
        ktpr_png_add(row, w, columns[pass][0], columns[pass][1], reduce,
                     whole ? sums + size * (size_t) y : sums);

        if (!whole && (int) info.row_num % reduce == reduce - 1) {
            ktpr_png_mean(sums, y, reduce * reduce, image);
        }
    }

    for (y = 0; whole && y < image->h; y++) {
        ktpr_png_mean(sums + size * (size_t) y, y, reduce * reduce, image);
    }

    ktpr_pool_free(pool, sums);
    ktpr_pool_free(pool, row);

    return rc == SPNG_EOI    ? KTPR_DONE
           : rc == SPNG_EMEM ? KTPR_NO_MEMORY
                             : KTPR_UNFIT;
}


/* The bytes of a pixel, at least 1. */
static int
ktpr_png_depth(const struct spng_ihdr *ihdr)
{
    static const int channels[] = {
        [SPNG_COLOR_TYPE_GRAYSCALE] = 1,
        [SPNG_COLOR_TYPE_TRUECOLOR] = 3,
        [SPNG_COLOR_TYPE_INDEXED] = 1,
        [SPNG_COLOR_TYPE_GRAYSCALE_ALPHA] = 2,
        [SPNG_COLOR_TYPE_TRUECOLOR_ALPHA] = 4,
    };

    return (channels[ihdr->color_type] * ihdr->bit_depth + 7) / 8;
}


ktpr_status_t
ktpr_png_decode(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
                ktpr_image_t *image)
{
    int              reduce, side;
    long             pixels;
    spng_ctx        *png;
    ktpr_status_t    rc;
    struct spng_ihdr ihdr;

    png = spng_ctx_new(SPNG_CTX_IGNORE_ADLER32);
    if (png == NULL) {
        return KTPR_NO_MEMORY;
    }

    rc = KTPR_UNFIT;
    spng_set_image_limits(png, KTPR_PNG_SIDE, KTPR_PNG_SIDE);
    spng_set_chunk_limits(png, KTPR_PNG_CHUNK, KTPR_PNG_CHUNKS);

    if (spng_set_png_buffer(png, bytes, len) == 0
        && spng_get_ihdr(png, &ihdr) == 0) {
        pixels = (long) ihdr.width * ihdr.height;
        side = ihdr.width > ihdr.height ? ihdr.width : ihdr.height;
        reduce = (side + KTPR_MAX_SIDE - 1) / KTPR_MAX_SIDE;

        if (pixels * ktpr_png_depth(&ihdr) > KTPR_PNG_WORK) {
            rc = KTPR_COSTLY;

        } else if (pixels <= KTP_MAX_PIXELS && (int) ihdr.width >= reduce
                   && (int) ihdr.height >= reduce) {
            rc = ktpr_image_create(pool, ihdr.width / reduce,
                                   ihdr.height / reduce, image);
            if (rc == KTPR_DONE) {
                image->scale = reduce;
                rc = ktpr_png_rows(pool, png, &ihdr, reduce, image);
            }
        }
    }

    spng_ctx_free(png);

    return rc;
}
