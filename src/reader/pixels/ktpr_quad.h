/*
 * The card's four sides in a photo, told from its edges against what it lies
 * on.  Works on a small copy of the image, in some milliseconds; a card whose
 * sides do not show is not found.
 */

#ifndef KTPR_QUAD_H
#define KTPR_QUAD_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* An ID-1 card (ISO/IEC 7810, 5.1.1), in millimetres. */
#define KTPR_CARD_WIDTH  85.60
#define KTPR_CARD_HEIGHT 53.98

typedef struct {
    /* clockwise in pixels of the image, the first two a long side's, which
       may be the card's upper or its lower one */
    ktpr_point_t corners[4];
    double       score;  /* 0 to 1: how much of the sides shows */
    double       turn;   /* of that side from level, -90 to 90 degrees */
    double       squint; /* degrees that opposite sides are off parallel */
} ktpr_quad_t;


/* 1 when a card's sides were found, 0 when not or memory is short. */
int ktpr_quad_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                   ktpr_quad_t *quad);


#endif /* KTPR_QUAD_H */
