/*
 * Planes and the maps between them: a map is a 3x3 matrix on homogeneous
 * points, so that turns, tilts and perspective are one thing.
 */

#ifndef KTPR_MAP_H
#define KTPR_MAP_H


typedef struct {
    double m[3][3];
} ktpr_map_t;

typedef struct {
    double x, y;
} ktpr_point_t;


ktpr_map_t   ktpr_map_identity(void);
ktpr_map_t   ktpr_map_scale(double s);
ktpr_map_t   ktpr_map_affine(double a, double b, double c, double d, double e,
                             double f); /* x' = ax + by + c, y' = dx + ey + f */
ktpr_map_t   ktpr_map_then(const ktpr_map_t *first, const ktpr_map_t *second);
ktpr_point_t ktpr_map_point(const ktpr_map_t *map, double x, double y);

/* 0, or -1 when the map has no inverse. */
int ktpr_map_invert(const ktpr_map_t *map, ktpr_map_t *inverse);

/* The map that takes each of four points to another; 0 or -1. */
int ktpr_map_corners(const ktpr_point_t from[4], const ktpr_point_t to[4],
                     ktpr_map_t *map);

/* How many pixels there one pixel at (x, y) here is, as a length. */
double ktpr_map_size(const ktpr_map_t *map, double x, double y);


#endif /* KTPR_MAP_H */
