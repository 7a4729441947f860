/* A request body, from bytes to facts. */

#include <stdlib.h>
#include <string.h>
#include "ktp_base64.h"
#include "ktp_intake_draft.h"
#include "ktp_intake.h"
#include "ktp_intake_json.h"
#include "ktp_media.h"
#include "ktp_intake_multipart.h"


struct ktp_intake_s {
    ktp_intake_draft_t      draft;
    ktp_code_t              code;    /* the first error */
    uint64_t                left;    /* bytes that the body may still have */
    unsigned                any : 1; /* the body has a byte */
    ktp_intake_json_t      *json; /* the parser of its type; none for a file */
    ktp_intake_multipart_t *multipart;
};


uint64_t
ktp_intake_body_max(const ktp_policy_t *policy, ktp_intake_type_t type)
{
    uint64_t size, base64;

    size = (uint64_t) policy->max_size + KTP_MAX_TRAILER;
    base64 = ktp_base64_length(size);

    switch (type) {

    case KTP_INTAKE_JSON:
        /*
         * Half as much again for escapes: a JPEG has one "/" and one "+" in
         * 64 characters, which are \/ or \u002B at most of the encoders that
         * escape at all, and a line break is \r\n each 64 or 76.
         */
        return base64 + base64 / 2 + KTP_MAX_OVERHEAD;

    case KTP_INTAKE_MULTIPART:
        /* an eighth for line breaks */
        return base64 + base64 / 8 + KTP_MAX_OVERHEAD;

    default:
        return size;
    }
}


uint64_t
ktp_intake_body_need(const ktp_policy_t *policy)
{
    /* of JSON, as above */

    return ktp_base64_length((uint64_t) policy->max_size) * 3 / 2
           + KTP_MAX_OVERHEAD;
}


ktp_code_t
ktp_intake_type(const char *content_type, size_t len, ktp_intake_type_t *type)
{
    char        boundary[KTP_MAX_BOUNDARY + 1];
    size_t      n;
    const char *value;
    ktp_media_t media;

    n = ktp_media_value(&media, content_type, len, &value);

    if (ktp_media_is(value, n, "application/json")) {
        *type = KTP_INTAKE_JSON;
        return KTP_OK;
    }

    if (ktp_media_is(value, n, "multipart/form-data")) {
        *type = KTP_INTAKE_MULTIPART;
        return ktp_intake_multipart_boundary(content_type, len, boundary) < 0
                   ? KTP_NO_BOUNDARY
                   : KTP_OK;
    }

    if (ktp_media_is(value, n, "image/jpeg")
        || ktp_media_is(value, n, "image/png")
        || ktp_media_is(value, n, "image/jpg")
        || ktp_media_is(value, n, "image/pjpeg")
        || ktp_media_is(value, n, "image/x-png")
        || ktp_media_is(value, n, "application/octet-stream")) {
        *type = KTP_INTAKE_BINARY;
        return KTP_OK;
    }

    return KTP_UNSUPPORTED_MEDIA_TYPE;
}


ktp_code_t
ktp_intake_coding(const char *coding, size_t len)
{
    size_t      n;
    const char *value;
    ktp_media_t media;

    n = ktp_media_value(&media, coding, len, &value);

    return n == 0 || ktp_media_is(value, n, "identity") ? KTP_OK
                                                        : KTP_CODED_BODY;
}


/* Makes the parser that the type needs. */

static ktp_code_t
ktp_intake_parser(ktp_intake_t *in, const char *content_type, size_t len)
{
    int  n;
    char boundary[KTP_MAX_BOUNDARY + 1];

    switch (in->draft.request.type) {

    case KTP_INTAKE_JSON:
        in->json = ktp_intake_json_create(&in->draft);
        return in->json ? KTP_OK : KTP_INTERNAL_SERVER_ERROR;

    case KTP_INTAKE_MULTIPART:
        n = ktp_intake_multipart_boundary(content_type, len, boundary);
        in->multipart = ktp_intake_multipart_create(&in->draft, boundary, n);
        return in->multipart ? KTP_OK : KTP_INTERNAL_SERVER_ERROR;

    default:
        return ktp_intake_draft_begin(&in->draft, KTP_MEMBER_IMAGE);
    }
}


