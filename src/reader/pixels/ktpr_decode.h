/*
 * Decoding: the bytes of a JPEG file (libjpeg-turbo, reduced while it is
 * decoded) or of a PNG file (libspng) to pixels, upright as EXIF says.
 */

#ifndef KTPR_DECODE_H
#define KTPR_DECODE_H

#include <stddef.h>

#include "ktpr_image.h"


/*
 * Decodes an area of a file, or all of it without one, at the largest size
 * that fits KTPR_MAX_SIDE; pixels belong to the pool.  The area is one of the
 * upright image, and is cut to fit it.  A truncated file is decoded as far as
 * it goes.  KTPR_UNFIT when the file is neither a JPEG nor a PNG file,
 * is damaged, or has more than KTP_MAX_PIXELS; KTPR_COSTLY when it would take
 * much longer than such an image of a camera: a JPEG file with many scans, a
 * large PNG file with 16 bits a channel; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_decode(ktpr_pool_t *pool, const unsigned char *bytes,
                          size_t len, const ktpr_area_t *area,
                          ktpr_image_t *image);

/*
 * The same at a smaller size, where that saves time: the longer side has least
 * pixels or more, if that of the area has.  0: as ktpr_decode().
 */
ktpr_status_t ktpr_decode_least(ktpr_pool_t *pool, const unsigned char *bytes,
                                size_t len, const ktpr_area_t *area, int least,
                                ktpr_image_t *image);


#endif /* KTPR_DECODE_H */
