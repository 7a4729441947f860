/* Answers of a local reader: checks, doubts, comparisons. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "ktp_answer_doc.h"
#include "ktp_limits.h"
#include "ktp_local.h"


#define NIK     "3273995708900001"
#define ALL     (ktp_field_bit(KTP_LOCAL_FIELDS) - 1)
#define QUALITY "\"image_quality\":{\"blur\":false}"

#define DATA(members) "{\"message\":\"Success\",\"data\":{" members "}}"
#define SURE(name, n) "\"" name "\":{\"confidence\":" n "}"

/* What the NIK is compared with, and a name. */
#define CARD(name)                                                            \
    "\"nik\":\"" NIK "\",\"date_of_birth\":\"17-08-1990\","                   \
    "\"gender\":\"PEREMPUAN\",\"city\":\"KOTA BANDUNG\","                     \
    "\"state\":\"JAWA BARAT\",\"full_name\":\"" name "\""

#define SURES(n, name)                                                        \
    "\"details\":{" SURE("nik", n) "," SURE("date_of_birth", n) "," SURE(     \
        "gender", n) "," SURE("city", n) "," SURE("state",                    \
                                                  n) "," SURE("full_name",    \
                                                              name) "}"

/* The fields of CARD. */
#define SOME                                                                  \
    (ktp_field_bit(KTP_FIELD_NIK) | ktp_field_bit(KTP_FIELD_FULL_NAME)        \
     | ktp_field_bit(KTP_FIELD_DATE_OF_BIRTH)                                 \
     | ktp_field_bit(KTP_FIELD_GENDER) | ktp_field_bit(KTP_FIELD_CITY)        \
     | ktp_field_bit(KTP_FIELD_STATE))


static void
test_check(void **state)
{
    int               rc;
    size_t            i;
    ktp_local_check_t check;

    static const struct {
        const char *body;
        int         rc;
        unsigned    detected, confidence, quality;
        unsigned    refuse, strict; /* without and with quality */
    } cases[] = {
        {DATA("\"detected\":true,\"confidence\":1," QUALITY), 0, 1, 1000, 0, 0,
         0},
        {DATA("\"detected\":false,\"confidence\":0," QUALITY), 0, 0, 0, 0, 400,
         400},
        {DATA("\"detected\":false,\"confidence\":0.4," QUALITY), 0, 0, 400, 0,
         400, 400},

        /* what is beyond thousandths makes no difference */
        {DATA("\"detected\":false,\"confidence\":0.4009," QUALITY), 0, 0, 400,
         0, 400, 400},
        {DATA("\"detected\":false,\"confidence\":0.401," QUALITY), 0, 0, 401,
         0, 0, 0},
        {DATA("\"detected\":true,\"confidence\":0.05," QUALITY), 0, 1, 50, 0,
         0, 0},
        {DATA("\"detected\":true,\"confidence\":1.000," QUALITY), 0, 1, 1000,
         0, 0, 0},
        {DATA("\"detected\":true,\"confidence\":0.9,\"image_quality\":"
              "{\"grayscale\":true,\"blur\":true,\"dark\":false}"),
         0, 1, 900, 1u << KTP_QUALITY_BLUR | 1u << KTP_QUALITY_GRAYSCALE, 0,
         200},
        {DATA("\"detected\":false,\"confidence\":0.9,\"image_quality\":"
              "{\"blur\":true}"),
         0, 0, 900, 1u << KTP_QUALITY_BLUR, 0, 0},

        /* no answers to a check */
        {DATA("\"detected\":true,\"confidence\":1"), -1, 0, 0, 0, 0, 0},
        {DATA("\"detected\":true," QUALITY), -1, 0, 0, 0, 0, 0},
        {DATA("\"confidence\":1," QUALITY), -1, 0, 0, 0, 0, 0},
        {DATA("\"detected\":1,\"confidence\":1," QUALITY), -1, 0, 0, 0, 0, 0},
        {DATA("\"detected\":null,\"confidence\":1," QUALITY), -1, 0, 0, 0, 0,
         0},
        {DATA("\"detected\":true,\"confidence\":\"1\"," QUALITY), -1, 0, 0, 0,
         0, 0},
        {DATA("\"detected\":true,\"confidence\":1.001," QUALITY), -1, 0, 0, 0,
         0, 0},
        {DATA("\"detected\":true,\"confidence\":2," QUALITY), -1, 0, 0, 0, 0,
         0},
        {DATA("\"detected\":true,\"confidence\":-0.1," QUALITY), -1, 0, 0, 0,
         0, 0},
        {DATA("\"detected\":true,\"confidence\":1e-1," QUALITY), -1, 0, 0, 0,
         0, 0},
        {"{\"detected\":true,\"confidence\":1," QUALITY "}", -1, 0, 0, 0, 0,
         0},
        {DATA(
             "\"detected\":true,\"detected\":false,\"confidence\":1," QUALITY),
         -1, 0, 0, 0, 0, 0},
        {"[]", -1, 0, 0, 0, 0, 0},
        {"", -1, 0, 0, 0, 0, 0},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rc = ktp_local_check(&check, cases[i].body, strlen(cases[i].body));

        if (rc != cases[i].rc
            || (rc == 0
                && (check.detected != cases[i].detected
                    || check.confidence != cases[i].confidence
                    || check.quality != cases[i].quality
                    || ktp_local_refuse(&check, 0) != cases[i].refuse
                    || ktp_local_refuse(&check, 1) != cases[i].strict))) {
            fail_msg("case %zu: %d, %u, %u, %u, %u", i, rc, check.detected,
                     check.confidence, check.quality,
                     ktp_local_refuse(&check, 1));
        }
    }
}


