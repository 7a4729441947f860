/* The error table, row by row as the contract has it. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_error.h"


#define count(a) (sizeof(a) / sizeof((a)[0]))


static void
test_rows(void **state)
{
    size_t             i;
    const ktp_error_t *e;

    /* clang-format off */
    static const struct {
        ktp_code_t  code;
        unsigned    status;
        const char *name;
    } rows[] = {
        { KTP_MISSING_PAYLOAD_IMAGE, 400, "MISSING_PAYLOAD_IMAGE" },
        { KTP_INVALID_PAYLOAD_IMAGE_MISSING, 400,
          "INVALID_PAYLOAD_IMAGE_MISSING" },
        { KTP_INVALID_PAYLOAD_IMAGE_FORMAT, 400,
          "INVALID_PAYLOAD_IMAGE_FORMAT" },
        { KTP_INVALID_PAYLOAD_IMAGE_SIZE, 400,
          "INVALID_PAYLOAD_IMAGE_SIZE" },
        { KTP_INVALID_PAYLOAD_REFERENCE_ID, 400,
          "INVALID_PAYLOAD_REFERENCE_ID" },
        { KTP_INVALID_PAYLOAD_DEPENDENCY, 400,
          "INVALID_PAYLOAD_QUALITY_VALIDATION_DEPENDENCY" },
        { KTP_INVALID_PAYLOAD, 400, "INVALID_PAYLOAD" },
        { KTP_IDEMPOTENCY_KEY_MISSING, 400, "IDEMPOTENCY_KEY_MISSING" },
        { KTP_IDEMPOTENCY_KEY_INVALID, 400, "IDEMPOTENCY_KEY_INVALID" },
        { KTP_NOT_DETECTED, 400, "KTP_NOT_DETECTED" },
        { KTP_UNAUTHORIZED, 401, "UNAUTHORIZED" },
        { KTP_INSUFFICIENT_QUOTA, 403, "INSUFFICIENT_QUOTA" },
        { KTP_FORBIDDEN, 403, "FORBIDDEN" },
        { KTP_NOT_FOUND, 404, "NOT_FOUND" },
        { KTP_METHOD_NOT_ALLOWED, 405, "METHOD_NOT_ALLOWED" },
        { KTP_REQUEST_TIMEOUT, 408, "REQUEST_TIMEOUT" },
        { KTP_DUPLICATE_REQUEST, 409, "DUPLICATE_REQUEST" },
        { KTP_PAYLOAD_TOO_LARGE, 413, "INVALID_PAYLOAD_IMAGE_SIZE" },
        { KTP_URI_TOO_LONG, 414, "URI_TOO_LONG" },
        { KTP_UNSUPPORTED_MEDIA_TYPE, 415, "UNSUPPORTED_MEDIA_TYPE" },
        { KTP_IDEMPOTENCY_KEY_REUSED, 422, "IDEMPOTENCY_KEY_REUSED" },
        { KTP_TOO_MANY_REQUESTS, 429, "TOO_MANY_REQUESTS" },
        { KTP_INTERNAL_SERVER_ERROR, 500, "INTERNAL_SERVER_ERROR" },
        { KTP_BAD_GATEWAY, 502, "INTERNAL_SERVER_ERROR" },
        { KTP_SERVICE_UNAVAILABLE, 503, "SERVICE_UNAVAILABLE" },
        { KTP_GATEWAY_TIMEOUT, 504, "INTERNAL_SERVER_ERROR" },
    };
    /* clang-format on */

    (void) state;

    assert_int_equal(count(rows), KTP_KINDS - 1);

    for (i = 0; i < count(rows); i++) {
        e = ktp_error(rows[i].code);

        assert_int_equal(e->kind, rows[i].code);
        assert_int_equal(e->status, rows[i].status);
        assert_string_equal(e->name, rows[i].name);
    }

    /* what clients look for */
    assert_memory_equal(ktp_error(KTP_NOT_DETECTED)->body + 12,
                        "KTP not detected", 16);
}


/* Each row is whole, shares all with its kind, and is like no other. */

static void
test_reasons(void **state)
{
    char               end[256];
    ktp_code_t         code, other;
    const ktp_error_t *e, *o;

    (void) state;

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        e = ktp_error(code);

        assert_true(e->kind > KTP_OK && e->kind < KTP_KINDS);
        assert_int_equal(e->status, ktp_error(e->kind)->status);
        assert_string_equal(e->name, ktp_error(e->kind)->name);

        assert_true(*e->reason);
        assert_int_equal(strspn(e->reason, "abcdefghijklmnopqrstuvwxyz0123456"
                                           "789_"),
                         strlen(e->reason));

        (void) snprintf(end, sizeof(end),
                        "\",\"error_code\":\"%s\",\"reason\":\"%s\"}", e->name,
                        e->reason);
        assert_int_equal(e->body_len, strlen(e->body));
        assert_memory_equal(e->body, "{\"message\":\"", 12);
        assert_string_equal(e->body + e->body_len - strlen(end), end);

        /* nothing between them that JSON would escape */
        assert_int_equal(strcspn(e->body + 12, "\"\\\n"),
                         e->body_len - 12 - strlen(end));

        for (other = KTP_OK + 1; other < code; other++) {
            o = ktp_error(other);
            assert_false(strcmp(o->reason, e->reason) == 0
                         && strcmp(o->name, e->name) == 0);
        }
    }
}


