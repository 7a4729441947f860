/*
 * The keys of open JSON objects, for the detection of duplicates.  The meaning
 * of a duplicate key is undefined (RFC 8259, section 4), so readers differ.
 */

#ifndef KTP_JSON_KEYS_H
#define KTP_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_limits.h"


typedef enum {
    KTP_JSON_KEYS_NEW,
    KTP_JSON_KEYS_TWICE,    /* it is in the innermost object already */
    KTP_JSON_KEYS_TOO_MANY, /* KTP_MAX_KEYS are open */
    KTP_JSON_KEYS_NO_MEMORY
} ktp_json_keys_result_t;

typedef struct {
    uint32_t offset; /* of its characters, in names */
    uint32_t len;
    uint32_t hash;
} ktp_json_key_t;

typedef struct {
    unsigned depth; /* objects and arrays that are open */
    unsigned n;     /* keys of the open objects */
    char    *names;
    size_t   names_len;
    size_t   names_size;
    unsigned first[KTP_MAX_DEPTH + 1]; /* key of each open object */

    /* the first n are set */
    ktp_json_key_t keys[KTP_MAX_KEYS];
} ktp_json_keys_t;


void ktp_json_keys_init(ktp_json_keys_t *keys);

/* Opens an object or an array; returns -1 at more than KTP_MAX_DEPTH. */
int ktp_json_keys_open(ktp_json_keys_t *keys);

/* Closes the innermost object or array and discards its keys. */
void ktp_json_keys_close(ktp_json_keys_t *keys);

/* Adds a copy of a key, unescaped, to the innermost object. */
ktp_json_keys_result_t ktp_json_keys_add(ktp_json_keys_t     *keys,
                                         const unsigned char *p, size_t len);

/* Frees the names of keys. */
void ktp_json_keys_destroy(ktp_json_keys_t *keys);


#endif /* KTP_JSON_KEYS_H */
