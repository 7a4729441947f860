/* The answers of the contract as JSON. */

#ifndef KTPR_JSON_H
#define KTPR_JSON_H

#include <stddef.h>

#include "ktpr_card.h"


typedef struct {
    const char *reference_id;         /* NULL: "" */
    unsigned    validate_quality : 1; /* a bad image is FAIL_ON_1 */
    unsigned    details : 1;          /* confidence, raw text and box, too */
    unsigned    scores : 1;           /* in the details, see ktpr_field_t */
    unsigned    pretty : 1;           /* over several lines */
} ktpr_json_options_t;


/*
 * The body of the response 200 for a card: its fields, or FAIL_ON_1 with all
 * fields empty if the quality was to be validated and is bad.  The caller
 * frees it by free(); NULL with no memory.  *len is without the terminating
 * null.  All texts must be UTF-8.
 */
char *ktpr_json_card(const ktpr_card_t         *card,
                     const ktpr_json_options_t *options, size_t *len);

/*
 * The body of the response 200 to a check: whether a card was detected, the
 * confidence and the quality; as above.
 */
char *ktpr_json_check(const ktpr_card_t *card, int detected, size_t *len);

/*
 * Whether the response to a card is FAIL_ON_1: the quality was to be validated
 * and is bad.
 */
int ktpr_json_refused(const ktpr_card_t         *card,
                      const ktpr_json_options_t *options);


#endif /* KTPR_JSON_H */
