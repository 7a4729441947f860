/*
 * The JSON way in.  yajl judges the syntax of the whole, but never sees the
 * image: it would keep a string that is cut over calls, and megabytes with
 * it.  A scanner in front finds the string that is the value of the
 * top-level "image", sends its characters to the decoder, and shows yajl an
 * empty string in its place.
 *
 * The scanner needs to know strings only.  Before each one yajl has seen
 * every byte, so that its last key says whether a string is the image.  Other
 * values that are strings are checked and replaced in the same way, so that
 * what is ignored takes no memory.  Keys and the reference are shown whole:
 * yajl reads a token that is cut from its beginning with every call, and a
 * client could make it do so 64,000 times.
 */

#include <stdlib.h>
#include <string.h>
#include "ktp_intake_json.h"
#include "ktp_json.h"
#include "ktp_json_keys.h"
#include "ktp_json_string.h"
#include "ktp_span.h"


/* characters of the image that are unescaped at once */
#define KTP_INTAKE_JSON_STAGE 4096

typedef enum {
    KTP_INTAKE_JSON_OUTSIDE, /* of strings */
    KTP_INTAKE_JSON_STRING,  /* one that yajl sees */
    KTP_INTAKE_JSON_SKIP,    /* a value that nobody needs */
    KTP_INTAKE_JSON_IMAGE
} ktp_intake_json_state_t;

struct ktp_intake_json_s {
    ktp_intake_draft_t *draft;
    ktp_json_t          parser;
    ktp_code_t          code; /* what a callback found, once it stopped yajl */

    ktp_intake_json_state_t state;
    ktp_json_string_t       string;
    unsigned char           before; /* the last byte that is not white space */
    unsigned                token;  /* length of a number or word, so far */
    size_t                  string_left; /* bytes that the string may have */
    ktp_code_t              too_long;    /* the error of one that has more */
    unsigned                mark;   /* bytes of a byte order mark, or all */
    unsigned                arrays; /* bits: what is open at a depth is one */
    unsigned char          *held;   /* a string that was cut, so far */
    size_t                  held_len;
    size_t                  held_size;

    ktp_member_t    member; /* whose value is next, at depth 1 */
    ktp_json_keys_t keys;
};


static int
ktp_intake_json_fail(ktp_intake_json_t *json, ktp_code_t code)
{
    json->code = code;

    return 0;
}


/*
 * A value begins that is not what the member must be; at the top level the
 * only value that may be is an object, which does not come here.
 */

static int
ktp_intake_json_other(ktp_intake_json_t *json)
{
    static const ktp_code_t wrong[] = {
        [KTP_MEMBER_IMAGE] = KTP_IMAGE_NOT_STRING,
        [KTP_MEMBER_VALIDATE_QUALITY] = KTP_BAD_FLAG,
        [KTP_MEMBER_IS_QUALITY] = KTP_BAD_FLAG,
        [KTP_MEMBER_REFERENCE_ID] = KTP_REFERENCE_NOT_STRING};

    if (json->keys.depth == 0) {
        return ktp_intake_json_fail(json, KTP_NOT_OBJECT);
    }

    if (json->keys.depth == 1 && json->member != KTP_MEMBER_OTHER) {
        return ktp_intake_json_fail(json, wrong[json->member]);
    }

    return 1;
}


/* Many serializers write null for a member that is not set. */

static int
ktp_intake_json_null(void *ctx)
{
    ktp_intake_json_t *json = ctx;

    if (json->keys.depth != 1) {
        return ktp_intake_json_other(json);
    }

    return json->member == KTP_MEMBER_IMAGE
               ? ktp_intake_json_fail(json, KTP_IMAGE_NULL)
               : 1;
}


static int
ktp_intake_json_boolean(void *ctx, int value)
{
    ktp_intake_json_t *json = ctx;

    if (json->keys.depth == 1
        && (json->member == KTP_MEMBER_VALIDATE_QUALITY
            || json->member == KTP_MEMBER_IS_QUALITY)) {
        ktp_intake_draft_flag(json->draft, json->member, value);
        return 1;
    }

    return ktp_intake_json_other(json);
}


static int
ktp_intake_json_number(void *ctx, const char *p, size_t len)
{
    (void) p;
    (void) len;

    return ktp_intake_json_other(ctx);
}


