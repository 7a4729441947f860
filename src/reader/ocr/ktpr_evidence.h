/*
 * What speaks for each digit of a number, from several readers of it, and
 * the numbers that it leaves possible.
 */

#ifndef KTPR_EVIDENCE_H
#define KTPR_EVIDENCE_H

#include "ktpr_cells.h"


/* Logarithms of how likely each digit is in each place. */
typedef struct {
    double e[KTPR_CELLS][10];
    int    n; /* places; 0: nothing is known */
    double quality;
} ktpr_evidence_t;


/*
 * Reads a strip by the network.  pattern has a 'd' a digit and anything else
 * for what stands between ("dd-dd-dddd").  0, or -1: too little to read.
 */
int ktpr_evidence_cells(const ktpr_view_t *view, const ktpr_strip_t *strip,
                        const char *pattern, ktpr_evidence_t *evidence);

/*
 * Adds a reading of Tesseract's.  More digits than places are a colon or a
 * border before or behind the number: of the ways to cut, the best one.
 */
void ktpr_evidence_add(ktpr_evidence_t      *evidence,
                       const ktpr_reading_t *reading);

/*
 * Adds what the network for lines saw: how likely each digit is in each
 * place of a pattern, with what was read before the number.  Nothing is
 * added when the line does not look like that.
 */
void ktpr_evidence_looks(ktpr_evidence_t      *evidence,
                         const ktpr_reading_t *reading, const char *before,
                         const char *pattern);

/* The likeliest number, a string of n digits. */
void ktpr_evidence_best(const ktpr_evidence_t *evidence, char *digits);

/* The evidence for n digits from place at on. */
double ktpr_evidence_sum(const ktpr_evidence_t *evidence, int at,
                         const char *digits, int n);

/* How sure it is of a number, 0 to 1, in the mean; least: its worst digit. */
float ktpr_evidence_sure(const ktpr_evidence_t *evidence, const char *digits,
                         float *least);


#endif /* KTPR_EVIDENCE_H */
