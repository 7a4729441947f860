/*
 * Planes and the maps between them: a map is a 3x3 matrix on homogeneous
 * points, so that turns, tilts and perspective are one thing.
 */

#ifndef KTPD_WARP_H
#define KTPD_WARP_H

#include "ktpd_image.h"


typedef struct {
    double m[3][3];
} ktpd_map_t;

typedef struct {
    double x, y;
} ktpd_point_t;


ktpd_map_t   ktpd_map_identity(void);
ktpd_map_t   ktpd_map_scale(double s);
ktpd_map_t   ktpd_map_affine(double a, double b, double c, double d, double e,
                             double f); /* x' = ax + by + c, y' = dx + ey + f */
ktpd_map_t   ktpd_map_then(const ktpd_map_t *first, const ktpd_map_t *second);
ktpd_point_t ktpd_map_point(const ktpd_map_t *map, double x, double y);

/* 0, or -1 when the map has no inverse. */
int ktpd_map_invert(const ktpd_map_t *map, ktpd_map_t *inverse);

/* The map that takes each of four points to another; 0 or -1. */
int ktpd_map_corners(const ktpd_point_t from[4], const ktpd_point_t to[4],
                     ktpd_map_t *map);

/* How many pixels there one pixel at (x, y) here is, as a length. */
double ktpd_map_size(const ktpd_map_t *map, double x, double y);

/*
 * Fills dst: its pixel (x, y) is src at map(x, y), by cubic interpolation
 * when smooth is set and linear when not.  Outside src its border goes on.
 */
void ktpd_gray_warp(const ktpd_gray_t *src, const ktpd_map_t *map, int smooth,
                    ktpd_gray_t *dst);

/* Half the size, each pixel the mean of four; 0 or -1. */
int ktpd_gray_halve(ktpd_pool_t *pool, const ktpd_gray_t *src,
                    ktpd_gray_t *dst);

/* Twice a 3x3 binomial mean, against grain; 0 or -1. */
int ktpd_gray_smooth(ktpd_pool_t *pool, const ktpd_gray_t *src,
                     ktpd_gray_t *dst);

/* The mean over each pixel's share of src; w and h at most src's; 0 or -1. */
int ktpd_image_reduce(ktpd_pool_t *pool, const ktpd_image_t *src, int w, int h,
                      ktpd_image_t *dst);

/* dst's pixel (x, y) is src at map(x, y), linearly between pixels; 0 or -1. */
int ktpd_image_warp(ktpd_pool_t *pool, const ktpd_image_t *src,
                    const ktpd_map_t *map, int w, int h, ktpd_image_t *dst);


#endif /* KTPD_WARP_H */
