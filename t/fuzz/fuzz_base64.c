/*
 * Base64: every way of decoding gives the same as one character at a time,
 * in any pieces; what is encoded decodes to what it was.
 */

#include "fuzz.h"
#include "../contract/cpu_level.h"
#include "ktp_base64.h"


typedef struct {
    ktp_code_t code;
    size_t     len;
    uint8_t   *out;
} decoded_t;


/* Bulk where it can be, as the intake does it; seed 0: never in bulk. */

static void
decode(decoded_t *d, const uint8_t *p, size_t left, uint64_t seed)
{
    size_t       n, used, room;
    ktp_base64_t b;

    d->code = KTP_OK;
    d->len = 0;
    d->out = malloc(left + 4);
    must(d->out != NULL);

    ktp_base64_init(&b);

    while (left && d->code == KTP_OK) {
        if (seed && b.n == 0 && b.pad == 0) {
            n = fuzz_piece(&seed, left);
            room = fuzz_piece(&seed, left);
            used = ktp_base64_decode(p, n, d->out + d->len, room);

            must(used % 4 == 0 && used <= n && used / 4 * 3 <= room);

            d->len += used / 4 * 3;
            p += used;
            left -= used;

            if (left == 0) {
                break;
            }
        }

        d->code = ktp_base64_char(&b, *p, d->out + d->len, &n);
        d->len += n;
        p++;
        left--;
    }

    if (d->code == KTP_OK) {
        d->code = ktp_base64_finish(&b, d->out + d->len, &n);
        d->len += n;
    }
}


static void
check_encode(const uint8_t *p, size_t n)
{
    size_t    whole, len;
    uint8_t  *text;
    decoded_t back;

    len = ktp_base64_length(n);
    whole = n / 3 * 3;
    text = malloc(len + 1);
    must(text != NULL);

    ktp_base64_encode(p, whole, text);
    if (n > whole) {
        ktp_base64_encode_last(p + whole, n - whole, text + whole / 3 * 4);
    }

    must(memchr(text, '-', len) == NULL && memchr(text, '_', len) == NULL);

    decode(&back, text, len, 0);
    must(back.code == KTP_OK && back.len == n);
    must(memcmp(back.out, p, n) == 0);

    free(back.out);
    free(text);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t    level;
    decoded_t slow, fast;

    decode(&slow, data, size, 0);

    for (level = 0; level < CPU_LEVELS; level++) {
        if (!cpu_level(level)) {
            continue;
        }

        decode(&fast, data, size, fuzz_seed(data, size) + 2 * level);
        must(fast.code == slow.code && fast.len == slow.len);
        must(memcmp(fast.out, slow.out, slow.len) == 0);
        free(fast.out);

        check_encode(data, size);
    }

    free(slow.out);

    return 0;
}