static int
ktp_intake_json_text(void *ctx, const unsigned char *p, size_t len)
{
    ktp_code_t         rc;
    ktp_intake_json_t *json = ctx;

    if (json->keys.depth == 1 && json->member == KTP_MEMBER_REFERENCE_ID) {
        rc = ktp_intake_draft_reference(json->draft, p, len);
        return rc == KTP_OK ? 1 : ktp_intake_json_fail(json, rc);
    }

    if (json->keys.depth == 1 && json->member == KTP_MEMBER_IMAGE
        && json->state == KTP_INTAKE_JSON_IMAGE) {
        return 1;
    }

    return ktp_intake_json_other(json);
}


static int
ktp_intake_json_open(ktp_intake_json_t *json, unsigned array)
{
    unsigned bit;

    if (ktp_json_keys_open(&json->keys) != 0) {
        return ktp_intake_json_fail(json, KTP_TOO_DEEP);
    }

    bit = 1u << json->keys.depth;
    json->arrays = array ? json->arrays | bit : json->arrays & ~bit;

    return 1;
}


static int
ktp_intake_json_close(void *ctx)
{
    ktp_intake_json_t *json = ctx;

    ktp_json_keys_close(&json->keys);

    return 1;
}


static int
ktp_intake_json_start_map(void *ctx)
{
    ktp_intake_json_t *json = ctx;

    if (json->keys.depth == 0) {
        return ktp_intake_json_open(json, 0);
    }

    return ktp_intake_json_other(json) ? ktp_intake_json_open(json, 0) : 0;
}


static int
ktp_intake_json_start_array(void *ctx)
{
    ktp_intake_json_t *json = ctx;

    return ktp_intake_json_other(json) ? ktp_intake_json_open(json, 1) : 0;
}


static ktp_code_t
ktp_intake_json_add_key(ktp_intake_json_t *json, const unsigned char *p,
                        size_t len)
{
    if (len > KTP_MAX_NAMES - json->keys.names_len) {
        return KTP_TOO_MANY_KEYS;
    }

    switch (ktp_json_keys_add(&json->keys, p, len)) {

    case KTP_JSON_KEYS_NEW:
        return KTP_OK;

    case KTP_JSON_KEYS_NO_MEMORY:
        return KTP_INTERNAL_SERVER_ERROR;

    case KTP_JSON_KEYS_TOO_MANY:
        return KTP_TOO_MANY_KEYS;

    default:
        return json->keys.depth == 1
                       && ktp_intake_draft_member((const char *) p, len)
                              == KTP_MEMBER_IMAGE
                   ? KTP_TWO_IMAGES
                   : KTP_DUPLICATE_KEY;
    }
}


static int
ktp_intake_json_map_key(void *ctx, const unsigned char *p, size_t len)
{
    ktp_code_t         rc;
    ktp_intake_json_t *json = ctx;

    rc = ktp_intake_json_add_key(json, p, len);

    if (rc == KTP_OK && json->keys.depth == 1) {
        json->member = ktp_intake_draft_member((const char *) p, len);
        rc = ktp_intake_draft_begin(json->draft, json->member);
    }

    return rc == KTP_OK ? 1 : ktp_intake_json_fail(json, rc);
}


static const yajl_callbacks ktp_intake_json_callbacks = {
    .yajl_null = ktp_intake_json_null,
    .yajl_boolean = ktp_intake_json_boolean,
    .yajl_number = ktp_intake_json_number,
    .yajl_string = ktp_intake_json_text,
    .yajl_start_map = ktp_intake_json_start_map,
    .yajl_map_key = ktp_intake_json_map_key,
    .yajl_end_map = ktp_intake_json_close,
    .yajl_start_array = ktp_intake_json_start_array,
    .yajl_end_array = ktp_intake_json_close,
};


ktp_intake_json_t *
ktp_intake_json_create(ktp_intake_draft_t *draft)
{
    ktp_intake_json_t *json;

    json = malloc(sizeof(ktp_intake_json_t));
    if (json == NULL) {
        return NULL;
    }

    memset(json, 0, offsetof(ktp_intake_json_t, keys));

    json->draft = draft;
    ktp_json_keys_init(&json->keys);

    /* UTF-8 is checked by the scanner */

    if (ktp_json_open(&json->parser, &ktp_intake_json_callbacks, json,
                      KTP_MAX_NAMES + 2)
        != 0) {
        free(json);
        return NULL;
    }

    return json;
}


