/* What of an answer is passed on, and what is noted of it. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_answer.h"
#include "answer_policy.h"


#define NIK           "3273010107900001"
#define DATA(members) "{\"message\":\"Success\",\"data\":{" members "}}"

typedef struct {
    const char *policy;
    unsigned    status;
    const char *body;
    const char *out; /* NULL: refused, for this reason */
    const char *reason;
    const char *place;
} case_t;


static int
digest(void *ctx, const unsigned char *p, size_t len,
       unsigned char out[KTP_HMAC_SIZE])
{
    (void) ctx;
    (void) p;

    memset(out, (int) len, KTP_HMAC_SIZE);

    return 0;
}


static char *
rewrite(ktp_answer_t *answer, const char *words, unsigned status,
        const char *body, size_t len)
{
    char               *out;
    ktp_answer_policy_t policy;

    answer_policy(&policy, words);

    out = malloc(len + KTP_ANSWER_EXTRA + 1);
    assert_non_null(out);

    answer->status = status;
    answer->body = body;
    answer->len = len;
    answer->hmac = digest;
    answer->out = out;
    answer->out_size = len + KTP_ANSWER_EXTRA;

    if (ktp_answer_rewrite(answer, &policy) != 0) {
        assert_int_equal(answer->out_len, 0);
        assert_non_null(answer->reason);
        free(out);
        return NULL;
    }

    assert_null(answer->reason);
    assert_true(answer->out_len <= len + KTP_ANSWER_EXTRA);
    out[answer->out_len] = '\0';

    return out;
}


static void
run(const case_t *cases, size_t n)
{
    char        *out;
    size_t       i;
    ktp_answer_t answer;

    for (i = 0; i < n; i++) {
        memset(&answer, 0, sizeof(answer));
        out = rewrite(&answer, cases[i].policy, cases[i].status, cases[i].body,
                      strlen(cases[i].body));

        if (cases[i].out == NULL) {
            if (out) {
                fail_msg("case %zu passed: %s", i, out);
            }

            if (strcmp(answer.reason, cases[i].reason) != 0) {
                fail_msg("case %zu: \"%s\"", i, answer.reason);
            }

            if (strcmp(answer.place ? answer.place : "",
                       cases[i].place ? cases[i].place : "")
                != 0) {
                fail_msg("case %zu: in \"%s\"", i, answer.place);
            }

        } else if (out == NULL) {
            fail_msg("case %zu: %s in %s", i, answer.reason,
                     answer.place ? answer.place : "-");

        } else if (strcmp(out, cases[i].out) != 0) {
            fail_msg("case %zu: %s", i, out);
        }

        free(out);
    }
}


#define run_cases(cases) run(cases, sizeof(cases) / sizeof(cases[0]))


static void
test_allow_list(void **state)
{
    static const case_t cases[] = {
        {"+city", 200, DATA("\"nik\":\"\",\"city\":\"KOTA BANDUNG\""),
         DATA("\"city\":\"KOTA BANDUNG\""), NULL, NULL},

        /* the contract's order, whatever the upstream's */
        {"+city +gender", 200,
         DATA("\"city\":\"KOTA BANDUNG\",\"gender\":\"PEREMPUAN\""),
         DATA("\"gender\":\"PEREMPUAN\",\"city\":\"KOTA BANDUNG\""), NULL,
         NULL},

        /* unknown members go, at every level and of every kind */
        {"nik=full", 200,
         "{\"x\":1,\"message\":\"ok\",\"y\":{\"data\":{\"nik\":\"1\"}},"
         "\"data\":{\"extra\":[[{\"nik\":\"2\"}],null],\"gender\":\"\","
         "\"image_quality\":{\"blur\":true,\"z\":{\"blur\":1}}},\"z\":[]}",
         DATA("\"gender\":\"\",\"image_quality\":{\"blur\":true}"), NULL,
         NULL},
        {"+gender", 200, DATA("\"image_quality\":{\"blur\":true}"), DATA(""),
         NULL, NULL},

        /* numbers keep their digits, unless something is hidden */
        {"+image_quality", 200,
         DATA("\"image_quality\":{\"dark_score\":0.10000000000000000555,"
              "\"blur_score\":1E-07,\"grayscale\":false}"),
         DATA("\"image_quality\":{\"grayscale\":false,\"dark_score\":0.100}"),
         NULL, NULL},

        /* text keeps its characters */
        {"nik=full", 200, DATA("\"address\":\"JL. \\\"A\\\" \\/ B \\u00c9\""),
         DATA("\"address\":\"JL. \\\"A\\\" / B \u00c9\""), NULL, NULL},
        {"check", 200, DATA("\"address\":\"\\ud83d\\ude00\""),
         "{\"message\":\"Success\",\"data\":{\"address\":\"\U0001f600\","
         "\"nik_check\":{\"valid_format\":false,\"province\":null,"
         "\"date_of_birth_matches\":null,\"gender_matches\":null,"
         "\"region_matches\":null}}}",
         NULL, NULL},

        {"nik=full", 200,
         "{\"status_code\":\"V-200\",\"error_code\":\"FAIL_ON_1\"}",
         "{\"status_code\":\"V-200\",\"error_code\":\"FAIL_ON_1\"}", NULL,
         NULL},
    };

    (void) state;
    run_cases(cases);
}


