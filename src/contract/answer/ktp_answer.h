/*
 * Filtering of the upstream's answer.
 *
 * If the policy requires no change, the answer is passed byte for byte, and is
 * only inspected.  Otherwise it is parsed strictly and rewritten from an
 * allow-list:
 *
 *   the body                                      status 200    other
 *   --------------------------------------------  ----------    -----
 *   is not one JSON object, is deeper than
 *   KTP_MAX_DEPTH, has a key twice, invalid
 *   UTF-8, a NUL or a lone surrogate              refused       refused
 *   has a known member of another type            refused       refused
 *   null as a field of "data"                     ""            dropped
 *   null as another known member                  dropped       dropped
 *   "message"                                     passed        passed
 *   "status_code", "error_code"                   passed        passed
 *   none of these three                           refused       refused
 *   a message that is not printable ASCII or is
 *   too long, a code that is no plain word        refused       refused
 *   fields of "data" that the policy allows       passed,       dropped
 *                                                 or masked
 *   fields that it does not allow                 dropped       dropped
 *   unknown members anywhere                      dropped       dropped
 *
 * If the policy masks or drops a field, what is passed is checked as well:
 *
 *   "message"                                     replaced      replaced
 *   a code or a field that has not the form of
 *   its place, or anything of a hidden value      refused       refused,
 *                                                               for codes
 *   a reference_id other than the client's own    emptied       dropped
 *   a score                                       three         dropped
 *                                                 decimals
 *   a score that is no plain decimal of 0 to 1    dropped       dropped
 *
 * This guards against values out of place, not against an upstream that
 * encodes them in words that look right.
 *
 * The reference_id of the upstream is that of the call, which need not be that
 * of the request that gets the answer: with set_reference, the latter takes
 * its place, also in an answer that is otherwise passed byte for byte.
 */

#ifndef KTP_ANSWER_H
#define KTP_ANSWER_H

#include <stddef.h>
#include "ktp_field.h"
#include "ktp_hmac.h"
#include "ktp_value.h"


/* Maximum bytes of a code and of a message. */
#define KTP_ANSWER_MAX_CODE    64
#define KTP_ANSWER_MAX_MESSAGE 512

/* Maximum growth of a rewritten body: hashes, nik_check and reference_id. */
#define KTP_ANSWER_EXTRA (KTP_FIELD_TEXTS * KTP_HMAC_HEX + 512)

typedef struct {

    /* set by the caller */

    unsigned    status; /* of HTTP */
    const char *body;
    size_t      len;
    ktp_value_t reference_id;      /* sent by the client, or empty */
    unsigned    set_reference : 1; /* it replaces that of the upstream */
    ktp_hmac_pt hmac;              /* for masks by hash; NULL: no key */
    void       *hmac_ctx;

    /* for rewriting and set_reference only: len + KTP_ANSWER_EXTRA bytes */
    char  *out;
    size_t out_size;

    /* set when done */

    size_t      out_len;
    const char *reason; /* constant text without data; NULL: all is right */
    const char *place;  /* constant name of a member, or NULL */

    /*
     * Null-terminated; "": there is none, or it is no plain word.  A code
     * with more than 7 digits is none either: it could be the
     * number of a card, and codes are logged.
     */
    char status_code[KTP_ANSWER_MAX_CODE + 1];
    char error_code[KTP_ANSWER_MAX_CODE + 1];
    char nik[KTP_ANSWER_MAX_CODE + 1];
} ktp_answer_t;


/* Whether a policy requires that answers are rewritten. */
int ktp_answer_rewrites(const ktp_answer_policy_t *policy);

/*
 * Rewrites the answer.  Returns 0 and out_len bytes in out, or -1 with reason
 * if it must not be passed.  In both cases status_code, error_code and nik are
 * set as far as the body could be parsed.
 */
int ktp_answer_rewrite(ktp_answer_t              *answer,
                       const ktp_answer_policy_t *policy);

/*
 * Sets status_code, error_code and nik of an answer that is passed unchanged.
 * reason is set if it is not strictly JSON; values found before the error are
 * set nevertheless.
 *
 * With set_reference, the body is written to out, byte for byte but for
 * "reference_id" of "data": its value becomes reference_id, unless it is
 * equal, or null for an empty one; it is added if there is none and it is not
 * empty. out_len is 0 if that is impossible, because the body is not JSON or
 * has a key twice.
 */
void ktp_answer_read(ktp_answer_t *answer);


#endif /* KTP_ANSWER_H */