void
ktp_intake_json_destroy(ktp_intake_json_t *json)
{
    if (json == NULL) {
        return;
    }

    ktp_json_close(&json->parser);
    ktp_json_keys_destroy(&json->keys);
    free(json->held);
    free(json);
}


/* What a callback found says more than that it stopped the parser. */

static ktp_code_t
ktp_intake_json_code(const ktp_intake_json_t *json, ktp_code_t rc)
{
    return rc != KTP_OK && rc != KTP_INTERNAL_SERVER_ERROR
                   && json->code != KTP_OK
               ? json->code
               : rc;
}


/* Lets yajl see the next bytes. */

static ktp_code_t
ktp_intake_json_show(ktp_intake_json_t *json, const unsigned char *p, size_t n)
{
    if (n == 0) {
        return KTP_OK;
    }

    return ktp_intake_json_code(json, ktp_json_feed(&json->parser, p, n));
}


/* A string opens after a colon, and yajl has seen all before it. */

static ktp_code_t
ktp_intake_json_image_begin(ktp_intake_json_t *json)
{
    ktp_intake_draft_t *draft;

    draft = json->draft;
    json->state = KTP_INTAKE_JSON_IMAGE;

    ktp_intake_text_init(&draft->text, draft->policy, &draft->image,
                         draft->request.url);

    return ktp_intake_json_show(json, (const unsigned char *) "\"\"", 2);
}


/* Keeps the bytes of a string until yajl can be shown the whole. */

static ktp_code_t
ktp_intake_json_hold(ktp_intake_json_t *json, const unsigned char *p, size_t n)
{
    size_t         size;
    unsigned char *held;

    if (n > json->held_size - json->held_len) {
        size = json->held_size ? json->held_size : 256;

        while (size - json->held_len < n) {
            size *= 2;
        }

        held = realloc(json->held, size);
        if (held == NULL) {
            return KTP_INTERNAL_SERVER_ERROR;
        }

        json->held = held;
        json->held_size = size;
    }

    memcpy(json->held + json->held_len, p, n);
    json->held_len += n;

    return KTP_OK;
}


/* The closing quote of a string that yajl sees; p[n - 1] is it. */

static ktp_code_t
ktp_intake_json_string_end(ktp_intake_json_t *json, const unsigned char *p,
                           size_t n)
{
    ktp_code_t rc;

    json->state = KTP_INTAKE_JSON_OUTSIDE;
    json->before = '"';
    json->token = 0;

    if (json->held_len == 0) {
        return ktp_intake_json_show(json, p, n);
    }

    rc = ktp_intake_json_hold(json, p, n);

    if (rc == KTP_OK) {
        rc = ktp_intake_json_show(json, json->held, json->held_len);
        json->held_len = 0;
    }

    return rc;
}


/* A quote that opens a string; yajl has seen all before it. */

static ktp_code_t
ktp_intake_json_string_begin(ktp_intake_json_t *json)
{
    int          value;
    ktp_member_t member;

    ktp_json_string_init(&json->string);

    value = json->before == ':' || json->keys.depth == 0
            || json->arrays & 1u << json->keys.depth;
    member = json->keys.depth == 1 ? json->member : KTP_MEMBER_OTHER;

    if (value && member == KTP_MEMBER_IMAGE) {
        return ktp_intake_json_image_begin(json);
    }

    if (value && member != KTP_MEMBER_REFERENCE_ID) {
        json->state = KTP_INTAKE_JSON_SKIP;
        return ktp_intake_json_show(json, (const unsigned char *) "\"\"", 2);
    }

    json->state = KTP_INTAKE_JSON_STRING;

    if (value) {
        /* no character takes more than 6 bytes */
        json->string_left = 6 * KTP_MAX_REFERENCE_ID + 1;
        json->too_long = KTP_INVALID_PAYLOAD_REFERENCE_ID;

    } else {
        json->string_left = KTP_MAX_NAMES;
        json->too_long = KTP_TOKEN_TOO_LONG;
    }

    return KTP_OK;
}


/* A byte outside of strings, and not a quote. */

