/*
 * The image probe: the same for every way of cutting; a shorter file is
 * never wrong in another way, and is right only where it ends as one does.
 */

#include "fuzz.h"
#include "ktp_probe.h"


static ktp_code_t
probe(ktp_probe_t *pr, const ktp_policy_t *policy, const uint8_t *p,
      size_t left, uint64_t seed)
{
    size_t     n;
    uint8_t   *piece;
    ktp_code_t rc;

    ktp_probe_init(pr, policy);

    for (; left; p += n, left -= n) {
        n = seed ? fuzz_piece(&seed, left) : left;

        piece = malloc(n);
        must(piece != NULL);
        memcpy(piece, p, n);
        rc = ktp_probe_feed(pr, piece, n);
        free(piece);

        if (rc != KTP_OK) {
            return rc;
        }
    }

    return ktp_probe_finish(pr);
}


static ktp_code_t
kind(ktp_code_t code)
{
    return ktp_error(code)->kind;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       len;
    uint64_t     seed;
    ktp_code_t   whole, part;
    ktp_policy_t policy;
    ktp_probe_t  a, b;

    fuzz_policy(&policy, 0);
    seed = fuzz_seed(data, size);

    whole = probe(&a, &policy, data, size, 0);
    must(probe(&b, &policy, data, size, seed) == whole);
    must(a.format == b.format && a.width == b.width && a.height == b.height);
    must(a.orientation == b.orientation && a.complete == b.complete);
    must(a.orientation >= 1 && a.orientation <= 8);

    len = size ? fuzz_next(&seed) % size : 0;
    part = probe(&b, &policy, data, len, seed);

    if (whole == KTP_OK) {
        must(a.format != KTP_IMAGE_UNKNOWN && a.complete);
        must(a.width >= 480 && a.height >= 480);
        must((uint64_t) a.width * a.height <= policy.max_pixels);
        must(a.size <= size);
        must(part == KTP_OK || kind(part) == KTP_INVALID_PAYLOAD_IMAGE_FORMAT);

    } else {
        /* cut off before the error, or at it */
        must(part == whole || part == KTP_OK
             || kind(part) == KTP_INVALID_PAYLOAD_IMAGE_FORMAT);
        must(part != KTP_OK
             || (len > 4 && memcmp(data + len - 4, "SEFT", 4) == 0));
    }

    return 0;
}
