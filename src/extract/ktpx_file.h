/* Reads a file into memory. */

#ifndef KTPX_FILE_H
#define KTPX_FILE_H

#include <stddef.h>


/*
 * Reads a file of at most 64 MB; "-" is standard input.  The caller frees the
 * bytes by free().  NULL with a message on standard error.
 */
unsigned char *ktpx_file_read(const char *name, size_t *len);


#endif /* KTPX_FILE_H */
