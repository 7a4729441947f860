/*
 * Idempotency-Key: a key that is read can be written in both forms, and is
 * read again as the same from the quoted one, and from the bare one unless
 * that begins with a quote.
 */

#include "fuzz.h"
#include "ktp_idempotency.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char   key[KTP_IDEMPOTENCY_MAX], again[KTP_IDEMPOTENCY_MAX], *value, *p;
    size_t i, n;

    n = ktp_idempotency_key((const char *) data, size, key);

    must(n <= KTP_IDEMPOTENCY_MAX && n <= size);

    if (n == 0) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        must(key[i] > 0x20 && key[i] < 0x7f);
    }

    /* as long as it is, so that a byte too far would be seen */

    value = malloc(n);
    must(value != NULL);
    memcpy(value, key, n);

    if (key[0] != '"') {
        must(ktp_idempotency_key(value, n, again) == n);
        must(memcmp(key, again, n) == 0);
    }

    free(value);

    value = malloc(2 * n + 2);
    must(value != NULL);
    p = value;
    *p++ = '"';

    for (i = 0; i < n; i++) {
        if (key[i] == '"' || key[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = key[i];
    }

    *p++ = '"';

    must(ktp_idempotency_key(value, p - value, again) == n);
    must(memcmp(key, again, n) == 0);
    free(value);

    return 0;
}
