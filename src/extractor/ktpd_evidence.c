#include <ctype.h>
#include <math.h>
#include <string.h>

#include "ktpd_evidence.h"


/* Tesseract's word beside the network's: it does not know OCR-A. */
#define KTPD_EVIDENCE_OCR_NIK .5
#define KTPD_EVIDENCE_OCR     1.


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


void
ktpd_evidence_digits(ktpd_evidence_t *evidence, const char *digits, double c)
{
    int i;

    for (i = 0; i < evidence->n; i++) {
        ktpd_evidence_one(evidence, i, digits[i] - '0', .4 + .55 * c,
                          KTPD_EVIDENCE_OCR);
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
