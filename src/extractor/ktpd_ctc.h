/*
 * From a network's columns of classes to texts, and how likely a text is:
 * each text is the sum of all ways to spread it over the columns (Graves
 * 2006, connectionist temporal classification).
 */

#ifndef KTPD_CTC_H
#define KTPD_CTC_H

#include "ktpd_lines.h"


/* Texts that are found at most; the longest one, with its end. */
#define KTPD_CTC_TEXTS  12
#define KTPD_CTC_LENGTH 128

/* What is never: the logarithm of its likelihood. */
#define KTPD_CTC_NEVER (-1e30f)

typedef struct {
    char  text[KTPD_CTC_LENGTH];
    float score; /* logarithm of the likelihood */
} ktpd_ctc_text_t;


/*
 * The likeliest texts of characters of an alphabet (NULL: all), the best one
 * first, without blanks at their ends; how many of KTPD_CTC_TEXTS, at least
 * one.
 */
int ktpd_ctc_read(const ktpd_line_columns_t *columns, const char *alphabet,
                  ktpd_ctc_text_t *texts);

/*
 * The logarithm of the likelihood that the columns are exactly this text,
 * with or without blanks at its ends; KTPD_CTC_NEVER: it is too long, or has
 * characters that the network does not know.
 */
double ktpd_ctc_score(const ktpd_line_columns_t *columns, const char *text);


#endif /* KTPD_CTC_H */
