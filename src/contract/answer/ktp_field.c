#include <string.h>
#include "ktp_field.h"
#include "ktp_value.h"


/* clang-format off */
#define ktp_field_row(name) { name, sizeof(name) - 1 }
/* clang-format on */

static const ktp_value_t ktp_field_names[KTP_FIELDS] = {
    ktp_field_row("nik"),
    ktp_field_row("full_name"),
    ktp_field_row("place_of_birth"),
    ktp_field_row("date_of_birth"),
    ktp_field_row("gender"),
    ktp_field_row("blood_type"),
    ktp_field_row("address"),
    ktp_field_row("rt_rw"),
    ktp_field_row("administrative_village"),
    ktp_field_row("district"),
    ktp_field_row("city"),
    ktp_field_row("state"),
    ktp_field_row("religion"),
    ktp_field_row("marital_status"),
    ktp_field_row("occupation"),
    ktp_field_row("nationality"),
    ktp_field_row("reference_id"),
    ktp_field_row("image_quality"),
};


const char *
ktp_field_name(ktp_field_t field)
{
    return ((unsigned) field < KTP_FIELDS) ? ktp_field_names[field].p : NULL;
}


ktp_field_t
ktp_field_by_name(const char *name, size_t len)
{
    unsigned i;

    for (i = 0; i < KTP_FIELDS; i++) {
        if (ktp_field_names[i].len == len
            && memcmp(ktp_field_names[i].p, name, len) == 0) {
            break;
        }
    }

    return (ktp_field_t) i;
}