static void
test_refusal(void **state)
{
    char              buf[KTP_LOCAL_REFUSAL + 1], id[KTP_MAX_REFERENCE_ID + 1];
    size_t            n;
    ktp_field_t       field;
    ktp_answer_doc_t  doc;
    ktp_local_check_t check;

    (void) state;

    memset(&check, 0, sizeof(check));
    n = ktp_local_refusal(&check, 400, "a", buf);
    buf[n] = '\0';
    assert_string_equal(buf, "{\"message\":\"KTP not detected in the image\","
                             "\"error_code\":\"KTP_NOT_DETECTED\"}");

    /* the longest: each byte of the identifier is written as six */

    memset(id, '\001', KTP_MAX_REFERENCE_ID);
    id[KTP_MAX_REFERENCE_ID] = '\0';
    check.detected = 1;
    check.quality = 1u << KTP_QUALITY_DARK;

    n = ktp_local_refusal(&check, 200, id, buf);
    assert_in_range(n, 1, KTP_LOCAL_REFUSAL - 1);
    assert_int_equal(
        ktp_answer_json_read(&doc, buf, n, KTP_ANSWER_JSON_STRICT), 0);
    assert_true(doc.has_data && doc.has_quality);
    assert_int_equal(doc.top[KTP_ANSWER_TEXT_ERROR_CODE].len, 9);
    assert_int_equal(doc.field[KTP_FIELD_REFERENCE_ID].len,
                     KTP_MAX_REFERENCE_ID);
    assert_memory_equal(doc.quality[KTP_QUALITY_DARK].p, "true", 4);
    assert_memory_equal(doc.quality[KTP_QUALITY_BLUR].p, "false", 5);

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {
        assert_non_null(doc.field[field].p);
        assert_int_equal(doc.field[field].len, 0);
    }

    ktp_answer_json_read_free(&doc);
}


