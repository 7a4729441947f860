/* An answer taken apart: what the files of ktp_answer share. */

#ifndef KTP_ANSWER_DOC_H
#define KTP_ANSWER_DOC_H

#include "ktp_answer.h"


/* Bytes of a field that is passed on; the longest address has about 200. */
#define KTP_ANSWER_MAX_FIELD 1024

/* Digits in a row that a code may have: the number of a card has 16. */
#define KTP_ANSWER_CODE_DIGITS 15

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
 * Values point into memory of the document; p is NULL for what is not
 * there.  A flag of quality is "true" or "false", a score its digits.
 */
typedef struct {
    ktp_value_t top[KTP_ANSWER_TEXTS];
    ktp_value_t field[KTP_FIELD_TEXTS];
    ktp_value_t quality[KTP_QUALITIES];
    unsigned    has_data : 1;
    unsigned    has_quality : 1;

    const char *reason; /* why it is not strictly right, or NULL */
    const char *place;  /* a member's constant name, or NULL */
    void       *memory;
} ktp_answer_doc_t;


const char *ktp_answer_text_name(ktp_answer_text_t text);
const char *ktp_answer_quality_name(ktp_answer_quality_t quality);

/*
 * Takes a body apart.  With strict it stops at the first thing that is not
 * right; else it goes on past what it can, and the first of two values of a
 * key counts.  0 if all is right, -1 with reason.  In both cases the
 * document is freed with ktp_answer_json_read_free().
 */
int ktp_answer_json_read(ktp_answer_doc_t *doc, const char *body, size_t len,
                         int strict);

void ktp_answer_json_read_free(ktp_answer_doc_t *doc);

/*
 * Looks for the value of a masked or dropped field in another place that is
 * passed on; 0 if there is none, -1 with reason and place.  reference_id is
 * the client's own, in which it may be.
 */
int ktp_answer_leak(ktp_answer_doc_t *doc, unsigned status,
                    const ktp_answer_policy_t *policy,
                    ktp_value_t                reference_id);

/*
 * Writes the document as the policy has it, into answer->out.  0 and out_len;
 * -1 with reason if it does not fit, or without memory.
 */
int ktp_answer_json_write(ktp_answer_t *answer, ktp_answer_doc_t *doc,
                          const ktp_answer_policy_t *policy);


#endif /* KTP_ANSWER_DOC_H */
