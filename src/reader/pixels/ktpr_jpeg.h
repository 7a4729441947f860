/* The decoder of JPEG files, for ktpr_decode(). */

#ifndef KTPR_JPEG_H
#define KTPR_JPEG_H

#include <stddef.h>

#include "ktpr_image.h"


/*
 * As ktpr_decode_least(), of a file with the signature of JPEG; the image lies
 * as stored, which the orientation tells of the area.
 */
ktpr_status_t ktpr_jpeg_decode(ktpr_pool_t *pool, const unsigned char *bytes,
                               size_t len, const ktpr_area_t *area,
                               int orientation, int least,
                               ktpr_image_t *image);

/* The orientation in EXIF, 1 to 8, as the contract's probe finds it. */
int ktpr_jpeg_orientation(const unsigned char *bytes, size_t len);


#endif /* KTPR_JPEG_H */
