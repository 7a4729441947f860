#include <string.h>

#include "ktpr_decode.h"
#include "ktpr_jpeg.h"
#include "ktpr_png.h"


ktpr_status_t
ktpr_decode(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
            const ktpr_area_t *area, ktpr_image_t *image)
{
    return ktpr_decode_least(pool, bytes, len, area, 0, image);
}


ktpr_status_t
ktpr_decode_least(ktpr_pool_t *pool, const unsigned char *bytes, size_t len,
                  const ktpr_area_t *area, int least, ktpr_image_t *image)
{
    int           orientation;
    ktpr_status_t rc;

    if (len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) {
        rc = ktpr_png_decode(pool, bytes, len, area, image);

    } else if (len > 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) {
        orientation = ktpr_jpeg_orientation(bytes, len);
        rc = ktpr_jpeg_decode(pool, bytes, len, area, orientation, least,
                              image);

        if (rc == KTPR_DONE) {
            rc = ktpr_image_turn(pool, image, orientation);
        }

    } else {
        return KTPR_UNFIT;
    }

    if (rc == KTPR_DONE && area != NULL) {
        image->x = area->x < 0 ? 0 : area->x;
        image->y = area->y < 0 ? 0 : area->y;
    }

    return rc;
}
