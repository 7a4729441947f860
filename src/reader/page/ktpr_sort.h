/* Numbers in order. */

#ifndef KTPR_SORT_H
#define KTPR_SORT_H


/* Sorts n numbers, the smallest first, in place. */
void ktpr_sort(double *v, int n);

/* Sorts n numbers, one at least, and returns the middle (lower of two). */
double ktpr_sort_median(double *v, int n);


#endif /* KTPR_SORT_H */
