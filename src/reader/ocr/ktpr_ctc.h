/*
 * From a network's columns of classes to texts, and how likely a text is:
 * each text is the sum of all ways to spread it over the columns (Graves
 * 2006, connectionist temporal classification).
 */

#ifndef KTPR_CTC_H
#define KTPR_CTC_H

#include "ktpr_line_net.h"


/* Texts that are found at most; the longest one, with its end. */
#define KTPR_CTC_TEXTS  12
#define KTPR_CTC_LENGTH 128

/* What is never: the logarithm of its likelihood. */
#define KTPR_CTC_NEVER (-1e30f)

typedef struct {
    char  text[KTPR_CTC_LENGTH];
    float score; /* logarithm of the likelihood */
} ktpr_ctc_text_t;


/*
 * The likeliest texts of characters of an alphabet (NULL: all), the best one
 * first, without blanks at their ends; how many of KTPR_CTC_TEXTS, at least
 * one.
 */
int ktpr_ctc_read(const ktpr_line_columns_t *columns, const char *alphabet,
                  ktpr_ctc_text_t *texts);

/*
 * The logarithm of the likelihood that the columns are exactly this text,
 * with or without blanks at its ends; KTPR_CTC_NEVER: it is too long, or has
 * characters that the network does not know.
 */
double ktpr_ctc_score(const ktpr_line_columns_t *columns, const char *text);


#endif /* KTPR_CTC_H */
