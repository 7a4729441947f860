#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "ktp_answer_doc.h"
#include "ktp_json.h"
#include "ktp_json_keys.h"
#include "ktp_utf8.h"


/*
 * answer  = object of message, status_code, error_code (strings) and data
 * data    = object of the fields (strings) and image_quality
 * quality = object of flags (booleans) and scores (numbers)
 *
 * of a local reader:
 *
 * data    = the same, detected (boolean), confidence (number) and details
 * details = object of the fields, each an object with confidence (number)
 */
typedef enum {
    KTP_PLACE_NONE = 0, /* before the answer's own brace */
    KTP_PLACE_TOP,
    KTP_PLACE_DATA,
    KTP_PLACE_QUALITY,
    KTP_PLACE_DETAILS,
    KTP_PLACE_DETAIL
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
    ktp_answer_doc_t *doc;
    unsigned          strict : 1;
    unsigned          local : 1;
    unsigned          twice : 1; /* a key */

    ktp_place_t place;
    ktp_place_t inner; /* of the known object of the last key */
    ktp_field_t field; /* whose details we are in */
    unsigned    skip;  /* depth of the unknown value that we are in, or 0 */

    /* of the last key in place: where its value goes */
    ktp_value_t *target; /* NULL: it is unknown, or a known object */
    ktp_kind_t   kind;   /* what the value must be */
    const char  *name;   /* of a known member, or NULL */

    char           *free; /* where the next value is copied to */
    ktp_json_t      json;
    ktp_json_keys_t keys;
} ktp_answer_parser_t;


static int  ktp_answer_escapes(const char *body, size_t len);
static int  ktp_answer_hex4(const char *p, const char *end, unsigned *code);
static int  ktp_answer_wrong(ktp_answer_parser_t *ps, const char *reason,
                             const char *place);
static int  ktp_answer_store(ktp_answer_parser_t *ps, ktp_kind_t kind,
                             const char *p, size_t len);
static int  ktp_answer_open(ktp_answer_parser_t *ps, ktp_kind_t kind);
static int  ktp_answer_close(ktp_answer_parser_t *ps);
static void ktp_answer_known(ktp_answer_parser_t *ps, const char *p,
                             size_t len);
static int  ktp_answer_known_local(ktp_answer_parser_t *ps, const char *p,
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
                     ktp_answer_json_mode_t mode)
{
    ktp_code_t          rc;
    ktp_answer_parser_t ps;

    memset(doc, 0, sizeof(ktp_answer_doc_t));

    if (!ktp_utf8_valid((const unsigned char *) body, len)) {
        doc->reason = "invalid UTF-8";

    } else if (ktp_answer_escapes(body, len) != 0) {
        doc->reason = "an escape that is no character";
    }

    if (doc->reason) {
        return -1;
    }

    /*
     * A value lives for one callback and is copied; decoded, it is not
     * longer than in the body.
     */

    doc->memory = malloc(len + 1);
    if (doc->memory == NULL) {
        doc->reason = "no memory";
        return -1;
    }

    doc->memory_size = len + 1;

    memset(&ps, 0, offsetof(ktp_answer_parser_t, json));
    ps.doc = doc;
    ps.strict = mode != KTP_ANSWER_JSON_LENIENT;
    ps.local = mode == KTP_ANSWER_JSON_LOCAL;
    ps.free = doc->memory;

    ktp_json_keys_init(&ps.keys);

    rc = KTP_INTERNAL_SERVER_ERROR;

    if (ktp_json_open(&ps.json, &ktp_answer_callbacks, &ps, len) == 0) {
        rc = ktp_json_feed(&ps.json, (const unsigned char *) body, len);

        if (rc == KTP_OK) {
            rc = ktp_json_finish(&ps.json);
        }

        ktp_json_close(&ps.json);
    }

    ktp_json_keys_destroy(&ps.keys);

    doc->whole = rc == KTP_OK && !ps.twice;

    if (rc != KTP_OK && doc->reason == NULL) {
        doc->reason =
            rc == KTP_INTERNAL_SERVER_ERROR ? "no memory" : "not JSON";
    }

    return doc->reason ? -1 : 0;
}


