#include <string.h>

#include "ktpr_image.h"


ktpr_status_t
ktpr_image_create(ktpr_pool_t *pool, int w, int h, ktpr_image_t *image)
{
    image->w = w;
    image->h = h;
    image->scale = 1;
    image->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);

    return image->rgb == NULL ? KTPR_NO_MEMORY : KTPR_DONE;
}


/*
 * Turns the image upright: orientation says where row 0 and column 0 are (EXIF
 * 2.32, 4.6.4 A), as a mirror of either axis and an exchange of the two.
 */
ktpr_status_t
ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image, int orientation)
{
    int            x, y, sx, sy, swap, flip_x, flip_y;
    ktpr_image_t   out;
    unsigned char *to;

    if (orientation == 1) {
        return KTPR_DONE;
    }

    swap = orientation >= 5;
    flip_x = orientation == 2 || orientation == 3 || orientation == 7
             || orientation == 8;
    flip_y = orientation == 3 || orientation == 4 || orientation == 6
             || orientation == 7;

    if (ktpr_image_create(pool, swap ? image->h : image->w,
                          swap ? image->w : image->h, &out)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    to = out.rgb;

    for (y = 0; y < out.h; y++) {
        for (x = 0; x < out.w; x++) {
            sx = swap ? y : x;
            sy = swap ? x : y;
            sx = flip_x ? image->w - 1 - sx : sx;
            sy = flip_y ? image->h - 1 - sy : sy;
            memcpy(to, image->rgb + ((size_t) sy * image->w + sx) * 3, 3);
            to += 3;
        }
    }

    out.scale = image->scale;
    ktpr_pool_free(pool, image->rgb);
    *image = out;

    return KTPR_DONE;
}
