#include <string.h>
#include "ktp_answer_doc.h"
#include "ktp_json_writer.h"
#include "ktp_local.h"
#include "ktp_nik.h"


typedef struct {
    char  *p;
    size_t left;
} ktp_local_writer_t;

static const struct {
    unsigned    from; /* thousandths */
    const char *name;
} ktp_local_bins[KTP_LOCAL_BINS] = {
    {0, "0"},      {500, "0.5"},  {700, "0.7"},  {800, "0.8"},   {900, "0.9"},
    {950, "0.95"}, {980, "0.98"}, {990, "0.99"}, {995, "0.995"},
};


static int      ktp_local_thousandths(const ktp_value_t *value, unsigned *n);
static unsigned ktp_local_bin_of(unsigned confidence);
static const char *ktp_local_nik(const ktp_answer_doc_t *doc);
static int         ktp_local_same(ktp_value_t a, ktp_value_t b);
static int         ktp_local_next(ktp_value_t *value);
static void        ktp_local_compare_docs(ktp_local_compare_t    *compare,
                                          const ktp_answer_doc_t *doc,
                                          const ktp_answer_doc_t *local);
static void        ktp_local_put(ktp_json_writer_t *json, const char *name,
                                 const char *value);
static void        ktp_local_put_data(ktp_json_writer_t       *json,
                                      const ktp_local_check_t *check,
                                      const char              *reference_id);
static void        ktp_local_write(void *ctx, const char *p, size_t len);


/* A number from 0 to 1 without an exponent: 0, or -1. */

static int
ktp_local_thousandths(const ktp_value_t *value, unsigned *n)
{
    size_t   i, digits;
    unsigned whole;

    if (value->p == NULL || value->len == 0
        || (value->p[0] != '0' && value->p[0] != '1')
        || (value->len > 1 && value->p[1] != '.')) {
        return -1;
    }

    whole = (unsigned) (value->p[0] - '0');
    *n = whole;
    digits = 0;

    for (i = 2; i < value->len; i++) {
        if (value->p[i] < '0' || value->p[i] > '9'
            || (whole && value->p[i] != '0')) {
            return -1;
        }

        if (digits < 3) {
            *n = *n * 10 + (unsigned) (value->p[i] - '0');
            digits++;
        }
    }

    for (; digits < 3; digits++) {
        *n *= 10;
    }

    return 0;
}


int
ktp_local_check(ktp_local_check_t *check, const char *body, size_t len)
{
    int              rc;
    unsigned         i;
    ktp_answer_doc_t doc;

    memset(check, 0, sizeof(ktp_local_check_t));

    rc = ktp_answer_json_read(&doc, body, len, KTP_ANSWER_JSON_LOCAL);

    if (rc == 0
        && (doc.detected.p == NULL || doc.detected.len == 0 || !doc.has_quality
            || ktp_local_thousandths(&doc.confidence, &check->confidence)
                   != 0)) {
        rc = -1;
    }

    if (rc == 0) {
        check->detected = doc.detected.p[0] == 't';

        for (i = 0; i < KTP_QUALITY_FLAGS; i++) {
            if (doc.quality[i].p && doc.quality[i].len
                && doc.quality[i].p[0] == 't') {
                check->quality |= 1u << i;
            }
        }
    }

    ktp_answer_json_read_free(&doc);

    return rc;
}


unsigned
ktp_local_refuse(const ktp_local_check_t *check, int quality)
{
    if (!check->detected && check->confidence <= KTP_LOCAL_NO_CARD) {
        return 400;
    }

    return check->detected && quality && check->quality ? 200 : 0;
}


size_t
ktp_local_refusal(const ktp_local_check_t *check, unsigned status,
                  const char *reference_id, char *buf)
{
    ktp_json_writer_t *json;
    ktp_local_writer_t writer;

    writer.p = buf;
    writer.left = KTP_LOCAL_REFUSAL;

    json = ktp_json_writer_create(ktp_local_write, &writer);
    if (json == NULL) {
        return 0;
    }

    ktp_json_writer_open(json);

    if (status == 200) {
        ktp_local_put(json, "message", "Image quality is insufficient");
        ktp_local_put(json, "error_code", "FAIL_ON_1");
        ktp_local_put(json, "status_code", "LOCAL-0");
        ktp_local_put_data(json, check, reference_id);

    } else {
        ktp_local_put(json, "message", "KTP not detected in the image");
        ktp_local_put(json, "error_code", "KTP_NOT_DETECTED");
    }

    ktp_json_writer_close(json);
    ktp_json_writer_destroy(json);

    return (size_t) (writer.p - buf);
}


static void
ktp_local_put(ktp_json_writer_t *json, const char *name, const char *value)
{
    ktp_json_writer_string(json, name, strlen(name));
    ktp_json_writer_string(json, value, strlen(value));
}


static void
ktp_local_put_data(ktp_json_writer_t *json, const ktp_local_check_t *check,
                   const char *reference_id)
{
    unsigned    i;
    ktp_field_t field;
    const char *name;

    ktp_json_writer_string(json, "data", 4);
    ktp_json_writer_open(json);

    for (field = 0; field < KTP_FIELD_TEXTS; field++) {
        ktp_local_put(json, ktp_field_name(field),
                      field == KTP_FIELD_REFERENCE_ID ? reference_id : "");
    }

    name = ktp_field_name(KTP_FIELD_IMAGE_QUALITY);
    ktp_json_writer_string(json, name, strlen(name));
    ktp_json_writer_open(json);

    for (i = 0; i < KTP_QUALITY_FLAGS; i++) {
        name = ktp_answer_doc_quality_name(i);
        ktp_json_writer_string(json, name, strlen(name));
        ktp_json_writer_bool(json, (check->quality >> i) & 1);
    }

    ktp_json_writer_close(json);
    ktp_json_writer_close(json);
}