void
ktp_answer_json_read_free(ktp_answer_doc_t *doc)
{
    if (doc->memory) {
        explicit_bzero(doc->memory, doc->memory_size);
    }

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

    if (ps->keys.depth == 0) {
        return ktp_answer_wrong(ps, "no object", NULL);
    }

    if (ps->name == NULL) {
        return 1;
    }

    if (ps->target == &ps->doc->field[KTP_FIELD_REFERENCE_ID]) {
        ps->doc->reference_end = ktp_json_offset(&ps->json);
    }

    /* null is no value: a field is empty, anything else is not there */

    if (kind == KTP_KIND_NULL) {
        if (ps->place == KTP_PLACE_DATA && ps->target) {
            ps->target->p = "";
        }

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

    if (ktp_json_keys_open(&ps->keys) != 0) {
        (void) ktp_answer_wrong(ps, "too deep", NULL);
        return 0;
    }

    name = ps->name;
    ps->name = NULL;

    if (ps->skip) {
        return 1;
    }

    if (ps->keys.depth == 1 && kind == KTP_KIND_MAP) {
        ps->place = KTP_PLACE_TOP;
        return 1;
    }

    if (name && kind == ps->kind) {
        ps->place = ps->inner;

        if (ps->place == KTP_PLACE_DATA) {
            ps->doc->has_data = 1;
            ps->doc->data_open = ktp_json_offset(&ps->json);

        } else if (ps->place == KTP_PLACE_QUALITY) {
            ps->doc->has_quality = 1;
        }

        return 1;
    }

    ps->skip = ps->keys.depth;

    if (ps->keys.depth == 1) {
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
    static const ktp_place_t outer[] = {
        [KTP_PLACE_NONE] = KTP_PLACE_NONE,
        [KTP_PLACE_TOP] = KTP_PLACE_NONE,
        [KTP_PLACE_DATA] = KTP_PLACE_TOP,
        [KTP_PLACE_QUALITY] = KTP_PLACE_DATA,
        [KTP_PLACE_DETAILS] = KTP_PLACE_DATA,
        [KTP_PLACE_DETAIL] = KTP_PLACE_DETAILS,
    };

    if (ps->skip == 0) {
        ps->place = outer[ps->place];

    } else if (ps->skip == ps->keys.depth) {
        ps->skip = 0;
    }

    ktp_json_keys_close(&ps->keys);
    ps->name = NULL;

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

    if (ps->local && ktp_answer_known_local(ps, p, len)) {
        return;
    }

    if (ps->place == KTP_PLACE_DATA) {
        field = ktp_field_by_name(p, len);
        ps->name = ktp_field_name(field);
        ps->kind = KTP_KIND_MAP;
        ps->inner = KTP_PLACE_QUALITY;

        if (field < KTP_FIELD_TEXTS) {
            ps->kind = KTP_KIND_STRING;
            ps->target = &doc->field[field];
        }

        return;
    }

    if (ps->place == KTP_PLACE_QUALITY) {
        for (i = 0; i < KTP_QUALITIES; i++) {
            name = ktp_answer_doc_quality_name(i);

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
        name = ktp_answer_doc_text_name(i);

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
        ps->inner = KTP_PLACE_DATA;
    }
}


/* 0: it is none of a local reader's own. */
static int
ktp_answer_known_local(ktp_answer_parser_t *ps, const char *p, size_t len)
{
    if (ps->place == KTP_PLACE_DATA && len == 7
        && memcmp(p, "details", 7) == 0) {
        ps->name = "details";
        ps->kind = KTP_KIND_MAP;
        ps->inner = KTP_PLACE_DETAILS;

    } else if (ps->place == KTP_PLACE_DATA && len == 8
               && memcmp(p, "detected", 8) == 0) {
        ps->name = "detected";
        ps->kind = KTP_KIND_BOOLEAN;
        ps->target = &ps->doc->detected;

    } else if (ps->place == KTP_PLACE_DATA && len == 10
               && memcmp(p, "confidence", 10) == 0) {
        ps->name = "confidence";
        ps->kind = KTP_KIND_NUMBER;
        ps->target = &ps->doc->confidence;

    } else if (ps->place == KTP_PLACE_DETAILS) {
        ps->field = ktp_field_by_name(p, len);

        if (ps->field < KTP_FIELD_TEXTS) {
            ps->name = ktp_field_name(ps->field);
            ps->kind = KTP_KIND_MAP;
            ps->inner = KTP_PLACE_DETAIL;
        }

        return 1;

    } else if (ps->place == KTP_PLACE_DETAIL) {

        if (len == 10 && memcmp(p, "confidence", 10) == 0) {
            ps->name = "confidence";
            ps->kind = KTP_KIND_NUMBER;
            ps->target = &ps->doc->sure[ps->field];
        }

        return 1;
    }

    return ps->name != NULL;
}


static int
ktp_answer_on_key(void *ctx, const unsigned char *p, size_t len)
{
    ktp_answer_parser_t *ps = ctx;

    switch (ktp_json_keys_add(&ps->keys, p, len)) {

    case KTP_JSON_KEYS_NEW:
        break;

    case KTP_JSON_KEYS_TWICE:
        ps->name = NULL;
        ps->twice = 1;
        return ktp_answer_wrong(ps, "a key that is there twice", NULL);

    case KTP_JSON_KEYS_TOO_MANY:
        (void) ktp_answer_wrong(ps, "too many keys", NULL);
        return 0;

    case KTP_JSON_KEYS_NO_MEMORY:
        (void) ktp_answer_wrong(ps, "no memory", NULL);
        return 0;
    }

    if (ps->skip == 0) {
        ktp_answer_known(ps, (const char *) p, len);

        if (ps->target == &ps->doc->field[KTP_FIELD_REFERENCE_ID]) {
            ps->doc->reference_key = ktp_json_offset(&ps->json);
        }
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
