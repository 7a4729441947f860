/* Rows of a card: what stands in the label and the value column of each. */

#ifndef KTPR_ROWS_H
#define KTPR_ROWS_H

#include "ktpr_crop.h"
#include "ktpr_columns.h"


/* Twelve lines, two continued, and what clutter around a card adds. */
#define KTPR_MAX_ROWS 48

/* Fragments to the right of a value: the blood group, the photo's. */
#define KTPR_MAX_ASIDE 4

typedef struct {
    double       y; /* of the base line, at the value column */
    ktpr_strip_t label;
    ktpr_strip_t value;
    unsigned     has_label : 1;
    unsigned     has_value : 1; /* else value is where one would begin */
    double       aside[KTPR_MAX_ASIDE][2]; /* x0, x1 */
    int          naside;
} ktpr_row_t;

typedef struct {
    ktpr_row_t rows[KTPR_MAX_ROWS]; /* from top to bottom */
    int        n;
    double     capital; /* height of one, by the spacing of rows */
    double     slope;   /* usual slope of rows */
} ktpr_rows_t;


/* How high a capital is and where the photo begins, in row spacings. */
#define KTPR_CAPITAL (1 / 1.95)
#define KTPR_PHOTO   14.4


/* Finds the rows that the columns make; how many, or -1 (no memory). */
int ktpr_rows_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                   const ktpr_columns_t *columns, ktpr_rows_t *rows);

/* Where x lies on the strip's lower edge. */
double ktpr_rows_strip_bottom(const ktpr_strip_t *strip, double x);


#endif /* KTPR_ROWS_H */
