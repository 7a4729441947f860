/*
 * Planes, and the maps from one to another.
 *
 * A coordinate is that of a pixel's centre: the upper left pixel of a plane is
 * (0, 0), x goes right and y goes down.  The reader has these planes; a
 * variable that could be of several names its own in a suffix (x_work).
 *
 *   plane   unit                 origin, and the way from there
 *   -----   ----                 ------------------------------
 *   file    pixel of the file    upper left of the upright file
 *   image   pixel, decoded       upper left of the file, or of a part of it;
 *                                file = image * ktpr_image_t.scale + .x, .y
 *   small   by x by pixels of    same; image = (small + .5) * by - .5,
 *           the image            ktpr_edges_t.by
 *   work    pixel; longer side   upper left of the flattened page, as the
 *           KTPR_WORK_SIDE       image or as the straightened card lies;
 *                                ktpr_page_t.work_to_image
 *   level   pixel, of work's     upper left of the page turned level; lines of
 *           size                 writing go right; ktpr_page_t.level_to_image
 *   strip   pixel, of the cut    upper left of one line's cut for recognition;
 *                                ktpr_crop() goes by way of level
 *   card    spacing of the       where the left end of the value column meets
 *           card's rows          the first row; ktpr_lines_plane() to image
 *
 * Blobs, fragments, columns, rows and strips (ktpr_strip_t) are in level.
 */

#ifndef KTPR_MAP_H
#define KTPR_MAP_H


/* A 3x3 matrix on homogeneous points: shift, scale, turn and perspective. */
typedef struct {
    double m[3][3];
} ktpr_map_t;

typedef struct {
    double x, y;
} ktpr_point_t;


ktpr_map_t ktpr_map_identity(void);
ktpr_map_t ktpr_map_scale(double s);

/* x' = ax + by + c, y' = dx + ey + f */
ktpr_map_t ktpr_map_affine(double a, double b, double c, double d, double e,
                           double f);

/* Applies first, then second. */
ktpr_map_t ktpr_map_then(const ktpr_map_t *first, const ktpr_map_t *second);

ktpr_point_t ktpr_map_point(const ktpr_map_t *map, double x, double y);

/* 0, or -1 when the map has no inverse. */
int ktpr_map_invert(const ktpr_map_t *map, ktpr_map_t *inverse);

/* Maps each of four points to another: 0, or -1 when from has no area. */
int ktpr_map_corners(const ktpr_point_t from[4], const ktpr_point_t to[4],
                     ktpr_map_t *map);

/* The scale of the map at (x, y): the length that a length of 1 becomes. */
double ktpr_map_size(const ktpr_map_t *map, double x, double y);


#endif /* KTPR_MAP_H */