static void
test_masks(void **state)
{
    static const case_t cases[] = {
        {"nik=last:4", 200, DATA("\"nik\":\"" NIK "\""),
         DATA("\"nik\":\"************0001\""), NULL, NULL},
        {"full_name=first:1 nik=full", 200,
         DATA("\"nik\":\"" NIK "\",\"full_name\":\"\u00c9VA\""),
         DATA("\"nik\":\"********\",\"full_name\":\"\u00c9**\""), NULL, NULL},
        {"nik=hash", 200, DATA("\"nik\":\"" NIK "\""),
         DATA("\"nik\":\"10101010101010101010101010101010"
              "10101010101010101010101010101010\""),
         NULL, NULL},
        {"nik=full", 200, DATA("\"nik\":\"\""), DATA("\"nik\":\"\""), NULL,
         NULL},

        /* escapes are undone before characters are counted */
        {"full_name=last:2", 200, DATA("\"full_name\":\"B\\u0055DI\""),
         DATA("\"full_name\":\"**DI\""), NULL, NULL},
    };

    (void) state;
    run_cases(cases);
}


static void
test_nik_check(void **state)
{
    static const case_t cases[] = {
        {"check", 200,
         DATA("\"nik\":\"" NIK "\",\"date_of_birth\":\"01-07-1990\","
              "\"gender\":\"PEREMPUAN\",\"city\":\"\""),
         DATA("\"nik\":\"" NIK "\",\"date_of_birth\":\"01-07-1990\","
              "\"gender\":\"PEREMPUAN\",\"city\":\"\",\"nik_check\":"
              "{\"valid_format\":true,\"province\":\"JAWA BARAT\","
              "\"date_of_birth_matches\":true,\"gender_matches\":false,"
              "\"region_matches\":null}"),
         NULL, NULL},
        {"check", 200, DATA("\"nik\":\"\""),
         DATA("\"nik\":\"\",\"nik_check\":{\"valid_format\":false,"
              "\"province\":null,\"date_of_birth_matches\":null,"
              "\"gender_matches\":null,\"region_matches\":null}"),
         NULL, NULL},

        /* of the value, not of its mask; and of fields that do not pass */
        {"check nik=full +nik", 200,
         DATA("\"nik\":\"" NIK "\",\"gender\":\"LAKI-LAKI\""),
         DATA("\"nik\":\"********\",\"nik_check\":{\"valid_format\":true,"
              "\"province\":\"JAWA BARAT\",\"date_of_birth_matches\":null,"
              "\"gender_matches\":true,\"region_matches\":null}"),
         NULL, NULL},

        /* there is no "data" to add to */
        {"check", 200, "{\"message\":\"ok\"}", "{\"message\":\"ok\"}", NULL,
         NULL},
        {"check", 400, DATA("\"nik\":\"" NIK "\""),
         "{\"message\":\"Success\"}", NULL, NULL},
    };

    (void) state;
    run_cases(cases);
}


/* A null is no value, and hides none. */

static void
test_null(void **state)
{
    static const case_t cases[] = {
        {"+nik +city", 200, DATA("\"nik\":null,\"city\":null,\"gender\":null"),
         DATA("\"nik\":\"\",\"city\":\"\""), NULL, NULL},
        {"nik=full city=last:4", 200, DATA("\"nik\":null,\"city\":null"),
         DATA("\"nik\":\"\",\"city\":\"\""), NULL, NULL},
        {"nik=full", 200, DATA("\"nik\":\"" NIK "\",\"state\":null"),
         DATA("\"nik\":\"********\",\"state\":\"\""), NULL, NULL},
        {"nik=full", 400, DATA("\"nik\":null"),
         "{\"message\":\"request was not accepted\"}", NULL, NULL},
        {"nik=full", 200,
         "{\"message\":\"ok\",\"status_code\":null,\"error_code\":null}",
         "{\"message\":\"Success\"}", NULL, NULL},
        {"nik=full", 200, "{\"message\":null,\"status_code\":\"S\"}",
         "{\"status_code\":\"S\"}", NULL, NULL},
        {"nik=full", 200, "{\"message\":\"ok\",\"data\":null}",
         "{\"message\":\"Success\"}", NULL, NULL},
        {"nik=full", 200, DATA("\"image_quality\":null"), DATA(""), NULL,
         NULL},
        {"nik=full", 200,
         DATA("\"image_quality\":{\"blur\":null,\"dark\":true,"
              "\"blur_score\":null}"),
         DATA("\"image_quality\":{\"dark\":true}"), NULL, NULL},
        {"nik=full", 200, DATA("\"nik\":null,\"nik\":\"" NIK "\""), NULL,
         "a key that is there twice", NULL},
        {"nik=full", 200, DATA("\"nik\":[null]"), NULL,
         "a value of another type", "nik"},
    };

    (void) state;
    run_cases(cases);
}


