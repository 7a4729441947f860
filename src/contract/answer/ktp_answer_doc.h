/* A parsed answer; private to the files of this folder. */

#ifndef KTP_ANSWER_DOC_H
#define KTP_ANSWER_DOC_H

#include "ktp_answer.h"


/* Bytes of a field that is passed on; the longest address has about 200. */
#define KTP_ANSWER_MAX_FIELD 1024

/* Digits that a code may have: a date has 8, the number of a card 16. */
#define KTP_ANSWER_CODE_DIGITS 7

/* Digits of a number that is passed on. */
#define KTP_ANSWER_MAX_NUMBER 32

typedef enum {
    KTP_ANSWER_TEXT_MESSAGE = 0,
    KTP_ANSWER_TEXT_STATUS_CODE,
    KTP_ANSWER_TEXT_ERROR_CODE,
    KTP_ANSWER_TEXTS
} ktp_answer_text_t;

typedef enum {
    KTP_QUALITY_BLUR = 0,
    KTP_QUALITY_DARK,
    KTP_QUALITY_FLASHLIGHT,
    KTP_QUALITY_GRAYSCALE,
    KTP_QUALITY_FLAGS,
    KTP_QUALITY_BLUR_SCORE = KTP_QUALITY_FLAGS,
    KTP_QUALITY_DARK_SCORE,
    KTP_QUALITY_FLASHLIGHT_SCORE,
    KTP_QUALITY_GRAYSCALE_SCORE,
    KTP_QUALITIES
} ktp_answer_quality_t;

/*
 * Values point into memory of the document; p is NULL for absent members.  A
 * flag of quality is "true" or "false", a score its digits.
 */
typedef struct {
    ktp_value_t top[KTP_ANSWER_TEXTS];
    ktp_value_t field[KTP_FIELD_TEXTS];
    ktp_value_t quality[KTP_QUALITIES];
    unsigned    has_data : 1;
    unsigned    has_quality : 1;
    unsigned    whole : 1; /* JSON to its end, and no key is there twice */

    /* of a local reader only, see KTP_ANSWER_JSON_LOCAL */
    ktp_value_t detected;              /* "true" or "false" */
    ktp_value_t confidence;            /* a number */
    ktp_value_t sure[KTP_FIELD_TEXTS]; /* "confidence" of a field's details */

    /* offsets in the body; 0: there is none */
    size_t data_open;     /* behind the brace of "data" */
    size_t reference_key; /* behind the key of "reference_id" in "data" */
    size_t reference_end; /* of its value, unless that is no text or number */

    const char *reason; /* why it is not strictly right, or NULL */
    const char *place;  /* a member's constant name, or NULL */
    void       *memory; /* wiped when it is freed */
    size_t      memory_size;
} ktp_answer_doc_t;


typedef enum {
    KTP_ANSWER_JSON_LENIENT = 0, /* continues after errors where it can */
    KTP_ANSWER_JSON_STRICT,      /* stops at the first error */
    KTP_ANSWER_JSON_LOCAL        /* the same, with members of a reader */
} ktp_answer_json_mode_t;


const char *ktp_answer_doc_text_name(ktp_answer_text_t text);
const char *ktp_answer_doc_quality_name(ktp_answer_quality_t quality);

/*
 * Parses a body; a lenient mode uses the first of duplicate members.  Returns
 * 0, or -1 with reason.  In both cases the document is freed with
 * ktp_answer_json_read_free().
 */
int ktp_answer_json_read(ktp_answer_doc_t *doc, const char *body, size_t len,
                         ktp_answer_json_mode_t mode);

void ktp_answer_json_read_free(ktp_answer_doc_t *doc);

/*
 * Copies the body to answer->out with the reference_id of the answer in place
 * of its own.  Sets out_len, to 0 if it is impossible or there is no memory.
 */
void ktp_answer_json_write_refer(ktp_answer_t           *answer,
                                 const ktp_answer_doc_t *doc);

/* Returns the bits of the fields that a policy masks or drops. */
unsigned ktp_answer_leak_hidden(const ktp_answer_policy_t *policy);

/*
 * With hidden fields, checks that each text that is passed has the form of its
 * field and nothing of what is hidden.  Returns 0, or -1 with reason and
 * place. What cannot be checked is taken from the document: a reference_id
 * other than that sent by the client becomes empty, and a score is cut to
 * three decimals or, if it is not a plain decimal from 0 to 1, removed.
 */
int ktp_answer_leak(ktp_answer_doc_t *doc, unsigned status,
                    const ktp_answer_policy_t *policy,
                    ktp_value_t                reference_id);

/*
 * Writes the document to answer->out according to the policy.  Returns 0 and
 * out_len, or -1 with reason if it does not fit or there is no memory.
 */
int ktp_answer_json_write(ktp_answer_t *answer, ktp_answer_doc_t *doc,
                          const ktp_answer_policy_t *policy);


#endif /* KTP_ANSWER_DOC_H */
