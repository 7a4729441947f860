/* A scanner of one JSON string. */

#include "ktp_json_string.h"


enum {
    KTP_JSON_STRING_PLAIN,
    KTP_JSON_STRING_ESCAPE, /* after a backslash */
    KTP_JSON_STRING_HEX     /* after \u */
};


void
ktp_json_string_init(ktp_json_string_t *s)
{
    s->state = KTP_JSON_STRING_PLAIN;
    s->value = 0;
    s->digits = 0;
    s->high = 0;
    s->left = 0;
    s->lo = 0x80;
    s->hi = 0xbf;
}


int
ktp_json_string_is_plain(const ktp_json_string_t *s)
{
    return s->state == KTP_JSON_STRING_PLAIN && s->high == 0 && s->left == 0;
}


/* The lead byte of a UTF-8 sequence of two or more. */

static ktp_json_string_step_t
ktp_json_string_lead(ktp_json_string_t *s, unsigned char c)
{
    s->lo = 0x80;
    s->hi = 0xbf;

    if (c < 0xc2 || c > 0xf4) {
        return KTP_JSON_STRING_BAD;
    }

    if (c < 0xe0) {
        s->left = 1;

    } else if (c < 0xf0) {
        s->left = 2;

        if (c == 0xe0) {
            s->lo = 0xa0; /* or it would be overlong */

        } else if (c == 0xed) {
            s->hi = 0x9f; /* or it would be a surrogate */
        }

    } else {
        s->left = 3;

        if (c == 0xf0) {
            s->lo = 0x90;

        } else if (c == 0xf4) {
            s->hi = 0x8f; /* U+10FFFF is the last */
        }
    }

    return KTP_JSON_STRING_MORE;
}


static ktp_json_string_step_t
ktp_json_string_plain(ktp_json_string_t *s, unsigned char c)
{
    if (s->left) {
        if (c < s->lo || c > s->hi) {
            return KTP_JSON_STRING_BAD;
        }

        s->lo = 0x80;
        s->hi = 0xbf;
        s->value = 0x80;

        return --s->left ? KTP_JSON_STRING_MORE : KTP_JSON_STRING_CHAR;
    }

    if (c == '\\') {
        s->state = KTP_JSON_STRING_ESCAPE;
        return KTP_JSON_STRING_MORE;
    }

    if (c < 0x20 || s->high) {
        return KTP_JSON_STRING_BAD;
    }

    if (c == '"') {
        return KTP_JSON_STRING_END;
    }

    if (c >= 0x80) {
        return ktp_json_string_lead(s, c);
    }

    s->value = c;

    return KTP_JSON_STRING_CHAR;
}


static ktp_json_string_step_t
ktp_json_string_escape(ktp_json_string_t *s, unsigned char c)
{
    s->state = KTP_JSON_STRING_PLAIN;

    if (c == 'u') {
        s->state = KTP_JSON_STRING_HEX;
        s->digits = 0;
        s->value = 0;
        return KTP_JSON_STRING_MORE;
    }

    if (s->high) {
        return KTP_JSON_STRING_BAD;
    }

    switch (c) {

    case '"':
    case '\\':
    case '/':
        s->value = c;
        break;

    case 'b':
        s->value = '\b';
        break;

    case 'f':
        s->value = '\f';
        break;

    case 'n':
        s->value = '\n';
        break;

    case 'r':
        s->value = '\r';
        break;

    case 't':
        s->value = '\t';
        break;

    default:
        return KTP_JSON_STRING_BAD;
    }

    return KTP_JSON_STRING_CHAR;
}


static ktp_json_string_step_t
ktp_json_string_hex(ktp_json_string_t *s, unsigned char c)
{
    int      low;
    unsigned digit;

    if (c >= '0' && c <= '9') {
        digit = c - '0';

    } else {
        c |= 0x20;
        if (c < 'a' || c > 'f') {
            return KTP_JSON_STRING_BAD;
        }

        digit = c - 'a' + 10;
    }

    s->value = s->value << 4 | digit;

    if (++s->digits < 4) {
        return KTP_JSON_STRING_MORE;
    }

    s->state = KTP_JSON_STRING_PLAIN;
    low = (s->value >= 0xdc00 && s->value <= 0xdfff);

    if (low != (int) s->high) {
        return KTP_JSON_STRING_BAD;
    }

    if (s->value >= 0xd800 && s->value <= 0xdbff) {
        s->high = 1;
        return KTP_JSON_STRING_MORE;
    }

    s->high = 0;

    if (s->value > 0x80) {
        s->value = 0x80;
    }

    return KTP_JSON_STRING_CHAR;
}


ktp_json_string_step_t
ktp_json_string_step(ktp_json_string_t *s, unsigned char c)
{
    switch (s->state) {

    case KTP_JSON_STRING_PLAIN:
        return ktp_json_string_plain(s, c);

    case KTP_JSON_STRING_ESCAPE:
        return ktp_json_string_escape(s, c);

    default:
        return ktp_json_string_hex(s, c);
    }
}
