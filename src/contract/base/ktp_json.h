/*
 * The JSON parser of yajl with an allocator that cannot fail.  yajl does not
 * check the result of its allocator, so the memory that it may need for a
 * piece of text is reserved before parsing, and failure is an error.
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
    size_t      fed;   /* bytes of text so far, at most longest */
    size_t      longest;
} ktp_json_t;


/*
 * Opens a parser for text with no token of more than longest bytes, to which
 * its memory is proportional; callbacks must outlive it and get ctx.  Strings
 * are not checked for valid UTF-8; the caller does that.  Returns 0, or -1 if
 * there is no memory, and then there is nothing to close.
 */
int ktp_json_open(ktp_json_t *json, const yajl_callbacks *callbacks, void *ctx,
                  size_t longest);

/*
 * Parses the next n bytes.  A callback must stop the parser at more than
 * KTP_MAX_DEPTH levels of nesting.  Returns KTP_NOT_JSON for a syntax
 * error and if a callback stopped the parser, KTP_INTERNAL_SERVER_ERROR if
 * there is no memory.  It is not called again after an error.
 */
ktp_code_t ktp_json_feed(ktp_json_t *json, const unsigned char *p, size_t n);

/*
 * For a callback: offset of the end of the last token, in the bytes that are
 * being fed.
 */
size_t ktp_json_offset(const ktp_json_t *json);

/* Ends the text; returns KTP_BODY_TRUNCATED if it is not complete. */
ktp_code_t ktp_json_finish(ktp_json_t *json);

/* Frees the parser, after an error too. */
void ktp_json_close(ktp_json_t *json);

/* Sets funcs to an allocator that uses the memory reserved in an arena. */
void ktp_json_funcs(yajl_alloc_funcs *funcs, ktp_arena_t *arena);


#endif /* KTP_JSON_H */
