#include <stddef.h>

#include "ktpr_field.h"


static const char *const ktpr_field_names[KTPR_ALL_FIELDS] = {
    "nik",           "full_name",      "place_of_birth",
    "date_of_birth", "gender",         "blood_type",
    "address",       "rt_rw",          "administrative_village",
    "district",      "city",           "state",
    "religion",      "marital_status", "occupation",
    "nationality",   "valid_until",    "issued_place",
    "issued_date",
};


const char *
ktpr_field_name(ktpr_field_id_t field)
{
    return field < KTPR_ALL_FIELDS ? ktpr_field_names[field] : NULL;
}
