#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>
#include "ktp_answer_doc.h"
#include "ktp_limits.h"
#include "ktp_utf8.h"


/*
 * answer  = object of message, status_code, error_code (strings) and data
 * data    = object of the fields (strings) and image_quality
 * quality = object of flags (booleans) and scores (numbers)
 */
typedef enum {
    KTP_PLACE_NONE = 0, /* before the answer's own brace */
    KTP_PLACE_TOP,
    KTP_PLACE_DATA,
    KTP_PLACE_QUALITY
} ktp_place_t;

typedef enum {
    KTP_KIND_STRING,
    KTP_KIND_NUMBER,
    KTP_KIND_BOOLEAN,
    KTP_KIND_NULL,
    KTP_KIND_MAP,
    KTP_KIND_ARRAY
} ktp_kind_t;

typedef struct {
    const char *p;
    uint32_t    len;
    uint32_t    hash;
} ktp_key_t;

typedef struct {
    ktp_answer_doc_t *doc;
    unsigned          strict : 1;

    ktp_place_t place;
    unsigned    depth;
    unsigned    skip; /* depth of the unknown value that we are in, or 0 */

    /* of the last key in place: where its value goes */
    ktp_value_t *target; /* NULL: it is unknown, or a known object */
    ktp_kind_t   kind;   /* what the value must be */
    const char  *name;   /* of a known member, or NULL */

    /* every key of the open objects, to find one that is there twice */
    ktp_key_t keys[KTP_ANSWER_MAX_KEYS];
    unsigned  nkeys;
    unsigned  first[KTP_MAX_DEPTH + 1]; /* the first key of a depth */

    char *free;    /* room for decoded strings, which are never longer */
    char  arena[]; /* than what they are decoded from */
} ktp_answer_parser_t;


static int  ktp_answer_escapes(const char *body, size_t len);
static int  ktp_answer_hex4(const char *p, const char *end, unsigned *code);
static int  ktp_answer_wrong(ktp_answer_parser_t *ps, const char *reason,
                             const char *place);
static int  ktp_answer_store(ktp_answer_parser_t *ps, ktp_kind_t kind,
                             const char *p, size_t len);
static int  ktp_answer_open(ktp_answer_parser_t *ps, ktp_kind_t kind);
static int  ktp_answer_close(ktp_answer_parser_t *ps);
static int  ktp_answer_key_seen(ktp_answer_parser_t *ps, const char *p,
                                size_t len);
static void ktp_answer_known(ktp_answer_parser_t *ps, const char *p,
                             size_t len);
static int  ktp_answer_on_null(void *ctx);
static int  ktp_answer_on_boolean(void *ctx, int value);
static int  ktp_answer_on_number(void *ctx, const char *p, size_t len);
static int ktp_answer_on_string(void *ctx, const unsigned char *p, size_t len);
static int ktp_answer_on_open_map(void *ctx);
static int ktp_answer_on_key(void *ctx, const unsigned char *p, size_t len);
static int ktp_answer_on_close_map(void *ctx);
static int ktp_answer_on_open_array(void *ctx);
static int ktp_answer_on_close_array(void *ctx);


static const yajl_callbacks ktp_answer_callbacks = {
    ktp_answer_on_null,
    ktp_answer_on_boolean,
    NULL, /* integer and double: ktp_answer_on_number has the digits */
    NULL,
    ktp_answer_on_number,
    ktp_answer_on_string,
    ktp_answer_on_open_map,
    ktp_answer_on_key,
    ktp_answer_on_close_map,
    ktp_answer_on_open_array,
    ktp_answer_on_close_array,
};


int
ktp_answer_json_read(ktp_answer_doc_t *doc, const char *body, size_t len,
                     int strict)
{
    yajl_handle          json;
    yajl_status          status;
    ktp_answer_parser_t *ps;

    memset(doc, 0, sizeof(ktp_answer_doc_t));

    if (!ktp_utf8_valid((const unsigned char *) body, len)) {
        doc->reason = "invalid UTF-8";

    } else if (ktp_answer_escapes(body, len) != 0) {
        doc->reason = "an escape that is no character";
    }

    if (doc->reason) {
        return -1;
    }

    /* what yajl decodes is copied: its strings live for one callback */

    ps = malloc(sizeof(ktp_answer_parser_t) + len);
    if (ps == NULL) {
        doc->reason = "no memory";
        return -1;
    }

    memset(ps, 0, offsetof(ktp_answer_parser_t, keys));
    ps->nkeys = 0;
    ps->doc = doc;
    ps->strict = strict;
    ps->free = ps->arena;
    doc->memory = ps;

    json = yajl_alloc(&ktp_answer_callbacks, NULL, ps);
    if (json == NULL) {
        doc->reason = "no memory";
        return -1;
    }

    status = yajl_parse(json, (const unsigned char *) body, len);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(json);
    }

    yajl_free(json);

    if (status != yajl_status_ok && doc->reason == NULL) {
        doc->reason = "not JSON";
    }

    return doc->reason ? -1 : 0;
}


