/* A picture in memory: what a camera does to it, and how it is written. */

#ifndef SPECIMEN_PICTURE_H
#define SPECIMEN_PICTURE_H

#include <cairo.h>
#include "person.h"


typedef struct {
    double blur;  /* standard deviation in pixels; 0: none */
    double noise; /* standard deviation in steps of 255 */
    double dark;  /* factor of the light; 1: as drawn */
    double glare; /* radius of a burnt-out spot, in widths; 0: none */
    double glare_x, glare_y; /* its middle, in widths and heights */
    double glare_long;       /* its length over its breadth */
    double glare_turn;       /* of its length, in degrees, clockwise */
    double glare_edge;       /* 2: it fades as a lamp's halo, 10: a window */
    double uneven; /* the light's excess at the far side, and lack opposite */
    double uneven_turn; /* where that side is: 0 right, 90 below */
    int    gray;
    double tint; /* of the light: 1 yellow, 0 none, -1 blue */
} camera_t;


/* Works on an image surface of CAIRO_FORMAT_RGB24; 0, or -1 for no memory. */
int camera_apply(cairo_surface_t *picture, const camera_t *camera,
                 dice_t *dice);

/*
 * Writes a PNG if the name ends so, a JPEG of that quality (1 to 100)
 * otherwise; 0, or -1 with a message on standard error.
 */
int picture_write(cairo_surface_t *picture, const char *name, int quality);


#endif /* SPECIMEN_PICTURE_H */
