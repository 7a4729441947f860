/*
 * The rows of a card: the label and the value of each.  Coordinates are those
 * of the level page.
 */

#ifndef KTPR_ROWS_H
#define KTPR_ROWS_H

#include "ktpr_columns.h"
#include "ktpr_crop.h"


/* Rows, at most: twelve lines, two continued, and clutter around a card. */
#define KTPR_MAX_ROWS 48

/* Fragments to the right of a value: the blood group, those of the photo. */
#define KTPR_MAX_ASIDE 4

/* The height of a capital, in row spacings: geometry of the card's print. */
#define KTPR_CAPITAL (1 / 1.95)

/*
 * From the left end of values to that of the photo, in row spacings: geometry
 * of the card.  Less cuts long values short; more reads the photo.
 */
#define KTPR_PHOTO 16.4

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
    double     capital; /* height of one in pixels, from the row spacing */
    double     slope;   /* median of the rows' */
} ktpr_rows_t;


/* Finds the rows that the columns make.  Their number, or KTPR_NO_MEMORY. */
int ktpr_rows_find(ktpr_pool_t *pool, const ktpr_page_t *page,
                   const ktpr_columns_t *columns, ktpr_rows_t *rows);

/* The y of the strip's lower edge at x. */
double ktpr_rows_strip_bottom(const ktpr_strip_t *strip, double x);


#endif /* KTPR_ROWS_H */
