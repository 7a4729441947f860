#include <math.h>
#include <string.h>

#include "ktpr_warp.h"


ktpr_map_t
ktpr_map_affine(double a, double b, double c, double d, double e, double f)
{
    ktpr_map_t map = {{{a, b, c}, {d, e, f}, {0, 0, 1}}};

    return map;
}


ktpr_map_t
ktpr_map_identity(void)
{
    return ktpr_map_affine(1, 0, 0, 0, 1, 0);
}


ktpr_map_t
ktpr_map_scale(double s)
{
    return ktpr_map_affine(s, 0, 0, 0, s, 0);
}


ktpr_map_t
ktpr_map_then(const ktpr_map_t *first, const ktpr_map_t *second)
{
    int        i, j, k;
    ktpr_map_t map;

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++) {
            map.m[i][j] = 0;
            for (k = 0; k < 3; k++) {
                map.m[i][j] += second->m[i][k] * first->m[k][j];
            }
        }
    }

    return map;
}


ktpr_point_t
ktpr_map_point(const ktpr_map_t *map, double x, double y)
{
    double       w;
    ktpr_point_t p;

    w = map->m[2][0] * x + map->m[2][1] * y + map->m[2][2];

    if (fabs(w) < 1e-9) {
        w = 1e-9;
    }

    p.x = (map->m[0][0] * x + map->m[0][1] * y + map->m[0][2]) / w;
    p.y = (map->m[1][0] * x + map->m[1][1] * y + map->m[1][2]) / w;

    return p;
}


int
ktpr_map_invert(const ktpr_map_t *map, ktpr_map_t *inverse)
{
    int    i, j;
    double det;
    const double(*m)[3] = map->m;

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++) {
            /* the cofactor, with rows and columns counted around */
            inverse->m[j][i] =
                m[(i + 1) % 3][(j + 1) % 3] * m[(i + 2) % 3][(j + 2) % 3]
                - m[(i + 1) % 3][(j + 2) % 3] * m[(i + 2) % 3][(j + 1) % 3];
        }
    }

    det = 0;
    for (j = 0; j < 3; j++) {
        det += m[0][j] * inverse->m[j][0];
    }

    if (fabs(det) < 1e-12) {
        return -1;
    }

    for (i = 0; i < 3; i++) {
        for (j = 0; j < 3; j++) {
            inverse->m[i][j] /= det;
        }
    }

    return 0;
}


/* Takes the corners of the unit square to four points (Heckbert 1989, 2.2). */
static void
ktpr_map_square(const ktpr_point_t p[4], ktpr_map_t *map)
{
    double sx, sy, dx1, dy1, dx2, dy2, det, g, h;

    sx = p[0].x - p[1].x + p[2].x - p[3].x;
    sy = p[0].y - p[1].y + p[2].y - p[3].y;
    dx1 = p[1].x - p[2].x;
    dy1 = p[1].y - p[2].y;
    dx2 = p[3].x - p[2].x;
    dy2 = p[3].y - p[2].y;
    det = dx1 * dy2 - dx2 * dy1;
    det = fabs(det) < 1e-9 ? 1e-9 : det;
    g = (sx * dy2 - dx2 * sy) / det;
    h = (dx1 * sy - sx * dy1) / det;

    *map = ktpr_map_affine(
        p[1].x - p[0].x + g * p[1].x, p[3].x - p[0].x + h * p[3].x, p[0].x,
        p[1].y - p[0].y + g * p[1].y, p[3].y - p[0].y + h * p[3].y, p[0].y);
    map->m[2][0] = g;
    map->m[2][1] = h;
}


int
ktpr_map_corners(const ktpr_point_t from[4], const ktpr_point_t to[4],
                 ktpr_map_t *map)
{
    ktpr_map_t a, b, back;

    ktpr_map_square(from, &a);
    ktpr_map_square(to, &b);

    if (ktpr_map_invert(&a, &back) != 0) {
        return -1;
    }

    *map = ktpr_map_then(&back, &b);

    return 0;
}


double
ktpr_map_size(const ktpr_map_t *map, double x, double y)
{
    ktpr_point_t p, q, r;

    p = ktpr_map_point(map, x, y);
    q = ktpr_map_point(map, x + 1, y);
    r = ktpr_map_point(map, x, y + 1);

    return sqrt(fabs((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)));
}


static int
ktpr_clamp(int v, int limit)
{
    return v < 0 ? 0 : (v >= limit ? limit - 1 : v);
}


static unsigned char
ktpr_sample_linear(const ktpr_gray_t *src, double x, double y)
{
    int                  x0, y0, x1, y1;
    float                fx, fy, a, b;
    const unsigned char *top, *low;

    x0 = (int) floor(x);
    y0 = (int) floor(y);
    fx = (float) (x - x0);
    fy = (float) (y - y0);
    x1 = ktpr_clamp(x0 + 1, src->w);
    y1 = ktpr_clamp(y0 + 1, src->h);
    x0 = ktpr_clamp(x0, src->w);
    y0 = ktpr_clamp(y0, src->h);
    top = src->px + (size_t) y0 * src->w;
    low = src->px + (size_t) y1 * src->w;
    a = top[x0] + fx * (top[x1] - top[x0]);
    b = low[x0] + fx * (low[x1] - low[x0]);

    return (unsigned char) (a + fy * (b - a) + .5f);
}


