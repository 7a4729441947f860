/* The decoder of PNG files, for ktpr_decode(). */

#ifndef KTPR_PNG_H
#define KTPR_PNG_H

#include <stddef.h>

#include "ktpr_image.h"


/* As ktpr_decode(), of a file with the signature of PNG. */
ktpr_status_t ktpr_png_decode(ktpr_pool_t *pool, const unsigned char *bytes,
                              size_t len, const ktpr_area_t *area,
                              ktpr_image_t *image);


#endif /* KTPR_PNG_H */
