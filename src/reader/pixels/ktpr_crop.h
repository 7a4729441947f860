/* Lines of writing, cut out of the full image, straightened and stretched. */

#ifndef KTPR_CROP_H
#define KTPR_CROP_H

#include "ktpr_gray.h"
#include "ktpr_image.h"
#include "ktpr_map.h"


/* Sizes of a sheet: that of the image, a half and a quarter of it. */
#define KTPR_CROP_SIZES 3

/* The image flattened for recognition, at several sizes. */
typedef struct {
    ktpr_gray_t sizes[KTPR_CROP_SIZES];
    int         n;
} ktpr_sheet_t;

/*
 * A line of writing on the level page, between y = top + slope * x and
 * y = bottom + slope * x.
 */
typedef struct {
    double x0, x1, slope, top, bottom;
} ktpr_strip_t;

/* How a line is cut; lengths are in heights of a capital if not in pixels. */
typedef struct {
    double capital; /* height of a capital in the cut, in pixels */
    double wide;    /* horizontal scale of the cut, relative to the vertical */
    double above;   /* margin above and below */
    double left, right;
} ktpr_cut_t;


/*
 * Flattens the image for lines whose capitals are capital pixels high in it.
 * KTPR_UNFIT when the image is too small for that; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_crop_sheet_create(ktpr_pool_t        *pool,
                                     const ktpr_image_t *image, double capital,
                                     ktpr_sheet_t *sheet);

void ktpr_crop_sheet_free(ktpr_pool_t *pool, ktpr_sheet_t *sheet);

/*
 * Cuts a strip out of the sheet and stretches its contrast.  KTPR_UNFIT when
 * the cut would be too narrow or too wide; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_crop(ktpr_pool_t *pool, const ktpr_sheet_t *sheet,
                        const ktpr_map_t   *level_to_image,
                        const ktpr_strip_t *strip, const ktpr_cut_t *cut,
                        ktpr_gray_t *out);


#endif /* KTPR_CROP_H */
