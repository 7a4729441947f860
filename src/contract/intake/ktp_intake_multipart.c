/*
 * The multipart way in.
 *
 *   body      = [ preamble CRLF ] dash *WSP CRLF part
 *               *( delimiter *WSP CRLF part )
 *               delimiter "--" *WSP [ CRLF epilogue ]
 *   dash      = "--" boundary
 *   delimiter = CRLF dash
 *   part      = *( name ":" value CRLF ) [ CRLF *OCTET ]
 *
 * A bare LF or CR ends no line.  What looks like a delimiter and goes on
 * otherwise is rejected, since another parser may take it for one.
 */

#include <stdlib.h>
#include <string.h>
#include "ktp_media.h"
#include "ktp_intake_multipart.h"


enum {
    KTP_MP_DATA,      /* of a part, or the preamble */
    KTP_MP_DELIMITER, /* after one: what kind is it? */
    KTP_MP_PADDING,
    KTP_MP_LF, /* of the delimiter's line */
    KTP_MP_HEADERS,
    KTP_MP_HEADER_LF,
    KTP_MP_LAST,         /* after the first "-" behind a delimiter */
    KTP_MP_LAST_PADDING, /* after the second; the body may end */
    KTP_MP_LAST_LF,
    KTP_MP_EPILOGUE /* the body may end */
};

/* header fields that a part may have once; bits */
#define KTP_MP_DISPOSITION 1
#define KTP_MP_TYPE        2
#define KTP_MP_ENCODING    4

/* bytes of a part that are decoded at once */
#define KTP_MP_STAGE 4096

/* Content-Transfer-Encoding of a part */
typedef enum {
    KTP_MP_PLAIN,
    KTP_MP_BASE64,
    KTP_MP_UNKNOWN /* matters if the part is not ignored */
} ktp_mp_coding_t;

struct ktp_intake_multipart_s {
    ktp_intake_draft_t *draft;
    int                 state;
    char                delimiter[4 + KTP_MAX_BOUNDARY];
    size_t              delimiter_len;
    size_t              matched; /* bytes of the delimiter seen */
    size_t assumed; /* of them, those that are not data if it fails */

    unsigned        parts;
    unsigned        lines;  /* of the part's header */
    unsigned        fields; /* seen in it */
    unsigned        named : 1;
    unsigned        file : 1; /* the part has a file name or a file's type */
    unsigned        in_part : 1; /* or else in the preamble */
    ktp_mp_coding_t coding;
    ktp_base64_t    base64;
    ktp_member_t    member;
    char            line[KTP_MAX_PART_LINE];
    size_t          line_len;
    unsigned char   value[KTP_MAX_REFERENCE_ID + 1]; /* of a flag or so */
    size_t          value_len;
};


static int
ktp_intake_multipart_is_boundary(const char *p, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if ((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z')
            || (p[i] >= 'a' && p[i] <= 'z')
            || (p[i] && strchr("'()+_,-./:=? ", p[i]))) {
            continue;
        }

        return 0;
    }

    return len > 0 && p[len - 1] != ' ';
}


int
ktp_intake_multipart_boundary(const char *content_type, size_t len,
                              char boundary[KTP_MAX_BOUNDARY + 1])
{
    int         n, rc;
    const char *value;
    ktp_media_t media;
    ktp_param_t param;

    n = -1;
    (void) ktp_media_value(&media, content_type, len, &value);

    while ((rc = ktp_media_param(&media, &param)) == 1) {

        if (!ktp_media_is(param.name, param.name_len, "boundary")) {
            continue;
        }

        if (n != -1) {
            return -1;
        }

        n = ktp_media_copy(&param, boundary, KTP_MAX_BOUNDARY + 1);

        if (n < 0 || !ktp_intake_multipart_is_boundary(boundary, n)) {
            return -1;
        }
    }

    return rc == 0 ? n : -1;
}


