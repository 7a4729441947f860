#include "ktp_origin.h"
#include <string.h>


/* Digits of a port. */
#define KTP_ORIGIN_PORT 5


static const char *ktp_origin_scheme(const char *p, const char *last);
static int         ktp_origin_name(const char *p, const char *last);
static int         ktp_origin_address(const char *p, const char *last);
static int ktp_origin_port(const char *p, const char *last, unsigned other);
static int ktp_origin_is_alpha(char ch);
static int ktp_origin_is_digit(char ch);


/*
 * origin  = scheme "://" [ "*." ] host [ ":" port ]   ; RFC 6454, 6.2
 * scheme  = alpha *( alpha / DIGIT / "+" / "-" / "." )
 * host    = name / "[" 1*( DIGIT / %x61-66 / ":" / "." ) "]"
 * name    = label *( "." label )
 * label   = 1*( alpha / DIGIT / "-" / "_" )
 * port    = 1*5DIGIT                                  ; no default, no
 *                                                      ; leading zero
 * alpha   = %x61-7A                                   ; lower case
 */
int
ktp_origin_valid(const char *p, size_t len)
{
    int         wild;
    unsigned    other;
    const char *host, *last, *end;

    last = p + len;
    host = ktp_origin_scheme(p, last);

    if (host == NULL) {
        return 0;
    }

    other = host - p == 8 && memcmp(p, "https", 5) == 0  ? 443
            : host - p == 7 && memcmp(p, "http", 4) == 0 ? 80
                                                         : 0;

    if (host < last && *host == '[') {
        end = memchr(host, ']', last - host);

        return end && ktp_origin_address(host + 1, end)
               && ktp_origin_port(end + 1, last, other);
    }

    wild = ktp_origin_is_wild(p, len);
    host += wild ? 2 : 0;
    end = memchr(host, ':', last - host);
    end = end ? end : last;

    return ktp_origin_name(host, end)
           && (!wild || memchr(host, '.', end - host))
           && ktp_origin_port(end, last, other);
}


int
ktp_origin_match(const char *pattern, size_t pattern_len, const char *p,
                 size_t len)
{
    size_t head, tail;

    if (!ktp_origin_is_wild(pattern, pattern_len)) {
        return len == pattern_len && memcmp(p, pattern, len) == 0;
    }

    /* "scheme://", and what follows the asterisk */

    head = (const char *) memchr(pattern, '*', pattern_len) - pattern;
    tail = pattern_len - head - 1;

    return len > head + tail && memcmp(p, pattern, head) == 0
           && memcmp(p + len - tail, pattern + head + 1, tail) == 0
           && ktp_origin_name(p + head, p + len - tail);
}


int
ktp_origin_is_wild(const char *pattern, size_t pattern_len)
{
    const char *host, *last;

    last = pattern + pattern_len;
    host = ktp_origin_scheme(pattern, last);

    return host && last - host > 2 && host[0] == '*' && host[1] == '.';
}


/* Returns what follows "scheme://", or NULL. */

static const char *
ktp_origin_scheme(const char *p, const char *last)
{
    if (p == last || !ktp_origin_is_alpha(*p)) {
        return NULL;
    }

    while (p < last
           && (ktp_origin_is_alpha(*p) || ktp_origin_is_digit(*p) || *p == '+'
               || *p == '-' || *p == '.')) {
        p++;
    }

    return last - p >= 3 && memcmp(p, "://", 3) == 0 ? p + 3 : NULL;
}


static int
ktp_origin_name(const char *p, const char *last)
{
    int label;

    label = 0;

    for (/* void */; p < last; p++) {

        if (ktp_origin_is_alpha(*p) || ktp_origin_is_digit(*p) || *p == '-'
            || *p == '_') {
            label = 1;

        } else if (*p == '.' && label) {
            label = 0;

        } else {
            return 0;
        }
    }

    return label;
}


static int
ktp_origin_address(const char *p, const char *last)
{
    if (p == last) {
        return 0;
    }

    for (/* void */; p < last; p++) {
        if (!ktp_origin_is_digit(*p) && !(*p >= 'a' && *p <= 'f') && *p != ':'
            && *p != '.') {
            return 0;
        }
    }

    return 1;
}


/* The end of an origin: nothing, or a port that is not the other one. */

static int
ktp_origin_port(const char *p, const char *last, unsigned other)
{
    unsigned port;

    if (p == last) {
        return 1;
    }

    if (*p++ != ':' || p == last || last - p > KTP_ORIGIN_PORT || *p == '0') {
        return 0;
    }

    for (port = 0; p < last; p++) {
        if (!ktp_origin_is_digit(*p)) {
            return 0;
        }

        port = port * 10 + (*p - '0');
    }

    return port <= 65535 && port != other;
}


static int
ktp_origin_is_alpha(char ch)
{
    return ch >= 'a' && ch <= 'z';
}


static int
ktp_origin_is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}
