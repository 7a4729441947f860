#include <math.h>

#include <leptonica/allheaders.h>

#include "ktpr_glare.h"
#include "ktpr_gray.h"
#include "ktpr_warp.h"


/*
 * The measure was tuned on the "quality" set and on bench/reader/draw-set
 * quality, seed 12000; its threshold (ktpr_quality.c) on seed 15000 too
 * (docs/accuracy.md).  Geometry is the card's: 33 x 21 row spacings, of which
 * one is about 2.6 mm.
 */

/* Pixels of the measured plane to a row spacing. */
#define KTPR_GLARE_SCALE 8

/*
 * The measured part of a card, in its plane (row spacings), without a rim for
 * the error of its place.  A larger part takes a white table for a spot.
 */
#define KTPR_GLARE_LEFT   -8.5
#define KTPR_GLARE_TOP    -6.4
#define KTPR_GLARE_WIDTH  31.7
#define KTPR_GLARE_HEIGHT 20.

/* Width of a card, in row spacings, that an image without one is taken for. */
#define KTPR_GLARE_CARD 33.

/*
 * Grey level from which on a pixel is burnt out in its darkest channel.  More
 * loses spots to grain; less takes white paper for one.
 */
#define KTPR_GLARE_BURNT 251

/*
 * Side of the least spot, in pixels of the plane (2 mm), and half of it, for
 * spots that the border cuts.  Less takes specks; more loses lamps far away.
 */
#define KTPR_GLARE_SPOT   6
#define KTPR_GLARE_BORDER 3

/* The ring around a spot that is compared, in pixels from its rim. */
#define KTPR_GLARE_NEAR 7
#define KTPR_GLARE_FAR  16

/* The part of that ring that is darker than paper: print is not compared. */
#define KTPR_GLARE_PAPER .9

/*
 * The photo with a rim, from the measured part's corner, in row spacings; its
 * right edge is that of the measured part.  From templates of cards; more
 * takes what is beside the photo for something in it, less cuts photos that
 * lie higher or farther left.
 */
#define KTPR_GLARE_PHOTO_LEFT   22
#define KTPR_GLARE_PHOTO_TOP    4
#define KTPR_GLARE_PHOTO_BOTTOM 17.5

/*
 * The part of the pixels between its ends, in rows and in columns, from which
 * on an area in the photo is no cloth.  A white headscarf around a face has
 * .39 to .47, or more with cloth below it; drawn lamps have .9 and more.
 */
#define KTPR_GLARE_SOLID .8

/* Without a card, a larger spot, in parts of the image, is a white thing. */
#define KTPR_GLARE_LARGE .12