static void
test_strict(void **state)
{
#define REFUSED(body, reason, place)                                          \
    {"nik=full", 200, body, NULL, reason, place},                             \
    {                                                                         \
        "nik=full", 400, body, NULL, reason, place                            \
    }

    static const case_t cases[] = {
        REFUSED("", "not JSON", NULL),
        REFUSED("<html>", "not JSON", NULL),
        REFUSED("{\"message\":\"ok\"", "not JSON", NULL),
        REFUSED("{\"message\":\"ok\"}{}", "not JSON", NULL),
        REFUSED("{\"message\":\"ok\"} x", "not JSON", NULL),
        REFUSED("{\"message\":\"ok\",}", "not JSON", NULL),
        REFUSED("/* */{\"message\":\"ok\"}", "not JSON", NULL),
        REFUSED("\xef\xbb\xbf{\"message\":\"ok\"}", "not JSON", NULL),
        REFUSED("[]", "no object", NULL),
        REFUSED("\"message\"", "no object", NULL),
        REFUSED("null", "no object", NULL),
        REFUSED("{\"message\":\"\xff\"}", "invalid UTF-8", NULL),
        REFUSED("{\"message\":\"\xed\xa0\x80\"}", "invalid UTF-8", NULL),
        REFUSED("{\"x\":\"\\u0000\"}", "an escape that is no character", NULL),
        REFUSED("{\"x\":\"\\ud800\"}", "an escape that is no character", NULL),
        REFUSED("{\"x\":\"\\udc00\"}", "an escape that is no character", NULL),
        REFUSED("{\"x\":\"\\ud800\\u0041\"}", "an escape that is no character",
                NULL),
        REFUSED("{\"x\":\"\\ud800\\\\udc00\"}",
                "an escape that is no character", NULL),
        REFUSED("{\"x\":\"\\ud800\\uffff\"}", "an escape that is no character",
                NULL),
        REFUSED("{\"x\":\"\\u12g4\"}", "an escape that is no character", NULL),
        REFUSED("{\"x\":\"\\u1", "an escape that is no character", NULL),

        REFUSED("{\"message\":\"a\",\"message\":\"b\"}",
                "a key that is there twice", NULL),
        REFUSED("{\"message\":\"a\",\"m\\u0065ssage\":\"b\"}",
                "a key that is there twice", NULL),
        REFUSED("{\"message\":\"a\",\"x\":{\"y\":1,\"y\":1}}",
                "a key that is there twice", NULL),
        REFUSED("{\"x\":[{\"y\":1,\"y\":1}],\"message\":\"a\"}",
                "a key that is there twice", NULL),
        REFUSED(DATA("\"nik\":\"\",\"nik\":\"" NIK "\""),
                "a key that is there twice", NULL),

        REFUSED("{\"message\":1}", "a value of another type", "message"),
        REFUSED("{\"message\":null}", "neither a message nor a code", NULL),
        REFUSED("{\"message\":[\"a\"]}", "a value of another type", "message"),
        REFUSED("{\"status_code\":200}", "a value of another type",
                "status_code"),
        REFUSED("{\"error_code\":{}}", "a value of another type",
                "error_code"),
        REFUSED("{\"data\":[]}", "a value of another type", "data"),
        REFUSED("{\"data\":null}", "neither a message nor a code", NULL),
        REFUSED("{\"data\":\"\"}", "a value of another type", "data"),
        REFUSED(DATA("\"nik\":3273010107900001"), "a value of another type",
                "nik"),
        REFUSED(DATA("\"nik\":{\"value\":\"1\"}"), "a value of another type",
                "nik"),
        REFUSED(DATA("\"image_quality\":[]"), "a value of another type",
                "image_quality"),
        REFUSED(DATA("\"image_quality\":\"\""), "a value of another type",
                "image_quality"),
        REFUSED(DATA("\"image_quality\":{\"blur\":1}"),
                "a value of another type", "blur"),
        REFUSED(DATA("\"image_quality\":{\"blur\":\"" NIK "\"}"),
                "a value of another type", "blur"),
        REFUSED(DATA("\"image_quality\":{\"blur_score\":\"" NIK "\"}"),
                "a value of another type", "blur_score"),
        REFUSED(DATA("\"image_quality\":{\"blur_score\":{}}"),
                "a value of another type", "blur_score"),
        REFUSED(DATA("\"image_quality\":{\"blur_score\":"
                     "0.0000000000000000000000000000000001}"),
                "too long a number", "blur_score"),

        REFUSED("{}", "neither a message nor a code", NULL),
        REFUSED("{\"data\":{}}", "neither a message nor a code", NULL),
        REFUSED("{\"detail\":\"no\"}", "neither a message nor a code", NULL),
        {"check", 200, "{\"message\":\"caf\u00e9\"}", NULL,
         "a text that is not printable ASCII", "message"},
        {"check", 400, "{\"message\":\"a\\u0007\"}", NULL,
         "a text that is not printable ASCII", "message"},
        REFUSED("{\"error_code\":\"BUDI SANTOSO\"}",
                "a code that is no plain word", "error_code"),
        REFUSED("{\"status_code\":\"a\\\"b\"}", "a code that is no plain word",
                "status_code"),
    };

    (void) state;
    run_cases(cases);
}


