/* The request header field "Idempotency-Key". */

#ifndef KTP_IDEMPOTENCY_H
#define KTP_IDEMPOTENCY_H

#include <stddef.h>


/* Characters of a key, without quotes and escapes. */
#define KTP_IDEMPOTENCY_MAX 255


/*
 * Parses the value of a header field, from which white space at both ends was
 * removed: a key of 1 to KTP_IDEMPOTENCY_MAX visible ASCII characters, bare or
 * as a string of RFC 8941.  Writes the key to buf, which has
 * KTP_IDEMPOTENCY_MAX bytes, without quotes, escapes and terminating null, so
 * that both forms of a key are equal.  Returns its length; 0: the value is
 * malformed, and what is in buf is not defined.
 */
size_t ktp_idempotency_key(const char *p, size_t len, char *buf);


#endif /* KTP_IDEMPOTENCY_H */
