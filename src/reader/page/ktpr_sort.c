#include <stdlib.h>

#include "ktpr_sort.h"


static int
ktpr_sort_compare(const void *a, const void *b)
{
    const double *p = a, *q = b;

    return (*p > *q) - (*p < *q);
}


void
ktpr_sort(double *v, int n)
{
    qsort(v, (size_t) n, sizeof(double), ktpr_sort_compare);
}


double
ktpr_sort_median(double *v, int n)
{
    ktpr_sort(v, n);

    return v[(n - 1) / 2];
}
