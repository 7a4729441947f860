/*
 * yajl's parser with memory that it can rely on.  yajl does not check what
 * its allocator returns; so before each piece of text an arena is given what
 * yajl may take for it, and a lack of memory is an error of the call.
 */

#ifndef KTP_JSON_H
#define KTP_JSON_H

#include <stddef.h>
#include <yajl/yajl_parse.h>
#include "ktp_arena.h"
#include "ktp_error.h"


/* Is not moved while it is open. */
typedef struct {
    yajl_handle yajl;
    ktp_arena_t arena; /* all memory of yajl */
    size_t      fed;   /* bytes of text so far */
} ktp_json_t;


/*
 * Opens a parser; callbacks must outlive it and get ctx.  Strings are not
 * checked to be UTF-8, which is for the caller.  Not 0: no memory, and there
 * is nothing to close.
 */
int ktp_json_open(ktp_json_t *json, const yajl_callbacks *callbacks,
                  void *ctx);

/*
 * Parses the next n bytes, which nest by at most KTP_MAX_DEPTH levels: a
 * callback must stop where one more opens.  KTP_INVALID_PAYLOAD where they
 * are not JSON or a callback stopped the parser, KTP_INTERNAL_SERVER_ERROR
 * without memory.  Not called again after an error.
 */
ktp_code_t ktp_json_feed(ktp_json_t *json, const unsigned char *p, size_t n);

/* The text ended; KTP_INVALID_PAYLOAD if it is not complete. */
ktp_code_t ktp_json_finish(ktp_json_t *json);

/* Frees the parser, after an error too. */
void ktp_json_close(ktp_json_t *json);

/* An allocator for yajl that takes what was reserved in an arena. */
void ktp_json_funcs(yajl_alloc_funcs *funcs, ktp_arena_t *arena);


#endif /* KTP_JSON_H */
