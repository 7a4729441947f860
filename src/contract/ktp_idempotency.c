#include "ktp_idempotency.h"


/*
 * value   = bare / quoted
 * bare    = char *( char / DQUOTE )
 * quoted  = DQUOTE 1*( escaped / char ) DQUOTE   ; char without "\"
 * escaped = "\" ( DQUOTE / "\" )
 * char    = %x21 / %x23-7E                       ; visible, but DQUOTE
 *
 * RFC 8941 allows spaces in a string, and parameters behind it: a key with
 * these is malformed.
 */
size_t
ktp_idempotency_key(const char *p, size_t len, char *buf)
{
    int         quoted;
    size_t      n;
    const char *last;

    last = p + len;
    quoted = len && *p == '"';

    if (quoted) {
        if (len < 2 || *--last != '"') {
            return 0;
        }

        p++;
    }

    for (n = 0; p < last; p++) {

        if (*p < 0x21 || *p > 0x7e || n == KTP_IDEMPOTENCY_MAX) {
            return 0;
        }

        if (quoted) {
            if (*p == '"') {
                return 0;
            }

            /* a backslash at the end would escape the closing quote */

            if (*p == '\\' && (++p == last || (*p != '"' && *p != '\\'))) {
                return 0;
            }
        }

        buf[n++] = *p;
    }

    return n;
}
