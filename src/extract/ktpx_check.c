#include <stdint.h>

#include "ktp_intake.h"
#include "ktpx_check.h"


/* Writes the JSON text of an error, which is not billed. */
static void
ktpx_check_write(ktp_code_t code, ktp_error_facts_t *facts,
                 char body[KTPX_CHECK_BODY])
{
    facts->status_code = "LOCAL-0";
    body[ktp_error_write(code, facts, body)] = '\0';
}


ktp_code_t
ktpx_check(const unsigned char *bytes, size_t len, int contract,
           ktp_code_t otherwise, char body[KTPX_CHECK_BODY])
{
    ktp_code_t          code;
    ktp_store_t         store;
    ktp_intake_t       *intake;
    const ktp_policy_t *policy;
    ktp_error_facts_t   facts = {0};

    static const char         type[] = "application/octet-stream";
    static const ktp_policy_t any = {
        .max_size = 1 << 30,
        .max_pixels = UINT64_MAX,
        .types = KTP_IMAGE_JPEG | KTP_IMAGE_PNG,
    };

    policy = contract ? &ktp_probe_limits_contract : &any;
    ktp_store_init(&store, NULL, policy->max_size);
    code = ktp_intake_create(&intake, policy, &store, type, sizeof(type) - 1);

    if (code == KTP_OK) {
        code = ktp_intake_length(intake, len);
    }

    if (code == KTP_OK && len > 0) {
        code = ktp_intake_feed(intake, bytes, len);
    }

    if (code == KTP_OK) {
        code = ktp_intake_finish(intake);
    }

    if (code == KTP_OK) {
        code = otherwise;
    }

    if (code != KTP_OK) {
        if (intake != NULL) {
            ktp_intake_facts(intake, code, len, &facts);
        }

        ktpx_check_write(code, &facts, body);
    }

    ktp_intake_destroy(intake);
    ktp_store_free(&store);

    return code;
}


const char *
ktpx_check_error(ktp_code_t code, char body[KTPX_CHECK_BODY])
{
    ktp_error_facts_t facts = {0};

    ktpx_check_write(code, &facts, body);

    return body;
}
