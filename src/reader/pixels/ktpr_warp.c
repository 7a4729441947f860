#include <math.h>
#include <string.h>

#include "ktpr_warp.h"


/*
 * fixed: pixels beyond a plane from which on its border is taken at once: the
 * widest kernel reaches 2, and a coordinate must fit an int.
 */
#define KTPR_WARP_BEYOND 4


static int
ktpr_warp_clamp(int v, int limit)
{
    return v < 0 ? 0 : (v >= limit ? limit - 1 : v);
}


static unsigned char
ktpr_warp_linear(const ktpr_gray_t *src, double x, double y)
{
    int                  x0, y0, x1, y1;
    float                fx, fy, a, b;
    const unsigned char *top, *low;

    x0 = (int) floor(x);
    y0 = (int) floor(y);
    fx = (float) (x - x0);
    fy = (float) (y - y0);
    x1 = ktpr_warp_clamp(x0 + 1, src->w);
    y1 = ktpr_warp_clamp(y0 + 1, src->h);
    x0 = ktpr_warp_clamp(x0, src->w);
    y0 = ktpr_warp_clamp(y0, src->h);
    top = src->px + (size_t) y0 * src->w;
    low = src->px + (size_t) y1 * src->w;
    a = top[x0] + fx * (top[x1] - top[x0]);
    b = low[x0] + fx * (low[x1] - low[x0]);

    return (unsigned char) (a + fy * (b - a) + .5f);
}


/* The cubic convolution kernel of Keys (1981), with a = -1/2. */
static void
ktpr_warp_weights(float t, float w[4])
{
    w[0] = ((-.5f * t + 1.f) * t - .5f) * t;
    w[1] = (1.5f * t - 2.5f) * t * t + 1.f;
    w[2] = ((-1.5f * t + 2.f) * t + .5f) * t;
    w[3] = (.5f * t - .5f) * t * t;
}


static unsigned char
ktpr_warp_cubic(const ktpr_gray_t *src, double x, double y)
{
    int                  i, j, x0, y0, at[4];
    float                wx[4], wy[4], sum, line;
    const unsigned char *row;

    x0 = (int) floor(x);
    y0 = (int) floor(y);
    ktpr_warp_weights((float) (x - x0), wx);
    ktpr_warp_weights((float) (y - y0), wy);

    for (i = 0; i < 4; i++) {
        at[i] = ktpr_warp_clamp(x0 - 1 + i, src->w);
    }

    sum = .5f;

    for (j = 0; j < 4; j++) {
        row = src->px + (size_t) ktpr_warp_clamp(y0 - 1 + j, src->h) * src->w;
        line = 0;

        for (i = 0; i < 4; i++) {
            line += wx[i] * row[at[i]];
        }

        sum += wy[j] * line;
    }

    return sum <= 0 ? 0 : (sum >= 255 ? 255 : (unsigned char) sum);
}


void
ktpr_warp_gray(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
               ktpr_gray_t *dst)
{
    int            x, y;
    ktpr_point_t   p;
    unsigned char *to;

    to = dst->px;

    for (y = 0; y < dst->h; y++) {
        for (x = 0; x < dst->w; x++) {
            p = ktpr_map_point(map, x, y);

            /* also when the point is not a number */
            if (!(p.x > -KTPR_WARP_BEYOND && p.y > -KTPR_WARP_BEYOND
                  && p.x < src->w + KTPR_WARP_BEYOND
                  && p.y < src->h + KTPR_WARP_BEYOND)) {
                p.x = p.x > 0 ? src->w - 1 : 0;
                p.y = p.y > 0 ? src->h - 1 : 0;
            }

            *to++ = smooth ? ktpr_warp_cubic(src, p.x, p.y)
                           : ktpr_warp_linear(src, p.x, p.y);
        }
    }
}


/* A pixel of the source, the one of the reduced row that it goes to, and
   the part of its width that does. */
typedef struct {
    int   from, to;
    float part;
} ktpr_warp_share_t;


/*
 * Where the pixels of a row of from go in one of w: one that lies across a
 * border goes to both sides.  Returns the count of shares: 2 * (from + w) at
 * most.
 */