/* Creates the darkest channel of the card's plane.  KTPR_NO_MEMORY. */
static ktpr_status_t
ktpr_glare_plane(ktpr_pool_t *pool, const ktpr_image_t *image,
                 const ktpr_map_t *card_to_image, double spacing,
                 ktpr_gray_t *least)
{
    int                  i;
    double               by;
    ktpr_map_t           plane_to_small, image_to_small;
    ktpr_image_t         small, card;
    const unsigned char *p;

    small = *image;
    by = fmin(KTPR_GLARE_SCALE / spacing, 1);

    if (by < 1
        && ktpr_warp_reduce(pool, image, (int) fmax(image->w * by, 1),
                            (int) fmax(image->h * by, 1), &small)
               != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    card = small;

    if (card_to_image != NULL) {
        plane_to_small =
            ktpr_map_affine(1. / KTPR_GLARE_SCALE, 0, KTPR_GLARE_LEFT, 0,
                            1. / KTPR_GLARE_SCALE, KTPR_GLARE_TOP);
        plane_to_small = ktpr_map_then(&plane_to_small, card_to_image);
        image_to_small = ktpr_map_affine((double) small.w / image->w, 0, 0, 0,
                                         (double) small.h / image->h, 0);
        plane_to_small = ktpr_map_then(&plane_to_small, &image_to_small);

        if (ktpr_warp_image(pool, &small, &plane_to_small,
                            (int) (KTPR_GLARE_WIDTH * KTPR_GLARE_SCALE),
                            (int) (KTPR_GLARE_HEIGHT * KTPR_GLARE_SCALE),
                            &card)
            != KTPR_DONE) {
            return KTPR_NO_MEMORY;
        }
    }

    if (ktpr_gray_create(pool, card.w, card.h, least) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    p = card.rgb;

    for (i = 0; i < card.w * card.h; i++, p += 3) {
        least->px[i] = p[0] < p[1] ? p[0] : p[1];
        least->px[i] = p[2] < least->px[i] ? p[2] : least->px[i];
    }

    if (card.rgb != small.rgb) {
        ktpr_pool_free(pool, card.rgb);
    }
    if (small.rgb != image->rgb) {
        ktpr_pool_free(pool, small.rgb);
    }

    return KTPR_DONE;
}


/* What is burnt out; NULL: no memory. */
static PIX *
ktpr_glare_burnt(const ktpr_gray_t *least)
{
    int                  x, y;
    PIX                 *pix;
    l_uint32            *line;
    const unsigned char *p;

    pix = pixCreate(least->w, least->h, 1);
    if (pix == NULL) {
        return NULL;
    }

    p = least->px;

    for (y = 0; y < least->h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);
        for (x = 0; x < least->w; x++) {
            if (*p++ >= KTPR_GLARE_BURNT) {
                SET_DATA_BIT(line, x);
            }
        }
    }

    return pix;
}


/* What is burnt out, without specks; NULL: no memory. */
static PIX *
ktpr_glare_open(PIX *burnt)
{
    PIX *pix, *wide, *eroded, *open;

    wide = pixAddBorder(burnt, KTPR_GLARE_BORDER, 1);

    /* an opening in its two steps: pixOpenBrick() leaks when one fails */
    eroded = wide != NULL
                 ? pixErodeBrick(NULL, wide, KTPR_GLARE_SPOT, KTPR_GLARE_SPOT)
                 : NULL;
    pixDestroy(&wide);
    open = eroded != NULL
               ? pixDilateBrick(NULL, eroded, KTPR_GLARE_SPOT, KTPR_GLARE_SPOT)
               : NULL;
    pixDestroy(&eroded);
    pix = open != NULL ? pixRemoveBorder(open, KTPR_GLARE_BORDER) : NULL;
    pixDestroy(&open);

    return pix;
}


/* The grey level of paper in a ring, 255 when the ring is empty. */
static int
ktpr_glare_light(const ktpr_gray_t *least, PIX *ring)
{
    int       x, y, v, n, sum;
    unsigned  histogram[256] = {0};
    l_uint32 *line;

    n = 0;

    for (y = 0; y < least->h; y++) {
        line = pixGetData(ring) + (size_t) y * pixGetWpl(ring);
        for (x = 0; x < least->w; x++) {
            if (GET_DATA_BIT(line, x)) {
                histogram[least->px[(size_t) y * least->w + x]]++;
                n++;
            }
        }
    }

    sum = 0;

    for (v = 0; v < 255; v++) {
        sum += (int) histogram[v];
        if (sum > n * KTPR_GLARE_PAPER) {
            break;
        }
    }

    return v;
}


/*
 * Raises glare to the grey levels by which the ring around a spot is darker;
 * (x, y) is the corner of its box.  KTPR_NO_MEMORY.
 */
static ktpr_status_t
ktpr_glare_spot(const ktpr_gray_t *least, PIX *spot, int x, int y,
                double *glare)
{
    PIX          *whole, *near, *far;
    ktpr_status_t rc;

    whole = pixCreate(least->w, least->h, 1);
    if (whole == NULL) {
        return KTPR_NO_MEMORY;
    }

    pixRasterop(whole, x, y, pixGetWidth(spot), pixGetHeight(spot), PIX_SRC,
                spot, 0, 0);
    near = pixDilateBrick(NULL, whole, 2 * KTPR_GLARE_NEAR + 1,
                          2 * KTPR_GLARE_NEAR + 1);
    far = pixDilateBrick(NULL, whole, 2 * KTPR_GLARE_FAR + 1,
                         2 * KTPR_GLARE_FAR + 1);
    rc = KTPR_NO_MEMORY;

    if (near != NULL && far != NULL) {
        pixXor(far, far, near);
        *glare = fmax(*glare, 255 - ktpr_glare_light(least, far));
        rc = KTPR_DONE;
    }

    pixDestroy(&whole);
    pixDestroy(&near);
    pixDestroy(&far);

    return rc;
}


/*
 * The connected areas of an image and their boxes.  Leptonica does not report
 * each of its failed allocations: a pixel that is in no area, or in two, tells
 * of one.
 */
static ktpr_status_t
ktpr_glare_areas(PIX *pix, PIXA **areas, BOXA **boxes)
{
    int  i, n, all, count, sum;
    PIX *area;

    *areas = NULL;
    *boxes = pixConnComp(pix, areas, 4);
    if (*boxes == NULL || pixCountPixels(pix, &all, NULL) != 0) {
        return KTPR_NO_MEMORY;
    }

    n = pixaGetCount(*areas);
    sum = 0;

    for (i = 0; i < n; i++) {
        area = pixaGetPix(*areas, i, L_CLONE);
        if (pixCountPixels(area, &count, NULL) == 0) {
            sum += count;
        }
        pixDestroy(&area);
    }

    return n == boxaGetCount(*boxes) && sum == all ? KTPR_DONE
                                                   : KTPR_NO_MEMORY;
}


/*
 * The part of the pixels between its ends, line by line, that an area has;
 * the lines are rows, or columns (turned).
 */
static double
ktpr_glare_solid(PIX *area, int turned)
{
    int      i, j, rows, length, first, last, n, all;
    l_uint32 bit;

    rows = turned ? pixGetWidth(area) : pixGetHeight(area);
    length = turned ? pixGetHeight(area) : pixGetWidth(area);
    n = 0;
    all = 0;

    for (i = 0; i < rows; i++) {
        first = length;
        last = length - 1;

        for (j = 0; j < length; j++) {
            pixGetPixel(area, turned ? i : j, turned ? j : i, &bit);
            if (bit) {
                first = first < j ? first : j;
                last = j;
                n++;
            }
        }

        all += last - first + 1;
    }

    return all > 0 ? (double) n / all : 1;
}


/*
 * Removes white cloth around the face of the photo from what is burnt out in
 * the card's plane: areas that lie in the photo and are hollow or bent.  So
 * are few lamps: those of a ring, and windows with bars, are missed there.
 * KTPR_NO_MEMORY.
 */
static ktpr_status_t
ktpr_glare_remove_cloth(PIX *burnt)
{
    int           i, n, x, y, w, h, left, top, bottom;
    BOX          *box;
    PIX          *photo, *area;
    BOXA         *boxes;
    PIXA         *areas;
    ktpr_status_t rc;

    left = KTPR_GLARE_PHOTO_LEFT * KTPR_GLARE_SCALE;
    top = KTPR_GLARE_PHOTO_TOP * KTPR_GLARE_SCALE;
    bottom = (int) (KTPR_GLARE_PHOTO_BOTTOM * KTPR_GLARE_SCALE);

    box = boxCreate(left, top, pixGetWidth(burnt) - left, bottom - top);
    photo = box != NULL ? pixClipRectangle(burnt, box, NULL) : NULL;
    boxDestroy(&box);

    if (photo == NULL) {
        return KTPR_NO_MEMORY;
    }

    areas = NULL;
    boxes = NULL;
    rc = ktpr_glare_areas(photo, &areas, &boxes);
    n = rc == KTPR_DONE ? boxaGetCount(boxes) : 0;

    for (i = 0; i < n; i++) {
        boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h);
        area = pixaGetPix(areas, i, L_CLONE);

        /* one at the rim goes on outside */
        if (x > 0 && y > 0 && y + h < bottom - top
            && (ktpr_glare_solid(area, 0) < KTPR_GLARE_SOLID
                || ktpr_glare_solid(area, 1) < KTPR_GLARE_SOLID)) {
            pixRasterop(burnt, left + x, top + y, w, h,
                        PIX_DST & PIX_NOT(PIX_SRC), area, 0, 0);
        }

        pixDestroy(&area);
    }

    pixDestroy(&photo);
    boxaDestroy(&boxes);
    pixaDestroy(&areas);

    return rc;
}


