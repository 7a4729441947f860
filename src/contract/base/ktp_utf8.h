/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates. */

#ifndef KTP_UTF8_H
#define KTP_UTF8_H

#include <stddef.h>


/*
 * Bytes of the character at p, 1 to 4; 0 if there is no valid one before
 * end.
 */
size_t ktp_utf8_char(const unsigned char *p, const unsigned char *end);

/* Whether all of len bytes are valid. */
int ktp_utf8_valid(const unsigned char *p, size_t len);

/* Characters (code points) of valid UTF-8. */
size_t ktp_utf8_length(const unsigned char *p, size_t len);


#endif /* KTP_UTF8_H */
