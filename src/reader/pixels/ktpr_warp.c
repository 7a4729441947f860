#include <math.h>
#include <stdint.h>
#include <string.h>

#include "ktpr_warp.h"


/*
 * fixed: pixels beyond a plane from which on its border is taken at once: the
 * widest kernel reaches 2, and a coordinate must fit an int.
 */
#define KTPR_WARP_BEYOND 4


/* fixed: pixels of a row that are interpolated at once */
#define KTPR_WARP_RUN 16

/* Four numbers in a register. */
typedef float ktpr_warp_four_t __attribute__((vector_size(16)));
typedef int   ktpr_warp_word_t __attribute__((vector_size(16)));


static int
ktpr_warp_clamp(int v, int limit)
{
    return v < 0 ? 0 : (v >= limit ? limit - 1 : v);
}


/* Four bytes, the first one lowest. */
static int
ktpr_warp_bytes(const unsigned char *p)
{
    return (int) (p[0] | p[1] << 8 | p[2] << 16 | (uint32_t) p[3] << 24);
}


/* As floor(), which is a call, for what fits an int. */
static int
ktpr_warp_floor(double v)
{
    int i;

    i = (int) v;

    return i - (v < i);
}


static unsigned char
ktpr_warp_linear(const ktpr_gray_t *src, double x, double y)
{
    int                  x0, y0, x1, y1;
    float                fx, fy, a, b;
    const unsigned char *top, *low;

    x0 = ktpr_warp_floor(x);
    y0 = ktpr_warp_floor(y);
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
static ktpr_warp_four_t
ktpr_warp_weights(float t)
{
    const ktpr_warp_four_t a = {-.5f, 1.5f, -1.5f, .5f};
    const ktpr_warp_four_t b = {1.f, -2.5f, 2.f, -.5f};
    const ktpr_warp_four_t c = {-.5f, 0.f, .5f, 0.f};
    const ktpr_warp_four_t d = {0.f, 1.f, 0.f, 0.f};

    return ((a * t + b) * t + c) * t + d;
}


/* Four bytes of each of four rows, by columns: column i is square >> 8 i. */
static ktpr_warp_word_t
ktpr_warp_square(const ktpr_gray_t *src, int x0, int y0)
{
    int                  i, j, row[4];
    unsigned char        bytes[4];
    const unsigned char *p;

    if (x0 >= 1 && x0 + 2 < src->w && y0 >= 1 && y0 + 2 < src->h) {
        p = src->px + (size_t) (y0 - 1) * src->w + x0 - 1;

#pragma GCC unroll 4
        for (j = 0; j < 4; j++) {
            row[j] = ktpr_warp_bytes(p + (size_t) j * src->w);
        }

    } else {
        for (j = 0; j < 4; j++) {
            p = src->px
                + (size_t) ktpr_warp_clamp(y0 - 1 + j, src->h) * src->w;

            for (i = 0; i < 4; i++) {
                bytes[i] = p[ktpr_warp_clamp(x0 - 1 + i, src->w)];
            }

            row[j] = ktpr_warp_bytes(bytes);
        }
    }

    return (ktpr_warp_word_t){row[0], row[1], row[2], row[3]};
}


static unsigned char
ktpr_warp_cubic(const ktpr_gray_t *src, double x, double y)
{
    int              i, x0, y0;
    float            sum;
    ktpr_warp_four_t wx, wy, lines;
    ktpr_warp_word_t square;

    x0 = ktpr_warp_floor(x);
    y0 = ktpr_warp_floor(y);
    wx = ktpr_warp_weights((float) (x - x0));
    wy = ktpr_warp_weights((float) (y - y0));
    square = ktpr_warp_square(src, x0, y0);
    lines = (ktpr_warp_four_t){0};

#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        lines += wx[i]
                 * __builtin_convertvector((square >> 8 * i) & 255,
                                           ktpr_warp_four_t);
    }

    lines *= wy;
    sum = .5f + lines[0] + lines[1] + lines[2] + lines[3];

    return sum <= 0 ? 0 : (sum >= 255 ? 255 : (unsigned char) sum);
}


/* Whether a map has no perspective: points of a row are evenly apart. */
static int
ktpr_warp_even(const ktpr_map_t *map)
{
    return map->m[2][0] == 0 && map->m[2][1] == 0 && map->m[2][2] == 1;
}


/* As ktpr_map_point(), without a call if the map is even. */
static ktpr_point_t
ktpr_warp_point(const ktpr_map_t *map, int even, int x, int y)
{
    ktpr_point_t p;

    if (!even) {
        return ktpr_map_point(map, x, y);
    }

    p.x = map->m[0][0] * x + map->m[0][1] * y + map->m[0][2];
    p.y = map->m[1][0] * x + map->m[1][1] * y + map->m[1][2];

    return p;
}


/* Whether a point and its neighbours to the right and below are in src. */
static int
ktpr_warp_within(const ktpr_gray_t *src, ktpr_point_t p)
{
    return p.x >= 0 && p.y >= 0 && p.x < src->w - 1 && p.y < src->h - 1;
}


static unsigned char
ktpr_warp_pixel(const ktpr_gray_t *src, int smooth, ktpr_point_t p)
{
    /* also when the point is not a number */
    if (!(p.x > -KTPR_WARP_BEYOND && p.y > -KTPR_WARP_BEYOND
          && p.x < src->w + KTPR_WARP_BEYOND
          && p.y < src->h + KTPR_WARP_BEYOND)) {
        p.x = p.x > 0 ? src->w - 1 : 0;
        p.y = p.y > 0 ? src->h - 1 : 0;
    }

    return smooth ? ktpr_warp_cubic(src, p.x, p.y)
                  : ktpr_warp_linear(src, p.x, p.y);
}


