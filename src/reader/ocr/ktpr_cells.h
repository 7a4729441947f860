/*
 * Numbers as cells of one width, with or without marks between some of them.
 * The places of the cells and the digits in them are found together.
 */

#ifndef KTPR_CELLS_H
#define KTPR_CELLS_H

#include "ktpr_view.h"


#define KTPR_CELLS 16 /* digits of a number, at most: a NIK */

typedef struct {
    int    n;
    double p[KTPR_CELLS][10]; /* each row adds up to 1 */
    double quality;           /* mean log of the best digits' likelihoods */
    double least;             /* the lowest of them */
    double beyond; /* of a digit before the first or behind the last */
} ktpr_cells_t;


/*
 * Reads a strip that holds a number of a pattern ("ddd/ddd": a 'd' for a
 * digit, any other character for a mark), and perhaps something before and
 * behind it.  0, or -1 when the strip cannot be cut, is too short, or memory
 * is short (see ktpr_pool_failed()).
 */
int ktpr_cells_read(const ktpr_view_t *view, const ktpr_strip_t *strip,
                    const char *pattern, ktpr_cells_t *cells);


#endif /* KTPR_CELLS_H */
