/*
 * Planes and the maps between them: a map is a 3x3 matrix on homogeneous
 * points, so that turns, tilts and perspective are one thing.
 */

#ifndef KTPR_WARP_H
#define KTPR_WARP_H

#include "ktpr_image.h"


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

/*
 * Fills dst: its pixel (x, y) is src at map(x, y), by cubic interpolation
 * when smooth is set and linear when not.  Outside src its border goes on.
 */
void ktpr_gray_warp(const ktpr_gray_t *src, const ktpr_map_t *map, int smooth,
                    ktpr_gray_t *dst);

/* Half the size, each pixel the mean of four; 0 or -1. */
int ktpr_gray_halve(ktpr_pool_t *pool, const ktpr_gray_t *src,
                    ktpr_gray_t *dst);

/* Twice a 3x3 binomial mean, against grain; 0 or -1. */
int ktpr_gray_smooth(ktpr_pool_t *pool, const ktpr_gray_t *src,
                     ktpr_gray_t *dst);

/* The mean over each pixel's share of src; w and h at most src's; 0 or -1. */
int ktpr_image_reduce(ktpr_pool_t *pool, const ktpr_image_t *src, int w, int h,
                      ktpr_image_t *dst);

/* dst's pixel (x, y) is src at map(x, y), linearly between pixels; 0 or -1. */
int ktpr_image_warp(ktpr_pool_t *pool, const ktpr_image_t *src,
                    const ktpr_map_t *map, int w, int h, ktpr_image_t *dst);


#endif /* KTPR_WARP_H */