/*
 * KTPR_WARP_RUN pixels from (x, y) on by linear interpolation, through a map
 * without perspective; all of them are within src.
 */
static void
ktpr_warp_run(const ktpr_gray_t *src, const ktpr_map_t *map, int x, int y,
              unsigned char *to)
{
    int    i, at[KTPR_WARP_RUN], x0[KTPR_WARP_RUN], y0[KTPR_WARP_RUN];
    int    left[KTPR_WARP_RUN], right[KTPR_WARP_RUN];
    int    low_left[KTPR_WARP_RUN], low_right[KTPR_WARP_RUN];
    float  fx[KTPR_WARP_RUN], fy[KTPR_WARP_RUN], a, b;
    double px, py;
    const double(*m)[3] = map->m;
    const unsigned char *p;

    for (i = 0; i < KTPR_WARP_RUN; i++) {
        px = m[0][0] * (x + i) + m[0][1] * y + m[0][2];
        py = m[1][0] * (x + i) + m[1][1] * y + m[1][2];
        x0[i] = (int) px;
        y0[i] = (int) py;
        fx[i] = (float) (px - x0[i]);
        fy[i] = (float) (py - y0[i]);
    }

    for (i = 0; i < KTPR_WARP_RUN; i++) {
        at[i] = y0[i] * src->w + x0[i];
    }

    for (i = 0; i < KTPR_WARP_RUN; i++) {
        p = src->px + at[i];
        left[i] = p[0];
        right[i] = p[1];
        p += src->w;
        low_left[i] = p[0];
        low_right[i] = p[1];
    }

    for (i = 0; i < KTPR_WARP_RUN; i++) {
        a = (float) left[i] + fx[i] * (float) (right[i] - left[i]);
        b = (float) low_left[i] + fx[i] * (float) (low_right[i] - low_left[i]);
        to[i] = (unsigned char) (int) (a + fy[i] * (b - a) + .5f);
    }
}


void
ktpr_warp_gray(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
               ktpr_gray_t *dst)
{
    int            x, y, even;
    ktpr_point_t   p;
    unsigned char *to;

    to = dst->px;
    even = ktpr_warp_even(map);

    for (y = 0; y < dst->h; y++) {
        for (x = 0; x < dst->w; x++) {
            p = ktpr_warp_point(map, even, x, y);

            if (!smooth && even && x + KTPR_WARP_RUN <= dst->w
                && ktpr_warp_within(src, p)
                && ktpr_warp_within(
                    src,
                    ktpr_warp_point(map, even, x + KTPR_WARP_RUN - 1, y))) {
                ktpr_warp_run(src, map, x, y, to);
                to += KTPR_WARP_RUN;
                x += KTPR_WARP_RUN - 1;

            } else {
                *to++ = ktpr_warp_pixel(src, smooth, p);
            }
        }
    }
}


/* The first byte of a pixel in its row, the pixel of the reduced row that it
   goes to, and the part of its width that does. */
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
            shares[n].to = i;
            shares[n++].part = part;
        }
    }

    return n;
}


/*
 * Adds weight times a pixel's part, of which the first three bytes count, to
 * the sums of a pixel.
 */
static void
ktpr_warp_add(int bytes, float weight, ktpr_warp_four_t *sums)
{
    const ktpr_warp_word_t channels = {0xff, 0xff00, 0xff0000, 0};
    const ktpr_warp_four_t ones = {1, 1.f / 0x100, 1.f / 0x10000, 0};

    /* a channel's bits where they are in the word, as a number, are whole */
    *sums += weight * ones
             * __builtin_convertvector(bytes & channels, ktpr_warp_four_t);
}


/* Adds weight times a row, reduced by its shares, to the sums. */
static void
ktpr_warp_reduce_row(const unsigned char *row, const ktpr_warp_share_t *shares,
                     int n, float weight, ktpr_warp_four_t *sums)
{
    unsigned char last[4] = {0};

    for (; n > 1; n--, shares++) {
        ktpr_warp_add(ktpr_warp_bytes(row + shares->from),
                      shares->part * weight, &sums[shares->to]);
    }

    /* nothing is read beyond the last pixel */
    memcpy(last, row + shares->from, 3);
    ktpr_warp_add(ktpr_warp_bytes(last), shares->part * weight,
                  &sums[shares->to]);
}


ktpr_status_t
ktpr_warp_reduce(ktpr_pool_t *pool, const ktpr_image_t *src, int w, int h,
                 ktpr_image_t *dst)
{
    int                i, c, y, n, row;
    float              step_x, step, top, bottom, part;
    unsigned char     *to;
    ktpr_warp_four_t  *sums;
    ktpr_warp_share_t *shares;

    dst->w = w;
    dst->h = h;
    dst->scale = src->scale * src->w / w;
    dst->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);
    sums = ktpr_pool_alloc(pool, (size_t) w, sizeof(ktpr_warp_four_t));
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
        memset(sums, 0, (size_t) w * sizeof(ktpr_warp_four_t));

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

        for (i = 0; i < w; i++) {
            for (c = 0; c < 3; c++) {
                *to++ = sums[i][c] >= 255 ? 255
                                          : (unsigned char) (sums[i][c] + .5f);
            }
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
