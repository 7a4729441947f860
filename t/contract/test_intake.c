/*
 * The request contract: every case whole, in pieces of 1 to 31 bytes and in
 * random pieces, with the same result.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "case.h"
#include "cases_json.h"
#include "cases_multipart.h"
#include "cases_binary.h"


/* in place of a size of pieces: of random sizes */
#define RANDOM 0

typedef struct {
    const case_t     *c;
    ktp_intake_type_t type;
    case_buf_t        body;
    case_buf_t        image;
} run_t;


/*
 * Feeds the body, every second piece from the intake's own room if it gives
 * any, or else from the heap at its size, where a byte too far is seen;
 * *told is set to the bytes after which an error came.
 */

static ktp_code_t
feed(ktp_intake_t *in, const case_buf_t *body, size_t piece, size_t *told)
{
    size_t         n, done, avail, turn;
    ktp_code_t     rc;
    unsigned char *p, *room, *copy;

    turn = 0;

    for (done = 0; done < body->len; done += n) {
        n = piece == RANDOM ? (size_t) rand() % 97 + 1 : piece;
        n = n < body->len - done ? n : body->len - done;
        copy = NULL;
        room = turn++ % 2 ? NULL : ktp_intake_room(in, &avail);

        if (room) {
            n = n < avail ? n : avail;
            p = room;

        } else {
            copy = malloc(n);
            assert_non_null(copy);
            p = copy;
        }

        memcpy(p, body->data + done, n);
        rc = ktp_intake_feed(in, p, n);
        free(copy);

        if (rc != KTP_OK) {
            *told = done + n;
            return rc;
        }
    }

    *told = body->len + 1;

    return ktp_intake_finish(in);
}


static void
check_store(const run_t *run, const ktp_store_t *store)
{
    size_t             done;
    const ktp_chunk_t *chunk;

    assert_int_equal(store->size, run->image.len);
    done = 0;

    for (chunk = store->first; chunk; chunk = chunk->next) {
        assert_true(chunk->len <= run->image.len - done);
        assert_memory_equal(chunk->data, run->image.data + done, chunk->len);
        done += chunk->len;
    }

    assert_int_equal(done, run->image.len);
}


static void
check_request(const run_t *run, const ktp_request_t *request)
{
    int           upright;
    case_buf_t    url = {NULL, 0, 0};
    const case_t *c;

    c = run->c;

    assert_int_equal(request->type, run->type);
    assert_int_equal(request->validate_quality, c->validate_quality);
    assert_int_equal(request->is_quality, c->is_quality);
    assert_string_equal(request->reference_id,
                        c->reference_id ? c->reference_id : "");

    case_body(&url, c->url ? c->url : "");
    case_byte(&url, '\0');
    assert_string_equal(request->url, (char *) url.data);
    free(url.data);

    if (c->image == NULL) {
        assert_int_equal(request->format, KTP_IMAGE_UNKNOWN);
        return;
    }

    upright = (c->image[1] == 'p');
    assert_int_equal(request->format,
                     upright ? KTP_IMAGE_PNG : KTP_IMAGE_JPEG);
    assert_int_equal(request->width, upright ? 480 : 720);
    assert_int_equal(request->height, upright ? 720 : 480);
    assert_int_equal(request->orientation, 1);
}


static void
run_once(const run_t *run, size_t piece)
{
    size_t        told;
    ktp_code_t    rc;
    const case_t *c;
    const char   *type;
    ktp_store_t   store;
    ktp_policy_t  policy;
    ktp_intake_t *in;

    c = run->c;
    type = case_type(c, run->type);
    told = 0;

    case_policy(c, &policy);
    ktp_store_init(&store, NULL, policy.max_size);

    rc = ktp_intake_create(&in, &policy, &store, type, strlen(type));
    assert_int_equal(rc, KTP_OK);

    rc = ktp_intake_args(in, c->args ? c->args : "",
                         c->args ? strlen(c->args) : 0);

    if (rc == KTP_OK) {
        rc = feed(in, &run->body, piece, &told);
    }

    if ((rc != c->code && case_kind(rc) != c->code)
        || (c->early && piece == 1 && told > c->early)) {
        fail_msg("%s, in pieces of %zu: %s after %zu of %zu bytes", c->name,
                 piece, rc == KTP_OK ? "OK" : ktp_error(rc)->reason, told,
                 run->body.len);
    }

    if (rc == KTP_OK) {
        check_request(run, ktp_intake_request(in));
        check_store(run, &store);

    } else {
        /* it stays so, whatever comes */
        assert_int_equal(ktp_intake_feed(in, (unsigned char *) "}", 1), rc);
        assert_int_equal(ktp_intake_finish(in), rc);
    }

    ktp_intake_destroy(in);
    ktp_store_free(&store);
}


