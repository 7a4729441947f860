/* The truth file of a labelled image: what stands on the card, and how the
 * image was spoilt. */

#ifndef TRUTH_JSON_H
#define TRUTH_JSON_H

#include "ktpr_reader.h"


typedef struct {
    char   fields[KTPR_FIELDS][KTPR_MAX_VALUE];
    double blur; /* of the image, in thousandths of the card's width; -1: not
                    told */
    double dark; /* share of the light left; -1: not told */
    int    glare, gray; /* -1: not told */
    double quad[4][2];  /* the card's corners in pixels, clockwise */
    int    has_quad;
} truth_t;


/* 0, or -1 when there is no such file or it is no JSON. */
int truth_read(const char *name, truth_t *truth);


#endif /* TRUTH_JSON_H */
