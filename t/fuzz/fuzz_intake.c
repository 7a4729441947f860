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

    ktp_outgoing_init(&out, &in->store, &in->request);

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


/*
 * The same sent on while it arrives: what is read in between and at the end
 * is what is read of the whole.
 */

static void
check_stream(const fuzz_result_t *in, const ktp_policy_t *policy,
             const char *type, const uint8_t *args, size_t args_len,
             const uint8_t *p, size_t left, uint64_t seed)
{
    size_t         n, done;
    uint8_t       *right, *got, *room;
    ktp_store_t    store;
    ktp_intake_t  *intake;
    ktp_outgoing_t whole, out;

    ktp_outgoing_init(&whole, &in->store, &in->request);
    right = read_all(&whole, seed);
    got = malloc(whole.length + 1);
    must(got != NULL);

    ktp_store_init(&store, NULL, policy->max_size);
    must(ktp_intake_create(&intake, policy, &store, type, strlen(type))
         == KTP_OK);
    must(ktp_intake_args(intake, (const char *) args, args_len) == KTP_OK);
    ktp_outgoing_stream(&out, &store, &in->request, in->store.size);

    for (done = 0; left; p += n, left -= n) {
        n = fuzz_piece(&seed, left);
        room = fuzz_next(&seed) % 2 ? ktp_intake_room(intake, &done) : NULL;

        if (room) {
            n = n < done ? n : done;
            memcpy(room, p, n);
        }

        must(ktp_intake_feed(intake, room ? room : p, n) == KTP_OK);

        done = out.written;
        done += ktp_outgoing_read(&out, got + done,
                                  fuzz_piece(&seed, whole.length - done));
        must(done == out.written && done < whole.length);
    }

    must(ktp_intake_finish(intake) == KTP_OK);
    must(store.size == in->store.size);
    ktp_outgoing_complete(&out, ktp_intake_request(intake), 0);

    done = out.written;
    n = ktp_outgoing_read(&out, got + done, whole.length + 1 - done);
    must(done + n == whole.length && out.length == whole.length);
    must(memcmp(got, right, whole.length) == 0);

    ktp_intake_destroy(intake);
    ktp_store_free(&store);
    free(right);
    free(got);
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
        check_stream(&whole, &policy, type, data, body - data, body + 1,
                     end - body - 1, seed);
    }

    ktp_store_free(&whole.store);
    ktp_store_free(&cut.store);

    return 0;
}
