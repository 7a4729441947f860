#include <math.h>

#include "ktpr_crop.h"
#include "ktpr_flatten.h"
#include "ktpr_warp.h"


#define KTPR_MAX_CROP_WIDTH 4000

/* Where the darkest ink goes when contrast is stretched. */
#define KTPR_INK 20

const ktpr_cut_t ktpr_crop_value = {30, 1, .45, .38, .5};


ktpr_status_t
ktpr_crop_sheet_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                       double capital, ktpr_sheet_t *sheet)
{
    int           window;
    ktpr_status_t rc;

    sheet->n = 0;
    window = (int) (capital * 1.25 + .5);
    window = window < 9 ? 9 : window;

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


/* Stretches contrast: the darkest fiftieth goes to KTPR_INK. */
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
        if (sum * 50 >= n) {
            break;
        }
    }

    if (low >= KTPR_PAPER - 10) {
        return;
    }

    for (i = 0; i < 256; i++) {
        v = (i - low) * 215
                / (KTPR_PAPER + 3 - low > 20 ? KTPR_PAPER + 3 - low : 20)
            + KTPR_INK;
        table[i] = v < 0 ? 0 : (v > 255 ? 255 : v);
    }

    for (i = 0; i < n; i++) {
        gray->px[i] = (unsigned char) table[gray->px[i]];
    }
}


ktpr_status_t
ktpr_crop(ktpr_pool_t *pool, const ktpr_sheet_t *sheet, const ktpr_map_t *map,
          const ktpr_strip_t *strip, const ktpr_cut_t *cut, ktpr_gray_t *out)
{
    int        size;
    double     f, h, x0, w, scale;
    ktpr_map_t to_level, all, shrink;

    h = strip->bottom - strip->top;
    if (h < 2) {
        return KTPR_UNFIT;
    }

    f = cut->capital / h;
    x0 = strip->x0 - cut->left * h;
    w = (strip->x1 + cut->right * h - x0) * f * cut->wide;

    if (!(w >= 8 && w <= KTPR_MAX_CROP_WIDTH)) {
        return KTPR_UNFIT;
    }

    if (ktpr_gray_create(pool, (int) w,
                         (int) ((1 + 2 * cut->above) * cut->capital), out)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    to_level = ktpr_map_affine(
        1 / f / cut->wide, 0, x0, strip->slope / f / cut->wide, 1 / f,
        strip->top + strip->slope * x0 - cut->above * h);
    all = ktpr_map_then(&to_level, map);

    /* how many pixels of the image one of the cut's covers */
    scale = ktpr_map_size(&all, w / 2, out->h / 2.);

    for (size = 0; size < sheet->n - 1 && scale > 1.6; size++) {
        shrink = ktpr_map_affine(.5, 0, -.25, 0, .5, -.25);
        all = ktpr_map_then(&all, &shrink);
        scale /= 2;
    }

    ktpr_warp_gray(&sheet->sizes[size], &all, 1, out);
    ktpr_crop_stretch(out);

    return KTPR_DONE;
}
