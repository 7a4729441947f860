#include <stdio.h>
#include <string.h>
#include "ktp_field.h"
#include "ktp_json_writer.h"
#include "ktp_sandbox.h"


/* What a "reference_id" that selects an answer begins with. */
#define KTP_SANDBOX_PREFIX "sandbox-"

/* Digits of the number of seconds in "slow-Ns", at most. */
#define KTP_SANDBOX_DIGITS 4

typedef struct {
    char  *p;
    size_t left;
} ktp_sandbox_writer_t;


static ktp_code_t ktp_sandbox_error(const char *name);
static int        ktp_sandbox_is(const char *name, const char *reason);
static int        ktp_sandbox_seconds(const char *name, unsigned *seconds);
static void       ktp_sandbox_put(ktp_json_writer_t *json, const char *name,
                                  const char *value);
static void       ktp_sandbox_put_data(ktp_json_writer_t *json,
                                       ktp_sandbox_data_t data,
                                       const char        *reference_id);
static void ktp_sandbox_put_quality(ktp_json_writer_t *json, int blurred);
static void ktp_sandbox_print(void *ctx, const char *p, size_t len);


/* The first one is the answer to any other "reference_id". */
static const ktp_sandbox_row_t ktp_sandbox_rows[] = {
    {"ok", 200, NULL, "Success (sandbox)", KTP_SANDBOX_SPECIMEN},
    {"not-detected", 400, "KTP_NOT_DETECTED",
     "KTP not detected in the image (sandbox)", KTP_SANDBOX_NO_DATA},
    {"fail-on-1", 200, "FAIL_ON_1", "Image quality is insufficient (sandbox)",
     KTP_SANDBOX_BLURRED},
    {"duplicate", 400, "INVALID_PAYLOAD_REFERENCE_ID_EXISTS",
     "reference_id already exists (sandbox)", KTP_SANDBOX_NO_DATA},
};

#define KTP_SANDBOX_ROWS                                                      \
    (sizeof(ktp_sandbox_rows) / sizeof(ktp_sandbox_rows[0]))

/* A fictitious person: no district has the third pair 99. */
static const char *const ktp_sandbox_specimen[KTP_FIELD_TEXTS] = {
    [KTP_FIELD_NIK] = "3273991708900001",
    [KTP_FIELD_FULL_NAME] = "SPECIMEN PERCOBAAN",
    [KTP_FIELD_PLACE_OF_BIRTH] = "BANDUNG",
    [KTP_FIELD_DATE_OF_BIRTH] = "17-08-1990",
    [KTP_FIELD_GENDER] = "LAKI-LAKI",
    [KTP_FIELD_BLOOD_TYPE] = "O",
    [KTP_FIELD_ADDRESS] = "JL. CONTOH NO. 1",
    [KTP_FIELD_RT_RW] = "001/002",
    [KTP_FIELD_ADMINISTRATIVE_VILLAGE] = "CIPAGANTI",
    [KTP_FIELD_DISTRICT] = "COBLONG",
    [KTP_FIELD_CITY] = "KOTA BANDUNG",
    [KTP_FIELD_STATE] = "JAWA BARAT",
    [KTP_FIELD_RELIGION] = "ISLAM",
    [KTP_FIELD_MARITAL_STATUS] = "BELUM KAWIN",
    [KTP_FIELD_OCCUPATION] = "KARYAWAN SWASTA",
    [KTP_FIELD_NATIONALITY] = "WNI",
};


void
ktp_sandbox_select(const char *reference_id, ktp_sandbox_t *sandbox)
{
    size_t      i;
    const char *name;

    sandbox->code = KTP_OK;
    sandbox->row = &ktp_sandbox_rows[0];
    sandbox->seconds = 0;

    if (strncmp(reference_id, KTP_SANDBOX_PREFIX,
                sizeof(KTP_SANDBOX_PREFIX) - 1)
        != 0) {
        return;
    }

    name = reference_id + sizeof(KTP_SANDBOX_PREFIX) - 1;

    for (i = 0; i < KTP_SANDBOX_ROWS; i++) {
        if (strcmp(name, ktp_sandbox_rows[i].name) == 0) {
            sandbox->row = &ktp_sandbox_rows[i];
            return;
        }
    }

    if (ktp_sandbox_seconds(name, &sandbox->seconds)) {
        return;
    }

    sandbox->code = ktp_sandbox_error(name);

    if (strcmp(name, "timeout") == 0) {
        sandbox->seconds = KTP_SANDBOX_NEVER;
    }
}


