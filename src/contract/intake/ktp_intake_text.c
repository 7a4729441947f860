/* The image where it is text: a URL, a data URL or base64. */

#include <string.h>
#include <strings.h>
#include "ktp_span.h"
#include "ktp_intake_text.h"


#define ktp_intake_text_is_space(c)                                           \
    ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')

#define ktp_intake_text_is_visible(c) ((c) > 0x20 && (c) < 0x7f)

/* characters that are put together before they are decoded */
#define KTP_INTAKE_TEXT_STAGE 4096

enum {
    KTP_INTAKE_TEXT_HEAD,     /* may still be each of them */
    KTP_INTAKE_TEXT_DATA_URL, /* after "data:", up to the comma */
    KTP_INTAKE_TEXT_BASE64,
    KTP_INTAKE_TEXT_URL,
    KTP_INTAKE_TEXT_URL_END /* white space after it */
};

typedef struct {
    const char *name;
    size_t      len;
    int         state; /* what the text is, once it begins so */
} ktp_scheme_t;

static const ktp_scheme_t ktp_schemes[] = {
    {"http://", 7, KTP_INTAKE_TEXT_URL},
    {"https://", 8, KTP_INTAKE_TEXT_URL},
    {"data:", 5, KTP_INTAKE_TEXT_DATA_URL}};


void
ktp_intake_text_init(ktp_intake_text_t *text, const ktp_policy_t *policy,
                     ktp_image_t *image, char *url)
{
    text->image = image;
    text->url = url;
    text->url_len = 0;
    text->url_host = 0;
    text->url_allowed = policy->url;
    text->empty = 1;
    text->state = KTP_INTAKE_TEXT_HEAD;
    text->head_len = 0;

    ktp_base64_init(&text->base64);
    ktp_image_hold(image);
}


static ktp_code_t
ktp_intake_text_base64(ktp_intake_text_t *text, unsigned char c)
{
    size_t        n;
    ktp_code_t    rc;
    unsigned char out[3];

    rc = ktp_base64_char(&text->base64, c, out, &n);
    if (rc != KTP_OK || n == 0) {
        return rc;
    }

    return ktp_image_append(text->image, out, n);
}


static ktp_code_t
ktp_intake_text_url(ktp_intake_text_t *text, unsigned char c)
{
    if (text->state == KTP_INTAKE_TEXT_URL && ktp_intake_text_is_visible(c)) {

        if (text->url_len == text->url_host && strchr("/?#:@", c)) {
            return KTP_BAD_URL;
        }

        if (text->url_len == KTP_MAX_URL) {
            return KTP_URL_TOO_LONG;
        }

        text->url[text->url_len++] = c;
        text->url[text->url_len] = '\0';

        return KTP_OK;
    }

    if (ktp_intake_text_is_space(c)) {
        text->state = KTP_INTAKE_TEXT_URL_END;
        return KTP_OK;
    }

    return KTP_BAD_URL;
}


/* The head turned out to be of no scheme: its characters are base64. */

