/*
 * The multipart way in, with the boundary XX: the same for every way of
 * cutting; what is taken ended with the last boundary, and its image is what
 * stands in the body between a header and a boundary, as bytes or as text.
 */

#include "fuzz.h"
#include "ktp_base64.h"
#include "ktp_intake_draft.h"


#define DELIMITER     "\r\n--XX"
#define DELIMITER_LEN (sizeof(DELIMITER) - 1)


/* Is the content of a part, taken as text, the image that was taken? */

static int
is_text_of(const fuzz_result_t *result, const ktp_policy_t *policy,
           const uint8_t *image, const uint8_t *p, size_t n)
{
    int                same;
    uint8_t           *flat;
    ktp_intake_draft_t draft;
    ktp_store_t        store;

    ktp_store_init(&store, NULL, policy->max_size);
    ktp_intake_draft_init(&draft, policy, &store, KTP_INTAKE_MULTIPART);
    ktp_intake_text_init(&draft.text, policy, &draft.image, draft.request.url);

    same = 0;

    if (ktp_intake_text_feed(&draft.text, p, n) == KTP_OK
        && ktp_intake_draft_image_text(&draft) == KTP_OK
        && store.size == result->store.size) {
        flat = fuzz_flat(&store);
        same = memcmp(flat, image, store.size) == 0
               && strcmp(draft.request.url, result->request.url) == 0;
        free(flat);
    }

    ktp_store_free(&store);

    return same;
}


/* Is it the image, with what may be behind the picture, or its text? */

static int
is_plain(const fuzz_result_t *result, const ktp_policy_t *policy,
         const uint8_t *image, const uint8_t *p, size_t n)
{
    if (result->store.size && n >= result->store.size
        && memcmp(p, image, result->store.size) == 0) {
        return 1;
    }

    return is_text_of(result, policy, image, p, n);
}


/* The content as it is, or if it is base64, what it decodes to. */

static int
is_image(const fuzz_result_t *result, const ktp_policy_t *policy,
         const uint8_t *image, const uint8_t *p, size_t n)
{
    int          same;
    size_t       i, k, len;
    uint8_t     *out;
    ktp_base64_t base64;

    if (is_plain(result, policy, image, p, n)) {
        return 1;
    }

    out = malloc(n + 3);
    must(out != NULL);
    ktp_base64_init(&base64);
    same = 0;
    len = 0;

    for (i = 0; i < n; i++) {
        if (ktp_base64_char(&base64, p[i], out + len, &k) != KTP_OK) {
            break;
        }

        len += k;
    }

    if (i == n && ktp_base64_finish(&base64, out + len, &k) == KTP_OK) {
        same = is_plain(result, policy, image, out, len + k);
    }

    free(out);

    return same;
}


/* Looks in all parts; body has a CRLF in front. */

static int
find_image(const fuzz_result_t *result, const ktp_policy_t *policy,
           const uint8_t *body, size_t size)
{
    int            found;
    uint8_t       *image;
    const uint8_t *p, *content, *next, *end;

    end = body + size;
    image = fuzz_flat(&result->store);
    found = 0;

    p = memmem(body, size, DELIMITER, DELIMITER_LEN);

    while (p && !found) {
        p += DELIMITER_LEN;
        next = memmem(p, end - p, DELIMITER, DELIMITER_LEN);
        if (next == NULL) {
            break;
        }

        content = memmem(p, next - p, "\r\n\r\n", 4);
        found = content
                && is_image(result, policy, image, content + 4,
                            next - content - 4);
        p = next;
    }

    free(image);

    return found;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t      *body;
    ktp_policy_t  policy;
    fuzz_result_t whole, cut;

    static const char type[] = "multipart/form-data; boundary=XX";

    fuzz_policy(&policy, 4);
    fuzz_intake(&whole, &policy, type, NULL, 0, data, size, 0);
    fuzz_intake(&cut, &policy, type, NULL, 0, data, size,
                fuzz_seed(data, size));
    fuzz_same(&whole, &cut);

    if (whole.code == KTP_OK) {
        must(memmem(data, size, DELIMITER "--", DELIMITER_LEN + 2) != NULL);

        body = malloc(size + 2);
        must(body != NULL);
        memcpy(body, "\r\n", 2);
        memcpy(body + 2, data, size);
        must(find_image(&whole, &policy, body, size + 2));
        free(body);
    }

    ktp_store_free(&whole.store);
    ktp_store_free(&cut.store);

    return 0;
}
