/* Tesseract, one line a call. */

#ifndef KTPR_TESSERACT_H
#define KTPR_TESSERACT_H

#include "ktpr_field.h"
#include "ktpr_gray.h"
#include "ktpr_line_net.h"


/* Cuts of a line that the network looks at. */
#define KTPR_LOOKS 4

typedef struct {
    char  c;
    float confidence; /* 0 to 1 */
    int   x0, x1;     /* in pixels of the line's image */
} ktpr_symbol_t;

typedef struct {
    char          text[KTPR_MAX_VALUE]; /* ASCII, blanks folded */
    float         confidence;           /* 0 to 1, the mean of the words */
    ktpr_symbol_t symbols[KTPR_MAX_VALUE];
    int           n;

    /* what the network saw, until the pool is reset; none: Tesseract read */
    const ktpr_line_columns_t *looks[KTPR_LOOKS];
    int                        nlooks;
} ktpr_reading_t;

typedef struct ktpr_ocr_s ktpr_ocr_t;


/* tessdata: a folder, NULL for Tesseract's own.  NULL when it has no data. */
ktpr_ocr_t *ktpr_ocr_create(const char *tessdata);
void        ktpr_ocr_destroy(ktpr_ocr_t *ocr);

/*
 * Reads a line of dark writing.  alphabet limits the answer to its
 * characters, NULL does not.  An unreadable line is an empty text.
 */
void ktpr_ocr_line(ktpr_ocr_t *ocr, const ktpr_gray_t *line,
                   const char *alphabet, ktpr_reading_t *reading);

/*
 * Looks at a line by the network: an image of KTPR_LINE_H rows.  What it
 * sees is added to the reading's looks.  KTPR_UNFIT when the image has another
 * size or the looks are full; KTPR_NO_MEMORY.
 */
int ktpr_ocr_look(ktpr_ocr_t *ocr, ktpr_pool_t *pool, const ktpr_gray_t *line,
                  ktpr_reading_t *reading);

/* The text that all looks of a reading agree on best. */
void ktpr_ocr_agree(const char *alphabet, ktpr_reading_t *reading);

/* The logarithm of a text's likelihood, the mean of a reading's looks. */
double ktpr_ocr_score(const ktpr_reading_t *reading, const char *text);

#endif /* KTPR_TESSERACT_H */
