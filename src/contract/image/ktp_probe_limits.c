/* The limits on an image's dimensions. */

#include "ktp_probe.h"


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
