/* The truth file of a labelled image: fields of the card, and its flaws. */

#ifndef TRUTH_JSON_H
#define TRUTH_JSON_H

#include "ktpr_reader.h"


typedef struct {
    char   fields[KTPR_FIELDS][KTPR_MAX_VALUE];
    double blur;        /* thousandths of the card's width; -1: unknown */
    double dark;        /* factor of the light; -1: unknown */
    int    glare, gray; /* -1: unknown */
    double quad[4][2];  /* corners of the card in pixels, clockwise */
    int    has_quad;
} truth_t;


/* Reads a truth file; 0, or -1: no such file, no JSON, or no memory. */
int truth_read(const char *name, truth_t *truth);


#endif /* TRUTH_JSON_H */
