/*
 * The fields of a card, which are the members of "data" in an answer, and the
 * policy that selects and masks them.
 */

#ifndef KTP_FIELD_H
#define KTP_FIELD_H

#include <stddef.h>
#include "ktp_mask.h"


/* Members of "data", in the contract's order. */
typedef enum {
    KTP_FIELD_NIK = 0,
    KTP_FIELD_FULL_NAME,
    KTP_FIELD_PLACE_OF_BIRTH,
    KTP_FIELD_DATE_OF_BIRTH,
    KTP_FIELD_GENDER,
    KTP_FIELD_BLOOD_TYPE,
    KTP_FIELD_ADDRESS,
    KTP_FIELD_RT_RW,
    KTP_FIELD_ADMINISTRATIVE_VILLAGE,
    KTP_FIELD_DISTRICT,
    KTP_FIELD_CITY,
    KTP_FIELD_STATE,
    KTP_FIELD_RELIGION,
    KTP_FIELD_MARITAL_STATUS,
    KTP_FIELD_OCCUPATION,
    KTP_FIELD_NATIONALITY,
    KTP_FIELD_REFERENCE_ID,
    KTP_FIELD_TEXTS,

    /* the only one that is no text, and has no mask */
    KTP_FIELD_IMAGE_QUALITY = KTP_FIELD_TEXTS,
    KTP_FIELDS
} ktp_field_t;

#define ktp_field_bit(field) (1u << (field))
#define KTP_FIELDS_ALL       (ktp_field_bit(KTP_FIELDS) - 1)

typedef struct {
    unsigned   fields; /* bits of those that pass */
    ktp_mask_t mask[KTP_FIELD_TEXTS];
    unsigned   nik_check : 1; /* "nik_check" is added to "data" */
} ktp_answer_policy_t;


/* Returns the constant name of a field, or NULL if out of range. */
const char *ktp_field_name(ktp_field_t field);

/* Returns the field of a name of len bytes, or KTP_FIELDS. */
ktp_field_t ktp_field_by_name(const char *name, size_t len);


#endif /* KTP_FIELD_H */
