/*
 * The JSON way in: the same for every way of cutting, and never more lenient
 * than yajl with the whole body; what is taken for the image is what yajl
 * takes for it.
 */

#include <yajl/yajl_parse.h>
#include "fuzz.h"
#include "ktp_intake_draft.h"


typedef struct {
    unsigned           depth;
    unsigned           next : 1; /* the image's value is next */
    unsigned           found : 1;
    ktp_intake_draft_t draft; /* what yajl's idea of the image makes of it */
    ktp_code_t         code;
    ktp_store_t        store;
} judge_t;


static int
judge_open(void *ctx)
{
    ((judge_t *) ctx)->depth++;

    return 1;
}


static int
judge_close(void *ctx)
{
    ((judge_t *) ctx)->depth--;

    return 1;
}


static int
judge_key(void *ctx, const unsigned char *p, size_t n)
{
    judge_t *judge = ctx;

    judge->next = judge->depth == 1 && n == 5 && memcmp(p, "image", 5) == 0;

    return 1;
}


static int
judge_string(void *ctx, const unsigned char *p, size_t n)
{
    judge_t *judge = ctx;

    if (judge->depth == 1 && judge->next && !judge->found) {
        judge->found = 1;
        judge->code = ktp_intake_text_feed(&judge->draft.text, p, n);

        if (judge->code == KTP_OK) {
            judge->code = ktp_intake_draft_image_text(&judge->draft);
        }
    }

    judge->next = 0;

    return 1;
}


static const yajl_callbacks judge_callbacks = {
    .yajl_string = judge_string,
    .yajl_start_map = judge_open,
    .yajl_map_key = judge_key,
    .yajl_end_map = judge_close,
    .yajl_start_array = judge_open,
    .yajl_end_array = judge_close,
};


/* Does yajl accept the whole, with no help from the scanner? */

static int
judge_body(judge_t *judge, const ktp_policy_t *policy, const uint8_t *data,
           size_t size)
{
    int         ok;
    yajl_handle yajl;

    memset(judge, 0, sizeof(*judge));
    ktp_store_init(&judge->store, NULL, policy->max_size);
    ktp_intake_draft_init(&judge->draft, policy, &judge->store,
                          KTP_INTAKE_JSON);
    ktp_intake_text_init(&judge->draft.text, policy, &judge->draft.image,
                         judge->draft.request.url);

    /* yajl knows no byte order mark */

    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        size -= 3;
    }

    yajl = yajl_alloc(&judge_callbacks, NULL, judge);
    ok = yajl_parse(yajl, data, size) == yajl_status_ok
         && yajl_complete_parse(yajl) == yajl_status_ok;
    yajl_free(yajl);

    return ok;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           ok;
    uint8_t      *x, *y;
    judge_t       judge;
    ktp_policy_t  policy;
    fuzz_result_t whole, cut;

    fuzz_policy(&policy, 4);
    fuzz_intake(&whole, &policy, "application/json", NULL, 0, data, size, 0);
    fuzz_intake(&cut, &policy, "application/json", NULL, 0, data, size,
                fuzz_seed(data, size));
    fuzz_same(&whole, &cut);

    ok = judge_body(&judge, &policy, data, size);

    if (!ok) {
        must(whole.code != KTP_OK);
    }

    if (whole.code == KTP_OK) {
        must(judge.found && judge.code == KTP_OK);
        must(judge.store.size == whole.store.size);
        must(strcmp(judge.draft.request.url, whole.request.url) == 0);

        x = fuzz_flat(&judge.store);
        y = fuzz_flat(&whole.store);
        must(memcmp(x, y, judge.store.size) == 0);
        free(x);
        free(y);
    }

    if (ok && judge.found && judge.code != KTP_OK) {
        /* a wrong image is never taken, whatever else is wrong */
        must(whole.code != KTP_OK);
    }

    ktp_store_free(&whole.store);
    ktp_store_free(&cut.store);
    ktp_store_free(&judge.store);

    return 0;
}