static void
test_limits(void **state)
{
    char        *out;
    char         code[KTP_ANSWER_MAX_CODE + 1];
    unsigned     i, k, n;
    ktp_answer_t answer;
    static char  body[65536];

    /* a depth of KTP_MAX_DEPTH, and one more; the answer itself is one */

    static const char *const deep[] = {
        "{\"message\":\"ok\",\"x\":[[[[[[[1]]]]]]]}",
        "{\"message\":\"ok\",\"x\":[[[[[[[[1]]]]]]]]}"};

    (void) state;

    for (i = 0; i < 2; i++) {
        out = rewrite(&answer, "nik=full", 200, deep[i], strlen(deep[i]));
        assert_int_equal(out == NULL, i);
        free(out);
    }

    assert_string_equal(answer.reason, "too deep");

    /* as many keys as there may be, and one more: message and the others */

    for (i = 0; i < 2; i++) {
        n = (unsigned) sprintf(body, "{\"message\":\"ok\"");

        for (k = 1; k < 256 + i; k++) {
            n += (unsigned) sprintf(body + n, ",\"k%u\":0", k);
        }

        (void) sprintf(body + n, "}");
        out = rewrite(&answer, "nik=full", 200, body, strlen(body));
        assert_int_equal(out == NULL, i);
        free(out);
    }

    assert_string_equal(answer.reason, "too many keys");

    for (i = 0; i < 2; i++) {
        (void) sprintf(body, "{\"message\":\"%0*d\"}",
                       (int) (KTP_ANSWER_MAX_MESSAGE + i), 0);
        out = rewrite(&answer, "check", 200, body, strlen(body));
        assert_int_equal(out == NULL, i);
        free(out);

        memset(code, 'A', sizeof(code));
        (void) sprintf(body, "{\"error_code\":\"%.*s\"}",
                       (int) (KTP_ANSWER_MAX_CODE + i), code);
        out = rewrite(&answer, "check", 200, body, strlen(body));
        assert_int_equal(out == NULL, i);
        free(out);

        (void) sprintf(body, DATA("\"address\":\"%0*d\""), (int) (1024 + i),
                       0);
        out = rewrite(&answer, "check", 200, body, strlen(body));
        assert_int_equal(out == NULL, i);
        free(out);
    }
}


/* Each member of "data" as long as it may be, each masked by hash. */
static void
test_room(void **state)
{
    char               *out, words[512], value[1025];
    size_t              n, w;
    unsigned            i, len;
    ktp_answer_t        answer;
    ktp_answer_policy_t policy;
    static char         body[32768];

    (void) state;

    memset(&answer, 0, sizeof(answer));

    for (len = 1; len <= 1024; len += 1023) {
        memset(value, '1', len);
        value[len] = '\0';
        w = 0;
        n = (size_t) sprintf(body, "{\"message\":\"ok\",\"data\":{");

        for (i = 0; i < KTP_FIELD_TEXTS; i++) {
            w += (size_t) sprintf(words + w, "%s=hash ", ktp_field_name(i));
            n += (size_t) sprintf(body + n, "%s\"%s\":\"%s\"", i ? "," : "",
                                  ktp_field_name(i), value);
        }

        (void) sprintf(words + w, "check");
        (void) sprintf(body + n, "}}");

        out = rewrite(&answer, words, 200, body, strlen(body));
        assert_non_null(out);
        assert_null(strstr(out, "\"1\""));
        free(out);
    }

    /* less room than is needed: refused, and nothing written past it */
    answer.out = malloc(10);
    answer.out_size = 10;
    answer_policy(&policy, "nik=full");
    assert_int_equal(ktp_answer_rewrite(&answer, &policy), -1);
    free(answer.out);
}


#define PERSON                                                                \
    "\"nik\":\"" NIK "\",\"full_name\":\"BUDI SANTOSO\","                     \
    "\"date_of_birth\":\"01-07-1990\""
#define MISPLACED "personal data out of place"
#define FORM      "a text that has not the form of its field"
#define NO_CODE   "a code that is no plain word"


/* With anything hidden, the message is one of ours. */
static void
test_message(void **state)
{
#define MESSAGE "\"message\":\"NIK " NIK ", caf\u00e9\""

    static const case_t cases[] = {
        {"nik=full", 200, "{" MESSAGE "}", "{\"message\":\"Success\"}", NULL,
         NULL},
        {"+city", 200, "{" MESSAGE ",\"error_code\":\"FAIL_ON_1\"}",
         "{\"message\":\"quality of the image is insufficient\","
         "\"error_code\":\"FAIL_ON_1\"}",
         NULL, NULL},
        {"nik=full", 400, "{" MESSAGE ",\"error_code\":\"KTP_NOT_DETECTED\"}",
         "{\"message\":\"KTP not detected\","
         "\"error_code\":\"KTP_NOT_DETECTED\"}",
         NULL, NULL},
        {"nik=full", 500, "{" MESSAGE "}",
         "{\"message\":\"request was not accepted\"}", NULL, NULL},
        {"nik=full", 200, "{\"status_code\":\"V-1\"}",
         "{\"status_code\":\"V-1\"}", NULL, NULL},
    };

    (void) state;
    run_cases(cases);
}


/*
 * What a text may be in which nothing of the person must be; the policy hides
 * number, name and date.
 */
