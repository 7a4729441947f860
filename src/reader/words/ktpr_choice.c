#include <math.h>
#include <string.h>

#include "ktpr_choice.h"
#include "ktpr_ctc.h"
#include "ktpr_text.h"


/*
 * Edits a letter above which a text is not scored by the network, to
 * save time.  Set not recorded.  Lower: the right name of a blurred line is
 * not tried; higher: a line takes longer.
 */
#define KTPR_CHOICE_FAR .6


void
ktpr_choice_begin(ktpr_choice_t *choice, const ktpr_reading_t *reading)
{
    choice->reading = reading;
    choice->free = ktpr_reading_score(reading, reading->text);
    choice->best = (double) KTPR_CTC_NEVER;
    choice->other = (double) KTPR_CTC_NEVER;
    choice->what = NULL;
    choice->text[0] = '\0';
}


void
ktpr_choice_try(ktpr_choice_t *choice, const char *text, const void *what)
{
    double score, least;

    if (ktpr_text_distance(text, choice->reading->text)
        > KTPR_CHOICE_FAR * (double) strlen(text)) {
        return;
    }

    /* nothing else is near enough to the best one to matter */
    least = fmax(choice->other, choice->best - KTPR_CHOICE_CLEAR);
    score =
        ktpr_reading_score_least(choice->reading, text, choice->free + least)
        - choice->free;

    if (score > choice->best) {
        /* another spelling of the same one is no rival */
        if (choice->what != what && strcmp(choice->text, text) != 0) {
            choice->other = choice->best;
        }
        choice->best = score;
        choice->what = what;
        ktpr_text_copy(choice->text, sizeof(choice->text), text);

    } else if (score > choice->other && choice->what != what
               && strcmp(choice->text, text) != 0) {
        choice->other = score;
    }
}


int
ktpr_choice_made(const ktpr_choice_t *choice, double limit, double clear)
{
    return choice->text[0] != '\0'
           && choice->best >= -limit * (double) strlen(choice->text)
           && choice->best >= choice->other + clear;
}


float
ktpr_choice_sure(const ktpr_choice_t *choice)
{
    return (float) exp((choice->best + choice->free)
                       / (double) strlen(choice->text));
}
