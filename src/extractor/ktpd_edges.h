/* Straight edges in a photo: where colour changes along a line. */

#ifndef KTPD_EDGES_H
#define KTPD_EDGES_H

#include "ktpd_warp.h"


/* The longer side of the small copy that edges are looked for on, at most. */
#define KTPD_EDGES_SIDE 320

#define KTPD_MAX_RULES 40

/*
 * x cos + y sin = rho; covered[t] says how many of the places along it before
 * t (from -KTPD_EDGES_SIDE * 2 on, from the point nearest to the origin, in
 * pixels) have an edge of its direction.
 */
typedef struct {
    double cos, sin, rho;
    short  covered[4 * KTPD_EDGES_SIDE + 2];
} ktpd_rule_t;

typedef struct {
    int          w, h; /* of the small copy */
    int          by;   /* pixels of the image to one of it */
    ktpd_rule_t *rules;
    int          n;
} ktpd_edges_t;


/* The longest straight edges, longest first; 0 or -1 (no memory, too small).
 */
int ktpd_edges_find(ktpd_pool_t *pool, const ktpd_image_t *image,
                    ktpd_edges_t *edges);

/* How much of the rule between two points on it has an edge, 0 to 1. */
double ktpd_rule_cover(const ktpd_rule_t *rule, ktpd_point_t a,
                       ktpd_point_t b);


#endif /* KTPD_EDGES_H */
