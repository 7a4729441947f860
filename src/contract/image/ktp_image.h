/* The image of a request as it arrives: into the store and past the probe. */

#ifndef KTP_IMAGE_H
#define KTP_IMAGE_H

#include <stddef.h>
#include "ktp_probe.h"
#include "ktp_store.h"


/*
 * Bytes of an image in base64 that the probe gets in one go, 64 characters:
 * a short text that is not base64 at all is then told so, rather than that
 * its first characters decode to no JPEG.
 */
#define KTP_IMAGE_HELD 48

typedef struct {
    ktp_store_t  *store;
    ktp_probe_t   probe;
    unsigned      hold : 1;
    unsigned char held[KTP_IMAGE_HELD];
    size_t        held_len;
} ktp_image_t;


void ktp_image_init(ktp_image_t *image, const ktp_policy_t *policy,
                    ktp_store_t *store);

/* What comes is the decoded form of text; before the first byte. */
void ktp_image_hold(ktp_image_t *image);

/* The next bytes, copied to the store. */
ktp_code_t ktp_image_append(ktp_image_t *image, const unsigned char *p,
                            size_t n);

/* The next bytes, already where ktp_store_reserve() told. */
ktp_code_t ktp_image_commit(ktp_image_t *image, const unsigned char *p,
                            size_t n);

/* The image ended. */
ktp_code_t ktp_image_finish(ktp_image_t *image);


#endif /* KTP_IMAGE_H */
