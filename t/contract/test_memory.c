/*
 * Memory that runs out: each allocation of the contract fails in turn, and
 * what was asked for fails with an error, or does without.  Linked with
 * --wrap, so that malloc() and the others of the contract are those below.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "case.h"
#include "ktp_answer.h"
#include "ktp_json_writer.h"


void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);


/* allocations until the one that fails; 0: none does */
static unsigned countdown;

static unsigned refused;


static int
refuse(void)
{
    if (countdown == 0 || --countdown > 0) {
        return 0;
    }

    refused++;

    return 1;
}


void *
__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    return refuse() ? NULL : __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    return refuse() ? NULL : __real_realloc(p, size);
}


/*
 * Runs until no allocation is left that could fail; returns how many did.
 * The run returns 0 when it was done, and else its error.
 */

static unsigned
each(int (*run)(const void *data), const void *data, int error)
{
    int      rc;
    unsigned n;

    for (n = 0; /* void */; n++) {
        refused = 0;
        countdown = n + 1;
        rc = run(data);
        countdown = 0;

        if (!refused) {
            assert_int_equal(rc, 0);
            return n;
        }

        assert_int_equal(rc, error);
    }
}


typedef struct {
    const char *type;
    const char *body;
    size_t      piece;
} body_t;


static int
run_intake(const void *data)
{
    size_t         n, done;
    case_buf_t     buf;
    ktp_code_t     rc;
    ktp_store_t    store;
    ktp_policy_t   policy;
    ktp_intake_t  *in;
    const body_t  *body = data;
    const case_t   usual = {0};
    const unsigned left = countdown;

    /* the body itself is not what fails */

    countdown = 0;
    memset(&buf, 0, sizeof(buf));
    case_body(&buf, body->body);
    case_policy(&usual, &policy);
    countdown = left;

    ktp_store_init(&store, NULL, policy.max_size);

    rc = ktp_intake_create(&in, &policy, &store, body->type,
                           strlen(body->type));

    for (done = 0; rc == KTP_OK && done < buf.len; done += n) {
        n = buf.len - done < body->piece ? buf.len - done : body->piece;
        rc = ktp_intake_feed(in, buf.data + done, n);
    }

    if (rc == KTP_OK) {
        rc = ktp_intake_finish(in);
    }

    ktp_intake_destroy(in);
    ktp_store_free(&store);
    free(buf.data);

    return rc;
}


static void
test_intake(void **state)
{
    size_t i;

    /* long keys with escapes, so that every buffer grows */

    static const struct {
        body_t   body;
        unsigned least; /* allocations */
    } bodies[] = {
        {{"application/json", "{\"image\":\"@J\"}", 100000}, 5},
        {{"application/json", "{\"image\":\"@J\"}", 1}, 5},
        {{"application/json",
          "{\"\\n@[5000|x]\":1,\"@[3000|k]\":[{\"@[3000|k]\":{\"\\t"
          "@[20000|y]\":0}}],\"image\":\"@J\"}",
          100000},
         10},
        {{"application/json",
          "{\"\\n@[5000|x]\":1,\"@[3000|k]\":[{\"@[3000|k]\":{\"\\t"
          "@[20000|y]\":0}}],\"image\":\"@J\"}",
          7},
         12},
        {{"multipart/form-data; boundary=XX",
          "--XX\r\nContent-Disposition: form-data; name=\"image\"; "
          "filename=\"a.jpg\"\r\n\r\n@j\r\n--XX--\r\n",
          10},
         3},
        {{"image/jpeg", "@j", 10}, 2},
    };

    (void) state;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_true(
            each(run_intake, &bodies[i].body, KTP_INTERNAL_SERVER_ERROR)
            >= bodies[i].least);
    }
}


/* An answer with data, and keys and a text that make every buffer grow. */

#define ANSWER                                                                \
    "{\"message\":\"ok\",\"data\":{\"nik\":\"3273010107900001\","             \
    "\"reference_id\":\"a-1\"},\"@[700|k]\":\"\\t@[9000|x]\","                \
    "\"o\":{\"@[3000|q]\":[]}}"


static int
run_answer(const void *data)
{
    int                 rc;
    char               *out;
    case_buf_t          buf;
    ktp_answer_t        answer;
    ktp_answer_policy_t policy;
    const int           rewrites = *(const int *) data;
    const unsigned      left = countdown;

    countdown = 0;
    memset(&buf, 0, sizeof(buf));
    case_body(&buf, ANSWER);
    out = malloc(buf.len + KTP_ANSWER_EXTRA);
    assert_non_null(out);
    countdown = left;

    memset(&answer, 0, sizeof(answer));
    answer.status = 200;
    answer.body = (char *) buf.data;
    answer.len = buf.len;
    answer.out = out;
    answer.out_size = buf.len + KTP_ANSWER_EXTRA;

    memset(&policy, 0, sizeof(policy));
    policy.fields = KTP_FIELDS_ALL;
    policy.nik_check = 1;
    policy.mask[KTP_FIELD_NIK].style = KTP_MASK_FULL;

    answer.set_reference = 1;

    if (rewrites) {
        rc = ktp_answer_rewrite(&answer, &policy);
        assert_true((rc == 0) == (answer.out_len > 0));

    } else {
        ktp_answer_read(&answer);
        rc = answer.reason || answer.out_len == 0 ? -1 : 0;
    }

    if (rc != 0 && answer.reason) {
        assert_string_equal(answer.reason, "no memory");

    } else {
        assert_string_equal(answer.nik, "3273010107900001");
    }

    if (rc == 0) {
        assert_null(memmem(out, answer.out_len, "\"a-1\"", 5));
    }

    free(out);
    free(buf.data);

    return rc;
}


static void
test_answer(void **state)
{
    const int reads = 0, rewrites = 1;

    (void) state;

    /* texts, parser, keys twice; texts to be searched, writer */

    assert_true(each(run_answer, &reads, -1) >= 5);
    assert_true(each(run_answer, &rewrites, -1) >= 7);
}


static void
count(void *ctx, const char *p, size_t len)
{
    (void) p;

    *(size_t *) ctx += len;
}


static int
run_writer(const void *data)
{
    size_t             i, len;
    ktp_json_writer_t *writer;

    (void) data;

    len = 0;

    writer = ktp_json_writer_create(count, &len);
    if (writer == NULL) {
        return -1;
    }

    /* as deep as the header says, and a string of any length */

    for (i = 0; i < 100; i++) {
        ktp_json_writer_open_array(writer);
    }

    ktp_json_writer_string(writer, ANSWER, sizeof(ANSWER) - 1);
    ktp_json_writer_null(writer);
    ktp_json_writer_bool(writer, 1);
    ktp_json_writer_number(writer, "1", 1);

    for (i = 0; i < 100; i++) {
        ktp_json_writer_close_array(writer);
    }

    ktp_json_writer_destroy(writer);

    assert_true(len > 200 + sizeof(ANSWER));

    return 0;
}


static void
test_writer(void **state)
{
    (void) state;

    assert_int_equal(each(run_writer, NULL, -1), 1);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intake),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
