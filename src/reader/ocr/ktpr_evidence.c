#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpr_ctc.h"
#include "ktpr_evidence.h"
#include "ktpr_text.h"


/*
 * Weight of a digit read by Tesseract, in weights of the digit network, which
 * knows OCR-A where Tesseract does not.  Set not recorded.  Higher: NIKs in
 * OCR-A get wrong digits; 0: as if Tesseract were not asked.
 */
#define KTPR_EVIDENCE_OCR .5

/*
 * Likelihood of a digit that Tesseract read with confidence 0, and what is
 * added at confidence 1.  Set not recorded.  Higher: the digit network cannot
 * outweigh what Tesseract is sure of.
 */
#define KTPR_EVIDENCE_OCR_UNSURE .4
#define KTPR_EVIDENCE_OCR_SURE   .5

/*
 * Weight of the line network's score of a digit, in weights of its logarithm.
 * Set not recorded.  Too high or low: one network alone decides.
 */
#define KTPR_EVIDENCE_LOOKS 1.2

/*
 * Log units: the least score of a digit by the line network.  Set not
 * recorded.  Lower: one spoilt digit outweighs all other evidence.
 */
#define KTPR_EVIDENCE_LEAST (-9.)

/*
 * Log units: a number that is less likely than the free text of the line by
 * more is not what the line shows, and the looks are not counted.  Set not
 * recorded.  Lower: faint numbers go by the digit network alone; higher: a
 * line of letters changes digits.
 */
#define KTPR_EVIDENCE_FAR 14.

/*
 * Weight of the digit network where the line network counts, too: it is too
 * sure of a spoilt digit.  Set not recorded.
 */
#define KTPR_EVIDENCE_BESIDE .6

/*
 * Times that each digit is weighed with the others as found last.  Not tuned:
 * the digits are mostly the same after the first.
 */
#define KTPR_EVIDENCE_ROUNDS 2


int
ktpr_evidence_cells(const ktpr_view_t *view, const ktpr_strip_t *strip,
                    const char *pattern, ktpr_evidence_t *evidence)
{
    int          i, d;
    ktpr_cells_t cells;

    memset(evidence, 0, sizeof(ktpr_evidence_t));

    if (ktpr_cells_read(view, strip, pattern, &cells) != 0) {
        return -1;
    }

    evidence->n = cells.n;
    evidence->quality = cells.quality;
    evidence->least = cells.least;
    evidence->beyond = cells.beyond;

    for (i = 0; i < cells.n; i++) {
        for (d = 0; d < 10; d++) {
            evidence->e[i][d] = log(cells.p[i][d]);
        }
    }

    return 0;
}


static void
ktpr_evidence_one(ktpr_evidence_t *evidence, int place, int digit, double c,
                  double share)
{
    int d;

    for (d = 0; d < 10; d++) {
        evidence->e[place][d] += share * log(d == digit ? c : (1 - c) / 9);
    }
}


void
ktpr_evidence_add(ktpr_evidence_t *evidence, const ktpr_reading_t *reading)
{
    int                  i, off, digits, best;
    double               sum, most;
    const ktpr_symbol_t *symbols[KTPR_MAX_VALUE] = {NULL};

    digits = 0;

    for (i = 0; i < reading->n; i++) {
        if (isdigit((unsigned char) reading->symbols[i].c)) {
            symbols[digits++] = &reading->symbols[i];
        }
    }

    best = -1;
    most = 0;

    for (off = 0; off + evidence->n <= digits; off++) {
        sum = 0;
        for (i = 0; i < evidence->n; i++) {
            sum += evidence->e[i][symbols[off + i]->c - '0'];
        }

        if (best < 0 || sum > most) {
            most = sum;
            best = off;
        }
    }

    for (i = 0; i < evidence->n && best >= 0; i++) {
        ktpr_evidence_one(evidence, i, symbols[best + i]->c - '0',
                          KTPR_EVIDENCE_OCR_UNSURE
                              + KTPR_EVIDENCE_OCR_SURE
                                    * symbols[best + i]->confidence,
                          KTPR_EVIDENCE_OCR);
    }
}


/* A pattern's text with the digits in its places. */
static void
ktpr_evidence_text(const char *before, const char *pattern, const char *digits,
                   char *text, size_t size)
{
    size_t n;

    ktpr_text_copy(text, size, before);

    for (n = strlen(text); *pattern != '\0' && n < size - 1; pattern++) {
        text[n++] = *pattern == 'd' ? *digits++ : *pattern;
    }

    text[n] = '\0';
}