static void
test_doubt(void **state)
{
    size_t      i;
    const char *doubt;

    static const struct {
        const char *body;
        unsigned    fields, confidence;
        const char *doubt; /* how it begins; NULL: none */
    } cases[] = {
        {DATA(CARD("A") "," SURES("0.9", "0.9")), SOME, 900, NULL},
        {DATA(CARD("A") "," SURES("1", "1.0")), SOME, 1000, NULL},
        {DATA(CARD("A") "," SURES("0.8999", "1")), SOME, 900, "nik"},
        {DATA(CARD("A") "," SURES("0.9", "0.899")), SOME, 900, "full_name"},
        {DATA(CARD("A") "," SURES("0.9", "0.899")),
         SOME & ~ktp_field_bit(KTP_FIELD_FULL_NAME), 900, NULL},
        {DATA(CARD("") "," SURES("0.9", "0.9")), SOME, 900, "full_name"},
        {DATA(CARD("A") "," SURES("0.9", "\"0.9\"")), SOME, 900,
         "the answer is not usable"},
        {DATA(CARD("A") "," SURES("0.9", "0.9")), ALL, 900, "place_of_birth"},
        {DATA(CARD("A")), SOME, 1, "nik"},

        /* the NIK counts although none of its fields does */
        {DATA(CARD("A")), 0, 900, NULL},
        {DATA("\"nik\":\"" NIK "\""), 0, 900, "the NIK does not agree"},
        {DATA(""), 0, 900, "the NIK does not agree"},

        {"{\"message\":\"No\",\"error_code\":\"KTP_NOT_DETECTED\"}", SOME, 1,
         "no card"},
        {"{\"message\":\"No\",\"error_code\":\"FAIL_ON_1\",\"data\":{" CARD(
             "A") "," SURES("1", "1") "}}",
         SOME, 900, "no card"},
        {"{\"message\":\"a\",\"message\":\"b\",\"data\":{" CARD("A") "," SURES(
             "1", "1") "}}",
         SOME, 900, "the answer is not usable"},
        {DATA(CARD("A") "," SURES("1", "1")) "x", SOME, 900,
         "the answer is not usable"},
        {"", SOME, 900, "the answer is not usable"},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        doubt = ktp_local_doubt(cases[i].body, strlen(cases[i].body),
                                cases[i].fields, cases[i].confidence);

        if (cases[i].doubt == NULL
                ? doubt != NULL
                : doubt == NULL
                      || strncmp(doubt, cases[i].doubt, strlen(cases[i].doubt))
                             != 0) {
            fail_msg("case %zu: %s", i, doubt ? doubt : "none");
        }
    }
}


static void
test_compare(void **state)
{
    int                 rc;
    size_t              i;
    ktp_local_compare_t compare;

    static const struct {
        const char       *body;
        const char       *local;
        int               rc;
        ktp_local_match_t name, card;
        const char       *bin, *card_bin; /* of the name */
    } cases[] = {
        {DATA(CARD("SITI A")), DATA(CARD("SITI A") "," SURES("0.99", "0.95")),
         0, KTP_LOCAL_AGREES, KTP_LOCAL_AGREES, "0.95", "0"},
        {DATA(CARD("siti-a.")), DATA(CARD(" SITI  A") "," SURES("1", "0.7")),
         0, KTP_LOCAL_AGREES, KTP_LOCAL_AGREES, "0.7", "0"},
        {DATA(CARD("SITI A")), DATA(CARD("SITI B") "," SURES("1", "0.6999")),
         0, KTP_LOCAL_DIFFERS, KTP_LOCAL_DIFFERS, "0.5", "0"},
        {DATA(CARD("SITI A")), DATA(CARD("SITI") "," SURES("1", "1")), 0,
         KTP_LOCAL_DIFFERS, KTP_LOCAL_DIFFERS, "0.995", "0"},
        {DATA(CARD("SITI")), DATA(CARD("SITI A") "," SURES("1", "0.995")), 0,
         KTP_LOCAL_DIFFERS, KTP_LOCAL_DIFFERS, "0.995", "0"},

        /* a value that is empty is not sure, whatever it says */
        {DATA(CARD("A")), DATA(CARD("") "," SURES("1", "1")), 0,
         KTP_LOCAL_DIFFERS, KTP_LOCAL_DIFFERS, "0", "0"},
        {DATA(CARD("")), DATA(CARD("A") "," SURES("1", "1")), 0,
         KTP_LOCAL_DIFFERS, KTP_LOCAL_DIFFERS, "0.995", "0"},
        {DATA(CARD("")), DATA(CARD("") "," SURES("1", "1")), 0,
         KTP_LOCAL_NOT_COMPARED, KTP_LOCAL_AGREES, "0", "0"},

        /* no details */
        {DATA(CARD("A")), DATA(CARD("A")), 0, KTP_LOCAL_AGREES,
         KTP_LOCAL_AGREES, "0", "0"},

        /* one of the two is not right */
        {"{\"message\":\"a\",\"message\":\"b\",\"data\":{" CARD("A") "}}",
         DATA(CARD("A") "," SURES("1", "1")), -1, 0, 0, NULL, NULL},
        {DATA(CARD("A")), "{\"message\":\"a\",\"message\":\"b\"}", -1, 0, 0,
         NULL, NULL},
        {"", DATA(CARD("A")), -1, 0, 0, NULL, NULL},
        {DATA(CARD("A")), "", -1, 0, 0, NULL, NULL},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rc = ktp_local_compare(&compare, cases[i].body, strlen(cases[i].body),
                               cases[i].local, strlen(cases[i].local));

        if (rc != cases[i].rc
            || (rc == 0
                && (compare.match[KTP_FIELD_FULL_NAME] != cases[i].name
                    || compare.card != cases[i].card
                    || strcmp(ktp_local_bin(compare.bin[KTP_FIELD_FULL_NAME]),
                              cases[i].bin)
                           != 0
                    || strcmp(ktp_local_bin(compare.card_bin),
                              cases[i].card_bin)
                           != 0))) {
            fail_msg("case %zu: %d, %d, %d, bins %s, %s", i, rc,
                     compare.match[KTP_FIELD_FULL_NAME], compare.card,
                     ktp_local_bin(compare.bin[KTP_FIELD_FULL_NAME]),
                     ktp_local_bin(compare.card_bin));
        }
    }
}