static int
ktpr_warp_shares(int from, int w, ktpr_warp_share_t *shares)
{
    int   i, x, n;
    float left, right, step, part;

    n = 0;
    step = (float) from / (float) w;

    for (i = 0; i < w; i++) {
        left = (float) i * step;
        right = left + step;

        for (x = (int) left; x < from && (float) x < right; x++) {
            part = 1;
            if ((float) x < left) {
                part -= left - (float) x;
            }
            if ((float) (x + 1) > right) {
                part -= (float) (x + 1) - right;
            }

            shares[n].from = 3 * x;
            shares[n].to = 3 * i;
            shares[n++].part = part;
        }
    }

    return n;
}


/* Adds weight times a row, reduced by its shares, to the sums. */
static void
ktpr_warp_reduce_row(const unsigned char *row, const ktpr_warp_share_t *shares,
                     int n, float weight, float *sums)
{
    float                part, *to;
    const unsigned char *px;

    for (; n; n--, shares++) {
        part = shares->part * weight;
        px = row + shares->from;
        to = sums + shares->to;

        to[0] += part * px[0];
        to[1] += part * px[1];
        to[2] += part * px[2];
    }
}


ktpr_status_t
ktpr_warp_reduce(ktpr_pool_t *pool, const ktpr_image_t *src, int w, int h,
                 ktpr_image_t *dst)
{
    int                i, y, n, row;
    float             *sums, step_x, step, top, bottom, part;
    unsigned char     *to;
    ktpr_warp_share_t *shares;

    dst->w = w;
    dst->h = h;
    dst->scale = src->scale * src->w / w;
    dst->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);
    sums = ktpr_pool_alloc(pool, (size_t) w * 3, sizeof(float));
    shares = ktpr_pool_alloc(pool, 2 * ((size_t) src->w + (size_t) w),
                             sizeof(ktpr_warp_share_t));

    if (dst->rgb == NULL || sums == NULL || shares == NULL) {
        return KTPR_NO_MEMORY;
    }

    n = ktpr_warp_shares(src->w, w, shares);
    step = (float) src->h / (float) h;
    step_x = (float) src->w / (float) w;
    to = dst->rgb;

    for (row = 0; row < h; row++) {
        top = (float) row * step;
        bottom = top + step;
        memset(sums, 0, (size_t) w * 3 * sizeof(float));

        for (y = (int) top; y < src->h && (float) y < bottom; y++) {
            part = 1;
            if ((float) y < top) {
                part -= top - (float) y;
            }
            if ((float) (y + 1) > bottom) {
                part -= (float) (y + 1) - bottom;
            }

            ktpr_warp_reduce_row(src->rgb + (size_t) y * src->w * 3, shares, n,
                                 part / (step * step_x), sums);
        }

        for (i = 0; i < 3 * w; i++) {
            *to++ = sums[i] >= 255 ? 255 : (unsigned char) (sums[i] + .5f);
        }
    }

    ktpr_pool_free(pool, shares);
    ktpr_pool_free(pool, sums);

    return KTPR_DONE;
}


ktpr_status_t
ktpr_warp_image(ktpr_pool_t *pool, const ktpr_image_t *src,
                const ktpr_map_t *map, int w, int h, ktpr_image_t *dst)
{
    int                  x, y, c, x0, y0, right, below;
    float                fx, fy, top, low;
    ktpr_point_t         p;
    unsigned char       *to;
    const unsigned char *from;

    dst->w = w;
    dst->h = h;
    dst->scale = src->scale * ktpr_map_size(map, w / 2., h / 2.);
    dst->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);
    if (dst->rgb == NULL) {
        return KTPR_NO_MEMORY;
    }

    to = dst->rgb;

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++, to += 3) {
            p = ktpr_map_point(map, x, y);

            /* the border repeats, also when the point is not a number */
            p.x = p.x > 0 ? fmin(p.x, src->w - 1) : 0;
            p.y = p.y > 0 ? fmin(p.y, src->h - 1) : 0;
            x0 = (int) p.x;
            y0 = (int) p.y;
            fx = (float) (p.x - x0);
            fy = (float) (p.y - y0);
            right = x0 + 1 < src->w ? 3 : 0;
            below = y0 + 1 < src->h ? 3 * src->w : 0;
            from = src->rgb + ((size_t) y0 * src->w + x0) * 3;

            for (c = 0; c < 3; c++, from++) {
                top = from[0] + fx * (float) (from[right] - from[0]);
                low = from[below]
                      + fx * (float) (from[below + right] - from[below]);
                to[c] = (unsigned char) (top + fy * (low - top) + .5f);
            }
        }
    }

    return KTPR_DONE;
}
