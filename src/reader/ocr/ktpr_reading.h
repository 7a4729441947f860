/*
 * The text that was read from a line of writing, with what the network saw
 * of it and what Tesseract gave for each character.
 */

#ifndef KTPR_READING_H
#define KTPR_READING_H

#include "ktpr_field.h"
#include "ktpr_line_net.h"


/* Cuts of one line that the network looks at, at most. */
#define KTPR_LOOKS 5

/*
 * Likelihood from which on a character is clear: no rule may change it. Lower:
 * misread words of a blurred line stay; higher: names and numbers that the
 * rules do not know are replaced by ones that they know.
 */
#define KTPR_READING_CLEAR .9f

typedef struct {
    char  c;
    float confidence; /* 0 to 1 */
    int   x0, x1;     /* in pixels of the line's image */
} ktpr_symbol_t;

typedef struct {
    char          text[KTPR_MAX_VALUE];    /* ASCII, runs of blanks folded */
    float         confidence;              /* 0 to 1, of a character or word */
    ktpr_symbol_t symbols[KTPR_MAX_VALUE]; /* by Tesseract only */
    int           n;

    /* by the network only; they live in the pool, until it is reset */
    const ktpr_line_columns_t *looks[KTPR_LOOKS];
    int                        nlooks;
} ktpr_reading_t;


/*
 * Sets the text to the one that is likeliest in the mean of all looks of a
 * reading, and the confidence to the geometric mean of its characters'
 * likelihoods in all of them.  alphabet limits the text to its characters;
 * NULL does not.
 */
void ktpr_reading_agree(const char *alphabet, ktpr_reading_t *reading);

/*
 * The logarithm of a text's likelihood, as the mean over the looks;
 * KTPR_CTC_NEVER when there are no looks.
 */
double ktpr_reading_score(const ktpr_reading_t *reading, const char *text);

/* The same, or KTPR_CTC_NEVER when it is below least: takes less time. */
double ktpr_reading_score_least(const ktpr_reading_t *reading,
                                const char *text, double least);

/*
 * Sets sure to the likelihood of each character of a text in its place, 0 to
 * 1, as the mean over the looks; 0 when there are no looks.  sure has room for
 * KTPR_MAX_VALUE numbers.
 */
void ktpr_reading_sure(const ktpr_reading_t *reading, const char *text,
                       float *sure);

/*
 * The middles of the first and the last letter or digit that the first look
 * has, in parts of its width; 0 when it has none, else 1.
 */
int ktpr_reading_span(const ktpr_reading_t *reading, double *first,
                      double *last);

/*
 * Whether a text that was read from the line, or from a part of it, may be
 * replaced by another one: not where a letter that was read clearly
 * (KTPR_READING_CLEAR) would be changed or left out, nor where a blank would
 * be added of which nothing was seen between two letters that were seen.
 */
int ktpr_reading_yields(const ktpr_reading_t *reading, const char *read,
                        const char *text);


#endif /* KTPR_READING_H */
