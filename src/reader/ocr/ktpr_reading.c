#include <math.h>
#include <string.h>

#include "ktpr_ctc.h"
#include "ktpr_reading.h"


/*
 * Natural logarithm: a look's texts that are less likely than its best one by
 * more are not scored on the other looks.  Set not recorded.  Too low: the
 * text that the looks agree on is not among those tried; too high: only time.
 */
#define KTPR_READING_BEHIND 6


double
ktpr_reading_score(const ktpr_reading_t *reading, const char *text)
{
    int    i;
    double sum;

    sum = 0;
    for (i = 0; i < reading->nlooks; i++) {
        sum += ktpr_ctc_score(reading->looks[i], text);
    }

    return reading->nlooks > 0 ? sum / reading->nlooks
                               : (double) KTPR_CTC_NEVER;
}


void
ktpr_reading_agree(const char *alphabet, ktpr_reading_t *reading)
{
    int             i, k, n;
    double          score, best;
    ktpr_ctc_text_t texts[KTPR_CTC_TEXTS];

    best = (double) KTPR_CTC_NEVER;
    reading->text[0] = '\0';
    reading->confidence = 0;
    reading->n = 0;

    for (i = 0; i < reading->nlooks; i++) {
        n = ktpr_ctc_read(reading->looks[i], alphabet, texts);

        for (k = 0; k < n; k++) {
            if (texts[k].score < texts[0].score - KTPR_READING_BEHIND) {
                continue;
            }

            score = reading->nlooks > 1
                        ? ktpr_reading_score(reading, texts[k].text)
                        : (double) texts[k].score;

            if (score > best) {
                best = score;
                memcpy(reading->text, texts[k].text, sizeof(reading->text));
            }
        }
    }

    n = (int) strlen(reading->text);
    if (n > 0) {
        reading->confidence = (float) exp(best / n);
    }
}