/* Keys' kernel with a = -1/2. */
static void
ktpr_cubic_weights(float t, float w[4])
{
    w[0] = ((-.5f * t + 1.f) * t - .5f) * t;
    w[1] = (1.5f * t - 2.5f) * t * t + 1.f;
    w[2] = ((-1.5f * t + 2.f) * t + .5f) * t;
    w[3] = (.5f * t - .5f) * t * t;
}


static unsigned char
ktpr_sample_cubic(const ktpr_gray_t *src, double x, double y)
{
    int                  i, j, x0, y0, at[4];
    float                wx[4], wy[4], sum, line;
    const unsigned char *row;

    x0 = (int) floor(x);
    y0 = (int) floor(y);
    ktpr_cubic_weights((float) (x - x0), wx);
    ktpr_cubic_weights((float) (y - y0), wy);

    for (i = 0; i < 4; i++) {
        at[i] = ktpr_clamp(x0 - 1 + i, src->w);
    }

    sum = .5f;

    for (j = 0; j < 4; j++) {
        row = src->px + (size_t) ktpr_clamp(y0 - 1 + j, src->h) * src->w;
        line = 0;

        for (i = 0; i < 4; i++) {
            line += wx[i] * row[at[i]];
        }

        sum += wy[j] * line;
    }

    return sum <= 0 ? 0 : (sum >= 255 ? 255 : (unsigned char) sum);
}


void
ktpr_gray_warp(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
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
            if (!(p.x > -4 && p.y > -4 && p.x < src->w + 4
                  && p.y < src->h + 4)) {
                p.x = p.x > 0 ? src->w - 1 : 0;
                p.y = p.y > 0 ? src->h - 1 : 0;
            }

            *to++ = smooth ? ktpr_sample_cubic(src, p.x, p.y)
                           : ktpr_sample_linear(src, p.x, p.y);
        }
    }
}


int
ktpr_gray_halve(ktpr_pool_t *pool, const ktpr_gray_t *src, ktpr_gray_t *dst)
{
    int                  x, y;
    unsigned char       *to;
    const unsigned char *a, *b;

    if (src->w < 2 || src->h < 2
        || ktpr_gray_create(pool, src->w / 2, src->h / 2, dst) != 0) {
        return -1;
    }

    to = dst->px;

    for (y = 0; y < dst->h; y++) {
        a = src->px + (size_t) 2 * y * src->w;
        b = a + src->w;

        for (x = 0; x < dst->w; x++, a += 2, b += 2) {
            *to++ = (unsigned char) ((a[0] + a[1] + b[0] + b[1] + 2) / 4);
        }
    }

    return 0;
}


int
ktpr_gray_smooth(ktpr_pool_t *pool, const ktpr_gray_t *src, ktpr_gray_t *dst)
{
    int                  x, y, w, pass;
    size_t               n;
    unsigned char       *from;
    const unsigned char *p;

    n = (size_t) src->w * (size_t) src->h;
    w = src->w;
    from = ktpr_pool_alloc(pool, n, 1);

    if (from == NULL || ktpr_gray_create(pool, w, src->h, dst) != 0) {
        return -1;
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

    return 0;
}


/* Adds weight times a row, reduced to w pixels, to the sums. */
static void
ktpr_reduce_row(const unsigned char *row, int from, int w, float weight,
                float *sums)
{
    int   i, x, c;
    float left, right, step, part;

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

            part *= weight;

            for (c = 0; c < 3; c++) {
                sums[3 * i + c] += part * row[3 * x + c];
            }
        }
    }
}


int
ktpr_image_reduce(ktpr_pool_t *pool, const ktpr_image_t *src, int w, int h,
                  ktpr_image_t *dst)
{
    int            i, y, row;
    float         *sums, step_x, step, top, bottom, part;
    unsigned char *to;

    dst->w = w;
    dst->h = h;
    dst->scale = src->scale * src->w / w;
    dst->rgb = ktpr_pool_alloc(pool, (size_t) w * (size_t) h, 3);
    sums = ktpr_pool_alloc(pool, (size_t) w * 3, sizeof(float));

    if (dst->rgb == NULL || sums == NULL) {
        return -1;
    }

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

            ktpr_reduce_row(src->rgb + (size_t) y * src->w * 3, src->w, w,
                            part / (step * step_x), sums);
        }

        for (i = 0; i < 3 * w; i++) {
            *to++ = sums[i] >= 255 ? 255 : (unsigned char) (sums[i] + .5f);
        }
    }

    ktpr_pool_free(pool, sums);

    return 0;
}


int
ktpr_image_warp(ktpr_pool_t *pool, const ktpr_image_t *src,
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
        return -1;
    }

    to = dst->rgb;

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++, to += 3) {
            p = ktpr_map_point(map, x, y);

            /* a border goes on; also when the point is not a number */
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

    return 0;
}
