/* Corrects characters of an address by the words around them. */

#ifndef KTPR_STREET_H
#define KTPR_STREET_H

#include <stddef.h>


/*
 * Corrects an address in upper case, in place, in a buffer of size bytes:
 * usual words of addresses with one letter off, letters in numbers, and a
 * digit in the place of a block's letter ("BLOK 8/12" is B/12).  sure is the
 * confidence in each character, 0 to 1; those that were read clearly, see
 * ktpr_reading.h, and a B at the end of a number, which houses have, are not
 * changed.  Returns whether anything was changed.
 */
int ktpr_street_repair(char *address, size_t size, const float *sure);


#endif /* KTPR_STREET_H */
