#include <stdint.h>

#include <leptonica/allheaders.h>

#include "ktpr_flatten.h"


/*
 * Width of the closing on the reduced copy that backgrounds come from, in its
 * pixels.  Less makes the background coarse, more costs time.  Chosen by eye.
 */
#define KTPR_FLATTEN_WINDOW 21
#define KTPR_FLATTEN_LEAST  3 /* smallest window that closes anything */

/* Reduction of that copy, and the size of it, in pixels, at least. */
#define KTPR_FLATTEN_REDUCE 2
#define KTPR_FLATTEN_SIDE   4

/* Grey levels added to both sides of the ratio: black on black is no ink. */
#define KTPR_FLATTEN_BLACK 2

/* fixed: 1 in fractions of interpolation */
#define KTPR_FLATTEN_ONE 256

/*
 * fixed: bits of a reciprocal.  (n * (2^BITS / d + 1)) >> BITS is n / d for
 * all n below 2^16 and d below 2^9, the largest that a ratio has.
 */
#define KTPR_FLATTEN_BITS 25


/* What interpolation needs of a column, which is the same in all rows. */
typedef struct {
    int x0; /* the reduced column on its left */
    int fx; /* part of the one on its right, of KTPR_FLATTEN_ONE */
} ktpr_flatten_column_t;


/* Reduces one channel: the mean of each square of by x by pixels. */
static PIX *
ktpr_flatten_reduce(const ktpr_image_t *image, int channel, int by)
{
    int                  x, y, i, j, w, h;
    PIX                 *pix;
    unsigned             sum;
    l_uint32            *line;
    const unsigned char *p;

    w = image->w / by;
    h = image->h / by;

    pix = pixCreate(w, h, 8);
    if (pix == NULL) {
        return NULL;
    }

    for (y = 0; y < h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);

        for (x = 0; x < w; x++) {
            sum = 0;

            for (j = 0; j < by; j++) {
                p = image->rgb
                    + ((size_t) (y * by + j) * image->w + x * by) * 3
                    + channel;
                for (i = 0; i < by; i++, p += 3) {
                    sum += *p;
                }
            }

            SET_DATA_BYTE(line, x, sum / (unsigned) (by * by));
        }
    }

    return pix;
}


/* The channel's background at the reduced size, or NULL. */
static PIX *
ktpr_flatten_background(const ktpr_image_t *image, int channel, int by,
                        int window)
{
    int  half;
    PIX *pix, *closed, *smooth;

    pix = ktpr_flatten_reduce(image, channel, by);
    if (pix == NULL) {
        return NULL;
    }

    closed = pixCloseGray(pix, window, window);
    pixDestroy(&pix);

    if (closed == NULL) {
        return NULL;
    }

    half = window / 2;

    if (pixGetWidth(closed) <= 2 * half || pixGetHeight(closed) <= 2 * half) {
        return closed;
    }

    smooth = pixBlockconvGray(closed, NULL, half, half);
    pixDestroy(&closed);

    return smooth;
}


/*
 * Where position i of the full size is among n of the reduced one: the whole
 * part is returned, the rest in parts of KTPR_FLATTEN_ONE.
 */
static int
ktpr_flatten_place(int i, int by, int n, int *part)
{
    int at, last;

    last = (n - 1) * KTPR_FLATTEN_ONE;

    /* the middle of a reduced pixel is (by - 1) / 2 into its square */
    at = (2 * i - by + 1) * (KTPR_FLATTEN_ONE / 2) / by;
    at = at < 0 ? 0 : (at > last ? last : at);
    *part = at % KTPR_FLATTEN_ONE;

    return at / KTPR_FLATTEN_ONE;
}


/*
 * Row y of the background at full size: between reduced rows and columns by
 * linear interpolation, in parts of KTPR_FLATTEN_ONE.
 */
static void
ktpr_flatten_row(PIX *pix, int by, int y, int w,
                 const ktpr_flatten_column_t *columns, int *between, int *row)
{
    int       x, n, last, y0, fy;
    l_uint32 *a, *b;

    n = pixGetWidth(pix);
    last = pixGetHeight(pix) - 1;

    y0 = ktpr_flatten_place(y, by, last + 1, &fy);
    a = pixGetData(pix) + (size_t) y0 * pixGetWpl(pix);
    b = y0 < last ? a + pixGetWpl(pix) : a;

    for (x = 0; x < n; x++) {
        between[x] = GET_DATA_BYTE(a, x) * (KTPR_FLATTEN_ONE - fy)
                     + GET_DATA_BYTE(b, x) * fy;
    }

    between[n] = between[n - 1];

    for (x = 0; x < w; x++) {
        row[x] = (between[columns[x].x0] * (KTPR_FLATTEN_ONE - columns[x].fx)
                  + between[columns[x].x0 + 1] * columns[x].fx)
                 / (KTPR_FLATTEN_ONE * KTPR_FLATTEN_ONE);
    }
}