static ktp_code_t
ktp_intake_json_outside(ktp_intake_json_t *json, unsigned char c)
{
    switch (c) {

    case ' ':
    case '\t':
    case '\r':
    case '\n':
        json->token = 0;
        return KTP_OK;

    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ':':
        json->token = 0;
        json->before = c;
        return KTP_OK;

    default:
        if (c < 0x20) {
            /* yajl has more white space than JSON has */
            return KTP_NOT_JSON;
        }

        json->before = c;
        return ++json->token > KTP_MAX_TOKEN ? KTP_TOKEN_TOO_LONG : KTP_OK;
    }
}


/*
 * One byte that is not the image's.  *start is the first one that yajl has
 * not been shown; it moves where a string begins or ends.
 */

static ktp_code_t
ktp_intake_json_byte(ktp_intake_json_t *json, const unsigned char *p,
                     const unsigned char **start)
{
    ktp_code_t           rc;
    const unsigned char *from;

    from = *start;

    if (json->state == KTP_INTAKE_JSON_STRING) {

        if (json->string_left-- == 0) {
            return json->too_long;
        }

        switch (ktp_json_string_step(&json->string, *p)) {

        case KTP_JSON_STRING_BAD:
            return KTP_NOT_JSON;

        case KTP_JSON_STRING_END:
            *start = p + 1;
            return ktp_intake_json_string_end(json, from, p + 1 - from);

        default:
            return KTP_OK;
        }
    }

    if (*p != '"') {
        return ktp_intake_json_outside(json, *p);
    }

    *start = p;

    rc = ktp_intake_json_show(json, from, p - from);

    return rc == KTP_OK ? ktp_intake_json_string_begin(json) : rc;
}


/* Bytes up to the end, or up to and with the quote of a hidden string. */

static ktp_code_t
ktp_intake_json_syntax(ktp_intake_json_t *json, const unsigned char **next,
                       const unsigned char *end)
{
    ktp_code_t           rc, shown;
    const unsigned char *p, *start;

    start = *next;

    for (p = start; p < end; p++) {
        rc = ktp_intake_json_byte(json, p, &start);

        if (rc != KTP_OK) {
            if (json->state == KTP_INTAKE_JSON_OUTSIDE && start < p) {
                /* what yajl says of the bytes before comes first */
                shown = ktp_intake_json_show(json, start, p - start);
                rc = shown != KTP_OK ? shown : rc;
            }

            return rc;
        }

        if (json->state == KTP_INTAKE_JSON_IMAGE
            || json->state == KTP_INTAKE_JSON_SKIP) {
            *next = p + 1;
            return KTP_OK;
        }
    }

    *next = end;

    if (json->state == KTP_INTAKE_JSON_STRING) {
        return ktp_intake_json_hold(json, start, end - start);
    }

    return ktp_intake_json_show(json, start, end - start);
}


/* The quote that closes a string that yajl does not see. */

static void
ktp_intake_json_hidden_end(ktp_intake_json_t *json)
{
    json->state = KTP_INTAKE_JSON_OUTSIDE;
    json->before = '"';
    json->token = 0;
}


/* Bytes of a value that is ignored, up to the end or its closing quote. */

static ktp_code_t
ktp_intake_json_skip(ktp_intake_json_t *json, const unsigned char **next,
                     const unsigned char *end)
{
    size_t               n;
    unsigned char        stage[KTP_INTAKE_JSON_STAGE];
    const unsigned char *p;

    for (p = *next; p < end; p++) {

        if (ktp_json_string_is_plain(&json->string)) {
            do {
                n = (size_t) (end - p) < sizeof(stage) ? (size_t) (end - p)
                                                       : sizeof(stage);
                n = ktp_span_copy(stage, p, n);
                p += n;
            } while (n == sizeof(stage));

            if (p == end) {
                break;
            }
        }

        switch (ktp_json_string_step(&json->string, *p)) {

        case KTP_JSON_STRING_BAD:
            return KTP_NOT_JSON;

        case KTP_JSON_STRING_END:
            ktp_intake_json_hidden_end(json);
            *next = p + 1;
            return KTP_OK;

        default:
            break;
        }
    }

    *next = end;

    return KTP_OK;
}


/*
 * Undoes the escapes that base64 comes with: "\/", and those of line breaks.
 * Returns the bytes taken, which are *len characters in stage, at most max.
 */

