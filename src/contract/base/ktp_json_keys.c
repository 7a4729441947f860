#include <stdlib.h>
#include <string.h>
#include "ktp_json_keys.h"


/* Bytes of names at first; the keys of the longest answer have 400. */
#define KTP_JSON_KEYS_NAMES 512


static uint32_t ktp_json_keys_hash(const unsigned char *p, size_t len);
static char    *ktp_json_keys_room(ktp_json_keys_t *keys, size_t len);


void
ktp_json_keys_init(ktp_json_keys_t *keys)
{
    memset(keys, 0, offsetof(ktp_json_keys_t, keys));
}


int
ktp_json_keys_open(ktp_json_keys_t *keys)
{
    if (keys->depth == KTP_MAX_DEPTH) {
        return -1;
    }

    keys->first[++keys->depth] = keys->n;

    return 0;
}


void
ktp_json_keys_close(ktp_json_keys_t *keys)
{
    /* the keys of what closes are the last ones, and so are their names */

    if (keys->n > keys->first[keys->depth]) {
        keys->n = keys->first[keys->depth];
        keys->names_len = keys->keys[keys->n].offset;
    }

    keys->depth--;
}


ktp_json_keys_result_t
ktp_json_keys_add(ktp_json_keys_t *keys, const unsigned char *p, size_t len)
{
    char           *name;
    uint32_t        hash;
    unsigned        n;
    ktp_json_key_t *key;

    if (keys->n == KTP_MAX_KEYS) {
        return KTP_JSON_KEYS_TOO_MANY;
    }

    hash = ktp_json_keys_hash(p, len);

    for (n = keys->first[keys->depth]; n < keys->n; n++) {
        key = &keys->keys[n];

        if (key->hash == hash && key->len == len
            && memcmp(keys->names + key->offset, p, len) == 0) {
            return KTP_JSON_KEYS_TWICE;
        }
    }

    name = ktp_json_keys_room(keys, len);
    if (name == NULL) {
        return KTP_JSON_KEYS_NO_MEMORY;
    }

    memcpy(name, p, len);

    key = &keys->keys[keys->n++];
    key->offset = (uint32_t) keys->names_len;
    key->len = (uint32_t) len;
    key->hash = hash;

    keys->names_len += len;

    return KTP_JSON_KEYS_NEW;
}


/* A multiplicative hash; a byte at a time it took a tenth of an answer. */
static uint32_t
ktp_json_keys_hash(const unsigned char *p, size_t len)
{
    uint64_t hash, word;

    for (hash = len; len >= sizeof(word); len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
        p += sizeof(word);
    }

    while (len--) {
        hash = hash * 33 + *p++;
    }

    return (uint32_t) (hash ^ hash >> 32);
}


/* Room for a name behind the others. */
static char *
ktp_json_keys_room(ktp_json_keys_t *keys, size_t len)
{
    char  *names;
    size_t size;

    if (keys->names_size == 0 || keys->names_size - keys->names_len < len) {

        size = keys->names_size ? keys->names_size : KTP_JSON_KEYS_NAMES;

        while (size - keys->names_len < len) {
            size *= 2;
        }

        names = realloc(keys->names, size);
        if (names == NULL) {
            return NULL;
        }

        keys->names = names;
        keys->names_size = size;
    }

    return keys->names + keys->names_len;
}


void
ktp_json_keys_destroy(ktp_json_keys_t *keys)
{
    free(keys->names);
    keys->names = NULL;
}
