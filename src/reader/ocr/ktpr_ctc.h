/*
 * Texts from the columns of classes that the network for lines gives, and the
 * likelihood of a text, which is the sum over all ways to spread it over the
 * columns (connectionist temporal classification, Graves 2006).
 */

#ifndef KTPR_CTC_H
#define KTPR_CTC_H

#include "ktpr_line_net.h"


/* Texts that are kept, at most; bytes of the longest one, with its null. */
#define KTPR_CTC_TEXTS  12
#define KTPR_CTC_LENGTH 128

/* The logarithm of the likelihood of what cannot be. */
#define KTPR_CTC_NEVER (-1e30f)

typedef struct {
    char  text[KTPR_CTC_LENGTH];
    float score; /* logarithm of the likelihood */
} ktpr_ctc_text_t;


/*
 * Finds the likeliest texts of characters of an alphabet (NULL: of all), the
 * best one first, without blanks at their ends.  texts has room for
 * KTPR_CTC_TEXTS.  Returns the number of texts, at least 1.
 */
int ktpr_ctc_read(const ktpr_line_columns_t *columns, const char *alphabet,
                  ktpr_ctc_text_t *texts);

/*
 * The logarithm of the likelihood that the columns are exactly this text,
 * with or without blanks at its ends; KTPR_CTC_NEVER if it is too long
 * or has characters that the network does not know, or if the logarithm is
 * below least, which is told early.
 */
double ktpr_ctc_score(const ktpr_line_columns_t *columns, const char *text,
                      double least);

/*
 * Spreads a text over the columns in the likeliest way, and sets sure to the
 * likelihood of each of its characters there, 0 to 1, in the column where it
 * is highest; all are 0 for a text that has no score.  sure has room for
 * strlen(text) numbers.
 */
void ktpr_ctc_sure(const ktpr_line_columns_t *columns, const char *text,
                   float *sure);


#endif /* KTPR_CTC_H */
