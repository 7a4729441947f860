/*
 * The upstream's answer: what of it a client gets, and what is noted of it.
 *
 * Without a policy that asks for a change, the answer goes on byte for byte,
 * and is only looked at.  With one it is parsed strictly and written anew,
 * from an allow-list; what cannot be vouched for is not passed on:
 *
 *   the body                                      status 200    other
 *   --------------------------------------------  ----------    -----
 *   is not one JSON object, is deeper than
 *   KTP_MAX_DEPTH, has a key twice, invalid
 *   UTF-8, a NUL or a lone surrogate              refused       refused
 *   has a known member of another type            refused       refused
 *   "message"                                     passed        passed
 *   "status_code", "error_code"                   passed        passed
 *   none of these three                           refused       refused
 *   a message that is not printable ASCII or is
 *   too long, a code that is no plain word        refused       refused
 *   fields of "data" that the policy allows       passed,       dropped
 *                                                 or masked
 *   fields that it does not allow                 dropped       dropped
 *   unknown members anywhere                      dropped       dropped
 *   the value of a masked or dropped field in
 *   another place that is passed                  refused       refused
 */

#ifndef KTP_ANSWER_H
#define KTP_ANSWER_H

#include <stddef.h>
#include "ktp_field.h"
#include "ktp_hmac.h"
#include "ktp_value.h"


/* Bytes of a code that is noted, and of a message that is passed. */
#define KTP_ANSWER_MAX_CODE    64
#define KTP_ANSWER_MAX_MESSAGE 512

/* By what a rewritten body can be longer: masks by hash, and nik_check. */
#define KTP_ANSWER_EXTRA (KTP_FIELD_TEXTS * KTP_HMAC_HEX + 256)

typedef struct {

    /* set by the caller */

    unsigned    status; /* of HTTP */
    const char *body;
    size_t      len;
    ktp_value_t reference_id; /* what the client sent, or empty */
    ktp_hmac_pt hmac;         /* for masks by hash; NULL: no key */
    void       *hmac_ctx;

    char  *out; /* for rewriting only: len + KTP_ANSWER_EXTRA bytes */
    size_t out_size;

    /* set when done */

    size_t      out_len;
    const char *reason; /* constant text without data; NULL: all is right */
    const char *place;  /* constant name of a member, or NULL */

    /*
     * Null-terminated; "": there is none, or it is no plain word.  A code
     * with more than 15 digits in a row is none either: it could be the
     * number of a card, and codes are logged.
     */
    char status_code[KTP_ANSWER_MAX_CODE + 1];
    char error_code[KTP_ANSWER_MAX_CODE + 1];
    char nik[KTP_ANSWER_MAX_CODE + 1];
} ktp_answer_t;


/* Whether a policy asks for a change at all. */
int ktp_answer_rewrites(const ktp_answer_policy_t *policy);

/*
 * Writes the answer anew.  0, and out has out_len bytes; -1: it must not be
 * passed on, and reason says why.  status_code, error_code and nik are set
 * as far as the body could be read, in either case.
 */
int ktp_answer_rewrite(ktp_answer_t              *answer,
                       const ktp_answer_policy_t *policy);

/*
 * Only notes status_code, error_code and nik of an answer that passes as it
 * is.  reason is set when it is not strictly JSON; what was found before
 * is noted all the same.
 */
void ktp_answer_read(ktp_answer_t *answer);


#endif /* KTP_ANSWER_H */