/* The reciprocals of what a pixel's light is divided by. */
static void
ktpr_flatten_reciprocals(uint32_t reciprocals[256])
{
    int i;

    for (i = 0; i < 256; i++) {
        reciprocals[i] =
            (1u << KTPR_FLATTEN_BITS) / (unsigned) (i + KTPR_FLATTEN_BLACK)
            + 1;
    }
}


/* The light of a pixel relative to its background, 0 to 255. */
static unsigned char
ktpr_flatten_ratio(int value, uint32_t reciprocal)
{
    uint64_t ratio;

    ratio = (uint64_t) ((value + KTPR_FLATTEN_BLACK) * KTPR_PAPER) * reciprocal
            >> KTPR_FLATTEN_BITS;

    return (unsigned char) (ratio > 255 ? 255 : ratio);
}


static ktpr_status_t
ktpr_flatten_planes(ktpr_pool_t *pool, const ktpr_image_t *image, int window,
                    unsigned char *planes[3])
{
    int                    c, x, y, by, *row;
    PIX                   *pix;
    uint32_t               reciprocals[256];
    unsigned char         *to;
    const unsigned char   *p;
    ktpr_flatten_column_t *columns;

    by = (window + KTPR_FLATTEN_WINDOW - 1) / KTPR_FLATTEN_WINDOW;
    by = by < KTPR_FLATTEN_REDUCE ? KTPR_FLATTEN_REDUCE : by;

    if (image->w < KTPR_FLATTEN_SIDE * by
        || image->h < KTPR_FLATTEN_SIDE * by) {
        return KTPR_UNFIT;
    }

    window = (window / by) | 1;
    row = ktpr_pool_alloc(pool, (size_t) image->w * 2 + 2, sizeof(int));
    columns = ktpr_pool_alloc(pool, (size_t) image->w,
                              sizeof(ktpr_flatten_column_t));
    if (row == NULL || columns == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (x = 0; x < image->w; x++) {
        columns[x].x0 =
            ktpr_flatten_place(x, by, image->w / by, &columns[x].fx);
    }

    ktpr_flatten_reciprocals(reciprocals);

    for (c = 0; c < 3; c++) {
        planes[c] = ktpr_pool_alloc(pool, (size_t) image->w, image->h);
        pix = ktpr_flatten_background(
            image, c, by,
            window < KTPR_FLATTEN_LEAST ? KTPR_FLATTEN_LEAST : window);

        if (planes[c] == NULL || pix == NULL) {
            pixDestroy(&pix);
            return KTPR_NO_MEMORY;
        }

        p = image->rgb + c;
        to = planes[c];

        for (y = 0; y < image->h; y++) {
            ktpr_flatten_row(pix, by, y, image->w, columns, row + image->w,
                             row);

            for (x = 0; x < image->w; x++, p += 3) {
                *to++ = ktpr_flatten_ratio(*p, reciprocals[row[x]]);
            }
        }

        pixDestroy(&pix);
    }

    ktpr_pool_free(pool, columns);
    ktpr_pool_free(pool, row);

    return KTPR_DONE;
}


/* The sum of a pixel's 3x3 square. */
static int
ktpr_flatten_square(const unsigned char *p, int w)
{
    return p[-w - 1] + p[-w] + p[-w + 1] + p[-1] + p[0] + p[1] + p[w - 1]
           + p[w] + p[w + 1];
}


static void
ktpr_flatten_lightest(unsigned char *planes[3], ktpr_gray_t *gray)
{
    int    x, y, c, sum, most, mean;
    size_t at;

    for (y = 1; y < gray->h - 1; y++) {
        for (x = 1; x < gray->w - 1; x++) {
            at = (size_t) y * gray->w + x;
            most = 0;
            mean = 0;

            for (c = 0; c < 3; c++) {
                sum = ktpr_flatten_square(planes[c] + at, gray->w);
                most = sum > most ? sum : most;
                mean += planes[c][at];
            }

            gray->px[at] = (unsigned char) (most / 18 + mean / 6);
        }
    }
}


ktpr_status_t
ktpr_flatten(ktpr_pool_t *pool, const ktpr_image_t *image, int window,
             ktpr_mix_t mix, ktpr_gray_t *gray)
{
    int            c;
    size_t         i, n;
    ktpr_status_t  rc;
    unsigned char *planes[3];

    rc = ktpr_gray_create(pool, image->w, image->h, gray);
    if (rc == KTPR_DONE) {
        rc = ktpr_flatten_planes(pool, image, window, planes);
    }

    if (rc != KTPR_DONE) {
        return rc;
    }

    n = (size_t) gray->w * (size_t) gray->h;

    for (i = 0; i < n; i++) {
        gray->px[i] =
            (unsigned char) ((planes[0][i] + planes[1][i] + planes[2][i]) / 3);
    }

    if (mix == KTPR_MIX_LIGHTEST) {
        ktpr_flatten_lightest(planes, gray);
    }

    for (c = 0; c < 3; c++) {
        ktpr_pool_free(pool, planes[c]);
    }

    return KTPR_DONE;
}
