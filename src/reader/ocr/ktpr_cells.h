/*
 * Numbers as cells of one width, with or without a mark between some of
 * them: where they stand is found together with what is in them.
 */

#ifndef KTPR_CELLS_H
#define KTPR_CELLS_H

#include "ktpr_view.h"


#define KTPR_CELLS 16 /* at most */

typedef struct {
    int    n;
    double p[KTPR_CELLS][10]; /* each row adds up to 1 */
    double quality;           /* mean log of the best digits' likelihoods */
} ktpr_cells_t;


/*
 * Reads a strip that holds a number of a pattern ("ddd/ddd": a 'd' a digit,
 * anything else a mark) and perhaps something before and behind it.  0, or
 * -1 when it cannot be cut or is too short.
 */
int ktpr_cells_read(const ktpr_view_t *view, const ktpr_strip_t *strip,
                    const char *pattern, ktpr_cells_t *cells);


#endif /* KTPR_CELLS_H */
