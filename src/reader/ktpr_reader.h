/*
 * Reads cards: from the bytes of a JPEG or PNG file to the fields of the
 * contract.  A reader is for one thread at a time.
 */

#ifndef KTPR_READER_H
#define KTPR_READER_H

#include <stddef.h>
#include <time.h>

#include "ktpr_card.h"


typedef enum {
    KTPR_OK = 0,
    KTPR_NOT_DETECTED, /* an image without a card; only quality is set */
    KTPR_UNDECODABLE,  /* not a JPEG or PNG file that decodes */
    KTPR_TOO_COSTLY,   /* a file that takes too long to decode */
    KTPR_FAILED        /* no memory, or Tesseract failed; card is empty */
} ktpr_result_t;

typedef struct ktpr_reader_s ktpr_reader_t;


/*
 * Creates a reader.  tessdata is the folder of Tesseract's language data,
 * which must stay valid; NULL is Tesseract's own.  The data are loaded when a
 * card needs them.  now is the current time, whose year bounds years of birth.
 * NULL with no memory, or when the folder has no data, with
 * a message on standard error.
 */
ktpr_reader_t *ktpr_reader_create(const char *tessdata, time_t now);

/*
 * Loads the language data at once: no file is opened after this.  0, or -1
 * with a message on standard error.
 */
int ktpr_reader_load(ktpr_reader_t *reader);

/*
 * Reads an image and sets card.  Fields that could not be read are empty; see
 * ktpr_result_t for what is set without a card.
 */
ktpr_result_t ktpr_reader_read(ktpr_reader_t       *reader,
                               const unsigned char *image, size_t len,
                               ktpr_card_t *card);

/*
 * Checks whether an image shows a card, without reading it, in a small part
 * of the time: sets the quality of card, and its confidence, 0 (no card) to 1.
 * KTPR_OK if it does, or as ktpr_reader_read() without a card.  An image that
 * is KTPR_NOT_DETECTED here would hardly be read.
 */
ktpr_result_t ktpr_reader_check(ktpr_reader_t       *reader,
                                const unsigned char *image, size_t len,
                                ktpr_card_t *card);

/*
 * Decodes an image as ktpr_reader_read() does: upright, and reduced when it
 * is large.  The pixels belong to the reader until its next call.  0, or -1
 * when the file does not decode or memory is short.
 */
int ktpr_reader_image(ktpr_reader_t *reader, const unsigned char *bytes,
                      size_t len, ktpr_image_t *image);

void ktpr_reader_destroy(ktpr_reader_t *reader);


#endif /* KTPR_READER_H */