/* The first error with that reason or status. */

static ktp_code_t
ktp_sandbox_error(const char *name)
{
    char               status[16];
    ktp_code_t         code;
    const ktp_error_t *e;

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        e = ktp_error(code);

        (void) snprintf(status, sizeof(status), "%u", e->status);

        if (strcmp(name, status) == 0 || ktp_sandbox_is(name, e->reason)) {
            return code;
        }
    }

    return KTP_SANDBOX_UNKNOWN;
}


static int
ktp_sandbox_is(const char *name, const char *reason)
{
    while (*name != '\0'
           && (*name == *reason || (*name == '-' && *reason == '_'))) {
        name++;
        reason++;
    }

    return *name == '\0' && *reason == '\0';
}


/* "slow-Ns"; 0 if it is not. */

static int
ktp_sandbox_seconds(const char *name, unsigned *seconds)
{
    unsigned    n;
    const char *p;

    if (strncmp(name, "slow-", 5) != 0) {
        return 0;
    }

    n = 0;

    for (p = name + 5; *p >= '0' && *p <= '9'; p++) {
        if (p - (name + 5) == KTP_SANDBOX_DIGITS) {
            return 0;
        }

        n = n * 10 + (unsigned) (*p - '0');
    }

    if (p == name + 5 || strcmp(p, "s") != 0) {
        return 0;
    }

    *seconds = n;

    return 1;
}


size_t
ktp_sandbox_write(const ktp_sandbox_row_t *row, const char *reference_id,
                  char *buf)
{
    ktp_json_writer_t   *json;
    ktp_sandbox_writer_t writer;

    writer.p = buf;
    writer.left = KTP_SANDBOX_BODY;

    json = ktp_json_writer_create(ktp_sandbox_print, &writer);
    if (json == NULL) {
        return 0;
    }

    ktp_json_writer_open(json);
    ktp_sandbox_put(json, "message", row->message);

    if (row->error_code) {
        ktp_sandbox_put(json, "error_code", row->error_code);
    }

    if (row->data != KTP_SANDBOX_NO_DATA) {
        /* no word of a "reference_id": it may be hidden */

        ktp_sandbox_put(json, "status_code", "SIMULATED-0");
        ktp_sandbox_put_data(json, row->data, reference_id);
    }

    ktp_json_writer_close(json);
    ktp_json_writer_destroy(json);

    return (size_t) (writer.p - buf);
}


static void
ktp_sandbox_put(ktp_json_writer_t *json, const char *name, const char *value)
{
    ktp_json_writer_string(json, name, strlen(name));
    ktp_json_writer_string(json, value, strlen(value));
}


static void
ktp_sandbox_put_data(ktp_json_writer_t *json, ktp_sandbox_data_t data,
                     const char *reference_id)
{
    ktp_field_t field;
    const char *value;

    ktp_json_writer_string(json, "data", 4);
    ktp_json_writer_open(json);

    for (field = 0; field < KTP_FIELD_TEXTS; field++) {
        value = field == KTP_FIELD_REFERENCE_ID ? reference_id
                : data == KTP_SANDBOX_SPECIMEN  ? ktp_sandbox_specimen[field]
                                                : "";

        ktp_sandbox_put(json, ktp_field_name(field), value);
    }

    ktp_sandbox_put_quality(json, data == KTP_SANDBOX_BLURRED);
    ktp_json_writer_close(json);
}


static void
ktp_sandbox_put_quality(ktp_json_writer_t *json, int blurred)
{
    size_t i;

    static const char *const flags[] = {"blur", "dark", "flashlight",
                                        "grayscale"};

    ktp_json_writer_string(json, "image_quality", 13);
    ktp_json_writer_open(json);

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        ktp_json_writer_string(json, flags[i], strlen(flags[i]));
        ktp_json_writer_bool(json, i == 0 && blurred);
    }

    ktp_json_writer_string(json, "blur_score", 10);
    ktp_json_writer_number(json, blurred ? "0.900" : "0.100", 5);
    ktp_json_writer_string(json, "dark_score", 10);
    ktp_json_writer_number(json, "0.100", 5);
    ktp_json_writer_close(json);
}


static void
ktp_sandbox_print(void *ctx, const char *p, size_t len)
{
    ktp_sandbox_writer_t *writer = ctx;

    if (len <= writer->left) {
        memcpy(writer->p, p, len);
        writer->p += len;
        writer->left -= len;
    }
}
