#include <string.h>
#include "ktp_mask.h"
#include "ktp_utf8.h"


#define KTP_MASK_STARS "********"


static size_t ktp_mask_full(char *out);
static size_t ktp_mask_some(const ktp_mask_t *mask, const char *p, size_t len,
                            char *out);
static size_t ktp_mask_hash(const char *p, size_t len, char *out,
                            ktp_hmac_pt hmac, void *ctx);


int
ktp_mask_parse(ktp_mask_t *mask, const char *p, size_t len)
{
    size_t           i;
    unsigned         n;
    ktp_mask_style_t style;

    if (len == 4 && memcmp(p, "full", 4) == 0) {
        mask->style = KTP_MASK_FULL;
        mask->n = 0;
        return 0;
    }

    if (len == 4 && memcmp(p, "hash", 4) == 0) {
        mask->style = KTP_MASK_HASH;
        mask->n = 0;
        return 0;
    }

    if (len > 6 && memcmp(p, "first:", 6) == 0) {
        style = KTP_MASK_FIRST;
        i = 6;

    } else if (len > 5 && memcmp(p, "last:", 5) == 0) {
        style = KTP_MASK_LAST;
        i = 5;

    } else {
        return -1;
    }

    for (n = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }

        n = n * 10 + (unsigned) (p[i] - '0');

        if (n > KTP_MASK_MAX_SHOWN) {
            return -1;
        }
    }

    if (n == 0) {
        return -1;
    }

    mask->style = style;
    mask->n = n;

    return 0;
}


size_t
ktp_mask_apply(const ktp_mask_t *mask, const char *p, size_t len, char *out,
               ktp_hmac_pt hmac, void *ctx)
{
    if (len == 0) {
        return 0;
    }

    switch (mask->style) {

    case KTP_MASK_NONE:
        memcpy(out, p, len);
        return len;

    case KTP_MASK_FIRST:
    case KTP_MASK_LAST:
        return ktp_mask_some(mask, p, len, out);

    case KTP_MASK_HASH:
        return ktp_mask_hash(p, len, out, hmac, ctx);

    case KTP_MASK_FULL:
        break;
    }

    return ktp_mask_full(out);
}


static size_t
ktp_mask_full(char *out)
{
    memcpy(out, KTP_MASK_STARS, sizeof(KTP_MASK_STARS) - 1);

    return sizeof(KTP_MASK_STARS) - 1;
}


static size_t
ktp_mask_some(const ktp_mask_t *mask, const char *p, size_t len, char *out)
{
    char                *o;
    size_t               i, n, size, from, to;
    const unsigned char *s, *end;

    s = (const unsigned char *) p;
    end = s + len;
    n = ktp_utf8_length(s, len);

    if (n <= mask->n) {
        return ktp_mask_full(out);
    }

    from = (mask->style == KTP_MASK_FIRST) ? 0 : n - mask->n;
    to = from + mask->n;
    o = out;

    for (i = 0; s < end; i++) {
        size = ktp_utf8_char(s, end);
        if (size == 0) {
            return ktp_mask_full(out);
        }

        if (i >= from && i < to) {
            memcpy(o, s, size);
            o += size;

        } else {
            *o++ = '*';
        }

        s += size;
    }

    return (size_t) (o - out);
}


static size_t
ktp_mask_hash(const char *p, size_t len, char *out, ktp_hmac_pt hmac,
              void *ctx)
{
    unsigned char digest[KTP_HMAC_SIZE];

    if (hmac == NULL
        || hmac(ctx, (const unsigned char *) p, len, digest) != 0) {
        return ktp_mask_full(out);
    }

    ktp_hmac_hex(out, digest);

    return KTP_HMAC_HEX;
}
