/* The store's chain, and the stream to the upstream, for any size of reads. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "case.h"
#include "ktp_outgoing.h"


/* no multiple of three, nor of what is read at a time */
#define CHUNK    ((size_t) 32752)
#define count(a) (sizeof(a) / sizeof((a)[0]))


typedef struct {
    int left; /* chunks that may be had */
    int out;  /* chunks that were not given back */
} source_t;


static ktp_chunk_t *
source_alloc(void *ctx)
{
    source_t *source = ctx;

    if (source->left == 0) {
        return NULL;
    }

    source->left--;
    source->out++;

    return malloc(sizeof(ktp_chunk_t) + CHUNK);
}


static void
source_free(void *ctx, ktp_chunk_t *chunk)
{
    source_t *source = ctx;

    source->out--;
    free(chunk);
}


static void
test_store(void **state)
{
    size_t         avail;
    source_t       source = {2, 0};
    ktp_store_t    st;
    unsigned char *room, bytes[100];

    const ktp_chunks_t chunks = {CHUNK, source_alloc, source_free, &source};

    (void) state;

    memset(bytes, 'x', sizeof(bytes));
    ktp_store_init(&st, &chunks, 2 * CHUNK);
    assert_int_equal(source.out, 0);

    room = ktp_store_reserve(&st, &avail);
    assert_non_null(room);
    assert_int_equal(avail, CHUNK);
    memset(room, 'a', avail);
    assert_int_equal(ktp_store_commit(&st, CHUNK - 1), KTP_OK);

    /* over a border */
    assert_int_equal(ktp_store_append(&st, bytes, 100), KTP_OK);
    assert_int_equal(st.size, CHUNK + 99);
    assert_int_equal(st.first->len, CHUNK);
    assert_int_equal(st.first->data[CHUNK - 1], 'x');
    assert_int_equal(st.last->len, 99);
    assert_int_equal(source.out, 2);

    /* the first one goes, the count of bytes stays */
    ktp_store_shift(&st);
    assert_int_equal(source.out, 1);
    assert_ptr_equal(st.first, st.last);
    assert_int_equal(st.size, CHUNK + 99);

    room = ktp_store_reserve(&st, &avail);
    assert_int_equal(avail, CHUNK - 99);
    memset(room, 'b', avail);
    st.max--;
    assert_int_equal(ktp_store_commit(&st, avail),
                     KTP_INVALID_PAYLOAD_IMAGE_SIZE);
    st.max++;
    assert_int_equal(ktp_store_commit(&st, avail), KTP_OK);

    /* the ceiling, and then memory, is at its end */
    assert_int_equal(ktp_store_append(&st, bytes, 1),
                     KTP_INVALID_PAYLOAD_IMAGE_SIZE);
    assert_null(ktp_store_reserve(&st, &avail));

    st.max++;
    assert_int_equal(ktp_store_append(&st, bytes, 1),
                     KTP_INTERNAL_SERVER_ERROR);

    ktp_store_shift(&st);
    assert_null(st.last);
    ktp_store_shift(&st);
    ktp_store_free(&st);
    ktp_store_free(&st);
    assert_int_equal(st.size, 0);
    assert_int_equal(source.out, 0);
}


static void
fill(ktp_store_t *st, size_t size, case_buf_t *bytes)
{
    size_t n;

    ktp_store_init(st, NULL, size);

    for (n = 0; n < size; n++) {
        case_byte(bytes, rand() & 0xff);
    }

    assert_int_equal(ktp_store_append(st, bytes->data, size), KTP_OK);
}


/* Reads in pieces of n bytes, 0: of random sizes; false if it differs. */

static void
check_reads(ktp_outgoing_t *out, const case_buf_t *right, size_t n)
{
    size_t        got, done, want;
    unsigned char buf[70000];

    done = 0;

    do {
        want = n ? n : (size_t) rand() % 5000;
        memset(buf + want, 0x55, 8);
        got = ktp_outgoing_read(out, buf, want);

        assert_true(got <= want);
        assert_true(got <= right->len - done);
        assert_memory_equal(buf, right->data + done, got);
        assert_memory_equal(buf + want, "UUUUUUUU", 8);

        /* a read is short at the end only */
        assert_true(got == want || done + got == right->len);
        done += got;

    } while (got || want == 0);

    assert_int_equal(done, right->len);
}


