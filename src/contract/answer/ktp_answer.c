#include <string.h>
#include "ktp_answer.h"
#include "ktp_answer_doc.h"


static int  ktp_answer_code_char(char c);
static int  ktp_answer_is_word(const ktp_value_t *value);
static int  ktp_answer_is_code(const ktp_value_t *value);
static void ktp_answer_note(char *to, const ktp_value_t *value);
static void ktp_answer_notes(ktp_answer_t           *answer,
                             const ktp_answer_doc_t *doc);
static void ktp_answer_message(ktp_answer_doc_t *doc, unsigned status);
static int  ktp_answer_check(ktp_answer_doc_t *doc);
static void ktp_answer_refer(const ktp_answer_t *answer,
                             ktp_answer_doc_t   *doc);


int
ktp_answer_rewrites(const ktp_answer_policy_t *policy)
{
    unsigned i;

    if (policy->nik_check || policy->fields != KTP_FIELDS_ALL) {
        return 1;
    }

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (policy->mask[i].style != KTP_MASK_NONE) {
            return 1;
        }
    }

    return 0;
}


static int
ktp_answer_code_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}


/* Plain words are safe in a log, a label and a header. */
static int
ktp_answer_is_word(const ktp_value_t *value)
{
    size_t i;

    if (value->p == NULL || value->len > KTP_ANSWER_MAX_CODE) {
        return 0;
    }

    for (i = 0; i < value->len; i++) {
        if (!ktp_answer_code_char(value->p[i])) {
            return 0;
        }
    }

    return 1;
}


/* A word of many digits may be a number of a card: no code is. */
static int
ktp_answer_is_code(const ktp_value_t *value)
{
    size_t i, digits;

    if (!ktp_answer_is_word(value)) {
        return 0;
    }

    digits = 0;

    for (i = 0; i < value->len; i++) {
        digits += (value->p[i] >= '0' && value->p[i] <= '9');
    }

    return digits <= KTP_ANSWER_CODE_DIGITS;
}


static void
ktp_answer_note(char *to, const ktp_value_t *value)
{
    memcpy(to, value->p, value->len);
    to[value->len] = '\0';
}


static void
ktp_answer_notes(ktp_answer_t *answer, const ktp_answer_doc_t *doc)
{
    answer->reason = doc->reason;
    answer->place = doc->place;

    answer->status_code[0] = '\0';
    answer->error_code[0] = '\0';
    answer->nik[0] = '\0';

    if (ktp_answer_is_code(&doc->top[KTP_ANSWER_TEXT_STATUS_CODE])) {
        ktp_answer_note(answer->status_code,
                        &doc->top[KTP_ANSWER_TEXT_STATUS_CODE]);
    }

    if (ktp_answer_is_code(&doc->top[KTP_ANSWER_TEXT_ERROR_CODE])) {
        ktp_answer_note(answer->error_code,
                        &doc->top[KTP_ANSWER_TEXT_ERROR_CODE]);
    }

    if (ktp_answer_is_word(&doc->field[KTP_FIELD_NIK])) {
        ktp_answer_note(answer->nik, &doc->field[KTP_FIELD_NIK]);
    }
}


/*
 * The message in place of the upstream's own, which could have anything in
 * it: by the error code, the first for success, the last for any other.
 */
static void
ktp_answer_message(ktp_answer_doc_t *doc, unsigned status)
{
    size_t             i;
    const ktp_value_t *code;

    static const struct {
        const char *code;
        const char *message;
    } messages[] = {
        {"", "Success"},
        {"KTP_NOT_DETECTED", "KTP not detected"},
        {"FAIL_ON_1", "quality of the image is insufficient"},
        {NULL, "request was not accepted"},
    };

    code = &doc->top[KTP_ANSWER_TEXT_ERROR_CODE];

    for (i = (status != 200); messages[i].code; i++) {
        if (strlen(messages[i].code) == code->len
            && (code->len == 0
                || memcmp(messages[i].code, code->p, code->len) == 0)) {
            break;
        }
    }

    doc->top[KTP_ANSWER_TEXT_MESSAGE].p = messages[i].message;
    doc->top[KTP_ANSWER_TEXT_MESSAGE].len = strlen(messages[i].message);
}


/* The rows of the table that are about the form of texts. */
static int
ktp_answer_check(ktp_answer_doc_t *doc)
{
    size_t             i;
    unsigned           text, found;
    const ktp_value_t *value;

    found = 0;

    for (text = 0; text < KTP_ANSWER_TEXTS; text++) {
        value = &doc->top[text];

        if (value->p == NULL) {
            continue;
        }

        found = 1;
        doc->place = ktp_answer_doc_text_name(text);

        if (text != KTP_ANSWER_TEXT_MESSAGE) {
            if (!ktp_answer_is_code(value)) {
                doc->reason = "a code that is no plain word";
                return -1;
            }

            continue;
        }

        if (value->len > KTP_ANSWER_MAX_MESSAGE) {
            doc->reason = "too long a text";
            return -1;
        }

        for (i = 0; i < value->len; i++) {
            if (value->p[i] < 0x20 || value->p[i] > 0x7e) {
                doc->reason = "a text that is not printable ASCII";
                return -1;
            }
        }
    }

    doc->place = NULL;

    for (i = 0; i < KTP_FIELD_TEXTS; i++) {
        if (doc->field[i].len > KTP_ANSWER_MAX_FIELD) {
            doc->reason = "too long a text";
            doc->place = ktp_field_name(i);
            return -1;
        }
    }

    if (!found) {
        doc->reason = "neither a message nor a code";
        return -1;
    }

    return 0;
}


/* Of an answer with fields, which may lack this one. */
static void
ktp_answer_refer(const ktp_answer_t *answer, ktp_answer_doc_t *doc)
{
    ktp_value_t *value;

    value = &doc->field[KTP_FIELD_REFERENCE_ID];

    if (doc->has_data && (value->p || answer->reference_id.len)) {
        value->p = answer->reference_id.len ? answer->reference_id.p : "";
        value->len = answer->reference_id.len;
    }
}


int
ktp_answer_rewrite(ktp_answer_t *answer, const ktp_answer_policy_t *policy)
{
    int              rc;
    ktp_answer_doc_t doc;

    answer->out_len = 0;

    rc = ktp_answer_json_read(&doc, answer->body, answer->len,
                              KTP_ANSWER_JSON_STRICT);

    if (rc == 0 && answer->set_reference) {
        ktp_answer_refer(answer, &doc);
    }

    if (rc == 0 && doc.top[KTP_ANSWER_TEXT_MESSAGE].p
        && ktp_answer_leak_hidden(policy)) {
        ktp_answer_message(&doc, answer->status);
    }

    if (rc == 0) {
        rc = ktp_answer_check(&doc);
    }

    if (rc == 0) {
        rc = ktp_answer_leak(&doc, answer->status, policy,
                             answer->reference_id);
    }

    if (rc == 0) {
        rc = ktp_answer_json_write(answer, &doc, policy);
    }

    ktp_answer_notes(answer, &doc);
    ktp_answer_json_read_free(&doc);

    return rc;
}


void
ktp_answer_read(ktp_answer_t *answer)
{
    ktp_answer_doc_t doc;

    answer->out_len = 0;

    (void) ktp_answer_json_read(&doc, answer->body, answer->len,
                                KTP_ANSWER_JSON_LENIENT);

    if (answer->set_reference) {
        ktp_answer_json_write_refer(answer, &doc);
    }

    ktp_answer_notes(answer, &doc);
    ktp_answer_json_read_free(&doc);
}
