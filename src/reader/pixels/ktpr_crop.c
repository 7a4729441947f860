#include <math.h>

#include "ktpr_crop.h"
#include "ktpr_flatten.h"
#include "ktpr_warp.h"


/* Width of a cut, in its pixels: a letter's at least, and a long line's. */
#define KTPR_CROP_NARROW 8
#define KTPR_CROP_WIDE   4000

/* Height of a strip on the level page, in pixels, at least. */
#define KTPR_CROP_LOW 2

/*
 * Window of the flattening: heights of a capital, and pixels at least.  Less
 * makes thick print fade; more leaves uneven light.  Chosen by eye.
 */
#define KTPR_CROP_WINDOW       1.25
#define KTPR_CROP_WINDOW_LEAST 9

/*
 * Pixels of a sheet to one of the cut from which on a smaller sheet is used:
 * more loses thin strokes between samples, less blurs them.  Chosen by eye.
 */
#define KTPR_CROP_REDUCE 1.6

/*
 * Stretching of contrast, in grey levels: the darkest part (1 / DARKEST of the
 * pixels) becomes INK, and WHITE above KTPR_PAPER becomes INK + RANGE.  A cut
 * whose darkest part is lighter than FAINT below paper is blank and left as it
 * is; STEPS is the least range that is stretched.  What the network and
 * Tesseract are given: a change asks for new training.
 */
#define KTPR_CROP_DARKEST 50
#define KTPR_CROP_INK     20
#define KTPR_CROP_RANGE   215
#define KTPR_CROP_WHITE   3
#define KTPR_CROP_FAINT   10
#define KTPR_CROP_STEPS   20


ktpr_status_t
ktpr_crop_sheet_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                       double capital, ktpr_sheet_t *sheet)
{
    int           window;
    ktpr_status_t rc;

    sheet->n = 0;
    window = (int) (capital * KTPR_CROP_WINDOW + .5);
    window = window < KTPR_CROP_WINDOW_LEAST ? KTPR_CROP_WINDOW_LEAST : window;

    rc = ktpr_flatten(pool, image, window, KTPR_MIX_MEAN, &sheet->sizes[0]);

    while (rc == KTPR_DONE && ++sheet->n < KTPR_CROP_SIZES) {
        rc = ktpr_gray_halve(pool, &sheet->sizes[sheet->n - 1],
                             &sheet->sizes[sheet->n]);
    }

    /* a sheet too small to be halved is left at its size */
    return sheet->n > 0 && rc == KTPR_UNFIT ? KTPR_DONE : rc;
}


void
ktpr_crop_sheet_free(ktpr_pool_t *pool, ktpr_sheet_t *sheet)
{
    while (sheet->n > 0) {
        ktpr_pool_free(pool, sheet->sizes[--sheet->n].px);
    }
}


/* Stretches contrast from ink to paper. */
static void
ktpr_crop_stretch(ktpr_gray_t *gray)
{
    int      i, n, low, sum, v, table[256];
    unsigned histogram[256] = {0};

    n = gray->w * gray->h;

    for (i = 0; i < n; i++) {
        histogram[gray->px[i]]++;
    }

    sum = 0;
    for (low = 0; low < 255; low++) {
        sum += (int) histogram[low];
        if (sum * KTPR_CROP_DARKEST >= n) {
            break;
        }
    }

    if (low >= KTPR_PAPER - KTPR_CROP_FAINT) {
        return;
    }

    for (i = 0; i < 256; i++) {
        v = (i - low) * KTPR_CROP_RANGE
                / (KTPR_PAPER + KTPR_CROP_WHITE - low > KTPR_CROP_STEPS
                       ? KTPR_PAPER + KTPR_CROP_WHITE - low
                       : KTPR_CROP_STEPS)
            + KTPR_CROP_INK;
        table[i] = v < 0 ? 0 : (v > 255 ? 255 : v);
    }

    for (i = 0; i < n; i++) {
        gray->px[i] = (unsigned char) table[gray->px[i]];
    }
}


ktpr_status_t
ktpr_crop(ktpr_pool_t *pool, const ktpr_sheet_t *sheet,
          const ktpr_map_t *level_to_image, const ktpr_strip_t *strip,
          const ktpr_cut_t *cut, ktpr_gray_t *out)
{
    int        size;
    double     f, h_level, x0_level, w_cut, scale;
    ktpr_map_t cut_to_level, cut_to_sheet, halve;

    h_level = strip->bottom - strip->top;
    if (h_level < KTPR_CROP_LOW) {
        return KTPR_UNFIT;
    }

    f = cut->capital / h_level;
    x0_level = strip->x0 - cut->left * h_level;
    w_cut = (strip->x1 + cut->right * h_level - x0_level) * f * cut->wide;

    if (!(w_cut >= KTPR_CROP_NARROW && w_cut <= KTPR_CROP_WIDE)) {
        return KTPR_UNFIT;
    }

    if (ktpr_gray_create(pool, (int) w_cut,
                         (int) ((1 + 2 * cut->above) * cut->capital), out)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    cut_to_level = ktpr_map_affine(
        1 / f / cut->wide, 0, x0_level, strip->slope / f / cut->wide, 1 / f,
        strip->top + strip->slope * x0_level - cut->above * h_level);
    cut_to_sheet = ktpr_map_then(&cut_to_level, level_to_image);

    /* pixels of the image to one of the cut */
    scale = ktpr_map_size(&cut_to_sheet, w_cut / 2, out->h / 2.);

    for (size = 0; size < sheet->n - 1 && scale > KTPR_CROP_REDUCE; size++) {
        halve = ktpr_map_affine(.5, 0, -.25, 0, .5, -.25);
        cut_to_sheet = ktpr_map_then(&cut_to_sheet, &halve);
        scale /= 2;
    }

    ktpr_warp_gray(&sheet->sizes[size], &cut_to_sheet, 1, out);
    ktpr_crop_stretch(out);

    return KTPR_DONE;
}
