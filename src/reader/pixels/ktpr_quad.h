/*
 * The four sides of the card in a photo, found by its edges against the
 * background.  Works on a small copy of the image, in some milliseconds; a
 * card whose sides do not show is not found.
 */

#ifndef KTPR_QUAD_H
#define KTPR_QUAD_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* An ID-1 card (ISO/IEC 7810, 5.1.1), in millimetres. */
#define KTPR_CARD_WIDTH  85.60
#define KTPR_CARD_HEIGHT 53.98

typedef struct {
    /*
     * clockwise, in pixels of the image; the first two are the ends of a long
     * side, which may be the upper or the lower one of the card
     */
    ktpr_point_t corners[4];

    double score;  /* part of the sides that shows, weighed with the area */
    double turn;   /* of that side from level, -90 to 90 degrees clockwise */
    double squint; /* largest angle between opposite sides, in degrees */
} ktpr_quad_t;


/* 1 when the sides of a card were found, 0 when not, or KTPR_NO_MEMORY. */
int ktpr_quad_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                   ktpr_quad_t *quad);


#endif /* KTPR_QUAD_H */