static void
run_cases(const case_t *cases, size_t n, ktp_intake_type_t type)
{
    size_t i, piece;

    for (i = 0; i < n; i++) {
        run_t run = {&cases[i], type, {NULL, 0, 0}, {NULL, 0, 0}};

        case_body(&run.body, cases[i].body);
        if (cases[i].image) {
            case_body(&run.image, cases[i].image);
        }

        run_once(&run, run.body.len + 1);
        run_once(&run, RANDOM);

        for (piece = 1; piece <= 31; piece++) {
            run_once(&run, piece);
        }

        free(run.body.data);
        free(run.image.data);
    }
}


/*
 * A photo of more than one chunk, in each spelling, so that what is put
 * together before it is decoded reaches its limits.
 */

static void
test_large(void **state)
{
    size_t     i, k;
    case_buf_t image = {NULL, 0, 0};

    static const char   signs[] = "JUELX";
    static const size_t pieces[] = {1,    7,     31,      4095,  4096,
                                    4097, 65536, 1000000, RANDOM};
    const case_t        c = {"large", "", KTP_OK, "@j"};

    (void) state;

    case_short(&image, 0xffd8);
    case_jpeg_frame(&image, 0xc0, 720, 480);
    case_jpeg_scan(&image);

    while (image.len < 2 * KTP_CHUNK_SIZE + 1000) {
        case_byte(&image, rand() % 255);
    }

    case_short(&image, 0xffd9);

    for (i = 0; signs[i]; i++) {
        run_t run = {&c, KTP_INTAKE_JSON, {NULL, 0, 0}, image};

        case_put(&run.body, "{\"image\":\"", 10);
        case_spell(&run.body, signs[i], &image);
        case_put(&run.body, "\"}", 2);

        for (k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            run_once(&run, pieces[k]);
        }

        /* the same as text in a form, where a line break is one */

        run.body.len = 0;
        run.type = KTP_INTAKE_MULTIPART;
        case_body(&run.body,
                  "--XX\r\nContent-Disposition: form-data; name=image\r\n"
                  "\r\n");
        case_spell(&run.body,
                   signs[i] == 'U' ? 'U'
                   : i % 2         ? 'J'
                                   : 'N',
                   &image);
        case_body(&run.body, "\r\n--XX--");

        for (k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            run_once(&run, pieces[k]);
        }

        free(run.body.data);
    }

    free(image.data);
}


#define count(a) (sizeof(a) / sizeof((a)[0]))


static void
test_json(void **state)
{
    (void) state;

    run_cases(cases_json, count(cases_json), KTP_INTAKE_JSON);
}


static void
test_multipart(void **state)
{
    (void) state;

    run_cases(cases_multipart, count(cases_multipart), KTP_INTAKE_MULTIPART);
}


static void
test_binary(void **state)
{
    (void) state;

    run_cases(cases_binary, count(cases_binary), KTP_INTAKE_BINARY);
}


