#include <stdint.h>
#include <string.h>

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
 * fixed: numbers that are computed at once.  Rows are longer by this and may
 * be written up to there.
 */
#define KTPR_FLATTEN_RUN 16

/* Four numbers that lie anywhere in memory. */
typedef float ktpr_flatten_four_t
    __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));

/* What interpolation needs of a column, which is the same in all rows. */
typedef struct {
    int   x0; /* the reduced column on its left */
    float fx; /* part of the one on its right, of KTPR_FLATTEN_ONE */
} ktpr_flatten_column_t;

/*
 * The background at its reduced size, and what it is enlarged with.  All rows
 * have three numbers a pixel, one a channel, as those of the image.
 */
typedef struct {
    int                    w, h, by;
    size_t                 length; /* of a row in bytes, with what is beyond */
    unsigned char         *rows;
    ktpr_flatten_column_t *columns; /* one for each of the image */
    float                 *between; /* a row of the reduced width */
    float                 *whole;   /* one of the image's */
    unsigned char         *light;   /* a row of the image */
} ktpr_ground_t;


/* The numbers of a row of w pixels, with what may be written beyond. */
static size_t
ktpr_flatten_length(int w)
{
    return 3 * (size_t) w + 2 * KTPR_FLATTEN_RUN;
}


/*
 * n / d, rounded down.  Exact for whole numbers if the quotient is below 2^8
 * and d below 2^16: the error of a division is then less than 1 / d.
 */
static unsigned char
ktpr_flatten_quotient(float n, float d)
{
    float q;

    q = n / d;

    return (unsigned char) (int) (q < 255 ? q : 255);
}


/* Adds numbers of a row to the sums. */
static void
ktpr_flatten_add(float *restrict sums, const unsigned char *restrict row,
                 size_t n)
{
    int    k;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            sums[i + k] += (float) row[i + k];
        }
    }
}


static void
ktpr_flatten_divide(unsigned char *restrict row, const float *restrict sums,
                    size_t n, float by)
{
    int    k;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            row[i + k] = ktpr_flatten_quotient(sums[i + k], by);
        }
    }
}


/* Reduces the image: the mean of each square of by x by pixels. */
static ktpr_status_t
ktpr_flatten_reduce(ktpr_pool_t *pool, const ktpr_image_t *image,
                    ktpr_ground_t *ground)
{
    int                 x, y, i, j, by;
    float              *sums;
    size_t              n;
    ktpr_flatten_four_t sum;

    by = ground->by;
    n = 3 * (size_t) image->w;
    sums = ktpr_pool_alloc(pool, ktpr_flatten_length(image->w), sizeof(float));
    if (sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (y = 0; y < ground->h; y++) {
        memset(sums, 0, n * sizeof(float));

        for (j = 0; j < by; j++) {
            memcpy(ground->light, image->rgb + n * (size_t) (y * by + j), n);
            ktpr_flatten_add(sums, ground->light, n);
        }

        /* a pixel's sum is before those that are added up next */
        for (x = 0; x < ground->w; x++) {
            sum = (ktpr_flatten_four_t){0};

            for (i = 0; i < by; i++) {
                sum += *(ktpr_flatten_four_t *) (sums + 3 * (x * by + i));
            }

            *(ktpr_flatten_four_t *) (ground->between + 3 * x) = sum;
        }

        ktpr_flatten_divide(ground->rows + (size_t) y * ground->length,
                            ground->between, 3 * (size_t) ground->w,
                            (float) (by * by));
    }

    ktpr_pool_free(pool, sums);

    return KTPR_DONE;
}


/* Raises numbers of a row to those of another. */
static void
ktpr_flatten_raise(unsigned char *restrict row,
                   const unsigned char *restrict other, size_t n)
{
    int    k;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            row[i + k] = row[i + k] > other[i + k] ? row[i + k] : other[i + k];
        }
    }
}


/*
 * Dilates the rows by a square window, half to each side, and inverts them:
 * done twice it is a closing.  line is a row with half a window of zeros on
 * either side; to are the new rows.
 */
