/* Tesseract, one line a call. */

#ifndef KTPD_OCR_H
#define KTPD_OCR_H

#include "ktpd_image.h"
#include "ktpd_lines.h"
#include "ktpd_reader.h"


typedef enum {
    KTPD_OCR_WORDS, /* Indonesian with English behind it */
    KTPD_OCR_PRINT, /* English alone: quicker, and better at digits */
    KTPD_OCR_ENGINES
} ktpd_ocr_engine_t;

/* Cuts of a line that the network looks at. */
#define KTPD_LOOKS 4

typedef struct {
    char  c;
    float confidence; /* 0 to 1 */
    int   x0, x1;     /* in pixels of the line's image */
} ktpd_symbol_t;

typedef struct {
    char          text[KTPD_MAX_VALUE]; /* ASCII, blanks folded */
    float         confidence;           /* 0 to 1, the mean of the words */
    ktpd_symbol_t symbols[KTPD_MAX_VALUE];
    int           n;

    /* what the network saw, until the pool is reset; none: Tesseract read */
    const ktpd_line_columns_t *looks[KTPD_LOOKS];
    int                        nlooks;
} ktpd_reading_t;

typedef struct ktpd_ocr_s ktpd_ocr_t;


/* tessdata: a folder, NULL for Tesseract's own.  NULL when it has no data. */
ktpd_ocr_t *ktpd_ocr_create(const char *tessdata);
void        ktpd_ocr_destroy(ktpd_ocr_t *ocr);

/*
 * Reads a line of dark writing.  alphabet limits the answer to its
 * characters, NULL does not.  An unreadable line is an empty text.
 */
void ktpd_ocr_line(ktpd_ocr_t *ocr, ktpd_ocr_engine_t engine,
                   const ktpd_gray_t *line, const char *alphabet,
                   ktpd_reading_t *reading);

/*
 * Looks at a line by the network: an image of KTPD_LINE_H rows.  What it
 * sees is added to the reading's looks: 0, or -1 when the image has another
 * size, the looks are full or memory is short.
 */
int ktpd_ocr_look(ktpd_ocr_t *ocr, ktpd_pool_t *pool, const ktpd_gray_t *line,
                  ktpd_reading_t *reading);

/* The text that all looks of a reading agree on best. */
void ktpd_ocr_agree(const char *alphabet, ktpd_reading_t *reading);

/* The logarithm of a text's likelihood, the mean of a reading's looks. */
double ktpd_ocr_score(const ktpd_reading_t *reading, const char *text);

/* Lines read by Tesseract so far. */
unsigned long ktpd_ocr_calls(const ktpd_ocr_t *ocr);


#endif /* KTPD_OCR_H */
