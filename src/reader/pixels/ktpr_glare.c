#include <math.h>

#include <leptonica/allheaders.h>

#include "ktpr_glare.h"
#include "ktpr_gray.h"
#include "ktpr_warp.h"


/* Pixels of the plane that is looked at, a spacing of rows. */
#define KTPR_GLARE_SCALE 8

/*
 * A card from the start of its values and its first row, in spacings, less
 * what its place is uncertain by: 33 x 21.
 */
#define KTPR_GLARE_LEFT   -8.5
#define KTPR_GLARE_TOP    -6.4
#define KTPR_GLARE_WIDTH  31.7
#define KTPR_GLARE_HEIGHT 20.
#define KTPR_GLARE_CARD   33.

/* A channel's mean from where on it is at its limit, grain put aside. */
#define KTPR_GLARE_BURNT 251

/* The least spot, and half of it where the rest is beyond the border. */
#define KTPR_GLARE_SPOT   6
#define KTPR_GLARE_BORDER 3

/* Where the light beside a spot is taken, from its rim. */
#define KTPR_GLARE_NEAR 7
#define KTPR_GLARE_FAR  16

/* The part of that ring that is no brighter: the rest is paper. */
#define KTPR_GLARE_PAPER .9

/* Without a card: what is larger, in parts of the image, is a white thing. */
#define KTPR_GLARE_LARGE .12


/* The least channel of each pixel of the card's plane; 0 or -1. */
static int
ktpr_glare_plane(ktpr_pool_t *pool, const ktpr_image_t *image,
                 const ktpr_map_t *plane, double spacing, ktpr_gray_t *least)
{
    int                  i;
    double               by;
    ktpr_map_t           map, reduce;
    ktpr_image_t         small, card;
    const unsigned char *p;

    small = *image;
    by = fmin(KTPR_GLARE_SCALE / spacing, 1);

    if (by < 1
        && ktpr_warp_reduce(pool, image, (int) fmax(image->w * by, 1),
                            (int) fmax(image->h * by, 1), &small)
               != 0) {
        return -1;
    }

    card = small;

    if (plane != NULL) {
        map = ktpr_map_affine(1. / KTPR_GLARE_SCALE, 0, KTPR_GLARE_LEFT, 0,
                              1. / KTPR_GLARE_SCALE, KTPR_GLARE_TOP);
        map = ktpr_map_then(&map, plane);
        reduce = ktpr_map_affine((double) small.w / image->w, 0, 0, 0,
                                 (double) small.h / image->h, 0);
        map = ktpr_map_then(&map, &reduce);

        if (ktpr_warp_image(pool, &small, &map,
                            (int) (KTPR_GLARE_WIDTH * KTPR_GLARE_SCALE),
                            (int) (KTPR_GLARE_HEIGHT * KTPR_GLARE_SCALE),
                            &card)
            != 0) {
            return -1;
        }
    }

    if (ktpr_gray_create(pool, card.w, card.h, least) != 0) {
        return -1;
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

    return 0;
}


/* What is burnt out and holds a spot of the least size; NULL: no memory. */
static PIX *
ktpr_glare_burnt(const ktpr_gray_t *least)
{
    int                  x, y;
    PIX                 *pix, *wide, *open;
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
    open = wide != NULL
               ? pixOpenBrick(NULL, wide, KTPR_GLARE_SPOT, KTPR_GLARE_SPOT)
               : NULL;
    pixDestroy(&wide);
    pix = open != NULL ? pixRemoveBorder(open, KTPR_GLARE_BORDER) : NULL;
    pixDestroy(&open);

    return pix;
}


/* The light of paper in a ring, 255 when there is none. */
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


/* How much darker it is around a spot, which stands at a box's corner. */
static double
ktpr_glare_spot(const ktpr_gray_t *least, PIX *spot, int x, int y)
{
    PIX   *whole, *near, *far;
    double glare;

    whole = pixCreate(least->w, least->h, 1);
    if (whole == NULL) {
        return -1;
    }

    pixRasterop(whole, x, y, pixGetWidth(spot), pixGetHeight(spot), PIX_SRC,
                spot, 0, 0);
    near = pixDilateBrick(NULL, whole, 2 * KTPR_GLARE_NEAR + 1,
                          2 * KTPR_GLARE_NEAR + 1);
    far = pixDilateBrick(NULL, whole, 2 * KTPR_GLARE_FAR + 1,
                         2 * KTPR_GLARE_FAR + 1);
    glare = -1;

    if (near != NULL && far != NULL) {
        pixXor(far, far, near);
        glare = 255 - ktpr_glare_light(least, far);
    }

    pixDestroy(&whole);
    pixDestroy(&near);
    pixDestroy(&far);

    return glare;
}


int
ktpr_glare_measure(ktpr_pool_t *pool, const ktpr_image_t *image,
                   const ktpr_map_t *plane, double spacing, double *glare)
{
    int         i, n, x, y, w, h, rc;
    PIX        *burnt, *spot;
    BOXA       *boxes;
    PIXA       *spots;
    double      beside;
    ktpr_gray_t least;

    *glare = 0;

    if (plane == NULL) {
        spacing = image->w / KTPR_GLARE_CARD;
    }

    if (ktpr_glare_plane(pool, image, plane, spacing, &least) != 0) {
        return -1;
    }

    spots = NULL;
    burnt = ktpr_glare_burnt(&least);
    boxes = burnt != NULL ? pixConnComp(burnt, &spots, 4) : NULL;
    n = boxes != NULL ? boxaGetCount(boxes) : 0;
    rc = boxes != NULL ? 0 : -1;

    for (i = 0; i < n && rc == 0; i++) {
        boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h);

        if (plane == NULL && w * h > KTPR_GLARE_LARGE * least.w * least.h) {
            continue;
        }

        spot = pixaGetPix(spots, i, L_CLONE);
        beside = ktpr_glare_spot(&least, spot, x, y);
        *glare = fmax(*glare, beside);
        rc = beside < 0 ? -1 : 0;
        pixDestroy(&spot);
    }

    boxaDestroy(&boxes);
    pixaDestroy(&spots);
    pixDestroy(&burnt);
    ktpr_pool_free(pool, least.px);

    return rc;
}
