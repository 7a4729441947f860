#include <math.h>

#include <leptonica/allheaders.h>

#include "ktpd_glare.h"


/* Pixels of the plane that is looked at, a spacing of rows. */
#define KTPD_GLARE_SCALE 8

/*
 * A card from the start of its values and its first row, in spacings, less
 * what its place is uncertain by: 33 x 21.
 */
#define KTPD_GLARE_LEFT   -8.5
#define KTPD_GLARE_TOP    -6.4
#define KTPD_GLARE_WIDTH  31.7
#define KTPD_GLARE_HEIGHT 20.
#define KTPD_GLARE_CARD   33.

/* A channel's mean from where on it is at its limit, grain put aside. */
#define KTPD_GLARE_BURNT 251

/* The least spot, and half of it where the rest is beyond the border. */
#define KTPD_GLARE_SPOT   6
#define KTPD_GLARE_BORDER 3

/* Where the light beside a spot is taken, from its rim. */
#define KTPD_GLARE_NEAR 7
#define KTPD_GLARE_FAR  16

/* The part of that ring that is no brighter: the rest is paper. */
#define KTPD_GLARE_PAPER .9

/* Without a card: what is larger, in parts of the image, is a white thing. */
#define KTPD_GLARE_LARGE .12


/* The least channel of each pixel of the card's plane; 0 or -1. */
static int
ktpd_glare_plane(ktpd_pool_t *pool, const ktpd_image_t *image,
                 const ktpd_map_t *plane, double spacing, ktpd_gray_t *least)
{
    int                  i;
    double               by;
    ktpd_map_t           map, reduce;
    ktpd_image_t         small, card;
    const unsigned char *p;

    small = *image;
    by = fmin(KTPD_GLARE_SCALE / spacing, 1);

    if (by < 1
        && ktpd_image_reduce(pool, image, (int) fmax(image->w * by, 1),
                             (int) fmax(image->h * by, 1), &small)
               != 0) {
        return -1;
    }

    card = small;

    if (plane != NULL) {
        map = ktpd_map_affine(1. / KTPD_GLARE_SCALE, 0, KTPD_GLARE_LEFT, 0,
                              1. / KTPD_GLARE_SCALE, KTPD_GLARE_TOP);
        map = ktpd_map_then(&map, plane);
        reduce = ktpd_map_affine((double) small.w / image->w, 0, 0, 0,
                                 (double) small.h / image->h, 0);
        map = ktpd_map_then(&map, &reduce);

        if (ktpd_image_warp(pool, &small, &map,
                            (int) (KTPD_GLARE_WIDTH * KTPD_GLARE_SCALE),
                            (int) (KTPD_GLARE_HEIGHT * KTPD_GLARE_SCALE),
                            &card)
            != 0) {
            return -1;
        }
    }

    if (ktpd_gray_create(pool, card.w, card.h, least) != 0) {
        return -1;
    }

    p = card.rgb;

    for (i = 0; i < card.w * card.h; i++, p += 3) {
        least->px[i] = p[0] < p[1] ? p[0] : p[1];
        least->px[i] = p[2] < least->px[i] ? p[2] : least->px[i];
    }

    if (card.rgb != small.rgb) {
        ktpd_pool_free(pool, card.rgb);
    }
    if (small.rgb != image->rgb) {
        ktpd_pool_free(pool, small.rgb);
    }

    return 0;
}


/* What is burnt out and holds a spot of the least size; NULL: no memory. */
static PIX *
ktpd_glare_burnt(const ktpd_gray_t *least)
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
            if (*p++ >= KTPD_GLARE_BURNT) {
                SET_DATA_BIT(line, x);
            }
        }
    }

    wide = pixAddBorder(pix, KTPD_GLARE_BORDER, 1);
    pixDestroy(&pix);
    open = wide != NULL
               ? pixOpenBrick(NULL, wide, KTPD_GLARE_SPOT, KTPD_GLARE_SPOT)
               : NULL;
    pixDestroy(&wide);
    pix = open != NULL ? pixRemoveBorder(open, KTPD_GLARE_BORDER) : NULL;
    pixDestroy(&open);

    return pix;
}


/* The light of paper in a ring, 255 when there is none. */
static int
ktpd_glare_light(const ktpd_gray_t *least, PIX *ring)
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
        if (sum > n * KTPD_GLARE_PAPER) {
            break;
        }
    }

    return v;
}


/* How much darker it is around a spot, which stands at a box's corner. */
static double
ktpd_glare_spot(const ktpd_gray_t *least, PIX *spot, int x, int y)
{
    PIX   *whole, *near, *far;
    double glare;

    whole = pixCreate(least->w, least->h, 1);
    if (whole == NULL) {
        return -1;
    }

    pixRasterop(whole, x, y, pixGetWidth(spot), pixGetHeight(spot), PIX_SRC,
                spot, 0, 0);
    near = pixDilateBrick(NULL, whole, 2 * KTPD_GLARE_NEAR + 1,
                          2 * KTPD_GLARE_NEAR + 1);
    far = pixDilateBrick(NULL, whole, 2 * KTPD_GLARE_FAR + 1,
                         2 * KTPD_GLARE_FAR + 1);
    glare = -1;

    if (near != NULL && far != NULL) {
        pixXor(far, far, near);
        glare = 255 - ktpd_glare_light(least, far);
    }

    pixDestroy(&whole);
    pixDestroy(&near);
    pixDestroy(&far);

    return glare;
}


int
ktpd_glare_measure(ktpd_pool_t *pool, const ktpd_image_t *image,
                   const ktpd_map_t *plane, double spacing, double *glare)
{
    int         i, n, x, y, w, h, rc;
    PIX        *burnt, *spot;
    BOXA       *boxes;
    PIXA       *spots;
    double      beside;
    ktpd_gray_t least;

    *glare = 0;

    if (plane == NULL) {
        spacing = image->w / KTPD_GLARE_CARD;
    }

    if (ktpd_glare_plane(pool, image, plane, spacing, &least) != 0) {
        return -1;
    }

    spots = NULL;
    burnt = ktpd_glare_burnt(&least);
    boxes = burnt != NULL ? pixConnComp(burnt, &spots, 4) : NULL;
    n = boxes != NULL ? boxaGetCount(boxes) : 0;
    rc = boxes != NULL ? 0 : -1;

    for (i = 0; i < n && rc == 0; i++) {
        boxaGetBoxGeometry(boxes, i, &x, &y, &w, &h);

        if (plane == NULL && w * h > KTPD_GLARE_LARGE * least.w * least.h) {
            continue;
        }

        spot = pixaGetPix(spots, i, L_CLONE);
        beside = ktpd_glare_spot(&least, spot, x, y);
        *glare = fmax(*glare, beside);
        rc = beside < 0 ? -1 : 0;
        pixDestroy(&spot);
    }

    boxaDestroy(&boxes);
    pixaDestroy(&spots);
    pixDestroy(&burnt);
    ktpd_pool_free(pool, least.px);

    return rc;
}
