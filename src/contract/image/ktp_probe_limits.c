/* The limits on an image's dimensions. */

#include "ktp_limits.h"
#include "ktp_probe.h"


const ktp_policy_t ktp_probe_limits_contract = {
    .max_size = KTP_MAX_IMAGE,
    .min_long = 720,
    .min_short = 480,
    .max_pixels = KTP_MAX_PIXELS,
    .types = KTP_IMAGE_JPEG | KTP_IMAGE_PNG,
};


ktp_code_t
ktp_probe_limits_check(ktp_probe_t *pr, uint32_t width, uint32_t height)
{
    uint32_t            longer, shorter;
    const ktp_policy_t *policy;

    policy = pr->policy;
    pr->width = width;
    pr->height = height;

    longer = width > height ? width : height;
    shorter = width > height ? height : width;

    if (longer < policy->min_long || shorter < policy->min_short) {
        return KTP_TOO_FEW_PIXELS;
    }

    if ((uint64_t) width * height > policy->max_pixels) {
        return KTP_TOO_MANY_PIXELS;
    }

    return KTP_OK;
}
