/*
 * Header field values with parameters.
 *
 *   field     = value *( OWS ";" OWS [ parameter ] )
 *   parameter = token "=" ( word / quoted-string )
 *
 * A word is a token that may also have the characters of a boundary
 * (RFC 2046, 5.1.1) that tokens have not: clients forget to quote them.  A
 * file name that is not quoted ends at a semicolon only.
 */

#include <string.h>
#include <strings.h>
#include "ktp_media.h"


static int
ktp_media_is_token(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}


static int
ktp_media_is_word(unsigned char c)
{
    return ktp_media_is_token(c) || (c && strchr("()/:=?,@", c));
}


int
ktp_media_is_name(const char *p, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (!ktp_media_is_token(p[i])) {
            return 0;
        }
    }

    return len > 0;
}


static void
ktp_media_space(ktp_media_t *media)
{
    while (media->p < media->end && (*media->p == ' ' || *media->p == '\t')) {
        media->p++;
    }
}


int
ktp_media_is(const char *p, size_t len, const char *name)
{
    return len == strlen(name) && strncasecmp(p, name, len) == 0;
}


size_t
ktp_media_value(ktp_media_t *media, const char *p, size_t len,
                const char **value)
{
    const char *end;

    media->p = p;
    media->end = p + len;
    ktp_media_space(media);

    *value = media->p;

    end = memchr(media->p, ';', media->end - media->p);
    if (end == NULL) {
        end = media->end;
    }

    media->p = end;

    while (end > *value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    return end - *value;
}


/* A quoted string, after its first quote. */

static int
ktp_media_quoted(ktp_media_t *media, ktp_param_t *param)
{
    unsigned char c;

    param->quoted = 1;
    param->value = media->p;

    while (media->p < media->end) {
        c = *media->p++;

        if (c == '"') {
            param->value_len = media->p - 1 - param->value;
            return 1;
        }

        if (c == '\\') {
            if (media->p == media->end) {
                return -1;
            }

            c = *media->p++;
        }

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return -1;
        }
    }

    return -1;
}


int
ktp_media_param(ktp_media_t *media, ktp_param_t *param)
{
    do {
        ktp_media_space(media);

        if (media->p == media->end) {
            return 0;
        }

        if (*media->p++ != ';') {
            return -1;
        }

        ktp_media_space(media);

    } while (media->p == media->end || *media->p == ';');

    param->name = media->p;

    while (media->p < media->end && ktp_media_is_token(*media->p)) {
        media->p++;
    }

    param->name_len = media->p - param->name;

    if (param->name_len == 0 || media->p == media->end || *media->p != '=') {
        return -1;
    }

    media->p++;

    if (media->p < media->end && *media->p == '"') {
        media->p++;
        return ktp_media_quoted(media, param);
    }

    param->quoted = 0;
    param->value = media->p;

    if (ktp_media_is(param->name, param->name_len, "filename")) {
        while (media->p < media->end && *media->p != ';') {
            media->p++;
        }

        param->value_len = media->p - param->value;

        return 1;
    }

    while (media->p < media->end && ktp_media_is_word(*media->p)) {
        media->p++;
    }

    param->value_len = media->p - param->value;

    return param->value_len ? 1 : -1;
}


int
ktp_media_copy(const ktp_param_t *param, char *buf, size_t size)
{
    size_t n, i;

    n = 0;

    for (i = 0; i < param->value_len; i++) {
        if (param->quoted && param->value[i] == '\\') {
            i++;
        }

        if (n + 1 == size) {
            return -1;
        }

        buf[n++] = param->value[i];
    }

    buf[n] = '\0';

    return n;
}
