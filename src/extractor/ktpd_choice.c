#include <math.h>
#include <string.h>

#include "ktpd_choice.h"
#include "ktpd_ctc.h"
#include "ktpd_text.h"


/* Texts with more edits a letter than this are not weighed. */
#define KTPD_CHOICE_FAR .6


void
ktpd_choice_begin(ktpd_choice_t *choice, const ktpd_reading_t *reading)
{
    choice->reading = reading;
    choice->free = ktpd_ocr_score(reading, reading->text);
    choice->best = (double) KTPD_CTC_NEVER;
    choice->other = (double) KTPD_CTC_NEVER;
    choice->what = NULL;
    choice->text[0] = '\0';
}


void
ktpd_choice_try(ktpd_choice_t *choice, const char *text, const void *what)
{
    double score;

    if (ktpd_text_distance(text, choice->reading->text)
        > KTPD_CHOICE_FAR * (double) strlen(text)) {
        return;
    }

    score = ktpd_ocr_score(choice->reading, text) - choice->free;

    if (score > choice->best) {
        /* the same one written otherwise is no rival */
        if (choice->what != what && strcmp(choice->text, text) != 0) {
            choice->other = choice->best;
        }
        choice->best = score;
        choice->what = what;
        ktpd_text_copy(choice->text, sizeof(choice->text), text);

    } else if (score > choice->other && choice->what != what
               && strcmp(choice->text, text) != 0) {
        choice->other = score;
    }
}


int
ktpd_choice_made(const ktpd_choice_t *choice, double limit, double clear)
{
    return choice->text[0] != '\0'
           && choice->best >= -limit * (double) strlen(choice->text)
           && choice->best >= choice->other + clear;
}


float
ktpd_choice_sure(const ktpd_choice_t *choice)
{
    return (float) exp((choice->best + choice->free)
                       / (double) strlen(choice->text));
}
