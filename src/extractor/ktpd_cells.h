/*
 * The number as sixteen cells of one width: where they stand is found
 * together with what is in them.
 */

#ifndef KTPD_CELLS_H
#define KTPD_CELLS_H

#include "ktpd_digits.h"
#include "ktpd_scan.h"


#define KTPD_CELLS 16

typedef struct {
    double p[KTPD_CELLS][10]; /* each row adds up to 1 */
    double quality;           /* mean log of the best digits' likelihoods */
    double x0, x1;            /* of the digits, on the level page */
} ktpd_cells_t;


/*
 * Reads a strip that holds the number and perhaps a colon before it.  0, or
 * -1 when it cannot be cut or is too short for sixteen digits.
 */
int ktpd_cells_read(ktpd_scan_t *scan, const ktpd_digit_net_t *net,
                    const ktpd_strip_t *strip, ktpd_cells_t *cells);


#endif /* KTPD_CELLS_H */
