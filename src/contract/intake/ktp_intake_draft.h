/*
 * A request while its body is parsed, common to all body types: the members
 * seen so far, and the rules that can be checked at the end only.
 */

#ifndef KTP_INTAKE_DRAFT_H
#define KTP_INTAKE_DRAFT_H

#include <stddef.h>
#include "ktp_image.h"
#include "ktp_intake.h"
#include "ktp_intake_text.h"


typedef enum {
    KTP_MEMBER_OTHER = 0,
    KTP_MEMBER_IMAGE,
    KTP_MEMBER_VALIDATE_QUALITY,
    KTP_MEMBER_IS_QUALITY,
    KTP_MEMBER_REFERENCE_ID
} ktp_member_t;

typedef struct {
    const ktp_policy_t *policy;
    ktp_request_t       request;
    ktp_image_t         image;
    ktp_intake_text_t   text;
    unsigned            seen;    /* bits, 1 << ktp_member_t */
    unsigned            empty;   /* of them, those with an empty value */
    unsigned            ignored; /* members with other names */
} ktp_intake_draft_t;


void ktp_intake_draft_init(ktp_intake_draft_t *draft,
                           const ktp_policy_t *policy, ktp_store_t *store,
                           ktp_intake_type_t type);

/* KTP_MEMBER_OTHER for a name that the contract does not have. */
ktp_member_t ktp_intake_draft_member(const char *name, size_t len);

/* A member begins; KTP_TWO_IMAGES or KTP_DUPLICATE_KEY if it did before. */
ktp_code_t ktp_intake_draft_begin(ktp_intake_draft_t *draft,
                                  ktp_member_t        member);

/* Its value: a flag. */
void ktp_intake_draft_flag(ktp_intake_draft_t *draft, ktp_member_t member,
                           int value);

/*
 * A flag as text: true, false, 1 or 0, or what forms make of it: on, off, yes,
 * no, or nothing for false.
 */
ktp_code_t ktp_intake_draft_flag_text(ktp_intake_draft_t  *draft,
                                      ktp_member_t         member,
                                      const unsigned char *p, size_t len);

/* The value of reference_id. */
ktp_code_t ktp_intake_draft_reference(ktp_intake_draft_t  *draft,
                                      const unsigned char *p, size_t len);

/* The image, as text or as bytes, ended. */
ktp_code_t ktp_intake_draft_image_text(ktp_intake_draft_t *draft);
ktp_code_t ktp_intake_draft_image_bytes(ktp_intake_draft_t *draft);

/* Copies the results of the probe so far to the request. */
void ktp_intake_draft_facts(ktp_intake_draft_t *draft);

/* The body ended, and its syntax is right. */
ktp_code_t ktp_intake_draft_finish(ktp_intake_draft_t *draft);


#endif /* KTP_INTAKE_DRAFT_H */
