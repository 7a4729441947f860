/*
 * The card's four sides in a photo, told from its edges against what it lies
 * on.  Works on a small copy of the image, in some milliseconds; a card whose
 * sides do not show is not found.
 */

#ifndef KTPD_QUAD_H
#define KTPD_QUAD_H

#include "ktpd_warp.h"


/* An ID-1 card (ISO/IEC 7810, 5.1.1), in millimetres. */
#define KTPD_CARD_WIDTH  85.60
#define KTPD_CARD_HEIGHT 53.98

typedef struct {
    /* clockwise in pixels of the image, the first two a long side's, which
       may be the card's upper or its lower one */
    ktpd_point_t corners[4];
    double       score;  /* 0 to 1: how much of the sides shows */
    double       turn;   /* of that side from level, -90 to 90 degrees */
    double       squint; /* degrees that opposite sides are off parallel */
} ktpd_quad_t;


/* 1 when a card's sides were found, 0 when not or memory is short. */
int ktpd_quad_find(ktpd_pool_t *pool, const ktpd_image_t *image,
                   ktpd_quad_t *quad);


#endif /* KTPD_QUAD_H */
