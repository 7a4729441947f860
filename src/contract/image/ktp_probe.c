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


/*
 * The code of a file that is neither, as soon as its beginning tells it;
 * KTP_OK while it may be one of several.
 */

static ktp_code_t
ktp_probe_foreign(const ktp_probe_t *pr)
{
    size_t     i, k;
    ktp_code_t code;

    /* a question mark is any byte */

    static const struct {
        size_t     len;
        char       text[KTP_PROBE_SIGNATURE + 1];
        ktp_code_t code;
    } types[] = {
        {11, "\0???ftyphei", KTP_TYPE_HEIC},
        {11, "\0???ftyphev", KTP_TYPE_HEIC},
        {12, "\0???ftypmif1", KTP_TYPE_HEIC},
        {12, "\0???ftypmsf1", KTP_TYPE_HEIC},
        {11, "\0???ftypavi", KTP_TYPE_HEIC},
        {12, "RIFF????WEBP", KTP_TYPE_WEBP},
        {5, "%PDF-", KTP_TYPE_PDF},
        {4, "GIF8", KTP_TYPE_GIF},
        {2, "BM", KTP_TYPE_BMP},
        {4, "II*\0", KTP_TYPE_TIFF},
        {4, "MM\0*", KTP_TYPE_TIFF},
    };

    code = KTP_TYPE_UNKNOWN;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {

        for (k = 0; k < types[i].len && k < pr->signature_len; k++) {
            if (types[i].text[k] != '?'
                && types[i].text[k] != (char) pr->signature[k]) {
                break;
            }
        }

        if (k == types[i].len) {
            return types[i].code;
        }

        if (k == pr->signature_len) {
            code = KTP_OK;
        }
    }

    return code;
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
        pr->foreign = 1;
        return KTP_OK;
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
        pr->size++;

        if (pr->foreign) {
            pr->signature[pr->signature_len++] = *p++;

        } else {
            rc = ktp_probe_signature(pr, *p++);
            if (rc != KTP_OK) {
                return rc;
            }
        }

        if (pr->foreign) {
            rc = ktp_probe_foreign(pr);
            if (rc != KTP_OK) {
                return rc;
            }
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
    if (pr->complete) {
        return KTP_OK;
    }

    if (pr->foreign) {
        return KTP_TYPE_UNKNOWN;
    }

    return pr->format == KTP_IMAGE_JPEG ? ktp_jpeg_finish(pr) : KTP_TRUNCATED;
}
