/*
 * Which of some texts a line is that can only, or mostly, be one of them:
 * each is weighed by what the network saw.
 */

#ifndef KTPR_CHOICE_H
#define KTPR_CHOICE_H

#include "ktpr_tesseract.h"


/* What is clear where nothing else tells. */
#define KTPR_CHOICE_CLEAR 1.5

typedef struct {
    const ktpr_reading_t *reading;
    double                free;  /* score of what was read freely */
    double                best;  /* of the best text, against that */
    double                other; /* of the next one */
    const void           *what;  /* the best one's */
    char                  text[KTPR_MAX_VALUE];
} ktpr_choice_t;


/* Begins to choose; reading was read by the network, and is not empty. */
void ktpr_choice_begin(ktpr_choice_t *choice, const ktpr_reading_t *reading);

/*
 * Tries a text; one that has hardly a letter of what was read is passed
 * over.  what is remembered with the best one.
 */
void ktpr_choice_try(ktpr_choice_t *choice, const char *text,
                     const void *what);

/*
 * Whether the best text is at most limit a character less likely than what
 * was read freely, and better by clear than the next: logarithms.
 */
int ktpr_choice_made(const ktpr_choice_t *choice, double limit, double clear);

/* How sure the network is of the best text, 0 to 1, a character. */
float ktpr_choice_sure(const ktpr_choice_t *choice);


#endif /* KTPR_CHOICE_H */