ktp_code_t
ktp_intake_create(ktp_intake_t **result, const ktp_policy_t *policy,
                  ktp_store_t *store, const char *content_type, size_t len)
{
    ktp_code_t        rc;
    ktp_intake_t     *in;
    ktp_intake_type_t type;

    *result = NULL;

    rc = ktp_intake_type(content_type, len, &type);
    if (rc != KTP_OK) {
        return rc;
    }

    in = malloc(sizeof(ktp_intake_t));
    if (in == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    in->code = KTP_OK;
    in->any = 0;
    in->json = NULL;
    in->multipart = NULL;
    in->left = ktp_intake_body_max(policy, type);
    ktp_intake_draft_init(&in->draft, policy, store, type);

    if (ktp_intake_parser(in, content_type, len) != KTP_OK) {
        ktp_intake_destroy(in);
        return KTP_INTERNAL_SERVER_ERROR;
    }

    *result = in;

    return KTP_OK;
}


static int
ktp_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/*
 * Undoes percent-encoding and "+"; returns the length, -1 if it is malformed
 * or size bytes do not hold it.
 */

static int
ktp_args_decode(const char *p, size_t len, unsigned char *buf, size_t size)
{
    int    high, low;
    size_t i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        if (n == size) {
            return -1;
        }

        if (p[i] == '+') {
            buf[n++] = ' ';
            continue;
        }

        if (p[i] != '%') {
            buf[n++] = p[i];
            continue;
        }

        high = len - i > 2 ? ktp_hex(p[i + 1]) : -1;
        low = len - i > 2 ? ktp_hex(p[i + 2]) : -1;

        if (high < 0 || low < 0) {
            return -1;
        }

        buf[n++] = high << 4 | low;
        i += 2;
    }

    return n;
}


static ktp_code_t
ktp_intake_arg(ktp_intake_t *in, const char *p, size_t len)
{
    int           n;
    size_t        name_len;
    ktp_code_t    rc;
    const char   *equal;
    ktp_member_t  member;
    unsigned char buf[3 * KTP_MAX_REFERENCE_ID];

    equal = memchr(p, '=', len);
    name_len = equal ? (size_t) (equal - p) : len;

    n = ktp_args_decode(p, name_len, buf, sizeof(buf));
    member =
        n < 0 ? KTP_MEMBER_OTHER : ktp_intake_draft_member((char *) buf, n);

    if (member == KTP_MEMBER_OTHER || member == KTP_MEMBER_IMAGE) {
        return KTP_OK;
    }

    rc = ktp_intake_draft_begin(&in->draft, member);
    if (rc != KTP_OK) {
        return rc;
    }

    p += equal ? name_len + 1 : name_len;
    len -= equal ? name_len + 1 : name_len;

    n = ktp_args_decode(p, len, buf, sizeof(buf));

    if (member == KTP_MEMBER_REFERENCE_ID) {
        return n < 0 ? KTP_INVALID_PAYLOAD_REFERENCE_ID
                     : ktp_intake_draft_reference(&in->draft, buf, n);
    }

    return n < 0 || equal == NULL
               ? KTP_BAD_FLAG
               : ktp_intake_draft_flag_text(&in->draft, member, buf, n);
}


ktp_code_t
ktp_intake_args(ktp_intake_t *in, const char *args, size_t len)
{
    const char *p, *end, *next;

    if (in->draft.request.type != KTP_INTAKE_BINARY) {
        return KTP_OK;
    }

    p = args;
    end = args + len;

    while (p < end && in->code == KTP_OK) {
        next = memchr(p, '&', end - p);
        if (next == NULL) {
            next = end;
        }

        in->code = ktp_intake_arg(in, p, next - p);
        p = next < end ? next + 1 : end;
    }

    return in->code;
}


