#include <string.h>
#include "ktp_answer_doc.h"
#include "ktp_json_writer.h"
#include "ktp_nik.h"


typedef struct {
    char  *p;
    char  *end;
    size_t missing;
} ktp_answer_writer_t;


static size_t ktp_answer_text(const char *body, size_t pos);
static void   ktp_answer_write(void *ctx, const char *p, size_t len);
static void   ktp_answer_put(ktp_json_writer_t *json, const char *name,
                             const char *p, size_t len);
static void   ktp_answer_put_fields(ktp_json_writer_t         *json,
                                    const ktp_answer_t        *answer,
                                    const ktp_answer_doc_t    *doc,
                                    const ktp_answer_policy_t *policy);
static void   ktp_answer_put_quality(ktp_json_writer_t      *json,
                                     const ktp_answer_doc_t *doc);
static void   ktp_answer_put_check(ktp_json_writer_t      *json,
                                   const ktp_answer_doc_t *doc);
static void ktp_answer_put_tristate(ktp_json_writer_t *json, const char *name,
                                    ktp_tristate_t value);


int
ktp_answer_json_write(ktp_answer_t *answer, ktp_answer_doc_t *doc,
                      const ktp_answer_policy_t *policy)
{
    unsigned            i;
    ktp_json_writer_t  *json;
    ktp_answer_writer_t writer;

    writer.p = answer->out;
    writer.end = answer->out + answer->out_size;
    writer.missing = 0;

    json = ktp_json_writer_create(ktp_answer_write, &writer);
    if (json == NULL) {
        doc->reason = "no memory";
        return -1;
    }

    ktp_json_writer_open(json);

    for (i = 0; i < KTP_ANSWER_TEXTS; i++) {
        if (doc->top[i].p) {
            ktp_answer_put(json, ktp_answer_doc_text_name(i), doc->top[i].p,
                           doc->top[i].len);
        }
    }

    if (doc->has_data && answer->status == 200) {
        ktp_json_writer_string(json, "data", 4);
        ktp_json_writer_open(json);

        ktp_answer_put_fields(json, answer, doc, policy);

        if (policy->nik_check) {
            ktp_answer_put_check(json, doc);
        }

        ktp_json_writer_close(json);
    }

    ktp_json_writer_close(json);
    ktp_json_writer_destroy(json);

    if (writer.missing) {
        doc->reason = "more than there is room for";
        return -1;
    }

    answer->out_len = (size_t) (writer.p - answer->out);

    return 0;
}


void
ktp_answer_json_write_refer(ktp_answer_t *answer, const ktp_answer_doc_t *doc)
{
    size_t              from, to;
    const char         *name;
    ktp_value_t         id;
    const ktp_value_t  *own;
    ktp_json_writer_t  *json;
    ktp_answer_writer_t writer;

    if (!doc->whole || (doc->reference_key && !doc->reference_end)) {
        return;
    }

    json = ktp_json_writer_create(ktp_answer_write, &writer);
    if (json == NULL) {
        return;
    }

    writer.p = answer->out;
    writer.end = answer->out + answer->out_size;
    writer.missing = 0;

    id = answer->reference_id;
    own = &doc->field[KTP_FIELD_REFERENCE_ID];
    from = doc->reference_key;
    to = doc->reference_end;

    if (own->p && own->len == id.len
        && (id.len == 0 || memcmp(own->p, id.p, id.len) == 0)) {
        to = 0;

    } else if (from) {
        from = ktp_answer_text(answer->body, from) + 1; /* the colon */
        from = ktp_answer_text(answer->body, from);

        ktp_answer_write(&writer, answer->body, from);
        ktp_json_writer_string(json, id.len ? id.p : "", id.len);

    } else if (doc->has_data && id.len) {
        to = doc->data_open;
        name = ktp_field_name(KTP_FIELD_REFERENCE_ID);

        ktp_answer_write(&writer, answer->body, to);
        ktp_answer_write(&writer, "\"", 1);
        ktp_answer_write(&writer, name, strlen(name));
        ktp_answer_write(&writer, "\":", 2);
        ktp_json_writer_string(json, id.len ? id.p : "", id.len);

        if (answer->body[ktp_answer_text(answer->body, to)] != '}') {
            ktp_answer_write(&writer, ",", 1);
        }
    }

    ktp_answer_write(&writer, answer->body + to, answer->len - to);
    ktp_json_writer_destroy(json);

    answer->out_len = writer.missing ? 0 : (size_t) (writer.p - answer->out);
}


