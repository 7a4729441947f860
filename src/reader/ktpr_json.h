/* The contract's answer for a card, as JSON. */

#ifndef KTPR_JSON_H
#define KTPR_JSON_H

#include <stddef.h>

#include "ktpr_reader.h"


typedef struct {
    const char *reference_id;         /* NULL: "" */
    unsigned    validate_quality : 1; /* a bad image is FAIL_ON_1 */
    unsigned    details : 1;          /* what each field was read from */
    unsigned    pretty : 1;           /* over several lines */
} ktpr_json_options_t;


/*
 * The body of the 200 that a card gets: with its fields, or FAIL_ON_1 with
 * all of them empty when the quality was asked for and is bad.  To be freed
 * by free(); NULL with no memory.  *len is without the terminating null.
 */
char *ktpr_json_card(const ktpr_card_t         *card,
                     const ktpr_json_options_t *options, size_t *len);

/* The body of an error: message and error_code. */
char *ktpr_json_error(const char *message, const char *code, int pretty,
                      size_t *len);


#endif /* KTPR_JSON_H */