ktp_intake_multipart_t *
ktp_intake_multipart_create(ktp_intake_draft_t *draft, const char *boundary,
                            size_t len)
{
    ktp_intake_multipart_t *mp;

    mp = calloc(1, sizeof(ktp_intake_multipart_t));
    if (mp == NULL) {
        return NULL;
    }

    mp->draft = draft;
    memcpy(mp->delimiter, "\r\n--", 4);
    memcpy(mp->delimiter + 4, boundary, len);
    mp->delimiter_len = 4 + len;

    /* the first delimiter may do without its CRLF */

    mp->state = KTP_MP_DATA;
    mp->matched = 2;
    mp->assumed = 2;

    return mp;
}


void
ktp_intake_multipart_destroy(ktp_intake_multipart_t *mp)
{
    free(mp);
}


/* Content-Disposition (RFC 7578, 4.2). */

static ktp_code_t
ktp_intake_multipart_disposition(ktp_intake_multipart_t *mp, const char *p,
                                 size_t len)
{
    int         rc, n;
    char        name[32]; /* the contract's are shorter */
    const char *value;
    ktp_media_t media;
    ktp_param_t param;

    n = ktp_media_value(&media, p, len, &value);

    if (!ktp_media_is(value, n, "form-data")) {
        return KTP_BAD_MULTIPART;
    }

    while ((rc = ktp_media_param(&media, &param)) == 1) {

        if (ktp_media_is(param.name, param.name_len, "filename")
            || ktp_media_is(param.name, param.name_len, "filename*")) {
            mp->file = 1;
            continue;
        }

        if (!ktp_media_is(param.name, param.name_len, "name")) {
            continue;
        }

        if (mp->named) {
            return KTP_BAD_MULTIPART;
        }

        mp->named = 1;
        n = ktp_media_copy(&param, name, sizeof(name));

        if (n >= 0) {
            mp->member = ktp_intake_draft_member(name, n);
        }
    }

    return rc == 0 && mp->named ? KTP_OK : KTP_BAD_MULTIPART;
}


static void
ktp_intake_multipart_type(ktp_intake_multipart_t *mp, const char *p,
                          size_t len)
{
    size_t      n;
    const char *value;
    ktp_media_t media;

    n = ktp_media_value(&media, p, len, &value);

    if (ktp_media_is(value, n, "application/octet-stream")
        || (n > 6 && ktp_media_is(value, 6, "image/"))) {
        mp->file = 1;
    }
}


/* RFC 7578, 4.7: it is deprecated, but libraries for mail send base64. */

static ktp_mp_coding_t
ktp_intake_multipart_encoding(const char *p, size_t len)
{
    size_t      n;
    const char *value;
    ktp_media_t media;

    n = ktp_media_value(&media, p, len, &value);

    if (ktp_media_is(value, n, "7bit") || ktp_media_is(value, n, "8bit")
        || ktp_media_is(value, n, "binary")) {
        return KTP_MP_PLAIN;
    }

    return ktp_media_is(value, n, "base64") ? KTP_MP_BASE64 : KTP_MP_UNKNOWN;
}


/* One line of a part's header, without its end; not empty. */

static ktp_code_t
ktp_intake_multipart_line(ktp_intake_multipart_t *mp)
{
    size_t      len;
    unsigned    field;
    const char *colon, *value;

    if (++mp->lines > KTP_MAX_PART_LINES) {
        return KTP_BAD_MULTIPART;
    }

    colon = memchr(mp->line, ':', mp->line_len);

    if (colon == NULL || !ktp_media_is_name(mp->line, colon - mp->line)) {
        return KTP_BAD_MULTIPART;
    }

    value = colon + 1;
    len = mp->line + mp->line_len - value;

    if (ktp_media_is(mp->line, colon - mp->line, "content-disposition")) {
        field = KTP_MP_DISPOSITION;

    } else if (ktp_media_is(mp->line, colon - mp->line, "content-type")) {
        field = KTP_MP_TYPE;

    } else if (ktp_media_is(mp->line, colon - mp->line,
                            "content-transfer-encoding")) {
        field = KTP_MP_ENCODING;

    } else {
        return KTP_OK;
    }

    if (mp->fields & field) {
        return KTP_BAD_MULTIPART;
    }

    mp->fields |= field;

    switch (field) {

    case KTP_MP_DISPOSITION:
        return ktp_intake_multipart_disposition(mp, value, len);

    case KTP_MP_ENCODING:
        mp->coding = ktp_intake_multipart_encoding(value, len);
        return KTP_OK;

    default:
        ktp_intake_multipart_type(mp, value, len);
        return KTP_OK;
    }
}


