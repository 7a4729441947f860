/*
 * The choice between texts that a line can be: each is scored by the columns
 * of the line network.  Scores are natural logarithms of likelihoods.
 */

#ifndef KTPR_CHOICE_H
#define KTPR_CHOICE_H

#include "ktpr_reading.h"


/*
 * The usual margin between the best text and the next.  Tuned on the hard
 * sets of docs/accuracy.md.  Lower: one of two similar names is reported at
 * random; higher: clear ones are left as read.
 */
#define KTPR_CHOICE_CLEAR 1.5

typedef struct {
    const ktpr_reading_t *reading;
    double                free;  /* score of the text as read */
    double                best;  /* of the best text, less free */
    double                other; /* of the next one, less free */
    const void           *what;  /* given with the best text */
    char                  text[KTPR_MAX_VALUE];
} ktpr_choice_t;


/*
 * Begins a choice.  reading is by the line network and not empty; it is kept
 * by reference.
 */
void ktpr_choice_begin(ktpr_choice_t *choice, const ktpr_reading_t *reading);

/*
 * Scores a text, unless it has hardly a letter in common with the reading.
 * what is kept with the best one; texts with the same what are no rivals.
 */
void ktpr_choice_try(ktpr_choice_t *choice, const char *text,
                     const void *what);

/*
 * Whether the best text is at most limit a character less likely than the
 * text as read, and exceeds the next by clear, which is KTPR_CHOICE_CLEAR at
 * most.
 */
int ktpr_choice_made(const ktpr_choice_t *choice, double limit, double clear);

/* The network's confidence in a character of the best text, 0 to 1. */
float ktpr_choice_sure(const ktpr_choice_t *choice);


#endif /* KTPR_CHOICE_H */
