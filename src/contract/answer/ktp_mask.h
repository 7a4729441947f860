/*
 * Masking of values.  Characters are code points of UTF-8.  A value to which a
 * style cannot be applied is masked in full.
 */

#ifndef KTP_MASK_H
#define KTP_MASK_H

#include <stddef.h>
#include "ktp_hmac.h"


/*
 * Characters that first:N and last:N may show at most: more than the longest
 * field has would be no mask.
 */
#define KTP_MASK_MAX_SHOWN 64

typedef enum {
    KTP_MASK_NONE = 0,
    KTP_MASK_FULL,  /* eight asterisks, which hide the length */
    KTP_MASK_FIRST, /* n characters, then an asterisk for each other one */
    KTP_MASK_LAST,  /* an asterisk for each other one, then n characters */
    KTP_MASK_HASH   /* HMAC-SHA-256 in hexadecimal */
} ktp_mask_style_t;

typedef struct {
    ktp_mask_style_t style;
    unsigned         n; /* of first and last, 1 to KTP_MASK_MAX_SHOWN */
} ktp_mask_t;

/*
 * "full", "first:N", "last:N" or "hash" (len bytes); -1 for any other text,
 * and mask is then not changed.
 */
int ktp_mask_parse(ktp_mask_t *mask, const char *p, size_t len);

/*
 * Writes the masked form of a value (valid UTF-8) to out, which has room for
 * len and for KTP_HMAC_HEX bytes; returns its length.  An empty value stays
 * empty. A value that is not longer than what first or last would show, and
 * hash without a digest, are masked in full.  KTP_MASK_NONE copies.
 */
size_t ktp_mask_apply(const ktp_mask_t *mask, const char *p, size_t len,
                      char *out, ktp_hmac_pt hmac, void *ctx);


#endif /* KTP_MASK_H */
