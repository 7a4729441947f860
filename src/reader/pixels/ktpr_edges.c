#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_edges.h"
#include "ktpr_gray.h"


/*
 * Lengths are in pixels of the small copy if no other unit is given.  Numbers
 * were chosen by eye, set not recorded; "make corners" measures them.
 */

/* Sides of the small copy, at least: less has no card that can be read. */
#define KTPR_EDGES_SMALL 40

/* Reductions from which on each second row of the image is enough. */
#define KTPR_EDGES_SKIP 4

/* fixed: the root of light becomes 0 to 255 again, by a little less than 16 */
#define KTPR_EDGES_ROOT 15.96f

/*
 * fixed: window of the closing that removes writing, whose steps of two, four
 * and seven are written out; wider print shows as edges
 */
#define KTPR_EDGES_CLOSE 7

/* Sobel gradients: below FAINT is noise; from CLEAR on an edge counts full. */
#define KTPR_EDGES_FAINT 10
#define KTPR_EDGES_CLEAR 60

/* fixed: directions of rules in half a turn, one a degree */
#define KTPR_EDGES_ANGLES 180

/*
 * An edge votes for rules up to OFF directions beside its own.  It lies on a
 * rule within WIDTH, with its gradient across it to ALONG, a cosine (16
 * degrees).  More joins the sides of things that lie beside the card.
 */
#define KTPR_EDGES_OFF   4
#define KTPR_EDGES_WIDTH 1.6
#define KTPR_EDGES_ALONG .96

/* A fitted rule further from its Hough cell, a cosine, is not taken over. */
#define KTPR_EDGES_FIT .98

/* Edges of a rule, at least. */
#define KTPR_EDGES_LEAST 14

/* Places that an edge covers behind its own: edges are thinned. */
#define KTPR_EDGES_COVER 2

/* The middle of a rule's covered places. */
#define KTPR_EDGES_ZERO (2 * KTPR_EDGES_SIDE)


typedef struct {
    float x, y;   /* in pixels of the small copy */
    float gx, gy; /* direction of the gradient, of length 1 */
    short weight; /* 1 to KTPR_EDGES_CLEAR */
    short used;
    short angle; /* of the gradient, in KTPR_EDGES_ANGLES */
} ktpr_edgel_t;

typedef struct {
    ktpr_edgel_t *edgels;
    int           n;
    int          *votes;                   /* of each angle, for each rho */
    int           reach;                   /* rho goes from -reach to reach */
    int           best[KTPR_EDGES_ANGLES]; /* -1: to be looked for again */
    int           at[KTPR_EDGES_ANGLES];
    float         cos[KTPR_EDGES_ANGLES], sin[KTPR_EDGES_ANGLES];
} ktpr_hough_t;


/*
 * Reduces one channel by a whole factor and takes the square root of light:
 * the noise of a sensor has the same amplitude in it, in shade and in light.
 */
static ktpr_status_t
ktpr_edges_reduce(ktpr_pool_t *pool, const ktpr_image_t *image, int channel,
                  int by, ktpr_gray_t *gray)
{
    int                  x, y, i, row, step;
    float                n;
    unsigned            *sums;
    unsigned char       *to;
    const unsigned char *p;

    sums = ktpr_pool_alloc(pool, (size_t) gray->w, sizeof(unsigned));
    if (sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    to = gray->px;
    step = by < KTPR_EDGES_SKIP ? 1 : 2;
    n = (float) (by * ((by + step - 1) / step));

    for (y = 0; y < gray->h; y++) {
        for (row = y * by; row < (y + 1) * by; row += step) {
            p = image->rgb + (size_t) row * image->w * 3 + channel;

            for (x = 0; x < gray->w; x++) {
                for (i = 0; i < by; i++, p += 3) {
                    sums[x] += *p;
                }
            }
        }

        for (x = 0; x < gray->w; x++) {
            *to++ =
                (unsigned char) (sqrtf((float) sums[x] / n) * KTPR_EDGES_ROOT
                                 + .5f);
            sums[x] = 0;
        }
    }

    ktpr_pool_free(pool, sums);

    return KTPR_DONE;
}


/*
 * Replaces each pixel of a line by the largest in its window: of two, of four,
 * of seven.  copy has room for the line and a window.
 */
static void
ktpr_edges_dilate(unsigned char *line, size_t step, int n, unsigned char *copy)
{
    int i, half, k;

    half = KTPR_EDGES_CLOSE / 2;

    for (i = 0; i < n + 2 * half; i++) {
        k = i < half ? 0 : (i >= n + half ? n - 1 : i - half);
        copy[i] = line[(size_t) k * step];
    }

    for (i = 0; i < n + 2 * half - 1; i++) {
        copy[i] = copy[i] > copy[i + 1] ? copy[i] : copy[i + 1];
    }

    for (i = 0; i < n + 2 * half - 3; i++) {
        copy[i] = copy[i] > copy[i + 2] ? copy[i] : copy[i + 2];
    }

    for (i = 0; i < n; i++) {
        line[(size_t) i * step] =
            copy[i] > copy[i + 3] ? copy[i] : copy[i + 3];
    }
}


static void
ktpr_edges_invert(ktpr_gray_t *gray)
{
    size_t i, n;

    n = (size_t) gray->w * (size_t) gray->h;

    for (i = 0; i < n; i++) {
        gray->px[i] = (unsigned char) ~gray->px[i];
    }
}


/* Removes writing and keeps the background. */
static void
ktpr_edges_close(ktpr_gray_t *gray)
{
    int           i, pass;
    unsigned char copy[KTPR_EDGES_SIDE + KTPR_EDGES_CLOSE];

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < gray->h; i++) {
            ktpr_edges_dilate(gray->px + (size_t) i * gray->w, 1, gray->w,
                              copy);
        }

        for (i = 0; i < gray->w; i++) {
            ktpr_edges_dilate(gray->px + i, (size_t) gray->w, gray->h, copy);
        }

        ktpr_edges_invert(gray);
    }
}


