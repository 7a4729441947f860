/* A picture of the fields that were found, for --annotate. */

#ifndef KTPX_ANNOTATE_H
#define KTPX_ANNOTATE_H

#include <stddef.h>

#include "ktpr_reader.h"


/*
 * Writes a JPEG file if name ends with .jpg or .jpeg, else a PNG file: the
 * image, upright, with a frame, the name and the confidence of each field that
 * has a box: green as read, orange repaired, red empty.  0, or -1 when the
 * image does not decode, the file cannot be written or memory is short.
 */
int ktpx_annotate(ktpr_reader_t *reader, const unsigned char *bytes,
                  size_t len, const ktpr_card_t *card, const char *name);


#endif /* KTPX_ANNOTATE_H */
