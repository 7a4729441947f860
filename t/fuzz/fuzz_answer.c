/*
 * An upstream's answer under a policy.  Four bytes choose the policy, the
 * rest is the body.  What is passed on must be right by the rules for what
 * comes in, have no field that the policy drops, and nowhere the value of a
 * hidden one.  With another reference_id nothing else may change.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_answer_doc.h"


#define PLACES                                                                \
    (ktp_field_bit(KTP_FIELD_PLACE_OF_BIRTH)                                  \
     | ktp_field_bit(KTP_FIELD_ADDRESS)                                       \
     | ktp_field_bit(KTP_FIELD_ADMINISTRATIVE_VILLAGE)                        \
     | ktp_field_bit(KTP_FIELD_DISTRICT) | ktp_field_bit(KTP_FIELD_CITY)      \
     | ktp_field_bit(KTP_FIELD_STATE))

/* Letters and digits that must not be found once they are hidden. */
#define LONG 8


static int
digest(void *ctx, const unsigned char *p, size_t len,
       unsigned char out[KTP_HMAC_SIZE])
{
    (void) ctx;
    (void) p;

    memset(out, (int) len, KTP_HMAC_SIZE);

    return 0;
}


static unsigned
make_policy(ktp_answer_policy_t *policy, const uint8_t *data)
{
    unsigned i, bits, hidden;

    memset(policy, 0, sizeof(ktp_answer_policy_t));

    bits = data[0] | (unsigned) data[1] << 8;
    hidden = 0;
    policy->fields = KTP_FIELDS_ALL;
    policy->nik_check = data[3] & 1;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (!(bits & (1u << (i % 16)))) {
            continue;
        }

        hidden |= ktp_field_bit(i);

        if ((data[2] >> (i % 4)) & 1) {
            policy->fields &= ~ktp_field_bit(i);

        } else {
            policy->mask[i].style = KTP_MASK_FULL + (data[2] >> 4) % 4;
            policy->mask[i].n = 3;
        }
    }

    return hidden;
}


/* The letters and digits of ASCII, in upper case; others as a mark. */
static size_t
plain(char *out, const ktp_value_t *value)
{
    char   c;
    size_t i, n;

    n = 0;

    for (i = 0; i < value->len; i++) {
        c = value->p[i];

        if (c >= 'a' && c <= 'z') {
            c = (char) (c - 'a' + 'A');
        }

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
            out[n++] = c;

        } else if ((unsigned char) c >= 0x80) {
            out[n++] = '?';
        }
    }

    return n;
}


/* However it is written, with anything between. */
static void
must_not_have(const ktp_value_t *text, const ktp_value_t *value)
{
    char   a[KTP_ANSWER_MAX_FIELD], b[KTP_ANSWER_MAX_FIELD];
    size_t a_len, b_len;

    if (text->len > sizeof(a) || value->len > sizeof(b)) {
        abort();
    }

    a_len = plain(a, text);
    b_len = plain(b, value);

    if (b_len >= LONG && memmem(a, a_len, b, b_len)) {
        abort();
    }
}