void
ktp_answer_json_free(ktp_answer_doc_t *doc)
{
    free(doc->memory);
    doc->memory = NULL;
}


/*
 * yajl decodes a NUL, and makes something of half a surrogate pair.  A
 * backslash outside of a string is an error anyway, so that all of them can
 * be looked at without parsing.
 */
static int
ktp_answer_escapes(const char *body, size_t len)
{
    unsigned    code, low;
    const char *p, *end;

    end = body + len;

    for (p = body; p < end; p++) {

        p = memchr(p, '\\', (size_t) (end - p));
        if (p == NULL) {
            return 0;
        }

        p++; /* what is escaped; it may be a backslash */

        if (p == end || *p != 'u') {
            continue;
        }

        if (ktp_answer_hex4(p + 1, end, &code) != 0 || code == 0) {
            return -1;
        }

        p += 4;

        if (code < 0xd800 || code > 0xdfff) {
            continue;
        }

        if (code > 0xdbff || end - p < 3 || p[1] != '\\' || p[2] != 'u'
            || ktp_answer_hex4(p + 3, end, &low) != 0 || low < 0xdc00
            || low > 0xdfff) {
            return -1;
        }

        p += 6;
    }

    return 0;
}


static int
ktp_answer_hex4(const char *p, const char *end, unsigned *code)
{
    size_t i;

    if (end - p < 4) {
        return -1;
    }

    *code = 0;

    for (i = 0; i < 4; i++) {
        *code <<= 4;

        if (p[i] >= '0' && p[i] <= '9') {
            *code |= (unsigned) (p[i] - '0');

        } else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f') {
            *code |= (unsigned) ((p[i] | 0x20) - 'a' + 10);

        } else {
            return -1;
        }
    }

    return 0;
}


/* The first reason stays.  Returns whether yajl shall go on. */
static int
ktp_answer_wrong(ktp_answer_parser_t *ps, const char *reason,
                 const char *place)
{
    if (ps->doc->reason == NULL) {
        ps->doc->reason = reason;
        ps->doc->place = place;
    }

    return !ps->strict;
}


/* A value that is neither object nor array. */
static int
ktp_answer_store(ktp_answer_parser_t *ps, ktp_kind_t kind, const char *p,
                 size_t len)
{
    ktp_value_t *target;

    if (ps->skip) {
        return 1;
    }

    if (ps->depth == 0) {
        return ktp_answer_wrong(ps, "no object", NULL);
    }

    if (ps->name == NULL) {
        return 1;
    }

    if (kind != ps->kind) {
        return ktp_answer_wrong(ps, "a value of another type", ps->name);
    }

    if (kind == KTP_KIND_NUMBER && len > KTP_ANSWER_MAX_NUMBER) {
        return ktp_answer_wrong(ps, "too long a number", ps->name);
    }

    target = ps->target;
    target->p = ps->free;
    target->len = len;

    memcpy(ps->free, p, len);
    ps->free += len;

    return 1;
}


static int
ktp_answer_open(ktp_answer_parser_t *ps, ktp_kind_t kind)
{
    const char *name;

    if (ps->depth == KTP_MAX_DEPTH) {
        (void) ktp_answer_wrong(ps, "too deep", NULL);
        return 0;
    }

    name = ps->name;
    ps->name = NULL;
    ps->first[++ps->depth] = ps->nkeys;

    if (ps->skip) {
        return 1;
    }

    if (ps->depth == 1 && kind == KTP_KIND_MAP) {
        ps->place = KTP_PLACE_TOP;
        return 1;
    }

    if (name && kind == ps->kind) {
        if (ps->place == KTP_PLACE_TOP) {
            ps->doc->has_data = 1;
            ps->place = KTP_PLACE_DATA;

        } else {
            ps->doc->has_quality = 1;
            ps->place = KTP_PLACE_QUALITY;
        }

        return 1;
    }

    ps->skip = ps->depth;

    if (ps->depth == 1) {
        return ktp_answer_wrong(ps, "no object", NULL);
    }

    if (name) {
        return ktp_answer_wrong(ps, "a value of another type", name);
    }

    return 1;
}