static void
ktpr_flatten_dilate(ktpr_ground_t *ground, int half, unsigned char *line,
                    unsigned char *to)
{
    int            y, i;
    size_t         n, k;
    unsigned char *row;

    n = 3 * (size_t) ground->w;

    for (y = 0; y < ground->h; y++) {
        row = ground->rows + (size_t) y * ground->length;
        memcpy(line + 3 * (size_t) half, row, n);

        for (i = -half; i <= half; i++) {
            ktpr_flatten_raise(row, line + 3 * (half + i), n);
        }
    }

    for (y = 0; y < ground->h; y++) {
        row = to + (size_t) y * ground->length;
        memset(row, 0, n);

        for (i = y > half ? y - half : 0; i <= y + half && i < ground->h;
             i++) {
            ktpr_flatten_raise(row, ground->rows + (size_t) i * ground->length,
                               n);
        }

        for (k = 0; k < n; k++) {
            row[k] = (unsigned char) (255 - row[k]);
        }
    }
}


/* Closes the rows: removes what is darker and narrower than the window. */
static ktpr_status_t
ktpr_flatten_close(ktpr_pool_t *pool, int half, ktpr_ground_t *ground)
{
    int            pass;
    unsigned char *line, *rows, *to;

    line = ktpr_pool_alloc(
        pool, ground->length + 6 * (size_t) half + KTPR_FLATTEN_RUN, 1);
    to = ktpr_pool_alloc(pool, (size_t) ground->h, ground->length);
    if (line == NULL || to == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (pass = 0; pass < 2; pass++) {
        ktpr_flatten_dilate(ground, half, line, to);
        rows = ground->rows;
        ground->rows = to;
        to = rows;
    }

    ktpr_pool_free(pool, line);
    ktpr_pool_free(pool, to);

    return KTPR_DONE;
}


/* Smooths a channel of the rows, if they are larger than the window. */
static ktpr_status_t
ktpr_flatten_smooth(int channel, int half, ktpr_ground_t *ground)
{
    int            x, y;
    PIX           *pix, *smooth;
    l_uint32      *line;
    unsigned char *row;

    if (ground->w <= 2 * half || ground->h <= 2 * half) {
        return KTPR_DONE;
    }

    pix = pixCreate(ground->w, ground->h, 8);
    if (pix == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (y = 0; y < ground->h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);
        row = ground->rows + (size_t) y * ground->length + channel;

        for (x = 0; x < ground->w; x++) {
            SET_DATA_BYTE(line, x, row[3 * x]);
        }
    }

    smooth = pixBlockconvGray(pix, NULL, half, half);
    pixDestroy(&pix);

    if (smooth == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (y = 0; y < ground->h; y++) {
        line = pixGetData(smooth) + (size_t) y * pixGetWpl(smooth);
        row = ground->rows + (size_t) y * ground->length + channel;

        for (x = 0; x < ground->w; x++) {
            row[3 * x] = GET_DATA_BYTE(line, x);
        }
    }

    pixDestroy(&smooth);

    return KTPR_DONE;
}


/*
 * Where position i of the full size is among n of the reduced one: the whole
 * part is returned, the rest in parts of KTPR_FLATTEN_ONE.
 */
static int
ktpr_flatten_place(int i, int by, int n, float *part)
{
    int at, last;

    last = (n - 1) * KTPR_FLATTEN_ONE;

    /* the middle of a reduced pixel is (by - 1) / 2 into its square */
    at = (2 * i - by + 1) * (KTPR_FLATTEN_ONE / 2) / by;
    at = at < 0 ? 0 : (at > last ? last : at);
    *part = (float) (at % KTPR_FLATTEN_ONE);

    return at / KTPR_FLATTEN_ONE;
}


/* Creates the background of an image.  KTPR_UNFIT, KTPR_NO_MEMORY. */
static ktpr_status_t
ktpr_flatten_ground(ktpr_pool_t *pool, const ktpr_image_t *image, int window,
                    ktpr_ground_t *ground)
{
    int x, c, by, half;

    by = (window + KTPR_FLATTEN_WINDOW - 1) / KTPR_FLATTEN_WINDOW;
    by = by < KTPR_FLATTEN_REDUCE ? KTPR_FLATTEN_REDUCE : by;

    if (image->w < KTPR_FLATTEN_SIDE * by
        || image->h < KTPR_FLATTEN_SIDE * by) {
        return KTPR_UNFIT;
    }

    window = (window / by) | 1;
    half = (window < KTPR_FLATTEN_LEAST ? KTPR_FLATTEN_LEAST : window) / 2;

    ground->by = by;
    ground->w = image->w / by;
    ground->h = image->h / by;
    ground->length = ktpr_flatten_length(ground->w);
    ground->rows = ktpr_pool_alloc(pool, (size_t) ground->h, ground->length);
    ground->columns = ktpr_pool_alloc(pool, (size_t) image->w,
                                      sizeof(ktpr_flatten_column_t));
    ground->between = ktpr_pool_alloc(pool, ground->length, sizeof(float));
    ground->whole =
        ktpr_pool_alloc(pool, ktpr_flatten_length(image->w), sizeof(float));
    ground->light = ktpr_pool_alloc(pool, ktpr_flatten_length(image->w), 1);

    if (ground->rows == NULL || ground->columns == NULL
        || ground->between == NULL || ground->whole == NULL
        || ground->light == NULL
        || ktpr_flatten_reduce(pool, image, ground) != KTPR_DONE
        || ktpr_flatten_close(pool, half, ground) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    for (c = 0; c < 3; c++) {
        if (ktpr_flatten_smooth(c, half, ground) != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }
    }

    for (x = 0; x < image->w; x++) {
        ground->columns[x].x0 =
            ktpr_flatten_place(x, by, ground->w, &ground->columns[x].fx);
    }

    return KTPR_DONE;
}


static void
ktpr_flatten_free(ktpr_pool_t *pool, ktpr_ground_t *ground)
{
    ktpr_pool_free(pool, ground->rows);
    ktpr_pool_free(pool, ground->columns);
    ktpr_pool_free(pool, ground->between);
    ktpr_pool_free(pool, ground->whole);
    ktpr_pool_free(pool, ground->light);
}


/* Between two rows by linear interpolation, times KTPR_FLATTEN_ONE. */
static void
ktpr_flatten_mix(float *restrict between, const unsigned char *restrict a,
                 const unsigned char *restrict b, float part, size_t n)
{
    int    k;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            between[i + k] = (float) a[i + k] * (KTPR_FLATTEN_ONE - part)
                             + (float) b[i + k] * part;
        }
    }
}


/*
 * Sets whole to row y of the background at full size, times the square of
 * KTPR_FLATTEN_ONE: all are whole numbers of at most 24 bits.
 */
static void
ktpr_flatten_enlarge(ktpr_ground_t *ground, int y, int w)
{
    int                          x, y0;
    float                        part, *between;
    size_t                       n;
    const unsigned char         *a;
    const ktpr_flatten_four_t   *left, *right;
    const ktpr_flatten_column_t *column;

    n = 3 * (size_t) ground->w;
    between = ground->between;
    y0 = ktpr_flatten_place(y, ground->by, ground->h, &part);
    a = ground->rows + (size_t) y0 * ground->length;
    ktpr_flatten_mix(between, a, y0 < ground->h - 1 ? a + ground->length : a,
                     part, n);
    memcpy(between + n, between + n - 3, 3 * sizeof(float));

    for (x = 0; x < w; x++) {
        column = &ground->columns[x];
        left = (const ktpr_flatten_four_t *) (between + 3 * column->x0);
        right = (const ktpr_flatten_four_t *) (between + 3 * column->x0 + 3);
        *(ktpr_flatten_four_t *) (ground->whole + 3 * x) =
            *left * (KTPR_FLATTEN_ONE - column->fx) + *right * column->fx;
    }
}


/* The light of pixels relative to their background, 0 to 255. */
static void
ktpr_flatten_ratio(unsigned char *restrict flat,
                   const unsigned char *restrict light,
                   const float *restrict ground, size_t n)
{
    int    k;
    float  paper, back;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            paper = (float) ((light[i + k] + KTPR_FLATTEN_BLACK) * KTPR_PAPER);
            back = (float) ((int) (ground[i + k]
                                   / (KTPR_FLATTEN_ONE * KTPR_FLATTEN_ONE))
                            + KTPR_FLATTEN_BLACK);
            flat[i + k] = ktpr_flatten_quotient(paper, back);
        }
    }
}