static void
test_texts(void **state)
{
    static const char policy[] = "nik=full full_name=full date_of_birth=full";

    size_t       i;
    char        *out, body[1024];
    ktp_answer_t answer;

    static const struct {
        const char *member;
        const char *value;
        int         passes;
    } cases[] = {
        {"error_code", "FAIL_ON_1", 1},
        {"error_code", "V-200", 1},
        {"error_code", "1234567", 1},
        {"error_code", "12345678", 0},
        {"error_code", "1-2-3-4-5-6-7-8", 0},
        {"error_code", "327301010790000", 0}, /* one digit less */
        {"error_code", "X_SANTOSO", 0},
        {"error_code", "OSOTNAS-IDUB", 0},
        {"error_code", "S_A_N_T_O_S_O", 0},
        {"error_code", "SANTOS", 1}, /* another word */
        {"error_code", "QlVESSBTQU5UT1NP", 0},
        {"error_code", "Not.accepted", 1},

        {"occupation", "KARYAWAN SWASTA", 1},
        {"occupation", "Karyawan Swasta", 1},
        {"occupation", "TENTARA NASIONAL INDONESIA (TNI)", 1},
        {"occupation", "PELAJAR/MAHASISWA", 1},
        {"occupation", NIK, 0},
        {"occupation", "3273", 0},
        {"occupation", "32 73.01-010790 0001", 0},
        {"occupation", "3I7E", 1},
        {"occupation", "EZTEOIOIOTGOOOOI", 0}, /* alike */
        {"occupation", "\u0663\u0662\u0667\u0663", 0},
        {"occupation", "\uff13\uff12", 0},
        {"occupation", "\u00b2", 0},
        {"occupation", "BUDI\u200bSANTOSO", 0},
        {"occupation", "B\u00daDI S\u00c0NTOSO", 0},
        {"occupation", "b u d i s a n t o s o", 0},
        {"occupation", "B.U.D.I", 0},
        {"occupation", "1BUDI2", 0},
        {"occupation", "BUDIMAN", 1}, /* another word */
        {"occupation", "Budi", 0},
        {"occupation", "B&#85;DI", 0},
        {"occupation", "B%55DI", 0},
        {"occupation", "B\\\\u0055DI", 0},
        {"occupation", "QlVESSBTQU5UT1NP", 0},

        {"rt_rw", "001/002", 1},
        {"rt_rw", "RT 001 / RW 002", 1},
        {"rt_rw", "0101/0107", 0},

        {"address", "JL. MERDEKA NO. 123 BLOK C4 RT 001 RW 002", 1},
        {"address", "JL. 17 AGUSTUS 1945 NO. 7", 1}, /* another date */
        {"address", "3273 0101", 0},
        {"address", "JL 3A2B7C3 D0E1F0G1", 0},
        {"address", "1 JULI 1990", 0},
        {"address", "Juli 1 TAHUN 1990", 0},
        {"address", "01-07-1990", 0},
        {"address", "1/7/1990", 0},
        {"address", "1990-07-01", 0},
        {"address", "01.07.90", 0},
        {"address", "TGL 1 BLN 7 TH 1990", 0},
        {"address", "31.12.1999", 0}, /* any date, whosever it is */

        {"city", "KOTA BUDI", 1}, /* places are called like people */
        {"city", "BUDI SANTOSO", 0},
        {"administrative_village", "35 ILIR", 1},
        {"gender", "LAKI-LAKI", 1},
        {"nationality", "WNI", 1},
        {"blood_type", "O+", 1},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].member, "error_code") == 0) {
            (void) sprintf(body,
                           "{\"error_code\":\"%s\",\"data\":{" PERSON "}}",
                           cases[i].value);

        } else {
            (void) sprintf(body,
                           "{\"message\":\"ok\",\"data\":{" PERSON
                           ",\"%s\":\"%s\"}}",
                           cases[i].member, cases[i].value);
        }

        memset(&answer, 0, sizeof(answer));
        out = rewrite(&answer, policy, 200, body, strlen(body));

        if ((out != NULL) != cases[i].passes) {
            fail_msg("%s \"%s\": %s", cases[i].member, cases[i].value,
                     answer.reason ? answer.reason : "passed");
        }

        free(out);

        /* with nothing hidden only what is no code is refused */
        out = rewrite(&answer, "check", 200, body, strlen(body));
        assert_true(out || strcmp(answer.reason, NO_CODE) == 0);
        free(out);
    }
}


