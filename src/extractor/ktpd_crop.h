/* Lines of writing, cut out of the full image straight and evened. */

#ifndef KTPD_CROP_H
#define KTPD_CROP_H

#include "ktpd_warp.h"


/* The image flattened for recognition, and its reductions by 2 and 4. */
typedef struct {
    ktpd_gray_t sizes[3];
    int         n;
} ktpd_sheet_t;

/* A line on the level page: between y = top + slope * x and bottom + ... */
typedef struct {
    double x0, x1, slope, top, bottom;
} ktpd_strip_t;

typedef struct {
    double capital; /* height of a capital in the cut, in pixels */
    double wide;    /* pixels across for one down */
    double above;   /* added above and below, in capitals */
    double left, right;
} ktpd_cut_t;

/* How most lines are cut; the margins are what Tesseract reads best with. */
extern const ktpd_cut_t ktpd_cut_value;


/* capital: height of a capital in the image, in pixels.  0 or -1. */
int ktpd_sheet_create(ktpd_pool_t *pool, const ktpd_image_t *image,
                      double capital, ktpd_sheet_t *sheet);

void ktpd_sheet_free(ktpd_pool_t *pool, ktpd_sheet_t *sheet);

/*
 * Cuts a strip; map is from the level page to the image.  0, or -1 when it
 * is too narrow, too wide, or memory is short.
 */
int ktpd_crop(ktpd_pool_t *pool, const ktpd_sheet_t *sheet,
              const ktpd_map_t *map, const ktpd_strip_t *strip,
              const ktpd_cut_t *cut, ktpd_gray_t *out);


#endif /* KTPD_CROP_H */