static void
test_stream(void **state)
{
    size_t         i, k;
    ktp_store_t    st;
    ktp_request_t  request;
    ktp_outgoing_t out;
    unsigned char  some[13];

    static const size_t sizes[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   CHUNK - 1,
                                   CHUNK,
                                   CHUNK + 1,
                                   CHUNK + 2,
                                   2 * CHUNK,
                                   2 * CHUNK + 1,
                                   100000};
    static const size_t reads[] = {1,  2,  3,  4,    5,     7,
                                   11, 16, 31, 4096, 65536, 0};

    (void) state;

    for (i = 0; i < count(sizes); i++) {
        case_buf_t bytes = {NULL, 0, 0}, right = {NULL, 0, 0};

        fill(&st, sizes[i], &bytes);
        memset(&request, 0, sizeof(request));

        case_put(&right, "{\"image\":\"", 10);
        case_base64(&right, bytes.data, bytes.len);
        case_put(&right, "\"}", 2);

        ktp_outgoing_init(&out, &st, &request);
        assert_int_equal(out.length, right.len);

        for (k = 0; k < count(reads); k++) {
            check_reads(&out, &right, reads[k]);
            ktp_outgoing_rewind(&out);
        }

        /* again from the middle */
        ktp_outgoing_rewind(&out);
        (void) ktp_outgoing_read(&out, some, sizeof(some));
        ktp_outgoing_rewind(&out);
        check_reads(&out, &right, 17);

        ktp_store_free(&st);
        free(bytes.data);
        free(right.data);
    }
}


/*
 * A store that grows while it is read: the same bytes for every order of
 * appending and reading, nothing of the end before it is complete, and no
 * more chunks held than what was not read needs.
 */

static void
test_growing(void **state)
{
    size_t         i, n, got, done, pos, pad, round;
    source_t       source;
    ktp_store_t    st;
    ktp_request_t  request;
    ktp_outgoing_t out;
    unsigned char  buf[5000];

    static const size_t sizes[] = {
        0, 1, 2, 3, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 2, 3 * CHUNK, 200000};

    const ktp_chunks_t chunks = {CHUNK, source_alloc, source_free, &source};

    (void) state;

    memset(&request, 0, sizeof(request));

    for (round = 0; round < 10 * count(sizes); round++) {
        case_buf_t bytes = {NULL, 0, 0}, right = {NULL, 0, 0};

        i = round % count(sizes);
        memset(&source, 0, sizeof(source));
        source.left = 100;

        for (n = 0; n < sizes[i]; n++) {
            case_byte(&bytes, rand() & 0xff);
        }

        request.is_quality = KTP_FLAG_TRUE;
        case_put(&right, "{\"image\":\"", 10);
        case_base64(&right, bytes.data, bytes.len);
        case_put(&right, "\",\"is_quality\":true}", 20);

        ktp_store_init(&st, &chunks, 200000);
        ktp_outgoing_stream(&out, &st, &request, sizes[i]);
        assert_int_equal(out.length, right.len);

        for (done = 0, pos = 0; pos < sizes[i]; pos += n) {
            n = (size_t) rand() % 9000;
            n = n < sizes[i] - pos ? n : sizes[i] - pos;
            assert_int_equal(ktp_store_append(&st, bytes.data + pos, n),
                             KTP_OK);

            do {
                got = ktp_outgoing_read(&out, buf, 1 + rand() % sizeof(buf));
                assert_memory_equal(buf, right.data + done, got);
                done += got;
            } while (got && rand() % 4);

            assert_true(done <= right.len - 20);
            assert_true((size_t) source.out
                        <= ktp_outgoing_pending(&out) / CHUNK + 2);
        }

        while ((got = ktp_outgoing_read(&out, buf, sizeof(buf))) > 0) {
            assert_memory_equal(buf, right.data + done, got);
            done += got;
        }

        assert_true(ktp_outgoing_pending(&out) < 3);
        assert_true(done <= right.len - 20);
        assert_int_equal(ktp_outgoing_rewind(&out), out.shifted ? -1 : 0);

        if (!out.shifted) {
            done = 0;
        }

        /* as if a larger image had been announced, now and then */

        pad = rand() % 3 * (rand() % 5000);
        ktp_outgoing_complete(&out, &request, pad ? right.len + pad : 0);
        assert_int_equal(out.length, right.len + pad);

        while (pad--) {
            case_byte(&right, ' ');
        }

        while ((got = ktp_outgoing_read(&out, buf, 1 + rand() % 4000)) > 0) {
            assert_memory_equal(buf, right.data + done, got);
            done += got;
        }

        assert_int_equal(done, right.len);

        ktp_store_free(&st);
        assert_int_equal(source.out, 0);
        free(bytes.data);
        free(right.data);
    }
}


