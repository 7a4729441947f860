#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpd_ctc.h"
#include "ktpd_evidence.h"
#include "ktpd_text.h"


/* Tesseract's word beside the network's: it does not know OCR-A. */
#define KTPD_EVIDENCE_OCR_NIK .5

/*
 * The line network's word; how little one of its scores says at most; and
 * the logarithm of how much less likely than free text a number may be.
 */
#define KTPD_EVIDENCE_LOOKS 1.2
#define KTPD_EVIDENCE_LEAST (-9.)
#define KTPD_EVIDENCE_FAR   14.

/* Cells count less where a line's looks speak too: they are too sure. */
#define KTPD_EVIDENCE_BESIDE .6


int
ktpd_evidence_cells(ktpd_scan_t *scan, const ktpd_strip_t *strip,
                    const char *pattern, ktpd_evidence_t *evidence)
{
    int          i, d;
    ktpd_cells_t cells;

    memset(evidence, 0, sizeof(ktpd_evidence_t));

    if (ktpd_cells_read(scan, scan->digits, strip, pattern, &cells) != 0) {
        return -1;
    }

    evidence->n = cells.n;
    evidence->quality = cells.quality;

    for (i = 0; i < cells.n; i++) {
        for (d = 0; d < 10; d++) {
            evidence->e[i][d] = log(cells.p[i][d]);
        }
    }

    return 0;
}


static void
ktpd_evidence_one(ktpd_evidence_t *evidence, int place, int digit, double c,
                  double share)
{
    int d;

    for (d = 0; d < 10; d++) {
        evidence->e[place][d] += share * log(d == digit ? c : (1 - c) / 9);
    }
}


void
ktpd_evidence_add(ktpd_evidence_t *evidence, const ktpd_reading_t *reading)
{
    int                  i, off, digits, best;
    double               sum, most;
    const ktpd_symbol_t *symbols[KTPD_MAX_VALUE] = {NULL};

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
        ktpd_evidence_one(evidence, i, symbols[best + i]->c - '0',
                          .4 + .5 * symbols[best + i]->confidence,
                          KTPD_EVIDENCE_OCR_NIK);
    }
}


/* A pattern's text with the digits in its places. */
static void
ktpd_evidence_text(const char *before, const char *pattern, const char *digits,
                   char *text, size_t size)
{
    size_t n;

    ktpd_text_copy(text, size, before);

    for (n = strlen(text); *pattern != '\0' && n < size - 1; pattern++) {
        text[n++] = *pattern == 'd' ? *digits++ : *pattern;
    }

    text[n] = '\0';
}


/* Scores of all digits in all places beside the given ones. */
static void
ktpd_evidence_weigh(const ktpd_evidence_t *evidence,
                    const ktpd_reading_t *reading, const char *before,
                    const char *pattern, const char *digits,
                    double scores[KTPD_CELLS][10])
{
    int    i, d;
    char   other[KTPD_CELLS + 1], text[KTPD_MAX_VALUE];
    double most;

    for (i = 0; i < evidence->n; i++) {
        memcpy(other, digits, sizeof(other));
        most = (double) KTPD_CTC_NEVER;

        for (d = 0; d < 10; d++) {
            other[i] = (char) ('0' + d);
            ktpd_evidence_text(before, pattern, other, text, sizeof(text));
            scores[i][d] = ktpd_ocr_score(reading, text);
            most = fmax(most, scores[i][d]);
        }

        for (d = 0; d < 10; d++) {
            scores[i][d] = KTPD_EVIDENCE_LOOKS
                           * fmax(scores[i][d] - most, KTPD_EVIDENCE_LEAST);
        }
    }
}


void
ktpd_evidence_looks(ktpd_evidence_t *evidence, const ktpd_reading_t *reading,
                    const char *before, const char *pattern)
{
    int             i, d, round;
    char            digits[KTPD_CELLS + 1], text[KTPD_MAX_VALUE];
    double          free, scores[KTPD_CELLS][10];
    ktpd_evidence_t with;

    if (reading->nlooks == 0) {
        return;
    }

    for (i = 0; i < evidence->n; i++) {
        for (d = 0; d < 10; d++) {
            evidence->e[i][d] *= KTPD_EVIDENCE_BESIDE;
        }
    }

    with = *evidence;
    free = ktpd_ocr_score(reading, reading->text);

    /* each place is weighed with the others as they are: once more */
    for (round = 0; round < 2; round++) {
        memset(digits, 0, sizeof(digits));
        ktpd_evidence_best(&with, digits);
        ktpd_evidence_weigh(evidence, reading, before, pattern, digits,
                            scores);
        with = *evidence;

        for (i = 0; i < with.n; i++) {
            for (d = 0; d < 10; d++) {
                with.e[i][d] += scores[i][d];
            }
        }
    }

    ktpd_evidence_best(&with, digits);
    ktpd_evidence_text(before, pattern, digits, text, sizeof(text));

    if (ktpd_ocr_score(reading, text) > free - KTPD_EVIDENCE_FAR) {
        *evidence = with;
    }
}


void
ktpd_evidence_best(const ktpd_evidence_t *evidence, char *digits)
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
ktpd_evidence_sum(const ktpd_evidence_t *evidence, int at, const char *digits,
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


float
ktpd_evidence_sure(const ktpd_evidence_t *evidence, const char *digits,
                   float *least)
{
    int    i, d;
    double sum, all, p;

    all = 0;
    *least = 1;

    for (i = 0; i < evidence->n; i++) {
        p = evidence->e[i][digits[i] - '0'];
        sum = 0;

        for (d = 0; d < 10; d++) {
            sum += exp(evidence->e[i][d] - p);
        }

        all += 1 / sum / evidence->n;
        *least = 1 / sum < *least ? (float) (1 / sum) : *least;
    }

    return (float) all;
}
