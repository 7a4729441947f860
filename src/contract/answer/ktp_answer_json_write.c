#include <string.h>
#include <yajl/yajl_gen.h>
#include "ktp_answer_doc.h"
#include "ktp_nik.h"


typedef struct {
    char  *p;
    char  *end;
    size_t missing;
} ktp_answer_writer_t;


static void ktp_answer_write(void *ctx, const char *p, size_t len);
static void ktp_answer_put(yajl_gen gen, const char *name, const char *p,
                           size_t len);
static void ktp_answer_put_fields(yajl_gen gen, const ktp_answer_t *answer,
                                  const ktp_answer_doc_t    *doc,
                                  const ktp_answer_policy_t *policy);
static void ktp_answer_put_quality(yajl_gen gen, const ktp_answer_doc_t *doc);
static void ktp_answer_put_check(yajl_gen gen, const ktp_answer_doc_t *doc);
static void ktp_answer_put_tristate(yajl_gen gen, const char *name,
                                    ktp_tristate_t value);


/*
 * Keys are strings and the depth is three, so that a call of the generator
 * fails only if one before it did: the status of the last one tells.
 */
int
ktp_answer_json_write(ktp_answer_t *answer, const ktp_answer_doc_t *doc,
                      const ktp_answer_policy_t *policy)
{
    unsigned            i;
    yajl_gen            gen;
    yajl_gen_status     status;
    ktp_answer_writer_t writer;

    gen = yajl_gen_alloc(NULL);
    if (gen == NULL) {
        return -1;
    }

    writer.p = answer->out;
    writer.end = answer->out + answer->out_size;
    writer.missing = 0;

    yajl_gen_config(gen, yajl_gen_print_callback, ktp_answer_write, &writer);

    (void) yajl_gen_map_open(gen);

    for (i = 0; i < KTP_ANSWER_TEXTS; i++) {
        if (doc->top[i].p) {
            ktp_answer_put(gen, ktp_answer_text_name(i), doc->top[i].p,
                           doc->top[i].len);
        }
    }

    if (doc->has_data && answer->status == 200) {
        (void) yajl_gen_string(gen, (const unsigned char *) "data", 4);
        (void) yajl_gen_map_open(gen);

        ktp_answer_put_fields(gen, answer, doc, policy);

        if (policy->nik_check) {
            ktp_answer_put_check(gen, doc);
        }

        (void) yajl_gen_map_close(gen);
    }

    status = yajl_gen_map_close(gen);
    yajl_gen_free(gen);

    answer->out_len = (size_t) (writer.p - answer->out);

    return (status == yajl_gen_status_ok && writer.missing == 0) ? 0 : -1;
}


static void
ktp_answer_write(void *ctx, const char *p, size_t len)
{
    ktp_answer_writer_t *writer = ctx;

    if (writer->missing || len > (size_t) (writer->end - writer->p)) {
        writer->missing += len;
        return;
    }

    memcpy(writer->p, p, len);
    writer->p += len;
}


static void
ktp_answer_put(yajl_gen gen, const char *name, const char *p, size_t len)
{
    (void) yajl_gen_string(gen, (const unsigned char *) name, strlen(name));
    (void) yajl_gen_string(gen, (const unsigned char *) p, len);
}


static void
ktp_answer_put_fields(yajl_gen gen, const ktp_answer_t *answer,
                      const ktp_answer_doc_t    *doc,
                      const ktp_answer_policy_t *policy)
{
    char               masked[KTP_ANSWER_MAX_FIELD];
    size_t             len;
    unsigned           i;
    const ktp_value_t *value;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        value = &doc->field[i];

        if (value->p == NULL || !(policy->fields & ktp_field_bit(i))) {
            continue;
        }

        if (policy->mask[i].style == KTP_MASK_NONE) {
            ktp_answer_put(gen, ktp_field_name(i), value->p, value->len);
            continue;
        }

        len = ktp_mask_apply(&policy->mask[i], value->p, value->len, masked,
                             answer->hmac, answer->hmac_ctx);
        ktp_answer_put(gen, ktp_field_name(i), masked, len);
    }

    if (doc->has_quality
        && (policy->fields & ktp_field_bit(KTP_FIELD_IMAGE_QUALITY))) {
        ktp_answer_put_quality(gen, doc);
    }
}


static void
ktp_answer_put_quality(yajl_gen gen, const ktp_answer_doc_t *doc)
{
    unsigned           i;
    const char        *name;
    const ktp_value_t *value;

    name = ktp_field_name(KTP_FIELD_IMAGE_QUALITY);
    (void) yajl_gen_string(gen, (const unsigned char *) name, strlen(name));
    (void) yajl_gen_map_open(gen);

    for (i = 0; i < KTP_QUALITIES; i++) {
        value = &doc->quality[i];

        if (value->p == NULL) {
            continue;
        }

        name = ktp_answer_quality_name(i);
        (void) yajl_gen_string(gen, (const unsigned char *) name,
                               strlen(name));

        if (i < KTP_QUALITY_FLAGS) {
            (void) yajl_gen_bool(gen, value->p[0] == 't');

        } else {
            (void) yajl_gen_number(gen, value->p, value->len);
        }
    }

    (void) yajl_gen_map_close(gen);
}


static void
ktp_answer_put_check(yajl_gen gen, const ktp_answer_doc_t *doc)
{
    ktp_nik_check_t check;

    ktp_nik_check(&check, doc->field[KTP_FIELD_NIK],
                  doc->field[KTP_FIELD_DATE_OF_BIRTH],
                  doc->field[KTP_FIELD_GENDER], doc->field[KTP_FIELD_CITY],
                  doc->field[KTP_FIELD_STATE]);

    (void) yajl_gen_string(gen, (const unsigned char *) "nik_check", 9);
    (void) yajl_gen_map_open(gen);

    ktp_answer_put_tristate(gen, "valid_format", check.valid_format);

    if (check.province) {
        ktp_answer_put(gen, "province", check.province,
                       strlen(check.province));

    } else {
        (void) yajl_gen_string(gen, (const unsigned char *) "province", 8);
        (void) yajl_gen_null(gen);
    }

    ktp_answer_put_tristate(gen, "date_of_birth_matches",
                            check.date_of_birth_matches);
    ktp_answer_put_tristate(gen, "gender_matches", check.gender_matches);
    ktp_answer_put_tristate(gen, "region_matches", check.region_matches);

    (void) yajl_gen_map_close(gen);
}


static void
ktp_answer_put_tristate(yajl_gen gen, const char *name, ktp_tristate_t value)
{
    (void) yajl_gen_string(gen, (const unsigned char *) name, strlen(name));

    if (value == KTP_UNTOLD) {
        (void) yajl_gen_null(gen);

    } else {
        (void) yajl_gen_bool(gen, value == KTP_TRUE);
    }
}
