/* Rows of a card: what stands in the label and the value column of each. */

#ifndef KTPD_ROWS_H
#define KTPD_ROWS_H

#include "ktpd_crop.h"
#include "ktpd_layout.h"


/* Twelve lines, two continued, and what clutter around a card adds. */
#define KTPD_MAX_ROWS 48

/* Fragments to the right of a value: the blood group, the photo's. */
#define KTPD_MAX_ASIDE 4

typedef struct {
    double       y; /* of the base line, at the value column */
    ktpd_strip_t label;
    ktpd_strip_t value;
    unsigned     has_label : 1;
    unsigned     has_value : 1; /* else value is where one would begin */
    double       aside[KTPD_MAX_ASIDE][2]; /* x0, x1 */
    int          naside;
} ktpd_row_t;

typedef struct {
    ktpd_row_t rows[KTPD_MAX_ROWS]; /* from top to bottom */
    int        n;
    double     capital; /* height of one, by the spacing of rows */
    double     slope;   /* usual slope of rows */
} ktpd_rows_t;


/* How high a capital is and where the photo begins, in row spacings. */
#define KTPD_CAPITAL (1 / 1.95)
#define KTPD_PHOTO   14.4


/* Finds the rows that the columns make; how many, or -1 (no memory). */
int ktpd_rows_find(ktpd_pool_t *pool, const ktpd_page_t *page,
                   const ktpd_columns_t *columns, ktpd_rows_t *rows);

/* Where x lies on the strip's lower edge. */
double ktpd_strip_bottom(const ktpd_strip_t *strip, double x);


#endif /* KTPD_ROWS_H */
