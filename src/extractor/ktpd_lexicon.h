/* The words that certain lines of a card are made of. */

#ifndef KTPD_LEXICON_H
#define KTPD_LEXICON_H

#include "ktpd_ocr.h"


typedef enum {
    KTPD_LEX_GENDER,
    KTPD_LEX_RELIGION,
    KTPD_LEX_STATUS,
    KTPD_LEX_OCCUPATION,
    KTPD_LEX_VALID,
    KTPD_LEXICONS
} ktpd_lexicon_t;


/*
 * The entry nearest to text, by letters and digits, at most limit edits a
 * letter of it; NULL when none is so near.  *distance is edits a letter.
 */
const char *ktpd_lexicon_match(ktpd_lexicon_t lexicon, const char *text,
                               double limit, double *distance);

/*
 * The entry that the network's reading is, at most limit a character less
 * likely than what was read freely; NULL when none is.
 */
const char *ktpd_lexicon_choose(ktpd_lexicon_t        lexicon,
                                const ktpd_reading_t *reading, double limit,
                                float *sure);

/* How like an entry the beginning of text is, 0 to 1, the best of all. */
double ktpd_lexicon_like(ktpd_lexicon_t lexicon, const char *text);


#endif /* KTPD_LEXICON_H */
