/* Straight edges in a photo: where colour changes along a line. */

#ifndef KTPR_EDGES_H
#define KTPR_EDGES_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* The longer side of the small copy that edges are looked for on, at most. */
#define KTPR_EDGES_SIDE 320

#define KTPR_MAX_RULES 40

/*
 * x cos + y sin = rho; covered[t] says how many of the places along it before
 * t (from -KTPR_EDGES_SIDE * 2 on, from the point nearest to the origin, in
 * pixels) have an edge of its direction.
 */
typedef struct {
    double cos, sin, rho;
    short  covered[4 * KTPR_EDGES_SIDE + 2];
} ktpr_rule_t;

typedef struct {
    int          w, h; /* of the small copy */
    int          by;   /* pixels of the image to one of it */
    ktpr_rule_t *rules;
    int          n;
} ktpr_edges_t;


/* The longest straight edges, longest first; 0 or -1 (no memory, too small).
 */
int ktpr_edges_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                    ktpr_edges_t *edges);

/* How much of the rule between two points on it has an edge, 0 to 1. */
double ktpr_edges_rule_cover(const ktpr_rule_t *rule, ktpr_point_t a,
                             ktpr_point_t b);


#endif /* KTPR_EDGES_H */