/* The mean of the channels. */
static void
ktpr_flatten_mean(const unsigned char *flat, int w, unsigned char *to)
{
    for (; w; w--, flat += 3) {
        *to++ = (unsigned char) ((flat[0] + flat[1] + flat[2]) / 3);
    }
}


/* The sums of three numbers each of three rows, which are step apart. */
static void
ktpr_flatten_squares(uint16_t *restrict sums, const unsigned char *restrict a,
                     const unsigned char *restrict b,
                     const unsigned char *restrict c, size_t n)
{
    int    k;
    size_t i;

    for (i = 0; i < n; i += KTPR_FLATTEN_RUN) {
        for (k = 0; k < KTPR_FLATTEN_RUN; k++) {
            sums[i + k] =
                (uint16_t) (a[i + k] + b[i + k] + c[i + k] + a[i + k + 3]
                            + b[i + k + 3] + c[i + k + 3] + a[i + k + 6]
                            + b[i + k + 6] + c[i + k + 6]);
        }
    }
}


/*
 * Half the mean of the channels, and half the lightest one, as the mean of a
 * 3x3 square; flat is the second of three rows, and sums are of their squares.
 */
static void
ktpr_flatten_lightest(const unsigned char *flat, const uint16_t *sums, int w,
                      unsigned char *to)
{
    int x, most;

    ktpr_flatten_mean(flat, 1, to);

    for (x = 1; x < w - 1; x++, sums += 3) {
        flat += 3;
        most = sums[0] > sums[1] ? sums[0] : sums[1];
        most = most > sums[2] ? most : sums[2];
        to[x] =
            (unsigned char) (most / 18 + (flat[0] + flat[1] + flat[2]) / 6);
    }

    ktpr_flatten_mean(flat + 3, 1, to + w - 1);
}