static ktp_code_t
ktp_intake_parse(ktp_intake_t *in, const unsigned char *p, size_t n)
{
    if (in->json) {
        return ktp_intake_json_feed(in->json, p, n);
    }

    if (in->multipart) {
        return ktp_intake_multipart_feed(in->multipart, p, n);
    }

    if (ktp_store_is_room(in->draft.image.store, p)) {
        return ktp_image_commit(&in->draft.image, p, n);
    }

    return ktp_image_append(&in->draft.image, p, n);
}


unsigned char *
ktp_intake_room(ktp_intake_t *in, size_t *avail)
{
    if (in->code != KTP_OK || in->json || in->multipart
        || in->draft.policy->strip) {
        return NULL;
    }

    return ktp_store_reserve(in->draft.image.store, avail);
}


ktp_code_t
ktp_intake_feed(ktp_intake_t *in, const unsigned char *p, size_t len)
{
    size_t n;

    if (in->code != KTP_OK || len == 0) {
        return in->code;
    }

    in->any = 1;
    n = len < in->left ? len : in->left;
    in->left -= n;

    in->code = ktp_intake_parse(in, p, n);

    if (in->code == KTP_OK && n < len) {
        in->code = KTP_BODY_TOO_LARGE;
    }

    ktp_intake_draft_facts(&in->draft);

    return in->code;
}


ktp_code_t
ktp_intake_finish(ktp_intake_t *in)
{
    if (in->code != KTP_OK) {
        return in->code;
    }

    if (!in->any) {
        in->code = KTP_EMPTY_BODY;

    } else if (in->json) {
        in->code = ktp_intake_json_finish(in->json);

    } else if (in->multipart) {
        in->code = ktp_intake_multipart_finish(in->multipart);

    } else {
        in->code = ktp_intake_draft_image_bytes(&in->draft);
    }

    if (in->code == KTP_OK) {
        in->code = ktp_intake_draft_finish(&in->draft);
    }

    ktp_intake_draft_facts(&in->draft);

    return in->code;
}


ktp_code_t
ktp_intake_length(const ktp_intake_t *in, uint64_t length)
{
    ktp_intake_type_t type;

    type = in->draft.request.type;

    if (length <= ktp_intake_body_max(in->draft.policy, type)) {
        return KTP_OK;
    }

    return type == KTP_INTAKE_BINARY ? KTP_INVALID_PAYLOAD_IMAGE_SIZE
                                     : KTP_BODY_TOO_LARGE;
}


const ktp_request_t *
ktp_intake_request(const ktp_intake_t *in)
{
    return &in->draft.request;
}


void
ktp_intake_facts(const ktp_intake_t *in, ktp_code_t code, uint64_t length,
                 ktp_error_facts_t *facts)
{
    int                  upright;
    const ktp_policy_t  *policy;
    const ktp_request_t *request;

    policy = in->draft.policy;
    request = &in->draft.request;
    upright = request->height > request->width;

    memset(facts, 0, sizeof(ktp_error_facts_t));

    facts->members = in->draft.ignored;
    facts->width = request->width;
    facts->height = request->height;
    facts->min_width = upright ? policy->min_short : policy->min_long;
    facts->min_height = upright ? policy->min_long : policy->min_short;
    facts->max_pixels = policy->max_pixels;

    if (code == KTP_BODY_TOO_LARGE) {
        facts->bytes = length;
        facts->max_bytes = ktp_intake_body_max(policy, request->type);

    } else {
        facts->bytes = request->type == KTP_INTAKE_BINARY ? length : 0;
        facts->max_bytes = policy->max_size;
    }
}


void
ktp_intake_destroy(ktp_intake_t *in)
{
    if (in == NULL) {
        return;
    }

    ktp_intake_json_destroy(in->json);
    ktp_intake_multipart_destroy(in->multipart);
    free(in);
}