static ktp_code_t
ktp_intake_text_replay(ktp_intake_text_t *text)
{
    size_t     i;
    ktp_code_t rc;

    text->state = KTP_INTAKE_TEXT_BASE64;

    for (i = 0; i < text->head_len; i++) {
        rc = ktp_intake_text_base64(text, text->head[i]);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return KTP_OK;
}


static ktp_code_t
ktp_intake_text_begin(ktp_intake_text_t *text, const ktp_scheme_t *scheme)
{
    text->state = scheme->state;

    if (scheme->state == KTP_INTAKE_TEXT_DATA_URL) {
        text->head_len = 0;
        return KTP_OK;
    }

    if (!text->url_allowed) {
        return KTP_URL_NOT_ALLOWED;
    }

    memcpy(text->url, text->head, text->head_len);
    text->url_len = text->head_len;
    text->url[text->url_len] = '\0';
    text->url_host = text->url_len;

    return KTP_OK;
}


static ktp_code_t
ktp_intake_text_head(ktp_intake_text_t *text, unsigned char c)
{
    size_t              i;
    const ktp_scheme_t *scheme;

    text->head[text->head_len++] = c;

    for (i = 0; i < sizeof(ktp_schemes) / sizeof(ktp_schemes[0]); i++) {
        scheme = &ktp_schemes[i];

        if (strncasecmp((char *) text->head, scheme->name, text->head_len)
            == 0) {
            return text->head_len == scheme->len
                       ? ktp_intake_text_begin(text, scheme)
                       : KTP_OK;
        }
    }

    return ktp_intake_text_replay(text);
}


static ktp_code_t
ktp_intake_text_data_url(ktp_intake_text_t *text, unsigned char c)
{
    static const char coding[] = ";base64";

    const char *head;

    if (!ktp_intake_text_is_visible(c)) {
        return KTP_BAD_DATA_URL;
    }

    if (c != ',') {
        if (text->head_len == sizeof(text->head)) {
            return KTP_BAD_DATA_URL;
        }

        text->head[text->head_len++] = c;
        return KTP_OK;
    }

    head = (char *) text->head;

    if (text->head_len < sizeof(coding) - 1
        || strncasecmp(head + text->head_len - (sizeof(coding) - 1), coding,
                       sizeof(coding) - 1)
               != 0) {
        return KTP_BAD_DATA_URL;
    }

    text->state = KTP_INTAKE_TEXT_BASE64;

    /* a data URL with nothing in it is as empty as an empty string */
    text->empty = 1;

    return KTP_OK;
}


ktp_code_t
ktp_intake_text_char(ktp_intake_text_t *text, unsigned char c)
{
    if (!ktp_intake_text_is_space(c)) {
        text->empty = 0;

    } else if (text->state == KTP_INTAKE_TEXT_HEAD) {
        return text->head_len ? ktp_intake_text_replay(text) : KTP_OK;
    }

    switch (text->state) {

    case KTP_INTAKE_TEXT_HEAD:
        return ktp_intake_text_head(text, c);

    case KTP_INTAKE_TEXT_DATA_URL:
        return ktp_intake_text_data_url(text, c);

    case KTP_INTAKE_TEXT_BASE64:
        return ktp_intake_text_base64(text, c);

    default:
        return ktp_intake_text_url(text, c);
    }
}


ktp_code_t
ktp_intake_text_bulk(ktp_intake_text_t *text, const unsigned char *p, size_t n,
                     size_t *used)
{
    size_t         avail, k;
    ktp_code_t     rc;
    unsigned char *room;

    *used = 0;

    if (text->state != KTP_INTAKE_TEXT_BASE64 || text->base64.n) {
        return KTP_OK;
    }

    while (n - *used >= 4) {
        room = ktp_image_reserve(text->image, &avail);
        if (room == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }

        k = ktp_base64_decode(p + *used, n - *used, room, avail);
        if (k == 0) {
            break;
        }

        *used += k;
        text->empty = 0;

        rc = ktp_image_commit(text->image, room, k / 4 * 3);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return KTP_OK;
}


size_t
ktp_intake_text_want(const ktp_intake_text_t *text, size_t size)
{
    if (text->state != KTP_INTAKE_TEXT_BASE64) {
        return 0;
    }

    return text->base64.n ? 4 - text->base64.n : size;
}


/* Characters with no white space to speak of. */

static ktp_code_t
ktp_intake_text_run(ktp_intake_text_t *text, const unsigned char *p, size_t n)
{
    size_t     used;
    ktp_code_t rc;

    while (n) {
        rc = ktp_intake_text_bulk(text, p, n, &used);
        if (rc != KTP_OK) {
            return rc;
        }

        p += used;
        n -= used;

        if (n == 0) {
            break;
        }

        rc = ktp_intake_text_char(text, *p);
        if (rc != KTP_OK) {
            return rc;
        }

        p++;
        n--;
    }

    return KTP_OK;
}


/*
 * Puts lines together, up to max characters; returns the bytes taken, 0 if
 * none could be.
 */

static size_t
ktp_intake_text_join(const unsigned char *p, size_t n, unsigned char *stage,
                     size_t max, size_t *len)
{
    size_t i, k;

    *len = 0;

    for (i = 0; i < n && *len < max; i += k) {

        if (ktp_intake_text_is_space(p[i])) {
            k = 1;
            continue;
        }

        k = max - *len;
        k = ktp_span_copy(stage + *len, p + i, n - i < k ? n - i : k);

        if (k == 0) {
            break;
        }

        *len += k;
    }

    return i;
}


ktp_code_t
ktp_intake_text_feed(ktp_intake_text_t *text, const unsigned char *p, size_t n)
{
    size_t        used, len;
    ktp_code_t    rc;
    unsigned char stage[KTP_INTAKE_TEXT_STAGE];

    while (n) {
        rc = ktp_intake_text_bulk(text, p, n, &used);
        if (rc != KTP_OK) {
            return rc;
        }

        p += used;
        n -= used;

        if (n == 0) {
            break;
        }

        used = ktp_intake_text_join(
            p, n, stage, ktp_intake_text_want(text, sizeof(stage)), &len);

        if (used) {
            rc = ktp_intake_text_run(text, stage, len);

        } else {
            rc = ktp_intake_text_char(text, *p);
            used = 1;
        }

        if (rc != KTP_OK) {
            return rc;
        }

        p += used;
        n -= used;
    }

    return KTP_OK;
}


ktp_code_t
ktp_intake_text_finish(ktp_intake_text_t *text)
{
    size_t        n;
    ktp_code_t    rc;
    unsigned char out[3];

    if (text->state == KTP_INTAKE_TEXT_HEAD) {
        rc = ktp_intake_text_replay(text);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    switch (text->state) {

    case KTP_INTAKE_TEXT_DATA_URL:
        return KTP_BAD_DATA_URL;

    case KTP_INTAKE_TEXT_BASE64:
        if (text->empty) {
            return KTP_OK;
        }

        rc = ktp_base64_finish(&text->base64, out, &n);
        if (rc != KTP_OK) {
            return rc;
        }

        rc = ktp_image_append(text->image, out, n);
        if (rc != KTP_OK) {
            return rc;
        }

        return ktp_image_finish(text->image);

    default:
        return text->url_len > text->url_host ? KTP_OK : KTP_BAD_URL;
    }
}
