/*
 * Results of the reader's functions.  A function that returns a count or a
 * yes or no returns these for failures, which are negative.
 */

#ifndef KTPR_STATUS_H
#define KTPR_STATUS_H


typedef enum {
    KTPR_DONE = 0,
    KTPR_UNFIT = -1,     /* nothing can be made of the input, as it is */
    KTPR_NO_MEMORY = -2, /* the pool is at its ceiling, or malloc() failed */
    KTPR_COSTLY = -3     /* a file that takes too long to decode */
} ktpr_status_t;


#endif /* KTPR_STATUS_H */