/* The image may lie in chunks of any filling, as base64 leaves them. */

static void
test_uneven(void **state)
{
    size_t         i, avail, n;
    case_buf_t     bytes = {NULL, 0, 0}, right = {NULL, 0, 0};
    ktp_chunk_t   *chunks[20];
    ktp_store_t    st = {0};
    ktp_request_t  request = {0};
    ktp_outgoing_t out;

    (void) state;

    for (i = 0; i < count(chunks); i++) {
        chunks[i] = malloc(sizeof(ktp_chunk_t) + CHUNK);
        assert_non_null(chunks[i]);
        n = i % 5 ? (size_t) rand() % 9 : 0;

        for (avail = 0; avail < n; avail++) {
            chunks[i]->data[avail] = rand();
        }

        chunks[i]->len = n;
        chunks[i]->next = NULL;
        case_put(&bytes, chunks[i]->data, n);
        st.size += n;

        if (i) {
            chunks[i - 1]->next = chunks[i];
        }
    }

    st.first = chunks[0];
    st.last = chunks[count(chunks) - 1];

    case_put(&right, "{\"image\":\"", 10);
    case_base64(&right, bytes.data, bytes.len);
    case_put(&right, "\"}", 2);

    for (n = 1; n <= 31; n++) {
        ktp_outgoing_init(&out, &st, &request);
        check_reads(&out, &right, n);
    }

    ktp_store_free(&st);
    free(bytes.data);
    free(right.data);
}


static void
test_suffix(void **state)
{
    size_t         i;
    ktp_store_t    st;
    ktp_request_t  request;
    ktp_outgoing_t out;

    /* clang-format off */
    static const struct {
        ktp_flag_t  validate_quality;
        ktp_flag_t  is_quality;
        const char *reference_id;
        const char *right;
    } cases[] = {
        { KTP_FLAG_ABSENT, KTP_FLAG_ABSENT, "", "{\"image\":\"\"}" },
        { KTP_FLAG_FALSE, KTP_FLAG_ABSENT, "",
          "{\"image\":\"\",\"validate_quality\":false}" },
        { KTP_FLAG_TRUE, KTP_FLAG_TRUE, "a b",
          "{\"image\":\"\",\"validate_quality\":true,\"is_quality\":true,"
          "\"reference_id\":\"a b\"}" },
        { KTP_FLAG_ABSENT, KTP_FLAG_FALSE, "\\\"/",
          "{\"image\":\"\",\"is_quality\":false,"
          "\"reference_id\":\"\\\\\\\"/\"}" },
    };
    /* clang-format on */

    (void) state;

    ktp_store_init(&st, NULL, 0);

    for (i = 0; i < count(cases); i++) {
        case_buf_t right = {NULL, 0, 0};

        memset(&request, 0, sizeof(request));
        request.validate_quality = cases[i].validate_quality;
        request.is_quality = cases[i].is_quality;
        strcpy(request.reference_id, cases[i].reference_id);
        case_put(&right, cases[i].right, strlen(cases[i].right));

        ktp_outgoing_init(&out, &st, &request);
        assert_int_equal(out.length, right.len);
        check_reads(&out, &right, 5);
        free(right.data);
    }

    /* the longest there can be */
    memset(&request, 0, sizeof(request));
    request.validate_quality = KTP_FLAG_FALSE;
    request.is_quality = KTP_FLAG_FALSE;
    memset(request.reference_id, '"', KTP_MAX_REFERENCE_ID);
    ktp_outgoing_init(&out, &st, &request);
    assert_true(out.suffix_len <= KTP_MAX_SUFFIX);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store),   cmocka_unit_test(test_stream),
        cmocka_unit_test(test_growing), cmocka_unit_test(test_uneven),
        cmocka_unit_test(test_suffix),
    };

    srand(1);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