static void
test_fields(void **state)
{
    static const case_t cases[] = {
        {"religion=full", 200,
         DATA("\"religion\":\"ISLAM\",\"occupation\":\"ISLAM\""), NULL,
         MISPLACED, "occupation"},
        {"blood_type=full", 200,
         DATA("\"blood_type\":\"O\",\"nationality\":\"O\""), NULL, MISPLACED,
         "nationality"},
        {"address=full", 200,
         DATA("\"address\":\"JL MERDEKA NO 5\","
              "\"district\":\"JL MERDEKA NO 5 CICENDO\""),
         NULL, MISPLACED, "district"},

        /* in pieces */
        {"nik=full", 200,
         DATA("\"nik\":\"" NIK "\",\"address\":\"3273010\","
              "\"rt_rw\":\"107/900\",\"district\":\"001\""),
         NULL, MISPLACED, NULL},
        {"nik=full", 200,
         DATA("\"nik\":\"" NIK "\",\"rt_rw\":\"327/301\",\"city\":\"001\","
              "\"address\":\"0107900\""),
         NULL, MISPLACED, NULL},
        {"nik=full", 200,
         DATA("\"nik\":\"" NIK "\",\"image_quality\":{\"blur_score\":0.327,"
              "\"dark_score\":0.301,\"flashlight_score\":0.010,"
              "\"grayscale_score\":0.790}"),
         NULL, MISPLACED, NULL},
        {"+district +full_name +occupation +city", 200,
         DATA("\"district\":\"32\",\"full_name\":\"73\",\"occupation\":\"01\","
              "\"city\":\"01\""),
         NULL, MISPLACED, NULL},
        {"full_name=full", 200,
         DATA("\"full_name\":\"BUDI SANTOSO\",\"city\":\"KOTA BUDI\","
              "\"district\":\"SANTOSO\""),
         NULL, MISPLACED, NULL},
        {"date_of_birth=full", 200,
         DATA("\"date_of_birth\":\"01-07-1990\",\"address\":\"NO 1\","
              "\"district\":\"7\",\"occupation\":\"X\",\"nik\":\"\","
              "\"city\":\"90\""),
         NULL, MISPLACED, NULL},

        /* in the part that a mask shows */
        {"nik=full full_name=first:12", 200,
         DATA("\"nik\":\"" NIK "\",\"full_name\":\"" NIK "\""), NULL, FORM,
         "full_name"},
        {"full_name=full nik=last:4", 200,
         DATA("\"nik\":\"XBUDI\",\"full_name\":\"BUDI\""), NULL, MISPLACED,
         "nik"},
        {"full_name=full nik=last:4", 200,
         DATA("\"nik\":\"BUDI1234\",\"full_name\":\"BUDI\""),
         DATA("\"nik\":\"****1234\",\"full_name\":\"********\""), NULL, NULL},

        /* what only looks like a date, or is one */
        {"nik=full", 200, DATA("\"date_of_birth\":\"31710157\""), NULL, FORM,
         "date_of_birth"},
        {"nik=full", 200,
         DATA("\"nik\":\"" NIK "\",\"date_of_birth\":\"01-07-1990\""),
         DATA("\"nik\":\"********\",\"date_of_birth\":\"01-07-1990\""), NULL,
         NULL},
        {"date_of_birth=full", 200,
         DATA("\"nik\":\"" NIK "\",\"date_of_birth\":\"01-07-1990\""),
         DATA("\"nik\":\"" NIK "\",\"date_of_birth\":\"********\""), NULL,
         NULL},

        /* scores: not from 0 to 1, or not in plain digits */
        {"nik=full", 200,
         DATA("\"image_quality\":{\"blur_score\":31.71015708450001,"
              "\"dark_score\":3.17e15,\"flashlight_score\":0.1234567,"
              "\"grayscale_score\":1.0}"),
         DATA("\"image_quality\":{\"flashlight_score\":0.123,"
              "\"grayscale_score\":1.0}"),
         NULL, NULL},
        {"nik=full", 200,
         DATA("\"image_quality\":{\"blur_score\":-0.5,\"dark_score\":1.5,"
              "\"flashlight_score\":0,\"grayscale_score\":2}"),
         DATA("\"image_quality\":{\"flashlight_score\":0}"), NULL, NULL},

        /* what only looks like it */
        {"blood_type=full", 200,
         DATA("\"blood_type\":\"O\",\"full_name\":\"OKTO O\""),
         DATA("\"full_name\":\"OKTO O\",\"blood_type\":\"********\""), NULL,
         NULL},
        {"occupation=full", 200,
         DATA("\"occupation\":\"-\",\"blood_type\":\"-\""),
         DATA("\"blood_type\":\"-\",\"occupation\":\"********\""), NULL, NULL},
        {"place_of_birth=full address=full", 200,
         DATA("\"place_of_birth\":\"BANDUNG\",\"address\":\"SUKAMAJU\","
              "\"administrative_village\":\"SUKAMAJU\","
              "\"city\":\"KOTA BANDUNG\""),
         DATA("\"place_of_birth\":\"********\",\"address\":\"********\","
              "\"administrative_village\":\"SUKAMAJU\","
              "\"city\":\"KOTA BANDUNG\""),
         NULL, NULL},
    };

    (void) state;
    run_cases(cases);
}


/*
 * A reference that the client made up itself may look like anything; another
 * one is not passed.
 */
static void
test_reference_id(void **state)
{
    char             *out;
    ktp_answer_t      answer;
    static const char body[] = DATA("\"reference_id\":\"" NIK "\"");

    (void) state;

    memset(&answer, 0, sizeof(answer));
    answer.reference_id.p = NIK;
    answer.reference_id.len = 16;
    out = rewrite(&answer, "nik=full", 200, body, sizeof(body) - 1);
    assert_non_null(out);
    assert_string_equal(out, body);
    free(out);

    answer.reference_id.len = 15;
    out = rewrite(&answer, "nik=full", 200, body, sizeof(body) - 1);
    assert_non_null(out);
    assert_string_equal(out, DATA("\"reference_id\":\"\""));
    free(out);
}


/*
 * The reference of another request in place of the upstream's, in an answer
 * that is passed and in one that is rewritten.
 */
