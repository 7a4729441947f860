/* Order of numbers. */

#ifndef KTPR_SORT_H
#define KTPR_SORT_H


/* Sorts n numbers in ascending order, in place. */
void ktpr_sort(double *v, int n);

/* Sorts n numbers, one at least; the median, the lower one of two. */
double ktpr_sort_median(double *v, int n);


#endif /* KTPR_SORT_H */