/* Takes over a channel's gradients where they are the steepest so far. */
static void
ktpr_edges_gradients(const ktpr_gray_t *gray, short *gx, short *gy, int *steep)
{
    int                  x, y, w, dx, dy, v;
    size_t               at;
    const unsigned char *p;

    w = gray->w;

    for (y = 1; y < gray->h - 1; y++) {
        for (x = 1; x < w - 1; x++) {
            at = (size_t) y * w + x;
            p = gray->px + at;
            dx = p[-w + 1] + 2 * p[1] + p[w + 1] - p[-w - 1] - 2 * p[-1]
                 - p[w - 1];
            dy = p[w - 1] + 2 * p[w] + p[w + 1] - p[-w - 1] - 2 * p[-w]
                 - p[-w + 1];
            v = dx * dx + dy * dy;

            if (v > steep[at]) {
                steep[at] = v;
                gx[at] = (short) dx;
                gy[at] = (short) dy;
            }
        }
    }
}


/* Keeps pixels that are steeper than those before and behind them. */
static void
ktpr_edges_thin(const short *gx, const short *gy, const int *steep, int w,
                int h, ktpr_hough_t *hough)
{
    int           x, y, ax, ay, angle;
    float         size;
    size_t        at, next;
    ktpr_edgel_t *e;

    for (y = 2; y < h - 2; y++) {
        for (x = 2; x < w - 2; x++) {
            at = (size_t) y * w + x;
            if (steep[at] < KTPR_EDGES_FAINT * KTPR_EDGES_FAINT) {
                continue;
            }

            ax = abs(gx[at]);
            ay = abs(gy[at]);
            /* to the next pixel along the gradient; 5 : 2 is 22 degrees */
            next = 5 * ay < 2 * ax                ? 1
                   : 5 * ax < 2 * ay              ? (size_t) w
                   : (gx[at] > 0) == (gy[at] > 0) ? (size_t) w + 1
                                                  : (size_t) w - 1;

            if (steep[at] < steep[at - next]
                || steep[at] <= steep[at + next]) {
                continue;
            }

            e = &hough->edgels[hough->n++];
            size = sqrtf((float) steep[at]);
            e->x = (float) x;
            e->y = (float) y;
            e->gx = gx[at] / size;
            e->gy = gy[at] / size;
            e->weight =
                (short) (size > KTPR_EDGES_CLEAR ? KTPR_EDGES_CLEAR : size);
            angle = (int) lrintf(atan2f(e->gy, e->gx)
                                 * (KTPR_EDGES_ANGLES / (float) M_PI));
            e->angle =
                (short) ((angle + 2 * KTPR_EDGES_ANGLES) % KTPR_EDGES_ANGLES);
        }
    }
}


