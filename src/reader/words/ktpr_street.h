/* What the words of an address say about characters that look alike. */

#ifndef KTPR_STREET_H
#define KTPR_STREET_H

#include <stddef.h>


/*
 * Repairs an address in capitals, in place: the usual words of addresses
 * where one letter is off, letters in numbers, and a digit where a block's
 * letter stands ("BLOK 8/12" is B/12).  Whether anything was changed.
 */
int ktpr_street_repair(char *address, size_t size);


#endif /* KTPR_STREET_H */
