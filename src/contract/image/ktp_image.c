/* The image of a request as it arrives. */

#include <string.h>
#include "ktp_image.h"


void
ktp_image_init(ktp_image_t *image, const ktp_policy_t *policy,
               ktp_store_t *store)
{
    image->store = store;
    image->size = 0;
    image->hold = 0;
    image->held_len = 0;
    image->trailer = 0;

    ktp_probe_init(&image->probe, policy);
    ktp_strip_init(&image->strip, store);
}


void
ktp_image_hold(ktp_image_t *image)
{
    image->hold = 1;
}


/* Bytes behind the end of the picture, which are dropped. */

static ktp_code_t
ktp_image_trailer(ktp_image_t *image, size_t n)
{
    if (n > KTP_MAX_TRAILER - image->trailer) {
        return KTP_TRAILER_TOO_LONG;
    }

    image->trailer += n;

    return KTP_OK;
}


/* Shows the probe bytes; *used of them are of the picture. */

static ktp_code_t
ktp_image_probe(ktp_image_t *image, const unsigned char *p, size_t n,
                size_t *used)
{
    size_t     k;
    uint64_t   size;
    ktp_code_t rc;

    *used = n;

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

    /* the bytes that were held are stored, whatever they are */

    size = image->probe.size;
    rc = ktp_probe_feed(&image->probe, p, n);
    *used -= n - (size_t) (image->probe.size - size);

    return rc;
}


/*
 * What is wrong with the bytes below the ceiling is told before the ceiling,
 * or the answer would depend on how many bytes came at once.  *used is set to
 * the bytes that are to be stored.
 */

static ktp_code_t
ktp_image_check(ktp_image_t *image, const unsigned char *p, size_t n,
                size_t *used)
{
    size_t     room, known;
    ktp_code_t rc;

    room = image->store->max - image->size;
    known = n < room ? n : room;

    rc = ktp_image_probe(image, p, known, used);
    if (rc != KTP_OK) {
        return rc;
    }

    image->size += *used;

    if (image->probe.complete) {
        return ktp_image_trailer(image, n - *used);
    }

    return known < n ? KTP_INVALID_PAYLOAD_IMAGE_SIZE : KTP_OK;
}


ktp_code_t
ktp_image_append(ktp_image_t *image, const unsigned char *p, size_t n)
{
    size_t     used;
    ktp_code_t rc;

    rc = ktp_image_check(image, p, n, &used);
    if (rc != KTP_OK) {
        return rc;
    }

    if (image->probe.policy->strip) {
        return ktp_strip_feed(&image->strip, p, used);
    }

    return ktp_store_append(image->store, p, used);
}


unsigned char *
ktp_image_reserve(ktp_image_t *image, size_t *avail)
{
    if (image->probe.policy->strip) {
        *avail = sizeof(image->room);
        return image->room;
    }

    return ktp_store_reserve(image->store, avail);
}


ktp_code_t
ktp_image_commit(ktp_image_t *image, const unsigned char *p, size_t n)
{
    size_t     used;
    ktp_code_t rc;

    if (image->probe.policy->strip) {
        rc = ktp_image_append(image, p, n);

        /* no piece of an image stays outside of the store */
        memset(image->room, 0, sizeof(image->room));

        return rc;
    }

    rc = ktp_image_check(image, p, n, &used);
    if (rc != KTP_OK) {
        return rc;
    }

    return ktp_store_commit(image->store, used);
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