/* Scores each digit in each place, with the given digits in the others. */
static void
ktpr_evidence_weigh(const ktpr_evidence_t *evidence,
                    const ktpr_reading_t *reading, const char *before,
                    const char *pattern, const char *digits,
                    double scores[KTPR_CELLS][10])
{
    int    i, d;
    char   other[KTPR_CELLS + 1], text[KTPR_MAX_VALUE];
    double most;

    for (i = 0; i < evidence->n; i++) {
        memcpy(other, digits, sizeof(other));
        most = (double) KTPR_CTC_NEVER;

        for (d = 0; d < 10; d++) {
            other[i] = (char) ('0' + d);
            ktpr_evidence_text(before, pattern, other, text, sizeof(text));
            scores[i][d] = ktpr_reading_score(reading, text);
            most = fmax(most, scores[i][d]);
        }

        for (d = 0; d < 10; d++) {
            scores[i][d] = KTPR_EVIDENCE_LOOKS
                           * fmax(scores[i][d] - most, KTPR_EVIDENCE_LEAST);
        }
    }
}


void
ktpr_evidence_looks(ktpr_evidence_t *evidence, const ktpr_reading_t *reading,
                    const char *before, const char *pattern)
{
    int             i, d, round;
    char            digits[KTPR_CELLS + 1], text[KTPR_MAX_VALUE];
    double          free, scores[KTPR_CELLS][10];
    ktpr_evidence_t with;

    if (reading->nlooks == 0) {
        return;
    }

    for (i = 0; i < evidence->n; i++) {
        for (d = 0; d < 10; d++) {
            evidence->e[i][d] *= KTPR_EVIDENCE_BESIDE;
        }
    }

    with = *evidence;
    free = ktpr_reading_score(reading, reading->text);

    /* a digit is weighed beside the others, which may change then */
    for (round = 0; round < KTPR_EVIDENCE_ROUNDS; round++) {
        memset(digits, 0, sizeof(digits));
        ktpr_evidence_best(&with, digits);
        ktpr_evidence_weigh(evidence, reading, before, pattern, digits,
                            scores);
        with = *evidence;

        for (i = 0; i < with.n; i++) {
            for (d = 0; d < 10; d++) {
                with.e[i][d] += scores[i][d];
            }
        }
    }

    ktpr_evidence_best(&with, digits);
    ktpr_evidence_text(before, pattern, digits, text, sizeof(text));

    if (ktpr_reading_score(reading, text) > free - KTPR_EVIDENCE_FAR) {
        *evidence = with;
    }
}


void
ktpr_evidence_best(const ktpr_evidence_t *evidence, char *digits)
{
    int i, d, best;

    for (i = 0; i < evidence->n; i++) {
        best = 0;
        for (d = 1; d < 10; d++) {
            best = evidence->e[i][d] > evidence->e[i][best] ? d : best;
        }

        digits[i] = (char) ('0' + best);
    }

    digits[evidence->n] = '\0';
}


double
ktpr_evidence_sum(const ktpr_evidence_t *evidence, int at, const char *digits,
                  int n)
{
    int    i;
    double sum;

    sum = 0;
    for (i = 0; i < n; i++) {
        sum += evidence->e[at + i][digits[i] - '0'];
    }

    return sum;
}


void
ktpr_evidence_digits(const ktpr_evidence_t *evidence, const char *digits,
                     float *sure)
{
    int    i, d;
    double sum, p;

    for (i = 0; i < evidence->n; i++) {
        p = evidence->e[i][digits[i] - '0'];
        sum = 0;

        for (d = 0; d < 10; d++) {
            sum += exp(evidence->e[i][d] - p);
        }

        sure[i] = (float) (1 / sum);
    }
}


float
ktpr_evidence_sure(const ktpr_evidence_t *evidence, const char *digits,
                   float *least)
{
    int    i;
    float  sure[KTPR_CELLS];
    double all;

    all = 0;
    *least = 1;
    ktpr_evidence_digits(evidence, digits, sure);

    for (i = 0; i < evidence->n; i++) {
        all += (double) sure[i] / evidence->n;
        *least = sure[i] < *least ? sure[i] : *least;
    }

    return (float) all;
}