/* The line of a delimiter ended: a part begins. */

static ktp_code_t
ktp_intake_multipart_part(ktp_intake_multipart_t *mp)
{
    if (++mp->parts > KTP_MAX_PARTS) {
        return KTP_TOO_MANY_PARTS;
    }

    mp->state = KTP_MP_HEADERS;
    mp->lines = 0;
    mp->line_len = 0;
    mp->fields = 0;
    mp->named = 0;
    mp->file = 0;
    mp->in_part = 1;
    mp->coding = KTP_MP_PLAIN;
    mp->member = KTP_MEMBER_OTHER;
    mp->value_len = 0;

    return KTP_OK;
}


/* The empty line after a part's header. */

static ktp_code_t
ktp_intake_multipart_part_data(ktp_intake_multipart_t *mp)
{
    ktp_intake_draft_t *draft;

    draft = mp->draft;

    if (!mp->named) {
        return KTP_BAD_MULTIPART;
    }

    if (mp->coding == KTP_MP_UNKNOWN && mp->member != KTP_MEMBER_OTHER) {
        return KTP_PART_CODING;
    }

    ktp_base64_init(&mp->base64);

    /* the empty line is the CRLF of the delimiter of a part with no data */

    mp->state = KTP_MP_DATA;
    mp->matched = 2;
    mp->assumed = 2;

    if (mp->member == KTP_MEMBER_IMAGE && !mp->file
        && !(draft->seen & 1u << KTP_MEMBER_IMAGE)) {
        ktp_intake_text_init(&draft->text, draft->policy, &draft->image,
                             draft->request.url);
    }

    return ktp_intake_draft_begin(draft, mp->member);
}


/* Bytes of a member, decoded. */

static ktp_code_t
ktp_intake_multipart_value(ktp_intake_multipart_t *mp,
                           const unsigned char *data, size_t n)
{
    size_t              k;
    ktp_intake_draft_t *draft;

    draft = mp->draft;

    if (mp->member == KTP_MEMBER_IMAGE) {
        return mp->file ? ktp_image_append(&draft->image, data, n)
                        : ktp_intake_text_feed(&draft->text, data, n);
    }

    /* one byte over the longest is enough to tell that it is too long */

    k = sizeof(mp->value) - mp->value_len;
    k = n < k ? n : k;

    memcpy(mp->value + mp->value_len, data, k);
    mp->value_len += k;

    return KTP_OK;
}


/* What is wrong with the base64 of a member. */

static ktp_code_t
ktp_intake_multipart_bad_base64(const ktp_intake_multipart_t *mp,
                                ktp_code_t                    code)
{
    return mp->member == KTP_MEMBER_IMAGE ? code : KTP_PART_CODING;
}


/* Whatever is decoded is handed on, also in front of what is wrong. */