static ktpr_status_t
ktpr_edges_edgels(ktpr_pool_t *pool, const ktpr_image_t *image,
                  ktpr_edges_t *edges, ktpr_hough_t *hough)
{
    int         c, *steep;
    short      *gx, *gy;
    size_t      n;
    ktpr_gray_t gray;

    n = (size_t) edges->w * (size_t) edges->h;
    gx = ktpr_pool_alloc(pool, n, sizeof(short));
    gy = ktpr_pool_alloc(pool, n, sizeof(short));
    steep = ktpr_pool_alloc(pool, n, sizeof(int));
    hough->edgels = ktpr_pool_alloc(pool, n, sizeof(ktpr_edgel_t));

    if (gx == NULL || gy == NULL || steep == NULL || hough->edgels == NULL
        || ktpr_gray_create(pool, edges->w, edges->h, &gray) != 0) {
        return KTPR_NO_MEMORY;
    }

    for (c = 0; c < 3; c++) {
        if (ktpr_edges_reduce(pool, image, c, edges->by, &gray) != 0) {
            return KTPR_NO_MEMORY;
        }

        ktpr_edges_close(&gray);
        ktpr_edges_gradients(&gray, gx, gy, steep);
    }

    ktpr_edges_thin(gx, gy, steep, edges->w, edges->h, hough);
    ktpr_pool_free(pool, gray.px);
    ktpr_pool_free(pool, steep);
    ktpr_pool_free(pool, gx);
    ktpr_pool_free(pool, gy);

    return KTPR_DONE;
}


/* Adds the votes of an edge, or takes them back: sign is 1 or -1. */
static void
ktpr_hough_vote(ktpr_hough_t *hough, const ktpr_edgel_t *e, int sign)
{
    int   i, angle;
    float rho;

    for (i = -KTPR_EDGES_OFF; i <= KTPR_EDGES_OFF; i++) {
        angle = (e->angle + i + KTPR_EDGES_ANGLES) % KTPR_EDGES_ANGLES;
        hough->best[angle] = -1;
        rho = e->x * hough->cos[angle] + e->y * hough->sin[angle];
        hough->votes[angle * (2 * hough->reach + 1) + hough->reach
                     + (int) lrintf(rho)] += sign * e->weight;
    }
}


/* The most votes that two neighbouring rho of an angle have together. */
static void
ktpr_hough_angle(ktpr_hough_t *hough, int angle)
{
    int        i, v;
    const int *votes;

    votes = hough->votes + angle * (2 * hough->reach + 1);
    hough->best[angle] = 0;

    for (i = 0; i < 2 * hough->reach; i++) {
        v = votes[i] + votes[i + 1];
        if (v > hough->best[angle]) {
            hough->best[angle] = v;
            hough->at[angle] = i;
        }
    }
}


/* Sets rule to the best one of edges not yet used; its votes. */
static int
ktpr_hough_best(ktpr_hough_t *hough, ktpr_rule_t *rule)
{
    int angle, best;

    best = 0;

    for (angle = 0; angle < KTPR_EDGES_ANGLES; angle++) {
        if (hough->best[angle] < 0) {
            ktpr_hough_angle(hough, angle);
        }

        if (hough->best[angle] > best) {
            best = hough->best[angle];
            rule->cos = (double) hough->cos[angle];
            rule->sin = (double) hough->sin[angle];
            rule->rho = hough->at[angle] + .5 - hough->reach;
        }
    }

    return best;
}


/* Whether an edge lies on a rule and has its direction. */
static int
ktpr_edgel_fits(const ktpr_edgel_t *e, const ktpr_rule_t *rule, double width)
{
    return fabs((double) e->x * rule->cos + (double) e->y * rule->sin
                - rule->rho)
               <= width
           && fabs((double) e->gx * rule->cos + (double) e->gy * rule->sin)
                  > KTPR_EDGES_ALONG;
}


/* Fits a rule to its edges by least squares of distances. */
static void
ktpr_rule_fit(const ktpr_hough_t *hough, ktpr_rule_t *rule)
{
    int                 i;
    double              n, sx, sy, sxx, sxy, syy, angle, c, s;
    const ktpr_edgel_t *e;

    n = sx = sy = sxx = sxy = syy = 0;

    for (i = 0; i < hough->n; i++) {
        e = &hough->edgels[i];
        if (!ktpr_edgel_fits(e, rule, KTPR_EDGES_WIDTH)) {
            continue;
        }

        n += e->weight;
        sx += e->weight * (double) e->x;
        sy += e->weight * (double) e->y;
        sxx += e->weight * (double) (e->x * e->x);
        sxy += e->weight * (double) (e->x * e->y);
        syy += e->weight * (double) (e->y * e->y);
    }

    if (n == 0) {
        return;
    }

    sx /= n;
    sy /= n;
    sxx = sxx / n - sx * sx;
    sxy = sxy / n - sx * sy;
    syy = syy / n - sy * sy;

    /* across the direction that the edges are spread in */
    angle = .5 * atan2(2 * sxy, sxx - syy) + M_PI / 2;
    c = cos(angle);
    s = sin(angle);

    if (fabs(c * rule->cos + s * rule->sin) > KTPR_EDGES_FIT) {
        rule->cos = c;
        rule->sin = s;
        rule->rho = c * sx + s * sy;
    }
}


