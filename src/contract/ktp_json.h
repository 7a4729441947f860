/* The JSON way in (RFC 8259), strict: see CONTRACT "Request". */

#ifndef KTP_JSON_H
#define KTP_JSON_H

#include <stddef.h>
#include "ktp_draft.h"


typedef struct ktp_json_s ktp_json_t;


/* NULL without memory.  draft must outlive it. */
ktp_json_t *ktp_json_create(ktp_draft_t *draft);

/*
 * The next bytes of the body; not called again after an error.  The string
 * that is the image goes to draft->text and is held nowhere else.
 */
ktp_code_t ktp_json_feed(ktp_json_t *json, const unsigned char *p, size_t n);

/* The body ended: KTP_OK if the syntax is right. */
ktp_code_t ktp_json_finish(ktp_json_t *json);

/* NULL is allowed. */
void ktp_json_destroy(ktp_json_t *json);


#endif /* KTP_JSON_H */
