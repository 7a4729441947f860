/* A strict parser of multipart/form-data bodies (RFC 7578, RFC 2046). */

#ifndef KTP_INTAKE_MULTIPART_H
#define KTP_INTAKE_MULTIPART_H

#include <stddef.h>
#include "ktp_intake_draft.h"


typedef struct ktp_intake_multipart_s ktp_intake_multipart_t;


/*
 * The boundary parameter of a Content-Type field value, of 1 to
 * KTP_MAX_BOUNDARY characters, null-terminated.  Returns its length, or -1
 * if there is none, more than one, or one that RFC 2046 does not allow.
 */
int ktp_intake_multipart_boundary(const char *content_type, size_t len,
                                  char boundary[KTP_MAX_BOUNDARY + 1]);

/* NULL without memory.  draft must outlive it. */
ktp_intake_multipart_t *ktp_intake_multipart_create(ktp_intake_draft_t *draft,
                                                    const char *boundary,
                                                    size_t      len);

/* The next bytes of the body; not called again after an error. */
ktp_code_t ktp_intake_multipart_feed(ktp_intake_multipart_t *mp,
                                     const unsigned char *p, size_t n);

/* The body ended: KTP_OK if the last boundary was seen. */
ktp_code_t ktp_intake_multipart_finish(const ktp_intake_multipart_t *mp);

/* NULL is allowed. */
void ktp_intake_multipart_destroy(ktp_intake_multipart_t *mp);


#endif /* KTP_INTAKE_MULTIPART_H */