/* Where white space ends; there is something behind it. */
static size_t
ktp_answer_text(const char *body, size_t pos)
{
    while (body[pos] == ' ' || body[pos] == '\t' || body[pos] == '\r'
           || body[pos] == '\n') {
        pos++;
    }

    return pos;
}


static void
ktp_answer_write(void *ctx, const char *p, size_t len)
{
    ktp_answer_writer_t *writer = ctx;

    if (writer->missing || len > (size_t) (writer->end - writer->p)) {
        writer->missing += len;
        return;
    }

    if (len == 1) {
        /* most pieces are a quote, a colon or a comma */
        *writer->p++ = *p;
        return;
    }

    memcpy(writer->p, p, len);
    writer->p += len;
}


static void
ktp_answer_put(ktp_json_writer_t *json, const char *name, const char *p,
               size_t len)
{
    ktp_json_writer_string(json, name, strlen(name));
    ktp_json_writer_string(json, p, len);
}


static void
ktp_answer_put_fields(ktp_json_writer_t *json, const ktp_answer_t *answer,
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
            ktp_answer_put(json, ktp_field_name(i), value->p, value->len);
            continue;
        }

        len = ktp_mask_apply(&policy->mask[i], value->p, value->len, masked,
                             answer->hmac, answer->hmac_ctx);
        ktp_answer_put(json, ktp_field_name(i), masked, len);
    }

    if (doc->has_quality
        && (policy->fields & ktp_field_bit(KTP_FIELD_IMAGE_QUALITY))) {
        ktp_answer_put_quality(json, doc);
    }
}


static void
ktp_answer_put_quality(ktp_json_writer_t *json, const ktp_answer_doc_t *doc)
{
    unsigned           i;
    const char        *name;
    const ktp_value_t *value;

    name = ktp_field_name(KTP_FIELD_IMAGE_QUALITY);
    ktp_json_writer_string(json, name, strlen(name));
    ktp_json_writer_open(json);

    for (i = 0; i < KTP_QUALITIES; i++) {
        value = &doc->quality[i];

        if (value->p == NULL) {
            continue;
        }

        name = ktp_answer_doc_quality_name(i);
        ktp_json_writer_string(json, name, strlen(name));

        if (i < KTP_QUALITY_FLAGS) {
            ktp_json_writer_bool(json, value->p[0] == 't');

        } else {
            ktp_json_writer_number(json, value->p, value->len);
        }
    }

    ktp_json_writer_close(json);
}


static void
ktp_answer_put_check(ktp_json_writer_t *json, const ktp_answer_doc_t *doc)
{
    ktp_nik_check_t check;

    ktp_nik_check(&check, doc->field[KTP_FIELD_NIK],
                  doc->field[KTP_FIELD_DATE_OF_BIRTH],
                  doc->field[KTP_FIELD_GENDER], doc->field[KTP_FIELD_CITY],
                  doc->field[KTP_FIELD_STATE]);

    ktp_json_writer_string(json, "nik_check", 9);
    ktp_json_writer_open(json);

    ktp_answer_put_tristate(json, "valid_format", check.valid_format);

    if (check.province) {
        ktp_answer_put(json, "province", check.province,
                       strlen(check.province));

    } else {
        ktp_json_writer_string(json, "province", 8);
        ktp_json_writer_null(json);
    }

    ktp_answer_put_tristate(json, "date_of_birth_matches",
                            check.date_of_birth_matches);
    ktp_answer_put_tristate(json, "gender_matches", check.gender_matches);
    ktp_answer_put_tristate(json, "region_matches", check.region_matches);

    ktp_json_writer_close(json);
}


static void
ktp_answer_put_tristate(ktp_json_writer_t *json, const char *name,
                        ktp_tristate_t value)
{
    ktp_json_writer_string(json, name, strlen(name));

    if (value == KTP_UNTOLD) {
        ktp_json_writer_null(json);

    } else {
        ktp_json_writer_bool(json, value == KTP_TRUE);
    }
}
