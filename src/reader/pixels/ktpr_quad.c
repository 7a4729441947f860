#include <math.h>
#include <string.h>

#include "ktpr_edges.h"
#include "ktpr_quad.h"


/*
 * Parts of the image's longer side, cosines, and pixels of the small copy, as
 * said.  Numbers were chosen by eye, set not recorded; "make corners" measures
 * them.
 */

/*
 * Opposite sides are at most 50 degrees off parallel; others have at least 35
 * degrees between them.  Cosines; less tilt loses cards, more finds tables.
 */
#define KTPR_QUAD_ALONG  .643
#define KTPR_QUAD_ACROSS .819

/* Rules with a smaller sine between them meet nowhere near. */
#define KTPR_QUAD_MEET .1

/* A side, in longer sides, and the whole, in areas of the image, at least. */
#define KTPR_QUAD_LEAST .12
#define KTPR_QUAD_SMALL .09

/* A corner is at most so far outside the image, in longer sides. */
#define KTPR_QUAD_OUTSIDE .04

/* The part of each side, and of all, that shows at least. */
#define KTPR_QUAD_SIDE  .35
#define KTPR_QUAD_SCORE .60

/*
 * The logarithm of the shape's ratio to a card's, at most (17 %), and what one
 * of 1 costs.  Less loses tilted cards; more takes squares.
 */
#define KTPR_QUAD_SHAPE      .16
#define KTPR_QUAD_SHAPE_COST .5

/*
 * Focal lengths that the shape is judged by, in longer sides: from a
 * telephone's camera to a long lens.
 */
#define KTPR_QUAD_FOCAL_SHORT  .7
#define KTPR_QUAD_FOCAL_NORMAL 1.
#define KTPR_QUAD_FOCAL_LONG   1.8

/* What the area of the whole image earns: the photo on a card is no card. */
#define KTPR_QUAD_AREA .3

/* A side that continues so many pixels beyond its corners costs ENDS. */
#define KTPR_QUAD_BEYOND 12.
#define KTPR_QUAD_ENDS   .3


typedef struct {
    const ktpr_edges_t *edges;
    double              best;
    ktpr_point_t        corners_small[4];
    int                 upright; /* the first two are a short side's */
} ktpr_search_t;


