/*
 * A scanner of one JSON string (RFC 8259, section 7), from after its opening
 * quote: finds the end, decodes escapes, and rejects control characters,
 * invalid escapes, invalid UTF-8 (RFC 3629, section 4) and lone surrogates.
 */

#ifndef KTP_JSON_STRING_H
#define KTP_JSON_STRING_H

#include <stdint.h>


typedef enum {
    KTP_JSON_STRING_MORE, /* the character is not complete */
    KTP_JSON_STRING_CHAR, /* a character is complete, in s->value */
    KTP_JSON_STRING_END,  /* the closing quote */
    KTP_JSON_STRING_BAD
} ktp_json_string_step_t;

typedef struct {
    int           state;
    uint32_t      value; /* of the character; 0x80 for any that is not ASCII */
    unsigned      digits; /* of an \uXXXX so far */
    unsigned      high;   /* 1: a low surrogate must follow */
    unsigned      left;   /* UTF-8: bytes to come, */
    unsigned char lo;     /* and the range of the next one */
    unsigned char hi;
} ktp_json_string_t;


void ktp_json_string_init(ktp_json_string_t *s);

/* Between characters; a run of plain ones may be skipped at once. */
int ktp_json_string_is_plain(const ktp_json_string_t *s);

ktp_json_string_step_t ktp_json_string_step(ktp_json_string_t *s,
                                            unsigned char      c);


#endif /* KTP_JSON_STRING_H */
