/* The image of a request, fed to the probe and appended to the store. */

#ifndef KTP_IMAGE_H
#define KTP_IMAGE_H

#include <stddef.h>
#include "ktp_probe.h"
#include "ktp_store.h"
#include "ktp_strip.h"


/*
 * Bytes of a base64 image that the probe gets first, 64 characters: a short
 * text that is not base64 is then reported as such, rather than as base64 of
 * something other than a JPEG or PNG file.
 */
#define KTP_IMAGE_HELD 48

/* Bytes of an image that are decoded before metadata is removed from them. */
#define KTP_IMAGE_ROOM 3072

typedef struct {
    ktp_store_t  *store;
    size_t        size; /* bytes that came, of which some may be removed */
    ktp_probe_t   probe;
    ktp_strip_t   strip;
    unsigned      hold : 1;
    unsigned char held[KTP_IMAGE_HELD];
    size_t        held_len;
    unsigned char room[KTP_IMAGE_ROOM];
    size_t        trailer; /* bytes behind the picture, so far */
} ktp_image_t;


void ktp_image_init(ktp_image_t *image, const ktp_policy_t *policy,
                    ktp_store_t *store);

/* The image is decoded from base64.  Called before the first byte. */
void ktp_image_hold(ktp_image_t *image);

/* Appends a copy of the next bytes to the store. */
ktp_code_t ktp_image_append(ktp_image_t *image, const unsigned char *p,
                            size_t n);

/*
 * Room for the next bytes, *avail of them, at least 1; that of the store, or
 * memory of the image if metadata is removed.  NULL: no memory.
 */
unsigned char *ktp_image_reserve(ktp_image_t *image, size_t *avail);

/* The next bytes, which are in the room of ktp_image_reserve() already. */
ktp_code_t ktp_image_commit(ktp_image_t *image, const unsigned char *p,
                            size_t n);

/* The image ended. */
ktp_code_t ktp_image_finish(ktp_image_t *image);


#endif /* KTP_IMAGE_H */
