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


/* What is burnt out, without specks; NULL: no memory. */
static PIX *
ktpr_glare_burnt(const ktpr_gray_t *least)
{
    int                  x, y;
    PIX                 *pix, *wide, *eroded, *open;
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

    wide = pixAddBorder(pix, KTPR_GLARE_BORDER, 1);
    pixDestroy(&pix);

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
 * The burnt-out spots and their boxes.  Leptonica does not report each of its
 * failed allocations: a pixel that is in no spot, or in two, tells of one.
 */
static ktpr_status_t
ktpr_glare_spots(PIX *burnt, PIXA **spots, BOXA **boxes)
{
    int  i, n, all, count, sum;
    PIX *spot;

    *spots = NULL;
    *boxes = pixConnComp(burnt, spots, 4);
    if (*boxes == NULL || pixCountPixels(burnt, &all, NULL) != 0) {
        return KTPR_NO_MEMORY;
    }

    n = pixaGetCount(*spots);
    sum = 0;

    for (i = 0; i < n; i++) {
        spot = pixaGetPix(*spots, i, L_CLONE);
        if (pixCountPixels(spot, &count, NULL) == 0) {
            sum += count;
        }
        pixDestroy(&spot);
    }

    return n == boxaGetCount(*boxes) && sum == all ? KTPR_DONE
                                                   : KTPR_NO_MEMORY;
}


ktpr_status_t
ktpr_glare_measure(ktpr_pool_t *pool, const ktpr_image_t *image,
                   const ktpr_map_t *card_to_image, double spacing,
                   double *glare)
{
    int           i, n, x, y, w, h;
    PIX          *burnt, *spot;
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
    burnt = ktpr_glare_burnt(&least);
    rc = burnt != NULL ? ktpr_glare_spots(burnt, &spots, &boxes)
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
    pixDestroy(&burnt);
    ktpr_pool_free(pool, least.px);

    return rc;
}
