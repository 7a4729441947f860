/*
 * Which of some texts a line is that can only, or mostly, be one of them:
 * each is weighed by what the network saw.
 */

#ifndef KTPD_CHOICE_H
#define KTPD_CHOICE_H

#include "ktpd_ocr.h"


/* What is clear where nothing else tells. */
#define KTPD_CHOICE_CLEAR 1.5

typedef struct {
    const ktpd_reading_t *reading;
    double                free;  /* score of what was read freely */
    double                best;  /* of the best text, against that */
    double                other; /* of the next one */
    const void           *what;  /* the best one's */
    char                  text[KTPD_MAX_VALUE];
} ktpd_choice_t;


/* Begins to choose; reading was read by the network, and is not empty. */
void ktpd_choice_begin(ktpd_choice_t *choice, const ktpd_reading_t *reading);

/*
 * Tries a text; one that has hardly a letter of what was read is passed
 * over.  what is remembered with the best one.
 */
void ktpd_choice_try(ktpd_choice_t *choice, const char *text,
                     const void *what);

/*
 * Whether the best text is at most limit a character less likely than what
 * was read freely, and better by clear than the next: logarithms.
 */
int ktpd_choice_made(const ktpd_choice_t *choice, double limit, double clear);

/* How sure the network is of the best text, 0 to 1, a character. */
float ktpd_choice_sure(const ktpd_choice_t *choice);


#endif /* KTPD_CHOICE_H */
