#include <ctype.h>
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

/* fixed: natural logarithm, of a part of a sum that does not change it */
#define KTPR_READING_NOTHING 40

/*
 * Likelihood of a blank that may be added between two letters, and of letters
 * between which none is added that is less likely.  Set not recorded; BESIDE:
 * cards like a print.  Lower BLANK, or higher BESIDE: names that a card prints
 * in one word become two; otherwise: narrow blanks are missed.
 */
#define KTPR_READING_BLANK  .01f
#define KTPR_READING_BESIDE .5f


double
ktpr_reading_score_least(const ktpr_reading_t *reading, const char *text,
                         double least)
{
    int    i;
    double sum, score;

    if (reading->nlooks == 0) {
        return (double) KTPR_CTC_NEVER;
    }

    sum = 0;

    for (i = 0; i < reading->nlooks; i++) {
        /* looks that follow do not raise the sum */
        score = ktpr_ctc_score(reading->looks[i], text,
                               least * reading->nlooks - sum);
        if (score <= (double) KTPR_CTC_NEVER) {
            return (double) KTPR_CTC_NEVER;
        }

        sum += score;
    }

    return sum / reading->nlooks;
}


double
ktpr_reading_score(const ktpr_reading_t *reading, const char *text)
{
    return ktpr_reading_score_least(reading, text, (double) KTPR_CTC_NEVER);
}


/*
 * The logarithm of the mean of a text's likelihoods in the looks: one that
 * misses a letter does not outweigh those that see it clearly.  Looks in which
 * it is less likely than best by KTPR_READING_NOTHING do not count.
 */
static double
ktpr_reading_vote(const ktpr_reading_t *reading, const char *text, double best)
{
    int    i;
    double sum, most, scores[KTPR_LOOKS];

    most = (double) KTPR_CTC_NEVER;

    for (i = 0; i < reading->nlooks; i++) {
        scores[i] = ktpr_ctc_score(reading->looks[i], text,
                                   best - KTPR_READING_NOTHING);
        most = fmax(most, scores[i]);
    }

    sum = 0;
    for (i = 0; i < reading->nlooks; i++) {
        sum += exp(scores[i] - most);
    }

    return most + log(sum / reading->nlooks);
}


void
ktpr_reading_sure(const ktpr_reading_t *reading, const char *text, float *sure)
{
    int    i;
    size_t k, n;
    float  one[KTPR_MAX_VALUE];

    n = strlen(text);
    memset(sure, 0, sizeof(float) * KTPR_MAX_VALUE);

    if (n >= KTPR_MAX_VALUE) {
        return;
    }

    for (i = 0; i < reading->nlooks; i++) {
        ktpr_ctc_sure(reading->looks[i], text, one);

        for (k = 0; k < n; k++) {
            sure[k] += one[k] / (float) reading->nlooks;
        }
    }
}


/* Whether a letter or digit is likelier than all else in a column. */
static int
ktpr_reading_inked(const float *p)
{
    int k, most;

    most = 0;

    for (k = 1; k < KTPR_LINE_CLASSES; k++) {
        most = p[k] > p[most] ? k : most;
    }

    return most > 0
           && isalnum((unsigned char) KTPR_LINE_ALPHABET[most - 1]) != 0;
}


int
ktpr_reading_span(const ktpr_reading_t *reading, double *first, double *last)
{
    int                        i, found;
    const ktpr_line_columns_t *look;

    found = 0;
    look = reading->looks[0];

    for (i = 0; reading->nlooks > 0 && i < look->n; i++) {
        if (ktpr_reading_inked(look->p[i])) {
            *last = (i + .5) / look->n;
            *first = found ? *first : *last;
            found = 1;
        }
    }

    return found;
}


/* Edits from each beginning of one text to each beginning of another. */
typedef unsigned char ktpr_edits_t[KTPR_MAX_VALUE + 1][KTPR_MAX_VALUE + 1];

static void
ktpr_reading_edits(const char *a, size_t n, const char *b, size_t m,
                   ktpr_edits_t d)
{
    int    least;
    size_t i, j;

    for (i = 0; i <= n; i++) {
        for (j = 0; j <= m; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned char) (i + j);
                continue;
            }

            least = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            least = d[i - 1][j] + 1 < least ? d[i - 1][j] + 1 : least;
            least = d[i][j - 1] + 1 < least ? d[i][j - 1] + 1 : least;
            d[i][j] = (unsigned char) least;
        }
    }
}


int
ktpr_reading_yields(const ktpr_reading_t *reading, const char *read,
                    const char *text)
{
    float        was[KTPR_MAX_VALUE], is[KTPR_MAX_VALUE];
    size_t       i, j, n;
    ktpr_edits_t d;

    n = i = strnlen(read, KTPR_MAX_VALUE - 1);
    j = strnlen(text, KTPR_MAX_VALUE - 1);
    ktpr_reading_sure(reading, read, was);
    ktpr_reading_sure(reading, text, is);
    ktpr_reading_edits(read, i, text, j, d);

    while (i > 0 || j > 0) {
        if (i > 0 && j > 0
            && d[i][j] == d[i - 1][j - 1] + (read[i - 1] != text[j - 1])) {
            i--;
            j--;

            if (read[i] != text[j] && was[i] > KTPR_READING_CLEAR) {
                return 0;
            }

        } else if (i > 0 && d[i][j] == d[i - 1][j] + 1) {
            i--;

            if (was[i] > KTPR_READING_CLEAR) {
                return 0;
            }

        } else {
            j--;

            if (text[j] == ' ' && i > 0 && i < n
                && was[i - 1] > KTPR_READING_BESIDE
                && was[i] > KTPR_READING_BESIDE
                && is[j] < KTPR_READING_BLANK) {
                return 0;
            }
        }
    }

    return 1;
}


/* Whether a text is among n others. */
static int
ktpr_reading_among(const ktpr_ctc_text_t *texts, int n, const char *text)
{
    int i;

    for (i = 0; i < n; i++) {
        if (strcmp(texts[i].text, text) == 0) {
            return 1;
        }
    }

    return 0;
}


void
ktpr_reading_agree(const char *alphabet, ktpr_reading_t *reading)
{
    int             i, k, n, tried;
    float           likeliest;
    double          score, best;
    ktpr_ctc_text_t texts[KTPR_LOOKS * KTPR_CTC_TEXTS], *seen;

    best = (double) KTPR_CTC_NEVER;
    reading->text[0] = '\0';
    reading->confidence = 0;
    reading->n = 0;
    tried = 0;

    for (i = 0; i < reading->nlooks; i++) {
        seen = &texts[tried];
        n = ktpr_ctc_read(reading->looks[i], alphabet, seen);
        likeliest = seen[0].score;

        for (k = 0; k < n; k++) {
            if (seen[k].score < likeliest - KTPR_READING_BEHIND
                || ktpr_reading_among(texts, tried, seen[k].text)) {
                continue;
            }

            score = reading->nlooks > 1
                        ? ktpr_reading_vote(reading, seen[k].text, best)
                        : (double) seen[k].score;

            if (score > best) {
                best = score;
                memcpy(reading->text, seen[k].text, sizeof(reading->text));
            }

            texts[tried++] = seen[k];
        }
    }

    n = (int) strlen(reading->text);
    if (n > 0) {
        /* looks that do not see this text make it less certain */
        best = reading->nlooks > 1 ? ktpr_reading_score(reading, reading->text)
                                   : best;
        reading->confidence = (float) exp(best / n);
    }
}
