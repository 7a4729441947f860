/* The image probe: signatures, and what both formats share. */

#include <string.h>
#include "ktp_probe.h"


static const unsigned char ktp_png_signature[8] = {0x89, 'P',  'N',  'G',
                                                   '\r', '\n', 0x1a, '\n'};

/* SOI, and the first byte of the marker that must follow */
static const unsigned char ktp_jpeg_signature[3] = {0xff, 0xd8, 0xff};


void
ktp_probe_init(ktp_probe_t *pr, const ktp_policy_t *policy)
{
    memset(pr, 0, sizeof(*pr));

    pr->policy = policy;
    pr->orientation = 1;
}


/* A byte of the signature; the first one tells the formats apart. */

static ktp_code_t
ktp_probe_signature(ktp_probe_t *pr, unsigned char c)
{
    size_t               len;
    ktp_image_format_t   format;
    const unsigned char *signature;

    pr->signature[pr->signature_len] = c;

    if (pr->signature[0] == ktp_jpeg_signature[0]) {
        format = KTP_IMAGE_JPEG;
        signature = ktp_jpeg_signature;
        len = sizeof(ktp_jpeg_signature);

    } else {
        format = KTP_IMAGE_PNG;
        signature = ktp_png_signature;
        len = sizeof(ktp_png_signature);
    }

    if (c != signature[pr->signature_len++]) {
        return KTP_TYPE_UNKNOWN;
    }

    if (pr->signature_len < len) {
        return KTP_OK;
    }

    if (!(pr->policy->types & format)) {
        return KTP_TYPE_NOT_ALLOWED;
    }

    pr->format = format;

    if (format == KTP_IMAGE_JPEG) {
        ktp_jpeg_init(&pr->jpeg);

    } else {
        ktp_png_init(&pr->png);
    }

    return KTP_OK;
}


ktp_code_t
ktp_probe_feed(ktp_probe_t *pr, const unsigned char *p, size_t n)
{
    ktp_code_t rc;

    while (n && pr->format == KTP_IMAGE_UNKNOWN) {
        rc = ktp_probe_signature(pr, *p++);
        if (rc != KTP_OK) {
            return rc;
        }

        n--;
    }

    if (n == 0 || pr->complete) {
        return KTP_OK;
    }

    if (pr->format == KTP_IMAGE_JPEG) {
        return ktp_jpeg_probe(pr, p, n);
    }

    return ktp_png_probe(pr, p, n);
}


ktp_code_t
ktp_probe_finish(ktp_probe_t *pr)
{
    return pr->complete ? KTP_OK : KTP_TRUNCATED;
}
