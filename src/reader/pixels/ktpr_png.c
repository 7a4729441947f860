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


typedef struct {
    const struct spng_ihdr *ihdr;
    ktpr_area_t             area;
    int                     reduce;
    unsigned               *sums; /* of a row of the image, or of all rows */
    ktpr_image_t           *image;
} ktpr_png_t;


/*
 * Adds pixels of a row of RGBA, on a white ground, to the sums of a row of the
 * image, of which each pixel is the mean of reduce x reduce of the area: those
 * in columns from first on by step.
 */
static void
ktpr_png_add(const ktpr_png_t *file, const unsigned char *rgba, int first,
             int step, unsigned *sums)
{
    int      i, to, c;
    unsigned alpha;

    to = file->image->w * file->reduce;
    i = (first - file->area.x % step + step) % step;

    for (rgba += 4 * (size_t) file->area.x; i < to; i += step) {
        alpha = rgba[4 * i + 3];

        for (c = 0; c < 3; c++) {
            sums[i / file->reduce * 3 + c] +=
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
ktpr_png_rows(ktpr_png_t *file, spng_ctx *png, unsigned char *row)
{
    int                  y, rc, whole, pass;
    size_t               size;
    struct spng_row_info info;

    /* of each pass: the first column, and from one to the next */
    static const unsigned char columns[KTPR_PNG_PASSES][2] = {
        {0, 8}, {4, 8}, {0, 4}, {2, 4}, {0, 2}, {1, 2}, {0, 1}};

    whole = file->ihdr->interlace_method != 0;
    size = whole ? (size_t) file->image->w * 3 : 0;

    rc = spng_decode_image(png, NULL, 0, SPNG_FMT_RGBA8,
                           SPNG_DECODE_TRNS | SPNG_DECODE_PROGRESSIVE);

    while (rc == 0) {
        rc = spng_get_row_info(png, &info);
        if (rc != 0) {
            break;
        }

        rc = spng_decode_row(png, row, (size_t) file->ihdr->width * 4);
        if (rc != 0 && rc != SPNG_EOI) {
            break;
        }

        y = (int) info.row_num - file->area.y;
        if (y < 0 || y >= file->image->h * file->reduce) {
            continue;
        }

        pass = whole ? info.pass : KTPR_PNG_PASSES - 1;
        ktpr_png_add(file, row, columns[pass][0], columns[pass][1],
                     file->sums + size * (size_t) (y / file->reduce));

        if (!whole && y % file->reduce == file->reduce - 1) {
            ktpr_png_mean(file->sums, y / file->reduce,
                          file->reduce * file->reduce, file->image);
        }
    }

    for (y = 0; whole && y < file->image->h; y++) {
        ktpr_png_mean(file->sums + size * (size_t) y, y,
                      file->reduce * file->reduce, file->image);
    }

    return rc == SPNG_EOI    ? KTPR_DONE
           : rc == SPNG_EMEM ? KTPR_NO_MEMORY
                             : KTPR_UNFIT;
}


/* Decodes the area into a new image. */
static ktpr_status_t
ktpr_png_pixels(ktpr_pool_t *pool, ktpr_png_t *file, spng_ctx *png)
{
    int            side, rows;
    ktpr_status_t  rc;
    unsigned char *row;

    side = file->area.w > file->area.h ? file->area.w : file->area.h;
    file->reduce = (side + KTPR_MAX_SIDE - 1) / KTPR_MAX_SIDE;

    if (file->area.w < file->reduce || file->area.h < file->reduce) {
        return KTPR_UNFIT;
    }

    if (ktpr_image_create(pool, file->area.w / file->reduce,
                          file->area.h / file->reduce, file->image)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    file->image->scale = file->reduce;
    rows = file->ihdr->interlace_method != 0 ? file->image->h : 1;
    row = ktpr_pool_alloc(pool, file->ihdr->width, 4);
    file->sums = ktpr_pool_alloc(pool, (size_t) file->image->w * (size_t) rows,
                                 3 * sizeof(unsigned));

    if (row == NULL || file->sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_png_rows(file, png, row);
    ktpr_pool_free(pool, file->sums);
    ktpr_pool_free(pool, row);

    return rc;
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
                const ktpr_area_t *area, ktpr_image_t *image)
{
    long             pixels;
    spng_ctx        *png;
    ktpr_png_t       file = {0};
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

        if (pixels * ktpr_png_depth(&ihdr) > KTPR_PNG_WORK) {
            rc = KTPR_COSTLY;

        } else if (pixels <= KTP_MAX_PIXELS) {
            file.ihdr = &ihdr;
            file.image = image;
            file.area = ktpr_image_stored(area, (int) ihdr.width,
                                          (int) ihdr.height, 1);
            rc = ktpr_png_pixels(pool, &file, png);
        }
    }

    spng_ctx_free(png);

    return rc;
}
