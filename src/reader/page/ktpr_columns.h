/*
 * The two columns of a KTP, labels and values, found by the left ends of
 * fragments.  Coordinates are those of the level page.
 */

#ifndef KTPR_COLUMNS_H
#define KTPR_COLUMNS_H

#include "ktpr_page.h"


/* Pairs of columns found, at most. */
#define KTPR_MAX_COLUMNS 4

/* x = at + slope * y */
typedef struct {
    double at, slope;
} ktpr_edge_t;

typedef struct {
    double      score;          /* about the number of rows on them */
    ktpr_edge_t labels, values; /* left ends of the two columns */
    double      spacing;        /* from row to row, in pixels */
} ktpr_columns_t;


/* Finds the best pairs, best first.  Their number, or KTPR_NO_MEMORY. */
int ktpr_columns_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                      ktpr_columns_t columns[KTPR_MAX_COLUMNS]);

/* The x of an edge at y. */
double ktpr_columns_at(const ktpr_edge_t *edge, double y);


#endif /* KTPR_COLUMNS_H */
