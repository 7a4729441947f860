/*
 * The whole of the contract layer: a request in, the upstream's request out.
 * What goes out, taken in again as JSON, is the same request.
 *
 *   input = options args LF body
 *
 * Bits 0 to 2 of options are those of fuzz_policy(), 3 and 4 are the way in.
 */

#include "fuzz.h"
#include "ktp_outgoing.h"


static const char *const types[] = {
    "application/json", "multipart/form-data; boundary=XX", "image/jpeg",
    "multipart/form-data; boundary=\"a-b\""};


static uint8_t *
read_all(ktp_outgoing_t *out, uint64_t seed)
{
    size_t   n, want, done;
    uint8_t *all;

    all = malloc(out->length + 1);
    must(all != NULL);

    for (done = 0; done < out->length; done += n) {
        want = fuzz_piece(&seed, out->length - done);
        n = ktp_outgoing_read(out, all + done, want);
        must(n == want);
    }

    must(ktp_outgoing_read(out, all + done, 1) == 0);

    return all;
}


static void
check_outgoing(const fuzz_result_t *in, const ktp_policy_t *policy,
               uint64_t seed)
{
    uint8_t       *first, *second;
    ktp_policy_t   open;
    fuzz_result_t  again;
    ktp_outgoing_t out;

    must(ktp_outgoing_init(&out, &in->store, &in->request) == KTP_OK);

    first = read_all(&out, seed);
    (void) ktp_outgoing_rewind(&out);
    second = read_all(&out, seed * 3 | 1);

    must(memcmp(first, second, out.length) == 0);
    must(memcmp(first, "{\"image\":\"", 10) == 0);

    open = *policy;
    fuzz_intake(&again, &open, "application/json", NULL, 0, first, out.length,
                seed);
    again.request.type = in->request.type;
    fuzz_same(in, &again);

    ktp_store_free(&again.store);
    free(first);
    free(second);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned       options;
    uint64_t       seed;
    const char    *type;
    ktp_policy_t   policy;
    const uint8_t *body, *end;
    fuzz_result_t  whole, cut;

    if (size < 2) {
        return 0;
    }

    seed = fuzz_seed(data, size);
    end = data + size;
    options = *data++;

    body = memchr(data, '\n', end - data);
    if (body == NULL) {
        return 0;
    }

    type = types[options >> 3 & 3];
    fuzz_policy(&policy, options);

    fuzz_intake(&whole, &policy, type, data, body - data, body + 1,
                end - body - 1, 0);
    fuzz_intake(&cut, &policy, type, data, body - data, body + 1,
                end - body - 1, seed);
    fuzz_same(&whole, &cut);

    if (whole.code == KTP_OK && whole.request.url[0] == '\0') {
        check_outgoing(&whole, &policy, seed);
    }

    ktp_store_free(&whole.store);
    ktp_store_free(&cut.store);

    return 0;
}