/* Marks what a rule covers and removes the votes of its edges: how many. */
static int
ktpr_rule_take(ktpr_hough_t *hough, ktpr_rule_t *rule)
{
    int           i, k, t, taken, places;
    ktpr_edgel_t *e;

    taken = 0;
    places = (int) (sizeof(rule->covered) / sizeof(rule->covered[0]));
    memset(rule->covered, 0, sizeof(rule->covered));

    for (i = 0; i < hough->n; i++) {
        e = &hough->edgels[i];
        if (!ktpr_edgel_fits(e, rule, KTPR_EDGES_WIDTH)) {
            continue;
        }

        t = KTPR_EDGES_ZERO
            + (int) lrint((double) e->y * rule->cos
                          - (double) e->x * rule->sin);

        for (k = t; k <= t + KTPR_EDGES_COVER; k++) {
            if (k > 0 && k < places) {
                rule->covered[k] = 1;
            }
        }

        if (!e->used) {
            e->used = 1;
            taken++;
            ktpr_hough_vote(hough, e, -1);
        }
    }

    for (k = 1; k < places; k++) {
        rule->covered[k] = (short) (rule->covered[k] + rule->covered[k - 1]);
    }

    return taken;
}


static ktpr_status_t
ktpr_hough_rules(ktpr_pool_t *pool, ktpr_hough_t *hough, ktpr_edges_t *edges)
{
    int          i, taken;
    ktpr_rule_t *rule;

    hough->reach = (int) hypot(edges->w, edges->h) + 2;
    hough->votes = ktpr_pool_alloc(
        pool, (size_t) (2 * hough->reach + 1) * KTPR_EDGES_ANGLES,
        sizeof(int));
    edges->rules = ktpr_pool_alloc(pool, KTPR_MAX_RULES, sizeof(ktpr_rule_t));

    if (hough->votes == NULL || edges->rules == NULL) {
        return KTPR_NO_MEMORY;
    }

    for (i = 0; i < KTPR_EDGES_ANGLES; i++) {
        hough->cos[i] = (float) cos(i * M_PI / KTPR_EDGES_ANGLES);
        hough->sin[i] = (float) sin(i * M_PI / KTPR_EDGES_ANGLES);
    }

    for (i = 0; i < hough->n; i++) {
        ktpr_hough_vote(hough, &hough->edgels[i], 1);
    }

    edges->n = 0;

    /* a rule with too few edges takes a turn too, so that this ends */
    for (i = 0; i < 2 * KTPR_MAX_RULES && edges->n < KTPR_MAX_RULES; i++) {
        rule = &edges->rules[edges->n];

        if (ktpr_hough_best(hough, rule)
            < KTPR_EDGES_LEAST * KTPR_EDGES_FAINT) {
            break;
        }

        ktpr_rule_fit(hough, rule);
        ktpr_rule_fit(hough, rule);
        taken = ktpr_rule_take(hough, rule);

        if (taken == 0) {
            break;
        }

        edges->n += taken >= KTPR_EDGES_LEAST;
    }

    ktpr_pool_free(pool, hough->votes);

    return KTPR_DONE;
}


ktpr_status_t
ktpr_edges_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                ktpr_edges_t *edges)
{
    int           side;
    ktpr_hough_t  hough;
    ktpr_status_t rc;

    memset(&hough, 0, sizeof(hough));
    side = image->w > image->h ? image->w : image->h;
    edges->by = (side + KTPR_EDGES_SIDE - 1) / KTPR_EDGES_SIDE;
    edges->w = image->w / edges->by;
    edges->h = image->h / edges->by;

    if (edges->w < KTPR_EDGES_SMALL || edges->h < KTPR_EDGES_SMALL) {
        return KTPR_UNFIT;
    }

    if (ktpr_edges_edgels(pool, image, edges, &hough) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    rc = ktpr_hough_rules(pool, &hough, edges);
    ktpr_pool_free(pool, hough.edgels);

    return rc;
}


double
ktpr_edges_rule_cover(const ktpr_rule_t *rule, ktpr_point_t a, ktpr_point_t b)
{
    int i, from, to, t[2];

    t[0] = (int) lrint(a.y * rule->cos - a.x * rule->sin);
    t[1] = (int) lrint(b.y * rule->cos - b.x * rule->sin);
    from = t[0] < t[1] ? t[0] : t[1];
    to = t[0] < t[1] ? t[1] : t[0];

    if (from == to || from < -KTPR_EDGES_ZERO || to > KTPR_EDGES_ZERO) {
        return 0;
    }

    i = KTPR_EDGES_ZERO + 1;

    return (double) (rule->covered[i + to] - rule->covered[i + from])
           / (to - from);
}
