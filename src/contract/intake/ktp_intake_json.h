/* A strict parser of JSON bodies (RFC 8259). */

#ifndef KTP_INTAKE_JSON_H
#define KTP_INTAKE_JSON_H

#include <stddef.h>
#include "ktp_intake_draft.h"


typedef struct ktp_intake_json_s ktp_intake_json_t;


/* NULL without memory.  draft must outlive it. */
ktp_intake_json_t *ktp_intake_json_create(ktp_intake_draft_t *draft);

/*
 * The next bytes of the body; not called again after an error.  The string
 * that is the image goes to draft->text and is held nowhere else.
 */
ktp_code_t ktp_intake_json_feed(ktp_intake_json_t   *json,
                                const unsigned char *p, size_t n);

/* The body ended: KTP_OK if the syntax is right. */
ktp_code_t ktp_intake_json_finish(ktp_intake_json_t *json);

/* NULL is allowed. */
void ktp_intake_json_destroy(ktp_intake_json_t *json);


#endif /* KTP_INTAKE_JSON_H */
