/* The image of a request as it arrives. */

#include <string.h>
#include "ktp_image.h"


void
ktp_image_init(ktp_image_t *image, const ktp_policy_t *policy,
               ktp_store_t *store)
{
    image->store = store;
    image->hold = 0;
    image->held_len = 0;

    ktp_probe_init(&image->probe, policy);
}


void
ktp_image_hold(ktp_image_t *image)
{
    image->hold = 1;
}


static ktp_code_t
ktp_image_probe(ktp_image_t *image, const unsigned char *p, size_t n)
{
    size_t     k;
    ktp_code_t rc;

    if (image->hold) {
        k = sizeof(image->held) - image->held_len;
        k = n < k ? n : k;

        memcpy(image->held + image->held_len, p, k);
        image->held_len += k;

        if (image->held_len < sizeof(image->held)) {
            return KTP_OK;
        }

        image->hold = 0;

        rc = ktp_probe_feed(&image->probe, image->held, image->held_len);
        if (rc != KTP_OK) {
            return rc;
        }

        p += k;
        n -= k;
    }

    return ktp_probe_feed(&image->probe, p, n);
}


/*
 * Errors in the bytes below the maximum size take precedence over the size,
 * or the response would depend on the number of bytes fed at once.
 */

static ktp_code_t
ktp_image_check(ktp_image_t *image, const unsigned char *p, size_t n)
{
    size_t     room;
    ktp_code_t rc;

    room = image->store->max - image->store->size;

    if (n <= room) {
        return ktp_image_probe(image, p, n);
    }

    rc = ktp_image_probe(image, p, room);

    return rc != KTP_OK ? rc : KTP_INVALID_PAYLOAD_IMAGE_SIZE;
}


ktp_code_t
ktp_image_append(ktp_image_t *image, const unsigned char *p, size_t n)
{
    ktp_code_t rc;

    rc = ktp_image_check(image, p, n);
    if (rc != KTP_OK) {
        return rc;
    }

    return ktp_store_append(image->store, p, n);
}


ktp_code_t
ktp_image_commit(ktp_image_t *image, const unsigned char *p, size_t n)
{
    ktp_code_t rc;

    rc = ktp_image_check(image, p, n);
    if (rc != KTP_OK) {
        return rc;
    }

    return ktp_store_commit(image->store, n);
}


ktp_code_t
ktp_image_finish(ktp_image_t *image)
{
    ktp_code_t rc;

    if (image->hold) {
        image->hold = 0;

        rc = ktp_probe_feed(&image->probe, image->held, image->held_len);
        if (rc != KTP_OK) {
            return rc;
        }
    }

    return ktp_probe_finish(&image->probe);
}