/* A card all of whose fields are there, one of them less sure. */

static void
test_card(void **state)
{
    char                body[4096], *p;
    const char         *value;
    ktp_field_t         field;
    ktp_local_compare_t compare;

    (void) state;

    p = body + sprintf(body, "{\"message\":\"ok\",\"data\":{");

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {
        value = field == KTP_FIELD_NIK             ? NIK
                : field == KTP_FIELD_DATE_OF_BIRTH ? "17-08-1990"
                : field == KTP_FIELD_GENDER        ? "PEREMPUAN"
                : field == KTP_FIELD_CITY          ? "KOTA BANDUNG"
                : field == KTP_FIELD_STATE         ? "JAWA BARAT"
                                                   : "A";
        p += sprintf(p, "\"%s\":\"%s\",", ktp_field_name(field), value);
    }

    p += sprintf(p, "\"details\":{");

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {
        p += sprintf(p, "%s\"%s\":{\"confidence\":%s}", field ? "," : "",
                     ktp_field_name(field),
                     field == KTP_FIELD_RELIGION ? "0.81" : "0.991");
    }

    p += sprintf(p, "}}}");

    assert_null(ktp_local_doubt(body, (size_t) (p - body), ALL, 810));
    assert_string_equal(ktp_local_doubt(body, (size_t) (p - body), ALL, 811),
                        "religion");

    assert_int_equal(ktp_local_compare(&compare, body, (size_t) (p - body),
                                       body, (size_t) (p - body)),
                     0);
    assert_string_equal(ktp_local_bin(compare.card_bin), "0.8");
    assert_string_equal(ktp_local_bin(compare.bin[KTP_FIELD_CITY]), "0.99");
    assert_int_equal(compare.card, KTP_LOCAL_AGREES);

    /* a NIK that contradicts the date makes the whole card unsure */

    memcpy(strstr(body, "17-08-1990"), "18", 2);
    assert_non_null(ktp_local_doubt(body, (size_t) (p - body), ALL, 810));
    assert_int_equal(ktp_local_compare(&compare, body, (size_t) (p - body),
                                       body, (size_t) (p - body)),
                     0);
    assert_string_equal(ktp_local_bin(compare.card_bin), "0");
    assert_string_equal(ktp_local_bin(compare.bin[KTP_FIELD_CITY]), "0.99");
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check), cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_doubt), cmocka_unit_test(test_compare),
        cmocka_unit_test(test_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