/* What is burnt out by a lamp, without specks; NULL: no memory. */
static PIX *
ktpr_glare_lamps(const ktpr_gray_t *least, int in_card)
{
    PIX *burnt, *lamps;

    lamps = NULL;
    burnt = ktpr_glare_burnt(least);

    if (burnt != NULL
        && (!in_card || ktpr_glare_remove_cloth(burnt) == KTPR_DONE)) {
        lamps = ktpr_glare_open(burnt);
    }

    pixDestroy(&burnt);

    return lamps;
}


ktpr_status_t
ktpr_glare_measure(ktpr_pool_t *pool, const ktpr_image_t *image,
                   const ktpr_map_t *card_to_image, double spacing,
                   double *glare)
{
    int           i, n, x, y, w, h;
    PIX          *lamps, *spot;
    BOXA         *boxes;
    PIXA         *spots;
    ktpr_gray_t   least;
    ktpr_status_t rc;

    *glare = 0;

    if (card_to_image == NULL) {
        spacing = image->w / KTPR_GLARE_CARD;
    }

    if (ktpr_glare_plane(pool, image, card_to_image, spacing, &least)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    spots = NULL;
    boxes = NULL;
    lamps = ktpr_glare_lamps(&least, card_to_image != NULL);
    rc = lamps != NULL ? ktpr_glare_areas(lamps, &spots, &boxes)
                       : KTPR_NO_MEMORY;
    n = rc == KTPR_DONE ? boxaGetCount(boxes) : 0;

    for (i = 0; i < n && rc == KTPR_DONE; i++) {
        boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h);

        if (card_to_image == NULL
            && w * h > KTPR_GLARE_LARGE * least.w * least.h) {
            continue;
        }

        spot = pixaGetPix(spots, i, L_CLONE);
        rc = ktpr_glare_spot(&least, spot, x, y, glare);
        pixDestroy(&spot);
    }

    boxaDestroy(&boxes);
    pixaDestroy(&spots);
    pixDestroy(&lamps);
    ktpr_pool_free(pool, least.px);

    return rc;
}
