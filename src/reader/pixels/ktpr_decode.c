#include <string.h>

#include "ktpr_decode.h"
#include "ktpr_jpeg.h"
#include "ktpr_png.h"


ktpr_status_t
ktpr_decode(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
            ktpr_image_t *image)
{
    ktpr_status_t rc;

    if (len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        return ktpr_png_decode(pool, bytes, len, image);
    }

    if (len > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        rc = ktpr_jpeg_decode(pool, bytes, len, image);

        return rc == KTPR_DONE ? ktpr_image_turn(
                   pool, image, ktpr_jpeg_orientation(bytes, len))
                               : rc;
    }

    return KTPR_UNFIT;
}
