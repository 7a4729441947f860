#include <string.h>

#include "ktpr_image.h"


ktpr_status_t
ktpr_image_create(ktpr_pool_t *pool, int w, int h, ktpr_image_t *image)
{
    image->w = w;
    image->h = h;
    image->scale = 1;
    image->x = image->y = 0;
    image->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);

    return image->rgb == NULL ? KTPR_NO_MEMORY : KTPR_DONE;
}


/*
 * An orientation says where row 0 and column 0 are (EXIF 2.32, 4.6.4 A): the
 * upright image is the stored one, flipped along either axis, and its axes
 * exchanged.
 */
typedef struct {
    int swap, flip_x, flip_y;
} ktpr_turn_t;


static ktpr_turn_t
ktpr_image_orientation(int orientation)
{
    ktpr_turn_t turn;

    turn.swap = orientation >= 5;
    turn.flip_x = orientation == 2 || orientation == 3 || orientation == 7
                  || orientation == 8;
    turn.flip_y = orientation == 3 || orientation == 4 || orientation == 6
                  || orientation == 7;

    return turn;
}


/* Cuts a part of an axis to fit its n pixels; flip counts from its end. */
static void
ktpr_image_clip(int *from, int *length, int n, int flip)
{
    int end;

    end = *from + *length;
    end = end < 1 ? 1 : end > n ? n : end;
    *from = *from < 0 ? 0 : *from > end - 1 ? end - 1 : *from;
    *length = end - *from;

    if (flip) {
        *from = n - end;
    }
}


ktpr_area_t
ktpr_image_stored(const ktpr_area_t *upright, int w, int h, int orientation)
{
    ktpr_turn_t turn;
    ktpr_area_t area = {0, 0, w, h};

    turn = ktpr_image_orientation(orientation);

    if (upright != NULL) {
        area.x = turn.swap ? upright->y : upright->x;
        area.y = turn.swap ? upright->x : upright->y;
        area.w = turn.swap ? upright->h : upright->w;
        area.h = turn.swap ? upright->w : upright->h;
    }

    ktpr_image_clip(&area.x, &area.w, w, upright != NULL && turn.flip_x);
    ktpr_image_clip(&area.y, &area.h, h, upright != NULL && turn.flip_y);

    return area;
}


ktpr_status_t
ktpr_image_turn(ktpr_pool_t *pool, ktpr_image_t *image, int orientation)
{
    int            x, y, sx, sy;
    ktpr_turn_t    turn;
    ktpr_image_t   out;
    unsigned char *to;

    if (orientation == 1) {
        return KTPR_DONE;
    }

    turn = ktpr_image_orientation(orientation);

    if (ktpr_image_create(pool, turn.swap ? image->h : image->w,
                          turn.swap ? image->w : image->h, &out)
        != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    to = out.rgb;

    for (y = 0; y < out.h; y++) {
        for (x = 0; x < out.w; x++) {
            sx = turn.swap ? y : x;
            sy = turn.swap ? x : y;
            sx = turn.flip_x ? image->w - 1 - sx : sx;
            sy = turn.flip_y ? image->h - 1 - sy : sy;
            memcpy(to, image->rgb + ((size_t) sy * image->w + sx) * 3, 3);
            to += 3;
        }
    }

    out.scale = image->scale;
    ktpr_pool_free(pool, image->rgb);
    *image = out;

    return KTPR_DONE;
}
