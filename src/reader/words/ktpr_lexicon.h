/* The words of the lines that have one of a few values. */

#ifndef KTPR_LEXICON_H
#define KTPR_LEXICON_H

#include "ktpr_reading.h"


typedef enum {
    KTPR_LEX_GENDER,
    KTPR_LEX_RELIGION,
    KTPR_LEX_STATUS,
    KTPR_LEX_OCCUPATION,
    KTPR_LEX_VALID,
    KTPR_LEXICONS
} ktpr_lexicon_t;


/*
 * The entry nearest to text, by letters and digits only, at a distance of at
 * most limit; NULL when there is none.  *distance: edits a letter of it.
 */
const char *ktpr_lexicon_match(ktpr_lexicon_t lexicon, const char *text,
                               double limit, double *distance);

/*
 * The entry that the line network makes the likeliest, at most limit a
 * character less likely than the text as read (natural logarithm); NULL when
 * none is, or when it is not clear which.  *sure: confidence, 0 to 1.
 */
const char *ktpr_lexicon_choose(ktpr_lexicon_t        lexicon,
                                const ktpr_reading_t *reading, double limit,
                                float *sure);

/*
 * The number of entries that begin with text, and are longer; *entry: the
 * first of them.  0 for an empty text.
 */
int ktpr_lexicon_begun(ktpr_lexicon_t lexicon, const char *text,
                       const char **entry);

/* How much the beginning of text is like an entry, 0 to 1; the best one. */
double ktpr_lexicon_like(ktpr_lexicon_t lexicon, const char *text);


#endif /* KTPR_LEXICON_H */
