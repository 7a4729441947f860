/* Lines of writing, cut out of the full image straight and evened. */

#ifndef KTPR_CROP_H
#define KTPR_CROP_H

#include "ktpr_gray.h"
#include "ktpr_image.h"
#include "ktpr_map.h"


/* The image flattened for recognition, and its reductions by 2 and 4. */
typedef struct {
    ktpr_gray_t sizes[3];
    int         n;
} ktpr_sheet_t;

/* A line on the level page: between y = top + slope * x and bottom + ... */
typedef struct {
    double x0, x1, slope, top, bottom;
} ktpr_strip_t;

typedef struct {
    double capital; /* height of a capital in the cut, in pixels */
    double wide;    /* pixels across for one down */
    double above;   /* added above and below, in capitals */
    double left, right;
} ktpr_cut_t;

/* How most lines are cut; the margins are what Tesseract reads best with. */
extern const ktpr_cut_t ktpr_crop_value;


/* capital: height of a capital in the image, in pixels.  0 or -1. */
int ktpr_crop_sheet_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                           double capital, ktpr_sheet_t *sheet);

void ktpr_crop_sheet_free(ktpr_pool_t *pool, ktpr_sheet_t *sheet);

/*
 * Cuts a strip; map is from the level page to the image.  0, or -1 when it
 * is too narrow, too wide, or memory is short.
 */
int ktpr_crop(ktpr_pool_t *pool, const ktpr_sheet_t *sheet,
              const ktpr_map_t *map, const ktpr_strip_t *strip,
              const ktpr_cut_t *cut, ktpr_gray_t *out);


#endif /* KTPR_CROP_H */
