#include <stdlib.h>

#include <leptonica/allheaders.h>

#include "ktpr_blobs.h"


static PIX *
ktpr_blobs_mask(const ktpr_gray_t *gray, int threshold)
{
    int                  x, y;
    PIX                 *pix;
    l_uint32            *line;
    const unsigned char *p;

    pix = pixCreate(gray->w, gray->h, 1);
    if (pix == NULL) {
        return NULL;
    }

    p = gray->px;

    for (y = 0; y < gray->h; y++) {
        line = pixGetData(pix) + (size_t) y * pixGetWpl(pix);
        for (x = 0; x < gray->w; x++) {
            if (*p++ < threshold) {
                SET_DATA_BIT(line, x);
            }
        }
    }

    return pix;
}


static int
ktpr_blob_compare(const void *a, const void *b)
{
    const ktpr_blob_t *p = a, *q = b;

    return p->x != q->x ? p->x - q->x : p->y - q->y;
}


static int
ktpr_blobs_keep(PIXA *pixa, BOXA *boxa, int max_height, int max_width,
                ktpr_blob_t *blobs, int *tab)
{
    int         i, n, kept;
    PIX        *pix;
    ktpr_blob_t b;

    n = boxaGetCount(boxa);
    kept = 0;

    for (i = 0; i < n && kept < KTPR_MAX_BLOBS; i++) {
        boxaGetBoxGeometry(boxa, i, &b.x, &b.y, &b.w, &b.h);

        if ((b.h < 4 && b.w < 4) || b.h > max_height || b.w > max_width) {
            continue;
        }

        pix = pixaGetPix(pixa, i, L_CLONE);
        pixCountPixels(pix, &b.area, tab);
        pixDestroy(&pix);

        if (b.area < 4 || b.area * 100 < 8 * b.w * b.h) {
            continue;
        }

        blobs[kept++] = b;
    }

    return kept;
}


int
ktpr_blobs_find(ktpr_pool_t *pool, const ktpr_gray_t *gray, int threshold,
                int max_height, int max_width, ktpr_blob_t **blobs)
{
    int   n, *tab;
    PIX  *pix;
    BOXA *boxa;
    PIXA *pixa;

    *blobs = ktpr_pool_alloc(pool, KTPR_MAX_BLOBS, sizeof(ktpr_blob_t));
    pix = ktpr_blobs_mask(gray, threshold);
    pixa = NULL;
    boxa = pix != NULL ? pixConnComp(pix, &pixa, 8) : NULL;
    tab = makePixelSumTab8();
    n = -1;

    if (*blobs != NULL && boxa != NULL && tab != NULL) {
        n = ktpr_blobs_keep(pixa, boxa, max_height, max_width, *blobs, tab);
        qsort(*blobs, (size_t) n, sizeof(ktpr_blob_t), ktpr_blob_compare);
        n = n < KTPR_MAX_BLOBS ? n : 0;
    }

    LEPT_FREE(tab);
    boxaDestroy(&boxa);
    pixaDestroy(&pixa);
    pixDestroy(&pix);

    return n;
}