static void
ktp_local_write(void *ctx, const char *p, size_t len)
{
    ktp_local_writer_t *writer = ctx;

    if (len <= writer->left) {
        memcpy(writer->p, p, len);
        writer->p += len;
        writer->left -= len;
    }
}


const char *
ktp_local_doubt(const char *body, size_t len, unsigned fields,
                unsigned confidence)
{
    unsigned         n;
    ktp_field_t      field;
    const char      *doubt;
    ktp_answer_doc_t doc;

    doubt = NULL;

    if (ktp_answer_json_read(&doc, body, len, KTP_ANSWER_JSON_LOCAL) != 0) {
        doubt = "the answer is not usable";

    } else if (!doc.has_data || doc.top[KTP_ANSWER_TEXT_ERROR_CODE].len) {
        doubt = "no card was read";
    }

    for (field = 0; doubt == NULL && field < KTP_LOCAL_FIELDS; field++) {
        if ((fields & ktp_field_bit(field))
            && (doc.field[field].p == NULL || doc.field[field].len == 0
                || ktp_local_thousandths(&doc.sure[field], &n) != 0
                || n < confidence)) {
            doubt = ktp_field_name(field);
        }
    }

    if (doubt == NULL) {
        doubt = ktp_local_nik(&doc);
    }

    ktp_answer_json_read_free(&doc);

    return doubt;
}


/* NULL if the NIK is valid and agrees with the fields. */

static const char *
ktp_local_nik(const ktp_answer_doc_t *doc)
{
    ktp_nik_check_t check;

    ktp_nik_check(&check, doc->field[KTP_FIELD_NIK],
                  doc->field[KTP_FIELD_DATE_OF_BIRTH],
                  doc->field[KTP_FIELD_GENDER], doc->field[KTP_FIELD_CITY],
                  doc->field[KTP_FIELD_STATE]);

    return check.valid_format && check.date_of_birth_matches == KTP_TRUE
                   && check.gender_matches == KTP_TRUE
                   && check.region_matches == KTP_TRUE
               ? NULL
               : "the NIK does not agree with other fields";
}


int
ktp_local_compare(ktp_local_compare_t *compare, const char *body, size_t len,
                  const char *local, size_t local_len)
{
    int              rc;
    ktp_answer_doc_t docs[2];

    memset(compare, 0, sizeof(ktp_local_compare_t));

    rc = ktp_answer_json_read(&docs[0], body, len, KTP_ANSWER_JSON_LENIENT);

    if (ktp_answer_json_read(&docs[1], local, local_len, KTP_ANSWER_JSON_LOCAL)
        != 0) {
        rc = -1;
    }

    if (rc == 0) {
        ktp_local_compare_docs(compare, &docs[0], &docs[1]);
    }

    ktp_answer_json_read_free(&docs[0]);
    ktp_answer_json_read_free(&docs[1]);

    return rc;
}


static void
ktp_local_compare_docs(ktp_local_compare_t    *compare,
                       const ktp_answer_doc_t *doc,
                       const ktp_answer_doc_t *local)
{
    unsigned    n, least;
    ktp_field_t field;

    least = ktp_local_nik(local) == NULL ? 1000 : 0;
    compare->card = KTP_LOCAL_AGREES;

    for (field = 0; field < KTP_LOCAL_FIELDS; field++) {

        if (ktp_local_thousandths(&local->sure[field], &n) != 0
            || local->field[field].len == 0) {
            n = 0;
        }

        least = n < least ? n : least;
        compare->bin[field] = ktp_local_bin_of(n);

        if (local->field[field].len == 0 && doc->field[field].len == 0) {
            continue;
        }

        if (ktp_local_same(local->field[field], doc->field[field])) {
            compare->match[field] = KTP_LOCAL_AGREES;

        } else {
            compare->match[field] = KTP_LOCAL_DIFFERS;
            compare->card = KTP_LOCAL_DIFFERS;
        }
    }

    compare->card_bin = ktp_local_bin_of(least);
}


static int
ktp_local_same(ktp_value_t a, ktp_value_t b)
{
    int c;

    do {
        c = ktp_local_next(&a);

        if (c != ktp_local_next(&b)) {
            return 0;
        }
    } while (c != -1);

    return 1;
}


/* The next letter or digit, as a capital; -1 at the end. */

static int
ktp_local_next(ktp_value_t *value)
{
    unsigned char c;

    while (value->len) {
        c = (unsigned char) *value->p++;
        value->len--;

        if (c >= 'a' && c <= 'z') {
            return c - 'a' + 'A';
        }

        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c > 0x7f) {
            return c;
        }
    }

    return -1;
}


static unsigned
ktp_local_bin_of(unsigned confidence)
{
    unsigned bin;

    for (bin = KTP_LOCAL_BINS - 1; ktp_local_bins[bin].from > confidence;
         bin--) { /* void */
    }

    return bin;
}


const char *
ktp_local_bin(unsigned bin)
{
    return ktp_local_bins[bin].name;
}
