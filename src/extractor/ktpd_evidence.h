/*
 * What speaks for each digit of a number, from several readers of it, and
 * the numbers that it leaves possible.
 */

#ifndef KTPD_EVIDENCE_H
#define KTPD_EVIDENCE_H

#include "ktpd_cells.h"


/* Logarithms of how likely each digit is in each place. */
typedef struct {
    double e[KTPD_CELLS][10];
    int    n; /* places; 0: nothing is known */
    double quality;
} ktpd_evidence_t;


/*
 * Reads a strip by the network.  pattern has a 'd' a digit and anything else
 * for what stands between ("dd-dd-dddd").  0, or -1: too little to read.
 */
int ktpd_evidence_cells(ktpd_scan_t *scan, const ktpd_strip_t *strip,
                        const char *pattern, ktpd_evidence_t *evidence);

/*
 * Adds a reading of Tesseract's.  More digits than places are a colon or a
 * border before or behind the number: of the ways to cut, the best one.
 */
void ktpd_evidence_add(ktpd_evidence_t      *evidence,
                       const ktpd_reading_t *reading);

/*
 * Adds what the network for lines saw: how likely each digit is in each
 * place of a pattern, with what was read before the number.  Nothing is
 * added when the line does not look like that.
 */
void ktpd_evidence_looks(ktpd_evidence_t      *evidence,
                         const ktpd_reading_t *reading, const char *before,
                         const char *pattern);

/* The likeliest number, a string of n digits. */
void ktpd_evidence_best(const ktpd_evidence_t *evidence, char *digits);

/* The evidence for n digits from place at on. */
double ktpd_evidence_sum(const ktpd_evidence_t *evidence, int at,
                         const char *digits, int n);

/* How sure it is of a number, 0 to 1, in the mean; least: its worst digit. */
float ktpd_evidence_sure(const ktpd_evidence_t *evidence, const char *digits,
                         float *least);


#endif /* KTPD_EVIDENCE_H */