static double
ktpr_length(ktpr_point_t a, ktpr_point_t b)
{
    return sqrt((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
}


/* The cosine of the angle between two rules: 1 parallel, 0 across. */
static double
ktpr_rules_along(const ktpr_rule_t *a, const ktpr_rule_t *b)
{
    return fabs(a->cos * b->cos + a->sin * b->sin);
}


/* Where two rules meet: 0, or -1 when nowhere near. */
static int
ktpr_rules_meet(const ktpr_rule_t *a, const ktpr_rule_t *b, ktpr_point_t *p)
{
    double det;

    det = a->cos * b->sin - a->sin * b->cos;
    if (fabs(det) < KTPR_QUAD_MEET) {
        return -1;
    }

    p->x = (a->rho * b->sin - b->rho * a->sin) / det;
    p->y = (b->rho * a->cos - a->rho * b->cos) / det;

    return 0;
}


static void
ktpr_cross(const double a[3], const double b[3], double c[3])
{
    c[0] = a[1] * b[2] - a[2] * b[1];
    c[1] = a[2] * b[0] - a[0] * b[2];
    c[2] = a[0] * b[1] - a[1] * b[0];
}


static double
ktpr_dot(const double a[3], const double b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}


/*
 * Width over height of the rectangle that four corners show to a pinhole
 * camera of a focal length that looks at (cx, cy): see Zhang and He,
 * "Whiteboard scanning and image enhancement" (2007), section 3.2.
 */
static double
ktpr_quad_aspect(const ktpr_point_t p[4], double cx, double cy, double focal)
{
    int    i;
    double m[4][3], across[3], k2, k3, n2, n3, a, b;

    /* their order: two of a side, then the two opposite them */
    static const int order[4] = {0, 1, 3, 2};

    for (i = 0; i < 4; i++) {
        m[i][0] = (p[order[i]].x - cx) / focal;
        m[i][1] = (p[order[i]].y - cy) / focal;
        m[i][2] = 1;
    }

    ktpr_cross(m[0], m[3], across);
    a = ktpr_dot(across, m[2]);
    b = ktpr_dot(across, m[1]);
    ktpr_cross(m[1], m[3], across);
    k2 = a / ktpr_dot(across, m[2]);
    ktpr_cross(m[2], m[3], across);
    k3 = b / ktpr_dot(across, m[1]);

    n2 = n3 = 0;
    for (i = 0; i < 3; i++) {
        n2 += (k2 * m[1][i] - m[0][i]) * (k2 * m[1][i] - m[0][i]);
        n3 += (k3 * m[2][i] - m[0][i]) * (k3 * m[2][i] - m[0][i]);
    }

    return sqrt(n2 / n3);
}


/* How far the shape is off a card's, and whether it stands upright. */
static double
ktpr_quad_shape(const ktpr_search_t *search, const ktpr_point_t p[4],
                int *upright)
{
    int    i, side;
    double off, least, ratio, lies, stands;

    static const double focals[] = {
        KTPR_QUAD_FOCAL_SHORT, KTPR_QUAD_FOCAL_NORMAL, KTPR_QUAD_FOCAL_LONG};

    side = search->edges->w > search->edges->h ? search->edges->w
                                               : search->edges->h;
    least = 1e9;
    *upright = 0;

    for (i = 0; i < (int) (sizeof(focals) / sizeof(focals[0])); i++) {
        ratio = ktpr_quad_aspect(p, search->edges->w / 2.,
                                 search->edges->h / 2., focals[i] * side);
        lies = fabs(log(ratio / (KTPR_CARD_WIDTH / KTPR_CARD_HEIGHT)));
        stands = fabs(log(ratio * (KTPR_CARD_WIDTH / KTPR_CARD_HEIGHT)));
        off = fmin(lies, stands);

        if (off < least) {
            least = off;
            *upright = stands < lies;
        }
    }

    return least;
}


/* Whether a corner is in the image, or just outside. */
static int
ktpr_quad_inside(const ktpr_edges_t *edges, ktpr_point_t p)
{
    double out;

    out = KTPR_QUAD_OUTSIDE * (edges->w > edges->h ? edges->w : edges->h);

    return p.x > -out && p.y > -out && p.x < edges->w + out
           && p.y < edges->h + out;
}


/* Whether four corners make a convex shape that is large enough. */
static int
ktpr_quad_convex(const ktpr_edges_t *edges, const ktpr_point_t p[4])
{
    int                 i, turns;
    double              least;
    const ktpr_point_t *a, *b, *c;

    least = KTPR_QUAD_LEAST * (edges->w > edges->h ? edges->w : edges->h);
    turns = 0;

    for (i = 0; i < 4; i++) {
        a = &p[i];
        b = &p[(i + 1) % 4];
        c = &p[(i + 2) % 4];

        if (ktpr_length(*a, *b) < least) {
            return 0;
        }

        turns += (b->x - a->x) * (c->y - b->y) > (b->y - a->y) * (c->x - b->x)
                     ? 1
                     : -1;
    }

    return turns == 4 || turns == -4;
}


/* The part of a side's continuation, beyond its ends, that is an edge. */
static double
ktpr_quad_beyond(const ktpr_rule_t *rule, ktpr_point_t a, ktpr_point_t b)
{
    double       dx, dy, n;
    ktpr_point_t c, d;

    n = ktpr_length(a, b);
    dx = (b.x - a.x) / n * KTPR_QUAD_BEYOND;
    dy = (b.y - a.y) / n * KTPR_QUAD_BEYOND;
    c.x = a.x - dx;
    c.y = a.y - dy;
    d.x = b.x + dx;
    d.y = b.y + dy;

    return (ktpr_edges_rule_cover(rule, c, a)
            + ktpr_edges_rule_cover(rule, b, d))
           / 2;
}


static double
ktpr_quad_area(const ktpr_point_t p[4])
{
    return fabs((p[2].x - p[0].x) * (p[3].y - p[1].y)
                - (p[2].y - p[0].y) * (p[3].x - p[1].x))
           / 2;
}


/* Keeps the shape that two pairs of rules make if it is the best so far. */
static void
ktpr_quad_try(ktpr_search_t *search, const ktpr_rule_t *rules[4])
{
    int          i, upright;
    double       cover, n, shown, all, beyond, area, score, off;
    ktpr_point_t p[4];

    for (i = 0; i < 4; i++) {
        if (ktpr_rules_meet(rules[(i + 3) % 4], rules[i], &p[i]) != 0
            || !ktpr_quad_inside(search->edges, p[i])) {
            return;
        }
    }

    if (!ktpr_quad_convex(search->edges, p)) {
        return;
    }

    shown = all = beyond = 0;

    for (i = 0; i < 4; i++) {
        n = ktpr_length(p[i], p[(i + 1) % 4]);
        cover = ktpr_edges_rule_cover(rules[i], p[i], p[(i + 1) % 4]);
        if (cover < KTPR_QUAD_SIDE) {
            return;
        }

        all += n;
        shown += n * cover;
        beyond += ktpr_quad_beyond(rules[i], p[i], p[(i + 1) % 4]) / 4;
    }

    score = shown / all - KTPR_QUAD_ENDS * beyond;
    if (score < KTPR_QUAD_SCORE) {
        return;
    }

    area = ktpr_quad_area(p) / (search->edges->w * search->edges->h);
    score += KTPR_QUAD_AREA * area;
    if (area < KTPR_QUAD_SMALL || score <= search->best) {
        return;
    }

    off = ktpr_quad_shape(search, p, &upright);
    score -= KTPR_QUAD_SHAPE_COST * off;

    if (off < KTPR_QUAD_SHAPE && score > search->best) {
        search->best = score;
        search->upright = upright;
        memcpy(search->corners_small, p, sizeof(p));
    }
}


/* Whether a rule may be a side across two others. */
static int
ktpr_rules_across(const ktpr_rule_t *a, const ktpr_rule_t *b,
                  const ktpr_rule_t *across)
{
    return across != a && across != b
           && ktpr_rules_along(a, across) < KTPR_QUAD_ACROSS
           && ktpr_rules_along(b, across) < KTPR_QUAD_ACROSS;
}


/* Tries each two rules that may be opposite sides with each two across. */
static void
ktpr_quad_search(ktpr_search_t *search)
{
    int                i, j, k, l, n;
    const ktpr_rule_t *r, *sides[4];

    r = search->edges->rules;
    n = search->edges->n;

    for (i = 0; i < n; i++) {
        for (j = i + 1; j < n; j++) {
            if (ktpr_rules_along(&r[i], &r[j]) < KTPR_QUAD_ALONG) {
                continue;
            }

            sides[0] = &r[i];
            sides[2] = &r[j];

            for (k = i + 1; k < n; k++) {
                if (!ktpr_rules_across(&r[i], &r[j], &r[k])) {
                    continue;
                }

                sides[1] = &r[k];

                for (l = k + 1; l < n; l++) {
                    if (ktpr_rules_along(&r[k], &r[l]) < KTPR_QUAD_ALONG
                        || !ktpr_rules_across(&r[i], &r[j], &r[l])) {
                        continue;
                    }

                    sides[3] = &r[l];
                    ktpr_quad_try(search, sides);
                }
            }
        }
    }
}


/* The angle from direction ab to direction cd in degrees, -180 to 180. */
static double
ktpr_quad_between(ktpr_point_t a, ktpr_point_t b, ktpr_point_t c,
                  ktpr_point_t d)
{
    return remainder(
        (atan2(d.y - c.y, d.x - c.x) - atan2(b.y - a.y, b.x - a.x)) * 180
            / M_PI,
        360);
}


/* Orders corners clockwise from the left end of the upper long side. */
static void
ktpr_quad_order(const ktpr_search_t *search, ktpr_quad_t *quad)
{
    int                 i, first, back;
    double              turn;
    const ktpr_point_t *p;
    const ktpr_point_t  zero = {0, 0}, right = {1, 0};

    p = search->corners_small;
    back = (p[1].x - p[0].x) * (p[2].y - p[1].y)
           < (p[1].y - p[0].y) * (p[2].x - p[1].x);

    for (first = 0; first < 4; first++) {
        for (i = 0; i < 4; i++) {
            quad->corners[i] = p[(first + (back ? 4 - i : i)) % 4];
        }

        turn =
            ktpr_quad_between(zero, right, quad->corners[0], quad->corners[1]);

        /* in reverse order the side from corner 0 was the one from 3 */
        if ((first + back) % 2 == search->upright && turn > -90
            && turn <= 90) {
            break;
        }
    }

    quad->turn = turn;
    p = quad->corners;
    quad->squint = fmax(fabs(ktpr_quad_between(p[0], p[1], p[3], p[2])),
                        fabs(ktpr_quad_between(p[0], p[3], p[1], p[2])));
}


int
ktpr_quad_find(ktpr_pool_t *pool, const ktpr_image_t *image, ktpr_quad_t *quad)
{
    int           i;
    ktpr_edges_t  edges;
    ktpr_status_t rc;
    ktpr_search_t search;

    memset(quad, 0, sizeof(ktpr_quad_t));
    memset(&search, 0, sizeof(ktpr_search_t));

    rc = ktpr_edges_find(pool, image, &edges);
    if (rc != KTPR_DONE) {
        return rc == KTPR_UNFIT ? 0 : rc;
    }

    search.edges = &edges;
    ktpr_quad_search(&search);
    ktpr_pool_free(pool, edges.rules);

    if (search.best == 0) {
        return 0;
    }

    ktpr_quad_order(&search, quad);
    quad->score = search.best;

    /* from small to image */
    for (i = 0; i < 4; i++) {
        quad->corners[i].x = (quad->corners[i].x + .5) * edges.by - .5;
        quad->corners[i].y = (quad->corners[i].y + .5) * edges.by - .5;
    }

    return 1;
}
