/* The two columns of a KTP, labels and values, found from the writing. */

#ifndef KTPR_COLUMNS_H
#define KTPR_COLUMNS_H

#include "ktpr_page.h"


#define KTPR_MAX_COLUMNS 4

/* x = at + slope * y */
typedef struct {
    double at, slope;
} ktpr_edge_t;

typedef struct {
    double      score;
    ktpr_edge_t labels, values; /* left ends of the two columns */
    double      spacing;        /* from row to row */
} ktpr_columns_t;


/* The best pairs of columns, best first; how many (0: none). */
int ktpr_columns_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                      ktpr_columns_t columns[KTPR_MAX_COLUMNS]);

double ktpr_columns_at(const ktpr_edge_t *edge, double y);


#endif /* KTPR_COLUMNS_H */
