/* Runs of plain characters in text that has something else now and then. */

#ifndef KTP_SPAN_H
#define KTP_SPAN_H

#include <stddef.h>


/*
 * Copies up to the first character that is not plain: white space, a control
 * character, a quote, a backslash, or not ASCII.  Returns how many; at most
 * n, which fit into dst.  Behind them, up to dst + n, anything may be left.
 */
size_t ktp_span_copy(unsigned char *dst, const unsigned char *src, size_t n);


#endif /* KTP_SPAN_H */
