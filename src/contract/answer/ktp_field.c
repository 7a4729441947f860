#include <string.h>
#include "ktp_field.h"


static const char *const ktp_field_names[KTP_FIELDS] = {
    "nik",           "full_name",      "place_of_birth",
    "date_of_birth", "gender",         "blood_type",
    "address",       "rt_rw",          "administrative_village",
    "district",      "city",           "state",
    "religion",      "marital_status", "occupation",
    "nationality",   "reference_id",   "image_quality",
};


const char *
ktp_field_name(ktp_field_t field)
{
    return ((unsigned) field < KTP_FIELDS) ? ktp_field_names[field] : NULL;
}


ktp_field_t
ktp_field_by_name(const char *name, size_t len)
{
    unsigned i;

    for (i = 0; i < KTP_FIELDS; i++) {
        /* the first character tells most of them apart */
        if (len && *ktp_field_names[i] == *name
            && strlen(ktp_field_names[i]) == len
            && memcmp(ktp_field_names[i], name, len) == 0) {
            break;
        }
    }

    return (ktp_field_t) i;
}
