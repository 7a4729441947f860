/* Copying of runs of plain characters. */

#ifndef KTP_SPAN_H
#define KTP_SPAN_H

#include <stddef.h>


/*
 * Copies at most n characters, up to the first that is white space, a control
 * character, a quote, a backslash or not ASCII.  Returns the number of copied
 * characters.  dst has room for n; the contents after the result, up to
 * dst + n, are undefined.
 */
size_t ktp_span_copy(unsigned char *dst, const unsigned char *src, size_t n);


#endif /* KTP_SPAN_H */
