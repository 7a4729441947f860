/* Straight edges in a photo, found by a Hough transform on a small copy. */

#ifndef KTPR_EDGES_H
#define KTPR_EDGES_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/* Longer side of the small copy, in pixels, at most. */
#define KTPR_EDGES_SIDE 320

/* Rules kept, at most. */
#define KTPR_MAX_RULES 40

/*
 * A straight line x cos + y sin = rho on the small copy.  Places along it are
 * counted in pixels from -2 * KTPR_EDGES_SIDE, where place 0 is the point
 * nearest to the origin; covered[t] is the number of places before t that have
 * an edge of the rule's direction.
 */
typedef struct {
    double cos, sin, rho;
    short  covered[4 * KTPR_EDGES_SIDE + 2];
} ktpr_rule_t;

typedef struct {
    int          w, h; /* of the small copy */
    int          by;   /* pixels of the image to one of the small copy */
    ktpr_rule_t *rules;
    int          n;
} ktpr_edges_t;


/*
 * Finds the longest straight edges, longest first; rules belong to the pool.
 * KTPR_UNFIT when the image is too small; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_edges_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                              ktpr_edges_t *edges);

/* The part of the rule between two points on it that has an edge, 0 to 1. */
double ktpr_edges_rule_cover(const ktpr_rule_t *rule, ktpr_point_t a,
                             ktpr_point_t b);


#endif /* KTPR_EDGES_H */
