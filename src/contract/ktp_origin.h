/* Origins of web pages: the request header field "Origin" of CORS. */

#ifndef KTP_ORIGIN_H
#define KTP_ORIGIN_H

#include <stddef.h>


/*
 * 1 if the len bytes are an origin as browsers send it, or one whose host
 * begins with "*.", which stands for all hosts below a name of two labels or
 * more.  Default ports and capital letters, which browsers do not send, are
 * refused, and so is "null".
 */
int ktp_origin_valid(const char *p, size_t len);

/*
 * 1 if the value of len bytes of a header field, which may be any bytes, is
 * that origin, or one that its "*." stands for.  pattern is valid, of
 * pattern_len bytes.
 */
int ktp_origin_match(const char *pattern, size_t pattern_len, const char *p,
                     size_t len);

/* 1 if a valid origin stands for several hosts. */
int ktp_origin_is_wild(const char *pattern, size_t pattern_len);


#endif /* KTP_ORIGIN_H */
