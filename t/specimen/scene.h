/* What a camera sees: a card, or a page, that lies on a table. */

#ifndef SPECIMEN_SCENE_H
#define SPECIMEN_SCENE_H

#include <cairo.h>
#include "card.h"


typedef struct {
    int    width, height;
    double cover;  /* part of the width that the card takes, seen straight */
    double rotate; /* clockwise, in degrees */
    double yaw;    /* the right side goes away from the camera, in degrees */
    double pitch;  /* the upper side goes away, in degrees */
    int    table;  /* of table.h */
    int    page;   /* a page of prose in place of the card */
    int    columns, rows; /* of cards, seen straight; 1 and 1: the card */
    card_style_t style;
    double       quad[4][2]; /* where its corners are: set by scene_draw() */
} scene_t;


/* Cards of one picture, at most. */
#define SCENE_CARDS 16

/*
 * The picture, which is the caller's, as a surface of CAIRO_FORMAT_RGB24; its
 * status tells of no memory.  dice throws the card's chances, the table has
 * some of its own from seed.  There is a person for each card, row by row; the
 * corners are those of the first.
 */
cairo_surface_t *scene_draw(scene_t *scene, const person_t *people,
                            dice_t *dice, uint64_t seed);


#endif /* SPECIMEN_SCENE_H */
