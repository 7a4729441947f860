/* The words that certain lines of a card are made of. */

#ifndef KTPR_LEXICON_H
#define KTPR_LEXICON_H

#include "ktpr_tesseract.h"


typedef enum {
    KTPR_LEX_GENDER,
    KTPR_LEX_RELIGION,
    KTPR_LEX_STATUS,
    KTPR_LEX_OCCUPATION,
    KTPR_LEX_VALID,
    KTPR_LEXICONS
} ktpr_lexicon_t;


/*
 * The entry nearest to text, by letters and digits, at most limit edits a
 * letter of it; NULL when none is so near.  *distance is edits a letter.
 */
const char *ktpr_lexicon_match(ktpr_lexicon_t lexicon, const char *text,
                               double limit, double *distance);

/*
 * The entry that the network's reading is, at most limit a character less
 * likely than what was read freely; NULL when none is.
 */
const char *ktpr_lexicon_choose(ktpr_lexicon_t        lexicon,
                                const ktpr_reading_t *reading, double limit,
                                float *sure);

/* How like an entry the beginning of text is, 0 to 1, the best of all. */
double ktpr_lexicon_like(ktpr_lexicon_t lexicon, const char *text);


#endif /* KTPR_LEXICON_H */