static ktp_code_t
ktp_intake_multipart_decode(ktp_intake_multipart_t *mp, const unsigned char *p,
                            size_t n)
{
    size_t        i, k, len;
    ktp_code_t    rc, bad;
    unsigned char stage[KTP_MP_STAGE + 3];

    bad = KTP_OK;

    for (i = 0; i < n && bad == KTP_OK; /* void */) {

        for (len = 0; i < n && len < KTP_MP_STAGE; i++, len += k) {
            bad = ktp_base64_char(&mp->base64, p[i], stage + len, &k);
            if (bad != KTP_OK) {
                break;
            }
        }

        rc = len ? ktp_intake_multipart_value(mp, stage, len) : KTP_OK;
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return bad == KTP_OK ? KTP_OK : ktp_intake_multipart_bad_base64(mp, bad);
}


static ktp_code_t
ktp_intake_multipart_emit(ktp_intake_multipart_t *mp, const void *data,
                          size_t n)
{
    if (n == 0 || !mp->in_part || mp->member == KTP_MEMBER_OTHER) {
        return KTP_OK;
    }

    return mp->coding == KTP_MP_BASE64
               ? ktp_intake_multipart_decode(mp, data, n)
               : ktp_intake_multipart_value(mp, data, n);
}


/* The end of base64, which may hold back two bytes. */

static ktp_code_t
ktp_intake_multipart_decode_end(ktp_intake_multipart_t *mp)
{
    size_t        n;
    ktp_code_t    rc;
    unsigned char out[3];

    if (mp->coding != KTP_MP_BASE64 || mp->member == KTP_MEMBER_OTHER) {
        return KTP_OK;
    }

    rc = ktp_base64_finish(&mp->base64, out, &n);
    if (rc != KTP_OK) {
        return ktp_intake_multipart_bad_base64(mp, rc);
    }

    return n ? ktp_intake_multipart_value(mp, out, n) : KTP_OK;
}


/* A delimiter ends the data of a part, or the preamble. */

static ktp_code_t
ktp_intake_multipart_part_end(ktp_intake_multipart_t *mp)
{
    ktp_code_t          rc;
    ktp_intake_draft_t *draft;

    draft = mp->draft;

    mp->state = KTP_MP_DELIMITER;
    mp->matched = 0;
    mp->assumed = 0;

    if (!mp->in_part) {
        return KTP_OK;
    }

    rc = ktp_intake_multipart_decode_end(mp);
    if (rc != KTP_OK) {
        return rc;
    }

    switch (mp->member) {

    case KTP_MEMBER_IMAGE:
        return mp->file ? ktp_intake_draft_image_bytes(draft)
                        : ktp_intake_draft_image_text(draft);

    case KTP_MEMBER_VALIDATE_QUALITY:
    case KTP_MEMBER_IS_QUALITY:
        return ktp_intake_draft_flag_text(draft, mp->member, mp->value,
                                          mp->value_len);

    case KTP_MEMBER_REFERENCE_ID:
        return ktp_intake_draft_reference(draft, mp->value, mp->value_len);

    default:
        return KTP_OK;
    }
}


/* Data up to a CR that may begin a delimiter, or to the end. */

static size_t
ktp_intake_multipart_run(const unsigned char *p, size_t n)
{
    const unsigned char *cr, *from, *end;

    end = p + n;

    for (from = p; from < end; from = cr + 1) {
        cr = memchr(from, '\r', end - from);
        if (cr == NULL) {
            break;
        }

        if (cr + 1 == end || cr[1] == '\n') {
            return cr - p;
        }
    }

    return n;
}


/*
 * Data, up to and with the delimiter that ends it.  No byte of a delimiter
 * but its first is a CR, so that a match that fails fails at one place only.
 */

static ktp_code_t
ktp_intake_multipart_data(ktp_intake_multipart_t *mp,
                          const unsigned char **next, const unsigned char *end)
{
    size_t               n, held;
    ktp_code_t           rc;
    const unsigned char *p;

    rc = KTP_OK;

    for (p = *next; p < end && rc == KTP_OK; /* void */) {

        if (mp->matched == 0) {
            n = ktp_intake_multipart_run(p, end - p);
            rc = ktp_intake_multipart_emit(mp, p, n);
            p += n;

            if (p < end) {
                mp->matched = 1;
                p++;
            }

            continue;
        }

        if ((char) *p == mp->delimiter[mp->matched]) {
            p++;

            if (++mp->matched == mp->delimiter_len) {
                *next = p;
                return ktp_intake_multipart_part_end(mp);
            }

            continue;
        }

        held = mp->matched - mp->assumed;
        n = mp->assumed;
        mp->matched = 0;
        mp->assumed = 0;

        rc = ktp_intake_multipart_emit(mp, mp->delimiter + n, held);
    }

    *next = p;

    return rc;
}


static ktp_code_t
ktp_intake_multipart_header(ktp_intake_multipart_t *mp, unsigned char c)
{
    ktp_code_t rc;

    if (mp->state == KTP_MP_HEADER_LF) {

        if (c != '\n') {
            return KTP_BAD_MULTIPART;
        }

        if (mp->line_len == 0) {
            return ktp_intake_multipart_part_data(mp);
        }

        rc = ktp_intake_multipart_line(mp);
        mp->line_len = 0;
        mp->state = KTP_MP_HEADERS;

        return rc;
    }

    if (c == '\r') {
        mp->state = KTP_MP_HEADER_LF;
        return KTP_OK;
    }

    if ((c < 0x20 && c != '\t') || c == 0x7f
        || mp->line_len == sizeof(mp->line)) {
        return KTP_BAD_MULTIPART;
    }

    mp->line[mp->line_len++] = c;

    return KTP_OK;
}


/* A byte of a delimiter's line, after the boundary. */

static ktp_code_t
ktp_intake_multipart_tail(ktp_intake_multipart_t *mp, unsigned char c)
{
    int padding;

    padding = (c == ' ' || c == '\t');

    switch (mp->state) {

    case KTP_MP_DELIMITER:
        if (c == '-') {
            mp->state = KTP_MP_LAST;
            return KTP_OK;
        }

        mp->state = KTP_MP_PADDING;

        /* fall through */

    case KTP_MP_PADDING:
        if (c == '\r') {
            mp->state = KTP_MP_LF;
            return KTP_OK;
        }

        return padding ? KTP_OK : KTP_BAD_MULTIPART;

    case KTP_MP_LF:
        return c == '\n' ? ktp_intake_multipart_part(mp) : KTP_BAD_MULTIPART;

    case KTP_MP_LAST:
        mp->state = KTP_MP_LAST_PADDING;
        return c == '-' ? KTP_OK : KTP_BAD_MULTIPART;

    case KTP_MP_LAST_PADDING:
        if (c == '\r') {
            mp->state = KTP_MP_LAST_LF;
            return KTP_OK;
        }

        return padding ? KTP_OK : KTP_BAD_MULTIPART;

    default: /* KTP_MP_LAST_LF */
        mp->state = KTP_MP_EPILOGUE;
        return c == '\n' ? KTP_OK : KTP_BAD_MULTIPART;
    }
}


static ktp_code_t
ktp_intake_multipart_byte(ktp_intake_multipart_t *mp, unsigned char c)
{
    if (mp->state == KTP_MP_HEADERS || mp->state == KTP_MP_HEADER_LF) {
        return ktp_intake_multipart_header(mp, c);
    }

    return ktp_intake_multipart_tail(mp, c);
}


ktp_code_t
ktp_intake_multipart_feed(ktp_intake_multipart_t *mp, const unsigned char *p,
                          size_t n)
{
    ktp_code_t           rc;
    const unsigned char *end;

    end = p + n;
    rc = KTP_OK;

    while (p < end && rc == KTP_OK) {

        switch (mp->state) {

        case KTP_MP_DATA:
            rc = ktp_intake_multipart_data(mp, &p, end);
            break;

        case KTP_MP_EPILOGUE:
            p = end;
            break;

        default:
            rc = ktp_intake_multipart_byte(mp, *p++);
        }
    }

    return rc;
}


ktp_code_t
ktp_intake_multipart_finish(const ktp_intake_multipart_t *mp)
{
    if (mp->state == KTP_MP_LAST_PADDING || mp->state == KTP_MP_EPILOGUE) {
        return KTP_OK;
    }

    return KTP_BODY_TRUNCATED;
}
