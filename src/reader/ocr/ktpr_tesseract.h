/*
 * Tesseract, for a line of digits a call.  No other file knows of it: only a
 * NIK that the network for digits is not sure of is read by it, too.
 */

#ifndef KTPR_TESSERACT_H
#define KTPR_TESSERACT_H

#include "ktpr_gray.h"
#include "ktpr_reading.h"


typedef struct ktpr_tesseract_s ktpr_tesseract_t;


/*
 * Loads nothing yet.  tessdata is the folder of eng.traineddata; NULL is
 * Tesseract's own.  It must stay valid.  NULL with no memory, or when the
 * folder is given and has no such file that can be read.
 */
ktpr_tesseract_t *ktpr_tesseract_create(const char *tessdata);
void              ktpr_tesseract_destroy(ktpr_tesseract_t *tesseract);

/*
 * Loads the language data, if that has not been done: 50 ms of CPU and 17 MB.
 * 0, or -1 when they cannot be loaded, with a message on standard error.  No
 * file is opened after this.
 */
int ktpr_tesseract_load(ktpr_tesseract_t *tesseract);

/*
 * Reads a line of dark writing on light paper; loads the language data if
 * need be.  alphabet limits the text to its characters.  0, with an empty
 * text for an unreadable line, or -1 when Tesseract failed.
 */
int ktpr_tesseract_line(ktpr_tesseract_t *tesseract, const ktpr_gray_t *line,
                        const char *alphabet, ktpr_reading_t *reading);


#endif /* KTPR_TESSERACT_H */
