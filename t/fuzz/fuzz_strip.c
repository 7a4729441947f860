/*
 * Removal of metadata: the same for every way of cutting, never longer but by
 * an Exif part, and nothing is left to be removed a second time.  A file with
 * an end that the probe accepts is one afterwards, of the same dimensions.
 */

#include "fuzz.h"
#include "ktp_strip.h"


/* By what Exif of ours can be longer than the one that it replaces. */
#define GROWTH 4


typedef struct {
    uint8_t *data;
    size_t   len;
} file_t;


static file_t
strip(const uint8_t *p, size_t left, uint64_t seed)
{
    size_t             n;
    file_t             out;
    uint8_t           *piece;
    ktp_store_t        store;
    ktp_strip_t        st;
    const ktp_chunk_t *chunk;

    ktp_store_init(&store, NULL, SIZE_MAX);
    ktp_strip_init(&st, &store);

    for (; left; p += n, left -= n) {
        n = seed ? fuzz_piece(&seed, left) : left;

        piece = malloc(n);
        must(piece != NULL);
        memcpy(piece, p, n);
        must(ktp_strip_feed(&st, piece, n) == KTP_OK);
        free(piece);
    }

    out.data = malloc(store.size + 1);
    must(out.data != NULL);
    out.len = 0;

    for (chunk = store.first; chunk; chunk = chunk->next) {
        memcpy(out.data + out.len, chunk->data, chunk->len);
        out.len += chunk->len;
    }

    must(out.len == store.size);
    ktp_store_free(&store);

    return out;
}


/* Whether the probe accepts a file, and the file has an end of its own. */

static int
probe(ktp_probe_t *pr, const ktp_policy_t *policy, const uint8_t *p, size_t n)
{
    ktp_probe_init(pr, policy);

    return ktp_probe_feed(pr, p, n) == KTP_OK && pr->complete
           && ktp_probe_finish(pr) == KTP_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    file_t       a, b, c;
    ktp_policy_t policy;
    ktp_probe_t  before, after;

    a = strip(data, size, 0);
    b = strip(data, size, fuzz_seed(data, size));
    must(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);

    fuzz_policy(&policy, 0);

    if (probe(&before, &policy, data, size)) {
        must(probe(&after, &policy, a.data, a.len));
        must(before.width == after.width && before.height == after.height);
        must(before.format == after.format);
        must(before.orientation == after.orientation);
        must(a.len <= size + size / 30 * GROWTH);

        c = strip(a.data, a.len, 0);
        must(a.len == c.len && memcmp(a.data, c.data, a.len) == 0);
        free(c.data);
    }

    free(a.data);
    free(b.data);

    return 0;
}
