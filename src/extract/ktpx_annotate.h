/* A picture of what was found, for people. */

#ifndef KTPX_ANNOTATE_H
#define KTPX_ANNOTATE_H

#include <stddef.h>

#include "ktpr_reader.h"


/*
 * Writes the image, upright, with a frame around each field that has a
 * place: green as read, orange repaired, red when it is empty.  0, or -1
 * when it does not decode or cannot be written.
 */
int ktpx_annotate(const unsigned char *bytes, size_t len,
                  const ktpr_card_t *card, const char *name);


#endif /* KTPX_ANNOTATE_H */
