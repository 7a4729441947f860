/* The request to the upstream, as a stream. */

#include <string.h>
#include "ktp_base64.h"
#include "ktp_outgoing.h"


static const char ktp_outgoing_prefix[] = "{\"image\":\"";

#define KTP_PREFIX_LEN (sizeof(ktp_outgoing_prefix) - 1)


static char *
ktp_outgoing_put(char *p, const char *s)
{
    size_t len;

    len = strlen(s);
    memcpy(p, s, len);

    return p + len;
}


static char *
ktp_outgoing_flag(char *p, const char *name, ktp_flag_t flag)
{
    if (flag == KTP_FLAG_ABSENT) {
        return p;
    }

    p = ktp_outgoing_put(p, ",\"");
    p = ktp_outgoing_put(p, name);

    return ktp_outgoing_put(p, flag == KTP_FLAG_TRUE ? "\":true" : "\":false");
}


/*
 * The members after the image, and the end.  A reference is at most
 * KTP_MAX_REFERENCE_ID printable ASCII characters, each of which may need a
 * backslash.
 */

static size_t
ktp_outgoing_suffix(char *suffix, const ktp_request_t *request)
{
    char       *p;
    const char *c;

    p = ktp_outgoing_put(suffix, "\"");
    p = ktp_outgoing_flag(p, "validate_quality", request->validate_quality);
    p = ktp_outgoing_flag(p, "is_quality", request->is_quality);

    if (request->reference_id[0] != '\0') {
        p = ktp_outgoing_put(p, ",\"reference_id\":\"");

        for (c = request->reference_id; *c; c++) {
            if (*c == '"' || *c == '\\') {
                *p++ = '\\';
            }

            *p++ = *c;
        }

        *p++ = '"';
    }

    *p++ = '}';

    return p - suffix;
}


void
ktp_outgoing_init(ktp_outgoing_t *out, const ktp_store_t *store,
                  const ktp_request_t *request)
{
    out->store = store;
    out->growing = NULL;
    out->open = 0;
    out->shifted = 0;
    out->pad = 0;
    out->suffix_len = ktp_outgoing_suffix(out->suffix, request);
    out->length =
        KTP_PREFIX_LEN + ktp_base64_length(store->size) + out->suffix_len;

    (void) ktp_outgoing_rewind(out);
}


void
ktp_outgoing_stream(ktp_outgoing_t *out, ktp_store_t *store,
                    const ktp_request_t *request, size_t size)
{
    ktp_outgoing_init(out, store, request);

    out->growing = store;
    out->open = 1;
    out->length = KTP_PREFIX_LEN + ktp_base64_length(size) + out->suffix_len;
}


void
ktp_outgoing_complete(ktp_outgoing_t *out, const ktp_request_t *request,
                      size_t announced)
{
    out->open = 0;
    out->suffix_len = ktp_outgoing_suffix(out->suffix, request);
    out->length =
        KTP_PREFIX_LEN + ktp_base64_length(out->store->size) + out->suffix_len;

    if (out->length < announced) {
        out->pad = announced - out->length;
        out->length = announced;
    }
}


size_t
ktp_outgoing_pending(const ktp_outgoing_t *out)
{
    return out->store->size - out->taken;
}


int
ktp_outgoing_rewind(ktp_outgoing_t *out)
{
    if (out->shifted) {
        return -1;
    }

    out->chunk = out->store->first;
    out->pos = 0;
    out->taken = 0;
    out->written = 0;
    out->group_pos = 0;
    out->group_len = 0;

    return 0;
}


/* Copies from a string that begins at offset from of the stream. */

static size_t
ktp_outgoing_copy(const ktp_outgoing_t *out, const char *s, size_t s_len,
                  size_t from, unsigned char *buf, size_t len)
{
    size_t n, pos;

    pos = out->written - from;
    n = s_len - pos < len ? s_len - pos : len;

    memcpy(buf, s + pos, n);

    return n;
}


static void
ktp_outgoing_next(ktp_outgoing_t *out)
{
    out->chunk = out->chunk->next;
    out->pos = 0;

    if (out->growing) {
        out->shifted = 1;
        ktp_store_shift(out->growing);
    }
}


/* The next bytes of the image, up to three, from as many chunks. */

static size_t
ktp_outgoing_take(ktp_outgoing_t *out, unsigned char bytes[3])
{
    size_t n;

    n = 0;

    while (n < 3 && out->chunk) {
        if (out->pos == out->chunk->len) {
            ktp_outgoing_next(out);
            continue;
        }

        bytes[n++] = out->chunk->data[out->pos++];
        out->taken++;
    }

    return n;
}


/* Encodes one quantum into out->group. */

static void
ktp_outgoing_quantum(ktp_outgoing_t *out)
{
    size_t        n;
    unsigned char bytes[3];

    n = ktp_outgoing_take(out, bytes);

    if (n == 3) {
        ktp_base64_encode(bytes, 3, out->group);

    } else {
        ktp_base64_encode_last(bytes, n, out->group);
    }

    out->group_pos = 0;
    out->group_len = 4;
}


/* Writes up to len bytes of the base64, at least one; there are some. */

static size_t
ktp_outgoing_image(ktp_outgoing_t *out, unsigned char *buf, size_t len)
{
    size_t n, bulk;

    if (out->group_pos < out->group_len) {
        n = out->group_len - out->group_pos;
        n = n < len ? n : len;

        memcpy(buf, out->group + out->group_pos, n);
        out->group_pos += n;

        return n;
    }

    bulk = out->chunk ? (out->chunk->len - out->pos) / 3 : 0;
    bulk = bulk < len / 4 ? bulk : len / 4;

    if (bulk) {
        ktp_base64_encode(out->chunk->data + out->pos, bulk * 3, buf);
        out->pos += bulk * 3;
        out->taken += bulk * 3;

        return bulk * 4;
    }

    ktp_outgoing_quantum(out);

    return ktp_outgoing_image(out, buf, len);
}


/* Whether an open stream has a quantum; the rest of one has to wait. */

static int
ktp_outgoing_ready(ktp_outgoing_t *out)
{
    if (out->growing && out->chunk == NULL) {
        out->chunk = out->store->first;
    }

    return !out->open || out->group_pos < out->group_len
           || ktp_outgoing_pending(out) >= 3;
}


size_t
ktp_outgoing_read(ktp_outgoing_t *out, unsigned char *buf, size_t len)
{
    size_t n, done, suffix, end;

    end = out->length - out->pad;
    suffix = end - out->suffix_len;

    for (done = 0; done < len && out->written < out->length; done += n) {

        if (out->written < KTP_PREFIX_LEN) {
            n = ktp_outgoing_copy(out, ktp_outgoing_prefix, KTP_PREFIX_LEN, 0,
                                  buf + done, len - done);

        } else if (!ktp_outgoing_ready(out)) {
            break;

        } else if (out->open || out->written < suffix) {
            n = ktp_outgoing_image(out, buf + done, len - done);

        } else if (out->written < end) {
            n = ktp_outgoing_copy(out, out->suffix, out->suffix_len, suffix,
                                  buf + done, len - done);

        } else {
            n = out->length - out->written;
            n = n < len - done ? n : len - done;
            memset(buf + done, ' ', n);
        }

        out->written += n;
    }

    return done;
}
