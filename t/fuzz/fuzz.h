/* What the fuzz targets share: numbers from the input, and one whole run. */

#ifndef KTP_FUZZ_H
#define KTP_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_intake.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* an invariant that does not hold is a finding */
#define must(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* The same numbers for the same input, so that a finding can be repeated. */

static inline uint64_t
fuzz_seed(const uint8_t *p, size_t n)
{
    uint64_t h;

    for (h = 0x9e3779b97f4a7c15; n; n--) {
        h = (h ^ *p++) * 0x100000001b3;
    }

    return h | 1;
}


static inline uint64_t
fuzz_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;

    return *seed;
}


/* The size of the next piece: mostly small, now and then all. */

static inline size_t
fuzz_piece(uint64_t *seed, size_t left)
{
    uint64_t r;
    size_t   n;

    r = fuzz_next(seed);
    n = (r >> 8) % (r % 4 == 0 ? 3 : r % 4 == 1 ? 40 : 5000) + 1;

    return n < left ? n : left;
}


typedef struct {
    ktp_code_t    code;
    ktp_request_t request;
    ktp_store_t   store;
} fuzz_result_t;


/* Feeds a body, whole or in pieces by the seed. */

static inline void
fuzz_intake(fuzz_result_t *result, const ktp_policy_t *policy,
            const char *type, const uint8_t *args, size_t args_len,
            const uint8_t *p, size_t left, uint64_t seed)
{
    size_t        n;
    uint8_t      *piece;
    ktp_intake_t *in;

    ktp_store_init(&result->store, NULL, policy->max_size);
    must(ktp_intake_create(&in, policy, &result->store, type, strlen(type))
         == KTP_OK);

    result->code = ktp_intake_args(in, (const char *) args, args_len);

    while (left && result->code == KTP_OK) {
        n = seed ? fuzz_piece(&seed, left) : left;

        /* where a byte too far would be seen */
        piece = malloc(n);
        must(piece != NULL);
        memcpy(piece, p, n);
        result->code = ktp_intake_feed(in, piece, n);
        free(piece);

        p += n;
        left -= n;
    }

    if (result->code == KTP_OK) {
        result->code = ktp_intake_finish(in);
    }

    must(result->code != KTP_INTERNAL_SERVER_ERROR);
    must(result->store.size <= policy->max_size);

    result->request = *ktp_intake_request(in);
    ktp_intake_destroy(in);
}


static inline uint8_t *
fuzz_flat(const ktp_store_t *store)
{
    size_t             n;
    uint8_t           *flat;
    const ktp_chunk_t *chunk;

    flat = malloc(store->size + 1);
    must(flat != NULL);
    n = 0;

    for (chunk = store->first; chunk; chunk = chunk->next) {
        must(chunk->len <= store->size - n);
        memcpy(flat + n, chunk->data, chunk->len);
        n += chunk->len;
    }

    must(n == store->size);

    return flat;
}


/* Two runs of one body: equal, and the image too if it was taken. */

static inline void
fuzz_same(const fuzz_result_t *a, const fuzz_result_t *b)
{
    uint8_t *x, *y;

    must(a->code == b->code);

    if (a->code != KTP_OK) {
        return;
    }

    must(a->request.type == b->request.type);
    must(a->request.validate_quality == b->request.validate_quality);
    must(a->request.is_quality == b->request.is_quality);
    must(strcmp(a->request.reference_id, b->request.reference_id) == 0);
    must(strcmp(a->request.url, b->request.url) == 0);
    must(a->request.format == b->request.format);
    must(a->request.width == b->request.width);
    must(a->request.height == b->request.height);
    must(a->request.orientation == b->request.orientation);
    must(a->store.size == b->store.size);

    x = fuzz_flat(&a->store);
    y = fuzz_flat(&b->store);
    must(memcmp(x, y, a->store.size) == 0);
    free(x);
    free(y);
}


/* Small limits, so that inputs of a fuzzer's size reach them. */

static inline void
fuzz_policy(ktp_policy_t *policy, unsigned options)
{
    memset(policy, 0, sizeof(*policy));

    policy->max_size = options & 1 ? 200 : 100000;
    policy->min_long = 720;
    policy->min_short = 480;
    policy->max_pixels = 50000000;
    policy->types =
        options & 2 ? KTP_IMAGE_JPEG : KTP_IMAGE_JPEG | KTP_IMAGE_PNG;
    policy->url = options & 4 ? 1 : 0;
}


#endif /* KTP_FUZZ_H */
