#include <math.h>

#include "ktpr_map.h"


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