static void
test_refer(void **state)
{
    char         *body, *out;
    size_t        i, len, size;
    ktp_answer_t  answer;
    unsigned char quoted[] = "a\"b\\c";

    /* NULL: impossible, or refused */
    static const struct {
        const char *reference;
        const char *body;
        const char *passed;
        const char *rewritten;
    } cases[] = {
        {"r-2", DATA("\"reference_id\":\"r-1\""),
         DATA("\"reference_id\":\"r-2\""), DATA("\"reference_id\":\"r-2\"")},
        {"", DATA("\"reference_id\":\"r-1\""), DATA("\"reference_id\":\"\""),
         DATA("\"reference_id\":\"\"")},
        {"r-2", DATA("\"reference_id\":\"\""),
         DATA("\"reference_id\":\"r-2\""), DATA("\"reference_id\":\"r-2\"")},
        {"r-2", DATA("\"reference_id\":null"),
         DATA("\"reference_id\":\"r-2\""), DATA("\"reference_id\":\"r-2\"")},

        /* equal */
        {"", DATA("\"reference_id\": null"), DATA("\"reference_id\": null"),
         DATA("\"reference_id\":\"\"")},
        {"r-1", DATA("\"reference_id\": \"r\\u002d1\""),
         DATA("\"reference_id\": \"r\\u002d1\""),
         DATA("\"reference_id\":\"r-1\"")},
        {"r-1", DATA("\"reference_id\": \"r-1 \""),
         DATA("\"reference_id\": \"r-1\""), DATA("\"reference_id\":\"r-1\"")},

        /* between others, which stay as they are */
        {"r-2",
         " {\"data\": {\"nik\" : \"1\",\n\t\"reference_id\" :\r\n "
         "\"r\\u002d\\\"1\""
         " , \"x\":[1.50, {\"reference_id\":\"r-1\"}]}, "
         "\"message\":\"\\u004fK\"} ",
         " {\"data\": {\"nik\" : \"1\",\n\t\"reference_id\" :\r\n \"r-2\""
         " , \"x\":[1.50, {\"reference_id\":\"r-1\"}]}, "
         "\"message\":\"\\u004fK\"} ",
         "{\"message\":\"OK\",\"data\":{\"nik\":\"1\","
         "\"reference_id\":\"r-2\"}}"},
        {"r-2", DATA("\"r\\u0065ference_id\":\"r-1\",\"nik\":\"1\""),
         DATA("\"r\\u0065ference_id\":\"r-2\",\"nik\":\"1\""),
         DATA("\"nik\":\"1\",\"reference_id\":\"r-2\"")},

        /* added where there is none, unless it is empty */
        {"r-2", DATA(""), DATA("\"reference_id\":\"r-2\""),
         DATA("\"reference_id\":\"r-2\"")},
        {"r-2", DATA(" "), DATA("\"reference_id\":\"r-2\" "),
         DATA("\"reference_id\":\"r-2\"")},
        {"r-2", DATA("\n\"nik\":\"1\""),
         DATA("\"reference_id\":\"r-2\",\n\"nik\":\"1\""),
         DATA("\"nik\":\"1\",\"reference_id\":\"r-2\"")},
        {"", DATA("\"nik\":\"1\""), DATA("\"nik\":\"1\""),
         DATA("\"nik\":\"1\"")},

        /* not where it belongs to something else */
        {"r-2", "{\"message\":\"\",\"reference_id\":\"r-1\"}",
         "{\"message\":\"\",\"reference_id\":\"r-1\"}", "{\"message\":\"\"}"},
        {"r-2", "{\"error_code\":\"A\",\"data\":null}",
         "{\"error_code\":\"A\",\"data\":null}", "{\"error_code\":\"A\"}"},
        {"", DATA("\"image_quality\":{\"reference_id\":\"r-1\"}"),
         DATA("\"image_quality\":{\"reference_id\":\"r-1\"}"),
         DATA("\"image_quality\":{}")},

        /* what is passed, but not rewritten */
        {"r-2", DATA("\"nik\":1,\"reference_id\":7"),
         DATA("\"nik\":1,\"reference_id\":\"r-2\""), NULL},
        {"r-2", DATA("\"reference_id\":true,\"nik\":[]"),
         DATA("\"reference_id\":\"r-2\",\"nik\":[]"), NULL},
        {"r-2", "{\"data\":[{\"reference_id\":\"r-1\"}]}",
         "{\"data\":[{\"reference_id\":\"r-1\"}]}", NULL},

        {"r-2", DATA("\"reference_id\":[\"r-1\"]"), NULL, NULL},
        {"r-2", DATA("\"reference_id\":{}"), NULL, NULL},
        {"r-2", DATA("\"reference_id\":\"r-1\",\"reference_id\":\"r-1\""),
         NULL, NULL},
        {"r-2",
         "{\"data\":{\"reference_id\":\"\"},\"data\":{\"reference_id\":\"\"}}",
         NULL, NULL},
        {"r-2", "{\"message\":\"\",\"data\":{\"reference_id\":\"r-1\"}", NULL,
         NULL},
        {"r-2", "{\"message\":\"\",\"data\":{\"reference_id\":\"r-1\"}}}",
         NULL, NULL},
        {"r-2", "<html>", NULL, NULL},
        {"r-2", "", NULL, NULL},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {

        /* where a byte too far would be seen */

        len = strlen(cases[i].body);
        body = malloc(len ? len : 1);
        assert_non_null(body);
        memcpy(body, cases[i].body, len);

        memset(&answer, 0, sizeof(answer));
        answer.reference_id.p = cases[i].reference;
        answer.reference_id.len = strlen(cases[i].reference);
        answer.set_reference = 1;

        out = rewrite(&answer, "", 200, body, len);

        if (cases[i].rewritten == NULL
                ? out != NULL
                : out == NULL || strcmp(out, cases[i].rewritten) != 0) {
            fail_msg("case %zu: rewritten as %s", i, out ? out : "nothing");
        }

        free(out);

        /* the same, and with a byte less than there must be room for */

        size = len + KTP_ANSWER_EXTRA;

        if (cases[i].passed) {
            size = strlen(cases[i].passed);
        }

        answer.out = malloc(size + 1);
        assert_non_null(answer.out);
        answer.out_size = size;

        ktp_answer_read(&answer);
        answer.out[answer.out_len] = '\0';

        if (strcmp(answer.out, cases[i].passed ? cases[i].passed : "") != 0) {
            fail_msg("case %zu: passed as %s", i, answer.out);
        }

        if (cases[i].passed) {
            answer.out_size--;
            ktp_answer_read(&answer);
            assert_int_equal(answer.out_len, 0);
        }

        free(answer.out);
        free(body);
    }

    /* neither a mask nor a check takes it for the upstream's */

    answer.reference_id.p = NIK;
    answer.reference_id.len = 16;
    out = rewrite(&answer, "nik=full", 200, DATA("\"reference_id\":\"r-1\""),
                  sizeof(DATA("\"reference_id\":\"r-1\"")) - 1);
    assert_non_null(out);
    assert_string_equal(out, DATA("\"reference_id\":\"" NIK "\""));
    free(out);

    out = rewrite(&answer, "+nik", 200, DATA("\"reference_id\":\"r-1\""),
                  sizeof(DATA("\"reference_id\":\"r-1\"")) - 1);
    assert_non_null(out);
    assert_string_equal(out, DATA(""));
    free(out);

    /* escaped as JSON requires */

    answer.reference_id.p = (char *) quoted;
    answer.reference_id.len = sizeof(quoted) - 1;
    answer.body = DATA("\"reference_id\":\"r-1\"");
    answer.len = strlen(answer.body);
    answer.out_size = answer.len + KTP_ANSWER_EXTRA;
    answer.out = malloc(answer.out_size + 1);
    assert_non_null(answer.out);
    ktp_answer_read(&answer);
    answer.out[answer.out_len] = '\0';
    assert_string_equal(answer.out, DATA("\"reference_id\":\"a\\\"b\\\\c\""));
    free(answer.out);
}


static void
test_read(void **state)
{
    size_t       i;
    ktp_answer_t answer;

    static const struct {
        const char *body, *status_code, *error_code, *nik;
        int         strict;
    } cases[] = {
        {"{\"status_code\":\"V-1\",\"data\":{\"nik\":\"" NIK "\"}}", "V-1", "",
         NIK, 1},
        {"{\"error_code\":\"FAIL_ON_1\",\"message\":\"\"}", "", "FAIL_ON_1",
         "", 1},
        {"{}", "", "", "", 1},

        /* not strict, and still read */
        {"{\"status_code\":200,\"error_code\":\"A\"}", "", "A", "", 0},
        {"{\"error_code\":\"A\",\"error_code\":\"B\"}", "", "A", "", 0},
        {"{\"error_code\":\"A\",\"data\":[{\"nik\":\"1\"}],\"message\":1}", "",
         "A", "", 0},
        {"{\"data\":{\"image_quality\":[],\"nik\":\"" NIK "\"},"
         "\"error_code\":\"A\"}",
         "", "A", NIK, 0},
        {"{\"error_code\":\"A\"", "", "A", "", 0},
        {"[{\"error_code\":\"A\"}]", "", "", "", 0},
        {"<html>", "", "", "", 0},
        {"", "", "", "", 0},
        {"\xff", "", "", "", 0},

        /* a number of a card is no code, and must not be logged */
        {"{\"error_code\":\"" NIK "\",\"status_code\":\"V-1234567\"}",
         "V-1234567", "", "", 1},
        {"{\"status_code\":\"V-1234567-8\"}", "", "", "", 1},

        /* what a log could not have in one word */
        {"{\"error_code\":\"a b\",\"status_code\":\"a\\nb\"}", "", "", "", 1},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(&answer, 0xff, sizeof(answer));
        answer.status = 200;
        answer.body = cases[i].body;
        answer.len = strlen(cases[i].body);
        answer.set_reference = 0;

        ktp_answer_read(&answer);
        assert_int_equal(answer.out_len, 0);

        if (strcmp(answer.status_code, cases[i].status_code) != 0
            || strcmp(answer.error_code, cases[i].error_code) != 0
            || strcmp(answer.nik, cases[i].nik) != 0
            || (answer.reason == NULL) != cases[i].strict) {
            fail_msg("case %zu: \"%s\", \"%s\", \"%s\", %s", i,
                     answer.status_code, answer.error_code, answer.nik,
                     answer.reason ? answer.reason : "strict");
        }
    }
}


static void
test_policy(void **state)
{
    unsigned            i;
    ktp_answer_policy_t policy;

    (void) state;

    answer_policy(&policy, "");
    assert_false(ktp_answer_rewrites(&policy));
    answer_policy(&policy, "check");
    assert_true(ktp_answer_rewrites(&policy));
    answer_policy(&policy, "nationality=full");
    assert_true(ktp_answer_rewrites(&policy));
    answer_policy(&policy, "+nik");
    assert_true(ktp_answer_rewrites(&policy));

    for (i = 0; i < KTP_FIELDS; i++) {
        assert_int_equal(
            ktp_field_by_name(ktp_field_name(i), strlen(ktp_field_name(i))),
            i);
    }

    assert_null(ktp_field_name(KTP_FIELDS));
    assert_int_equal(ktp_field_by_name("nike", 4), KTP_FIELDS);
    assert_int_equal(ktp_field_by_name("ni", 2), KTP_FIELDS);
    assert_int_equal(ktp_field_by_name("", 0), KTP_FIELDS);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),  cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_masks),   cmocka_unit_test(test_nik_check),
        cmocka_unit_test(test_null),    cmocka_unit_test(test_strict),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_room),
        cmocka_unit_test(test_message), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_fields),  cmocka_unit_test(test_reference_id),
        cmocka_unit_test(test_refer),   cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