static size_t
ktp_intake_json_unescape(const unsigned char *p, size_t n,
                         unsigned char *stage, size_t max, size_t *len)
{
    size_t i, k;

    i = 0;
    *len = 0;

    while (i < n && *len < max) {
        k = max - *len;
        k = ktp_span_copy(stage + *len, p + i, n - i < k ? n - i : k);

        i += k;
        *len += k;

        if (n - i < 2 || *len == max || p[i] != '\\') {
            break;
        }

        if (p[i + 1] == '/') {
            stage[(*len)++] = '/';

        } else if (p[i + 1] != 'n' && p[i + 1] != 'r') {
            break;
        }

        i += 2;
    }

    return i;
}


/* As much of the image as can be taken at once; *used tells how much. */

static ktp_code_t
ktp_intake_json_image_bulk(ktp_intake_json_t *json, const unsigned char *p,
                           size_t n, size_t *used)
{
    size_t             k, len;
    ktp_code_t         rc;
    ktp_intake_text_t *text;
    unsigned char      stage[KTP_INTAKE_JSON_STAGE];

    *used = 0;
    text = &json->draft->text;

    if (!ktp_json_string_is_plain(&json->string)) {
        return KTP_OK;
    }

    do {
        rc = ktp_intake_text_bulk(text, p + *used, n - *used, &k);
        *used += k;

        if (rc != KTP_OK) {
            return rc;
        }

        k = ktp_intake_json_unescape(p + *used, n - *used, stage,
                                     ktp_intake_text_want(text, sizeof(stage)),
                                     &len);
        *used += k;

        rc = ktp_intake_text_feed(text, stage, len);

    } while (k && rc == KTP_OK);

    return rc;
}


/* Bytes of the image, up to the end or its closing quote. */

static ktp_code_t
ktp_intake_json_image(ktp_intake_json_t *json, const unsigned char **next,
                      const unsigned char *end)
{
    size_t                 used;
    ktp_code_t             rc;
    ktp_json_string_step_t step;
    const unsigned char   *p;

    for (p = *next; p < end; p++) {
        rc = ktp_intake_json_image_bulk(json, p, end - p, &used);
        if (rc != KTP_OK) {
            return rc;
        }

        p += used;

        if (p == end) {
            break;
        }

        step = ktp_json_string_step(&json->string, *p);

        if (step == KTP_JSON_STRING_END) {
            ktp_intake_json_hidden_end(json);
            *next = p + 1;

            return ktp_intake_draft_image_text(json->draft);
        }

        if (step == KTP_JSON_STRING_MORE) {
            continue;
        }

        if (step == KTP_JSON_STRING_BAD) {
            return KTP_NOT_JSON;
        }

        if (json->string.value == 0) {
            return KTP_NUL_BYTE;
        }

        rc = ktp_intake_text_char(&json->draft->text, json->string.value);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    *next = end;

    return KTP_OK;
}


/* Steps over a byte order mark at the beginning (RFC 8259, 8.1). */

static ktp_code_t
ktp_intake_json_mark(ktp_intake_json_t *json, const unsigned char **next,
                     const unsigned char *end)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};

    while (*next < end && json->mark < sizeof(mark)) {

        if (**next == mark[json->mark]) {
            json->mark++;
            (*next)++;
            continue;
        }

        if (json->mark) {
            return KTP_NOT_JSON;
        }

        json->mark = sizeof(mark);
    }

    return KTP_OK;
}


ktp_code_t
ktp_intake_json_feed(ktp_intake_json_t *json, const unsigned char *p, size_t n)
{
    ktp_code_t           rc;
    const unsigned char *end;

    end = p + n;
    rc = ktp_intake_json_mark(json, &p, end);

    while (p < end && rc == KTP_OK) {

        switch (json->state) {

        case KTP_INTAKE_JSON_IMAGE:
            rc = ktp_intake_json_image(json, &p, end);
            break;

        case KTP_INTAKE_JSON_SKIP:
            rc = ktp_intake_json_skip(json, &p, end);
            break;

        default:
            rc = ktp_intake_json_syntax(json, &p, end);
        }
    }

    return rc;
}


ktp_code_t
ktp_intake_json_finish(ktp_intake_json_t *json)
{
    if (json->state != KTP_INTAKE_JSON_OUTSIDE) {
        return KTP_BODY_TRUNCATED;
    }

    return ktp_intake_json_code(json, ktp_json_finish(&json->parser));
}
