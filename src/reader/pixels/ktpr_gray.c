#include <string.h>

#include "ktpr_gray.h"


ktpr_status_t
ktpr_gray_create(ktpr_pool_t *pool, int w, int h, ktpr_gray_t *gray)
{
    gray->w = w;
    gray->h = h;
    gray->px = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 1);

    return gray->px == NULL ? KTPR_NO_MEMORY : KTPR_DONE;
}


ktpr_status_t
ktpr_gray_halve(ktpr_pool_t *pool, const ktpr_gray_t *src, ktpr_gray_t *dst)
{
    int                  x, y;
    unsigned char       *to;
    const unsigned char *a, *b;

    if (src->w < 2 || src->h < 2) {
        return KTPR_UNFIT;
    }

    if (ktpr_gray_create(pool, src->w / 2, src->h / 2, dst) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    to = dst->px;

    for (y = 0; y < dst->h; y++) {
        a = src->px + (size_t) 2 * y * src->w;
        b = a + src->w;

        for (x = 0; x < dst->w; x++, a += 2, b += 2) {
            *to++ = (unsigned char) ((a[0] + a[1] + b[0] + b[1] + 2) / 4);
        }
    }

    return KTPR_DONE;
}


ktpr_status_t
ktpr_gray_smooth(ktpr_pool_t *pool, const ktpr_gray_t *src, ktpr_gray_t *dst)
{
    int                  x, y, w, pass;
    size_t               n;
    unsigned char       *from;
    const unsigned char *p;

    n = (size_t) src->w * (size_t) src->h;
    w = src->w;
    from = ktpr_pool_alloc(pool, n, 1);

    if (from == NULL || ktpr_gray_create(pool, w, src->h, dst) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    memcpy(dst->px, src->px, n);

    for (pass = 0; pass < 2; pass++) {
        memcpy(from, dst->px, n);

        for (y = 1; y < src->h - 1; y++) {
            for (x = 1; x < w - 1; x++) {
                p = from + (size_t) y * w + x;
                dst->px[(size_t) y * w + x] =
                    (unsigned char) ((4 * p[0]
                                      + 2 * (p[-1] + p[1] + p[-w] + p[w])
                                      + p[-w - 1] + p[-w + 1] + p[w - 1]
                                      + p[w + 1] + 8)
                                     / 16);
            }
        }
    }

    ktpr_pool_free(pool, from);

    return KTPR_DONE;
}
