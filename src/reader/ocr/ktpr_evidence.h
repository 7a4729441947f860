/*
 * The evidence for each digit of a number, added up from several readings by
 * different recognisers.
 */

#ifndef KTPR_EVIDENCE_H
#define KTPR_EVIDENCE_H

#include "ktpr_cells.h"


/* Logarithms of the likelihood of each digit in each place. */
typedef struct {
    double e[KTPR_CELLS][10];
    int    n;                      /* places; 0: nothing is known */
    double quality, least, beyond; /* of the cells, see ktpr_cells.h */
} ktpr_evidence_t;


/*
 * Sets the evidence to what the network for digits reads in a strip, by a
 * pattern as in ktpr_cells.h.  0, or -1 when it cannot be read.
 */
int ktpr_evidence_cells(const ktpr_view_t *view, const ktpr_strip_t *strip,
                        const char *pattern, ktpr_evidence_t *evidence);

/*
 * Adds a reading by Tesseract.  If it has more digits than places (a colon or
 * a border was read as one), the run of digits that fits best is taken; if
 * fewer, nothing is added.
 */
void ktpr_evidence_add(ktpr_evidence_t      *evidence,
                       const ktpr_reading_t *reading);

/*
 * Adds what the network for lines saw: the likelihood of each digit in each
 * place of a pattern, behind the text that was read before the number.
 * Nothing is added when the line is not likely to show such a number.
 */
void ktpr_evidence_looks(ktpr_evidence_t      *evidence,
                         const ktpr_reading_t *reading, const char *before,
                         const char *pattern);

/* The likeliest number; digits has room for n digits and a null. */
void ktpr_evidence_best(const ktpr_evidence_t *evidence, char *digits);

/* The sum of the evidence for n digits from place at on, in log units. */
double ktpr_evidence_sum(const ktpr_evidence_t *evidence, int at,
                         const char *digits, int n);

/* The confidence in each digit of a number, 0 to 1; n of them. */
void ktpr_evidence_digits(const ktpr_evidence_t *evidence, const char *digits,
                          float *sure);

/*
 * The confidence in a number, 0 to 1, as the mean of its digits; least is set
 * to that of the worst digit.
 */
float ktpr_evidence_sure(const ktpr_evidence_t *evidence, const char *digits,
                         float *least);


#endif /* KTPR_EVIDENCE_H */