/* A value of the contract's own is nobody's. */
static int
is_word(const ktp_value_t *value)
{
    size_t i;

    static const char *const words[] = {
        "LAKI-LAKI",   "PEREMPUAN",  "KATHOLIK",
        "KONGHUCU",    "KHONGHUCU",  "BELUM KAWIN",
        "CERAI HIDUP", "CERAI MATI", "KEPERCAYAAN TERHADAP TUHAN YME"};

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == value->len
            && memcmp(words[i], value->p, value->len) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
check(const ktp_answer_doc_t *in, const ktp_answer_doc_t *out, unsigned hidden,
      const ktp_answer_policy_t *policy, unsigned referred)
{
    unsigned           i, j;
    const ktp_value_t *value;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {

        if (out->field[i].p && !(policy->fields & ktp_field_bit(i))) {
            abort();
        }

        value = &in->field[i];

        if (!(hidden & ktp_field_bit(i))) {
            continue;
        }

        for (j = KTP_ANSWER_TEXT_STATUS_CODE; j < KTP_ANSWER_TEXTS; j++) {
            must_not_have(&out->top[j], value);
        }

        for (j = KTP_QUALITY_FLAGS; j < KTP_QUALITIES; j++) {
            must_not_have(&out->quality[j], value);
        }

        for (j = 0; j < KTP_FIELD_REFERENCE_ID; j++) {
            if (!(hidden & ktp_field_bit(j)) && !is_word(&out->field[j])
                && !((PLACES & ktp_field_bit(i))
                     && (PLACES & ktp_field_bit(j)))) {
                must_not_have(&out->field[j], value);
            }
        }

        if (!referred && !(hidden & ktp_field_bit(KTP_FIELD_REFERENCE_ID))
            && out->field[KTP_FIELD_REFERENCE_ID].len) {
            abort();
        }
    }
}


/* All but the reference is the same in both. */
static void
check_referred(const ktp_answer_t *answer)
{
    unsigned           i;
    ktp_answer_doc_t   in, out;
    const ktp_value_t *value;

    (void) ktp_answer_json_read(&in, answer->body, answer->len,
                                KTP_ANSWER_JSON_LENIENT);
    (void) ktp_answer_json_read(&out, answer->out, answer->out_len,
                                KTP_ANSWER_JSON_LENIENT);

    if (!out.whole || in.has_data != out.has_data) {
        abort();
    }

    for (i = 0; i < KTP_FIELD_REFERENCE_ID; i++) {
        if (in.field[i].len != out.field[i].len
            || (in.field[i].len
                && memcmp(in.field[i].p, out.field[i].p, in.field[i].len)
                       != 0)) {
            abort();
        }
    }

    value = &out.field[KTP_FIELD_REFERENCE_ID];

    if (in.has_data
        && (value->len != answer->reference_id.len
            || (value->len
                && memcmp(value->p, answer->reference_id.p, value->len)
                       != 0))) {
        abort();
    }

    ktp_answer_json_read_free(&in);
    ktp_answer_json_read_free(&out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               *body;
    unsigned            hidden;
    ktp_answer_t        answer;
    ktp_answer_doc_t    in, out;
    ktp_answer_policy_t policy;

    if (size < 4) {
        return 0;
    }

    hidden = make_policy(&policy, data);

    memset(&answer, 0, sizeof(answer));
    answer.reference_id.p = "r \\\"2";
    answer.reference_id.len = (data[3] & 8) ? 5 : 0;
    answer.set_reference = (data[3] >> 4) & 1;
    answer.status = (data[3] & 2) ? 400 : 200;
    answer.len = size - 4;
    answer.hmac = (data[3] & 4) ? digest : NULL;
    answer.out_size = answer.len + KTP_ANSWER_EXTRA;

    /* of its very size, so that a byte read behind it is found */
    body = malloc(answer.len ? answer.len : 1);
    answer.out = malloc(answer.out_size);
    if (body == NULL || answer.out == NULL) {
        abort();
    }

    memcpy(body, data + 4, answer.len);
    answer.body = body;

    if (ktp_answer_rewrite(&answer, &policy) == 0) {

        if (ktp_answer_json_read(&in, body, answer.len, KTP_ANSWER_JSON_STRICT)
                != 0
            || ktp_answer_json_read(&out, answer.out, answer.out_len,
                                    KTP_ANSWER_JSON_STRICT)
                   != 0) {
            abort();
        }

        check(&in, &out, hidden, &policy, answer.set_reference);
        ktp_answer_json_read_free(&in);
        ktp_answer_json_read_free(&out);

    } else if (answer.out_len || answer.reason == NULL) {
        abort();
    }

    ktp_answer_read(&answer);

    if (answer.set_reference ? answer.out_len == 0 && answer.reason == NULL
                             : answer.out_len) {
        abort();
    }

    if (answer.out_len) {
        check_referred(&answer);
    }

    free(body);
    free(answer.out);

    return 0;
}