static void
test_write(void **state)
{
    size_t      i, n;
    char        buf[KTP_ERROR_BODY + 4];
    const char *p;

    const ktp_error_facts_t facts = {.members = 2,
                                     .bytes = 5242881,
                                     .max_bytes = 5242880,
                                     .width = 480,
                                     .height = 640,
                                     .min_width = 480,
                                     .min_height = 720,
                                     .max_pixels = 50000000,
                                     .request_id = "0a9f",
                                     .request_id_len = 4};
    const ktp_error_facts_t nothing = {0};

    /* clang-format off */
    static const struct {
        ktp_code_t  code;
        const char *numbers;
    } rows[] = {
        { KTP_MISSING_PAYLOAD_IMAGE, ",\"members\":2" },
        { KTP_INVALID_PAYLOAD_IMAGE_SIZE,
          ",\"bytes\":5242881,\"max_bytes\":5242880" },
        { KTP_BODY_TOO_LARGE,
          ",\"bytes\":5242881,\"max_bytes\":5242880" },
        { KTP_TOO_FEW_PIXELS, ",\"width\":480,\"height\":640,"
          "\"min_width\":480,\"min_height\":720" },
        { KTP_TOO_MANY_PIXELS, ",\"width\":480,\"height\":640,"
          "\"pixels\":307200,\"max_pixels\":50000000" },
        { KTP_NOT_JSON, "" },
        { KTP_GATEWAY_TIMEOUT, "" },
    };
    /* clang-format on */

    (void) state;

    for (i = 0; i < count(rows); i++) {
        const ktp_error_t *e = ktp_error(rows[i].code);

        n = ktp_error_write(rows[i].code, &nothing, buf);
        assert_int_equal(n, e->body_len);
        assert_memory_equal(buf, e->body, n);

        n = ktp_error_write(rows[i].code, &facts, buf);
        buf[n] = '\0';
        p = buf + e->body_len - 1;

        assert_memory_equal(buf, e->body, e->body_len - 1);
        assert_memory_equal(p, rows[i].numbers, strlen(rows[i].numbers));
        assert_string_equal(p + strlen(rows[i].numbers),
                            ",\"request_id\":\"0a9f\"}");
    }
}


/* The longest body with the largest numbers has room. */

static void
test_room(void **state)
{
    char       buf[KTP_ERROR_BODY];
    ktp_code_t code;

    const ktp_error_facts_t facts = {.members = UINT32_MAX,
                                     .bytes = UINT64_MAX,
                                     .max_bytes = UINT64_MAX,
                                     .width = UINT32_MAX,
                                     .height = UINT32_MAX,
                                     .min_width = UINT32_MAX,
                                     .min_height = UINT32_MAX,
                                     .max_pixels = UINT64_MAX,
                                     .status_code = "LOCAL-0",
                                     .request_id = "",
                                     .request_id_len = 0};

    (void) state;

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        assert_true(ktp_error_write(code, &facts, buf)
                        + strlen(",\"request_id\":\"\"")
                    < KTP_ERROR_BODY);
    }
}


static void
test_unknown(void **state)
{
    (void) state;

    assert_int_equal(ktp_error(KTP_OK)->status, 500);
    assert_int_equal(ktp_error(KTP_CODES)->status, 500);
    assert_int_equal(ktp_error((ktp_code_t) -1)->status, 500);
}


static void
test_by_status(void **state)
{
    size_t i;

    static const struct {
        unsigned   status;
        ktp_code_t code;
    } rows[] = {
        {400, KTP_INVALID_PAYLOAD},
        {401, KTP_UNAUTHORIZED},
        {403, KTP_FORBIDDEN},
        {404, KTP_NOT_FOUND},
        {405, KTP_METHOD_NOT_ALLOWED},
        {408, KTP_REQUEST_TIMEOUT},
        {413, KTP_PAYLOAD_TOO_LARGE},
        {414, KTP_URI_TOO_LONG},
        {415, KTP_UNSUPPORTED_MEDIA_TYPE},
        {429, KTP_TOO_MANY_REQUESTS},
        {500, KTP_INTERNAL_SERVER_ERROR},
        {502, KTP_BAD_GATEWAY},
        {503, KTP_SERVICE_UNAVAILABLE},
        {504, KTP_GATEWAY_TIMEOUT},
        {200, KTP_OK},
        {0, KTP_OK},
        {301, KTP_OK},
        {409, KTP_OK},
        {416, KTP_OK},
        {422, KTP_OK},
    };

    (void) state;

    for (i = 0; i < count(rows); i++) {
        assert_int_equal(ktp_error_by_status(rows[i].status), rows[i].code);
    }
}


static void
test_of_request(void **state)
{
    size_t i;

    static const struct {
        const char *name;
        int         is;
    } rows[] = {
        {"KTP_NOT_DETECTED", 1},
        {"MISSING_PAYLOAD_IMAGE", 1},
        {"INVALID_PAYLOAD", 1},
        {"INVALID_PAYLOAD_REFERENCE_ID_EXISTS", 1},
        {"", 0},
        {"KTP_NOT_DETECTE", 0},
        {"KTP_NOT_DETECTED_", 0},
        {"ktp_not_detected", 0},
        {"UNAUTHORIZED", 0},
        {"INTERNAL_SERVER_ERROR", 0},
        {"FAIL_ON_1", 0},
    };

    (void) state;

    for (i = 0; i < count(rows); i++) {
        assert_int_equal(
            ktp_error_of_request(rows[i].name, strlen(rows[i].name)),
            rows[i].is);
    }

    /* the length counts, not a null */

    assert_int_equal(ktp_error_of_request("KTP_NOT_DETECTED,", 16), 1);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_write),      cmocka_unit_test(test_room),
        cmocka_unit_test(test_of_request), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_by_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