static int
ktp_answer_close(ktp_answer_parser_t *ps)
{
    ps->nkeys = ps->first[ps->depth];

    if (ps->skip == 0) {
        ps->place--;

    } else if (ps->skip == ps->depth) {
        ps->skip = 0;
    }

    ps->depth--;
    ps->name = NULL;

    return 1;
}


/* Notes a key of the innermost object: 1 if it is new, 0 if it is not. */
static int
ktp_answer_key_seen(ktp_answer_parser_t *ps, const char *p, size_t len)
{
    size_t     i;
    uint32_t   hash;
    unsigned   n;
    ktp_key_t *key;

    for (hash = 5381, i = 0; i < len; i++) {
        hash = hash * 33 + (unsigned char) p[i];
    }

    for (n = ps->first[ps->depth]; n < ps->nkeys; n++) {
        key = &ps->keys[n];

        if (key->hash == hash && key->len == len
            && memcmp(key->p, p, len) == 0) {
            return 0;
        }
    }

    key = &ps->keys[ps->nkeys++];
    key->hash = hash;
    key->len = (uint32_t) len;
    key->p = ps->free;

    memcpy(ps->free, p, len);
    ps->free += len;

    return 1;
}


/* Whose key it is, by where we are. */
static void
ktp_answer_known(ktp_answer_parser_t *ps, const char *p, size_t len)
{
    unsigned          i;
    const char       *name;
    ktp_field_t       field;
    ktp_answer_doc_t *doc;

    doc = ps->doc;
    ps->name = NULL;
    ps->target = NULL;

    if (ps->place == KTP_PLACE_DATA) {
        field = ktp_field_by_name(p, len);
        ps->name = ktp_field_name(field);
        ps->kind = KTP_KIND_MAP;

        if (field < KTP_FIELD_TEXTS) {
            ps->kind = KTP_KIND_STRING;
            ps->target = &doc->field[field];
        }

        return;
    }

    if (ps->place == KTP_PLACE_QUALITY) {
        for (i = 0; i < KTP_QUALITIES; i++) {
            name = ktp_answer_quality_name(i);

            if (strlen(name) == len && memcmp(name, p, len) == 0) {
                ps->name = name;
                ps->target = &doc->quality[i];
                ps->kind = (i < KTP_QUALITY_FLAGS) ? KTP_KIND_BOOLEAN
                                                   : KTP_KIND_NUMBER;
                return;
            }
        }

        return;
    }

    for (i = 0; i < KTP_ANSWER_TEXTS; i++) {
        name = ktp_answer_text_name(i);

        if (strlen(name) == len && memcmp(name, p, len) == 0) {
            ps->name = name;
            ps->target = &doc->top[i];
            ps->kind = KTP_KIND_STRING;
            return;
        }
    }

    if (len == 4 && memcmp(p, "data", 4) == 0) {
        ps->name = "data";
        ps->kind = KTP_KIND_MAP;
    }
}


static int
ktp_answer_on_key(void *ctx, const unsigned char *p, size_t len)
{
    ktp_answer_parser_t *ps = ctx;

    if (ps->nkeys == KTP_ANSWER_MAX_KEYS) {
        (void) ktp_answer_wrong(ps, "too many keys", NULL);
        return 0;
    }

    if (!ktp_answer_key_seen(ps, (const char *) p, len)) {
        ps->name = NULL;
        return ktp_answer_wrong(ps, "a key that is there twice", NULL);
    }

    if (ps->skip == 0) {
        ktp_answer_known(ps, (const char *) p, len);
    }

    return 1;
}


static int
ktp_answer_on_null(void *ctx)
{
    return ktp_answer_store(ctx, KTP_KIND_NULL, "", 0);
}


static int
ktp_answer_on_boolean(void *ctx, int value)
{
    return ktp_answer_store(ctx, KTP_KIND_BOOLEAN, value ? "true" : "false",
                            value ? 4 : 5);
}


static int
ktp_answer_on_number(void *ctx, const char *p, size_t len)
{
    return ktp_answer_store(ctx, KTP_KIND_NUMBER, p, len);
}


static int
ktp_answer_on_string(void *ctx, const unsigned char *p, size_t len)
{
    return ktp_answer_store(ctx, KTP_KIND_STRING, (const char *) p, len);
}


static int
ktp_answer_on_open_map(void *ctx)
{
    return ktp_answer_open(ctx, KTP_KIND_MAP);
}


static int
ktp_answer_on_close_map(void *ctx)
{
    return ktp_answer_close(ctx);
}


static int
ktp_answer_on_open_array(void *ctx)
{
    return ktp_answer_open(ctx, KTP_KIND_ARRAY);
}


static int
ktp_answer_on_close_array(void *ctx)
{
    return ktp_answer_close(ctx);
}
