/*
 * Numbers as cells of one width, with or without a mark between some of
 * them: where they stand is found together with what is in them.
 */

#ifndef KTPD_CELLS_H
#define KTPD_CELLS_H

#include "ktpd_digits.h"
#include "ktpd_scan.h"


#define KTPD_CELLS 16 /* at most */

typedef struct {
    int    n;
    double p[KTPD_CELLS][10]; /* each row adds up to 1 */
    double quality;           /* mean log of the best digits' likelihoods */
} ktpd_cells_t;


/*
 * Reads a strip that holds a number of a pattern ("ddd/ddd": a 'd' a digit,
 * anything else a mark) and perhaps something before and behind it.  0, or
 * -1 when it cannot be cut or is too short.
 */
int ktpd_cells_read(ktpd_scan_t *scan, const ktpd_digit_net_t *net,
                    const ktpd_strip_t *strip, const char *pattern,
                    ktpd_cells_t *cells);


#endif /* KTPD_CELLS_H */