ktpr_status_t
ktpr_flatten(ktpr_pool_t *pool, const ktpr_image_t *image, int window,
             ktpr_mix_t mix, ktpr_gray_t *gray)
{
    int            y;
    size_t         n, length;
    uint16_t      *sums;
    ktpr_ground_t  ground;
    ktpr_status_t  rc;
    unsigned char *flat, *rows[3];

    rc = ktpr_gray_create(pool, image->w, image->h, gray);
    if (rc == KTPR_DONE) {
        rc = ktpr_flatten_ground(pool, image, window, &ground);
    }

    if (rc != KTPR_DONE) {
        return rc;
    }

    n = 3 * (size_t) image->w;
    length = ktpr_flatten_length(image->w);
    flat = ktpr_pool_alloc(pool, length, 3);
    sums = ktpr_pool_alloc(pool, length, sizeof(uint16_t));
    if (flat == NULL || sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (y = 0; y < image->h; y++) {
        rows[y % 3] = flat + (size_t) (y % 3) * length;
        memcpy(ground.light, image->rgb + n * (size_t) y, n);
        ktpr_flatten_enlarge(&ground, y, image->w);
        ktpr_flatten_ratio(rows[y % 3], ground.light, ground.whole, n);

        if (mix == KTPR_MIX_MEAN || y == 0 || y == image->h - 1) {
            ktpr_flatten_mean(rows[y % 3], image->w,
                              gray->px + (size_t) y * image->w);
        }

        if (mix == KTPR_MIX_LIGHTEST && y >= 2) {
            ktpr_flatten_squares(sums, rows[0], rows[1], rows[2], n);
            ktpr_flatten_lightest(rows[(y - 1) % 3], sums, image->w,
                                  gray->px + (size_t) (y - 1) * image->w);
        }
    }

    ktpr_flatten_free(pool, &ground);
    ktpr_pool_free(pool, flat);
    ktpr_pool_free(pool, sums);

    return KTPR_DONE;
}