static void
test_types(void **state)
{
    size_t            i;
    ktp_intake_type_t type;

    /* clang-format off */
    static const struct {
        const char       *value;
        ktp_code_t        code;
        ktp_intake_type_t type;
    } cases[] = {
        { "application/json", KTP_OK, KTP_INTAKE_JSON },
        { " Application/JSON ;charset=utf-8", KTP_OK, KTP_INTAKE_JSON },
        { "application/json;", KTP_OK, KTP_INTAKE_JSON },
        { "image/jpeg", KTP_OK, KTP_INTAKE_BINARY },
        { "image/png", KTP_OK, KTP_INTAKE_BINARY },
        { "application/octet-stream", KTP_OK, KTP_INTAKE_BINARY },
        { "multipart/form-data; boundary=a", KTP_OK, KTP_INTAKE_MULTIPART },
        { "multipart/form-data;boundary=\"a?b\"; charset=x", KTP_OK,
          KTP_INTAKE_MULTIPART },
        { "multipart/form-data; boundary=a=b:/?", KTP_OK,
          KTP_INTAKE_MULTIPART },
        { "", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "text/plain", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "application/json2", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "application/jso", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "application/json, text/plain", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "application/x-www-form-urlencoded", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "multipart/mixed; boundary=a", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "image/webp", KTP_UNSUPPORTED_MEDIA_TYPE },
        { "multipart/form-data", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=\"\"", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=\"a", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=\"a \"", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=\"a\\\"b\"", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=a b", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=a; x=\"\x7f\"",
          KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=a; x=\"\x1f\"",
          KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=a; x=\"\t\xc3\"", KTP_OK,
          KTP_INTAKE_MULTIPART },
        { "multipart/form-data; boundary=a; boundary=a",
          KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary=a*b", KTP_INVALID_PAYLOAD },
        { "multipart/form-data; boundary="
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", KTP_INVALID_PAYLOAD },
    };
    /* clang-format on */

    (void) state;

    for (i = 0; i < count(cases); i++) {
        ktp_code_t rc;

        type = KTP_INTAKE_JSON;
        rc = ktp_intake_type(cases[i].value, strlen(cases[i].value), &type);

        if (case_kind(rc) != cases[i].code
            || (rc == KTP_OK && type != cases[i].type)) {
            fail_msg("\"%s\": code %d, type %d", cases[i].value, rc, type);
        }
    }
}


static void
test_coding(void **state)
{
    size_t i;

    static const struct {
        const char *value;
        ktp_code_t  code;
    } cases[] = {
        {"", KTP_OK},
        {" \t", KTP_OK},
        {"identity", KTP_OK},
        {" Identity ", KTP_OK},
        {"gzip", KTP_CODED_BODY},
        {"br", KTP_CODED_BODY},
        {"identity, gzip", KTP_CODED_BODY},
        {"identityx", KTP_CODED_BODY},
    };

    (void) state;

    for (i = 0; i < count(cases); i++) {
        assert_int_equal(
            ktp_intake_coding(cases[i].value, strlen(cases[i].value)),
            cases[i].code);
    }
}


/* A body of three pieces, the second one n times; the code, and the store. */

static ktp_code_t
repeated(const char *type, const case_buf_t *first, const char *fill, size_t n,
         const char *last, size_t max_size, size_t *stored)
{
    size_t        i, k;
    ktp_code_t    rc;
    ktp_store_t   store;
    ktp_policy_t  policy;
    ktp_intake_t *in;
    unsigned char piece[6 * 1024]; /* whole fills of 1 to 3 bytes */
    const case_t  c = {.max_size = max_size};

    case_policy(&c, &policy);
    ktp_store_init(&store, NULL, policy.max_size);
    assert_int_equal(
        ktp_intake_create(&in, &policy, &store, type, strlen(type)), KTP_OK);

    for (i = 0; i < sizeof(piece); i++) {
        piece[i] = fill[i % strlen(fill)];
    }

    rc = ktp_intake_feed(in, first->data, first->len);

    for (i = 0; i < n && rc == KTP_OK; i += k) {
        k = n - i < sizeof(piece) ? n - i : sizeof(piece);
        rc = ktp_intake_feed(in, piece, k);
    }

    if (rc == KTP_OK) {
        rc = ktp_intake_feed(in, (const unsigned char *) last, strlen(last));
    }

    if (rc == KTP_OK) {
        rc = ktp_intake_finish(in);
    }

    *stored = store.size;

    ktp_intake_destroy(in);
    ktp_store_free(&store);

    return rc;
}


/* What is ignored is bounded by the body, and behind the picture apart. */

static void
test_bounds(void **state)
{
    size_t       i, n, stored;
    uint64_t     whole;
    ktp_policy_t policy;
    const case_t small = {.max_size = 100};

    /* clang-format off */
    static const struct {
        ktp_intake_type_t type;
        const char       *name;
        const char       *first;
        const char       *fill;
        const char       *last;
        ktp_code_t        code;
    } cases[] = {
        { KTP_INTAKE_JSON, "application/json", "{\"image\":\"@J\",\"a\":\"",
          "x", "\"}", KTP_BODY_TOO_LARGE },
        { KTP_INTAKE_JSON, "application/json", "{\"image\":\"@J\",\"a\":[",
          "[],", "1]}", KTP_BODY_TOO_LARGE },
        { KTP_INTAKE_JSON, "application/json", "{\"image\":\"@J\"}",
          " ", "\n", KTP_BODY_TOO_LARGE },
        { KTP_INTAKE_MULTIPART, "multipart/form-data; boundary=XX",
          "--XX\r\nContent-Disposition: form-data; name=image; filename=a"
          "\r\n\r\n@j\r\n--XX\r\nContent-Disposition: form-data; name=x"
          "\r\n\r\n", "\r\n-", "\r\n--XX--", KTP_BODY_TOO_LARGE },
        { KTP_INTAKE_BINARY, "image/jpeg", "@j", "\xff\xd8", "x",
          KTP_TRAILER_TOO_LONG },
    };
    /* clang-format on */

    (void) state;

    case_policy(&small, &policy);

    for (i = 0; i < count(cases); i++) {
        case_buf_t first = {NULL, 0, 0};

        case_body(&first, cases[i].first);
        whole = ktp_intake_body_max(&policy, cases[i].type);

        if (cases[i].type == KTP_INTAKE_BINARY) {
            whole = first.len + KTP_MAX_TRAILER;
        }

        n = whole - first.len - strlen(cases[i].last);
        n -= n % strlen(cases[i].fill);

        assert_int_equal(repeated(cases[i].name, &first, cases[i].fill, n,
                                  cases[i].last, 100, &stored),
                         KTP_OK);
        assert_int_equal(stored, 73);

        assert_int_equal(repeated(cases[i].name, &first, cases[i].fill,
                                  n + strlen(cases[i].fill), cases[i].last,
                                  100, &stored),
                         cases[i].code);
        free(first.data);
    }
}


/* Keys of one object; more cannot be compared. */

static void
test_keys(void **state)
{
    size_t     i, n, stored;
    char       key[32];
    case_buf_t body;

    (void) state;

    for (n = KTP_MAX_KEYS; n <= KTP_MAX_KEYS + 1; n++) {
        memset(&body, 0, sizeof(body));
        case_body(&body, "{\"image\":\"@J\"");

        for (i = 1; i < n; i++) {
            (void) snprintf(key, sizeof(key), ",\"k%zu\":0", i);
            case_put(&body, key, strlen(key));
        }

        assert_int_equal(
            repeated("application/json", &body, " ", 0, "}", 0, &stored),
            n == KTP_MAX_KEYS ? KTP_OK : KTP_TOO_MANY_KEYS);
        free(body.data);
    }
}


/* The limit holds any image of the limit's size in every way in. */

static void
test_body_max(void **state)
{
    ktp_policy_t policy = {.max_size = 3000};

    (void) state;

    assert_int_equal(ktp_intake_body_max(&policy, KTP_INTAKE_BINARY),
                     3000 + KTP_MAX_TRAILER);
    assert_true(ktp_intake_body_need(&policy)
                >= 4000 + 4000 / 64 * 4 + 4000 / 64 * 6 + KTP_MAX_OVERHEAD);
    assert_true(ktp_intake_body_max(&policy, KTP_INTAKE_MULTIPART)
                >= 4000 + 4000 / 76 * 2 + KTP_MAX_OVERHEAD);
    assert_true(ktp_intake_body_max(&policy, KTP_INTAKE_JSON)
                >= 4000 + 4000 / 64 * 4 + 4000 / 64 * 6 + KTP_MAX_OVERHEAD);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),   cmocka_unit_test(test_multipart),
        cmocka_unit_test(test_binary), cmocka_unit_test(test_types),
        cmocka_unit_test(test_coding), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_keys),   cmocka_unit_test(test_body_max),
        cmocka_unit_test(test_large),
    };

    srand(1);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
