#include <math.h>
#include <stdlib.h>

#include "ktpr_spots.h"


/*
 * Lengths are in cells if no other unit is given.  Numbers were chosen by eye,
 * on cards from 12 to 45 % of the width of a photo.
 */

/* Side of a cell, in pixels of the image; every other row is looked at. */
#define KTPR_SPOTS_CELL 8

/* The difference of neighbours that counts, in grey levels, at most. */
#define KTPR_SPOTS_STEP 48

/*
 * Longer side of a spot: at least, and as part of the image's longer side at
 * most: a larger card is read without.  From one size to the next.
 */
#define KTPR_SPOTS_LEAST 10
#define KTPR_SPOTS_MOST  .5
#define KTPR_SPOTS_NEXT  1.25

/* Places of one size are this part of it apart. */
#define KTPR_SPOTS_STRIDE 8

/* A card's longer side over its shorter one. */
#define KTPR_SPOTS_SHAPE 1.586

/* What is around is compared as far as this part of the shorter side. */
#define KTPR_SPOTS_AROUND .25

/*
 * Mean difference of neighbours in a spot, in grey levels, and times that of
 * what is around, at least.  Less takes plain walls and prints for spots.
 */
#define KTPR_SPOTS_DETAIL   2.
#define KTPR_SPOTS_CONTRAST 1.4

/*
 * The clearest spot is that with most contrast times area to this power.  Less
 * takes the densest lines of a card, more a card with its surroundings.
 */
#define KTPR_SPOTS_SIZE .8


/* sums[y * (w + 1) + x] is that of the detail of all cells above and left */
typedef struct {
    int     w, h;
    double *sums;
} ktpr_detail_t;


/*
 * The mean difference of neighbours in a cell, in grey levels, in the
 * direction in which it is less: print has detail in both, the grain of wood
 * and the rim of a table in one.
 */
static double
ktpr_spots_cell(const ktpr_image_t *image, int cx, int cy)
{
    int                  x, y, right, down, across, along;
    size_t               row;
    const unsigned char *p;

    across = along = 0;
    row = (size_t) image->w * 3;

    for (y = 0; y < KTPR_SPOTS_CELL; y += 2) {
        p = image->rgb + row * (size_t) (cy * KTPR_SPOTS_CELL + y)
            + (size_t) cx * KTPR_SPOTS_CELL * 3 + 1;

        for (x = 0; x < KTPR_SPOTS_CELL; x++, p += 3) {
            right = abs(p[3] - p[0]);
            down = abs(p[row] - p[0]);
            across += right < KTPR_SPOTS_STEP ? right : KTPR_SPOTS_STEP;
            along += down < KTPR_SPOTS_STEP ? down : KTPR_SPOTS_STEP;
        }
    }

    return (across < along ? across : along)
           / (KTPR_SPOTS_CELL * KTPR_SPOTS_CELL / 2.);
}


/* Measures all cells whose pixels have neighbours to the right and below. */
static ktpr_status_t
ktpr_spots_detail(ktpr_pool_t *pool, const ktpr_image_t *image,
                  ktpr_detail_t *detail)
{
    int    x, y;
    double row, *above, *sums;

    detail->w = (image->w - 1) / KTPR_SPOTS_CELL;
    detail->h = (image->h - 1) / KTPR_SPOTS_CELL;
    detail->sums = ktpr_pool_alloc(
        pool, (size_t) (detail->w + 1) * (size_t) (detail->h + 1),
        sizeof(double));

    if (detail->sums == NULL) {
        return KTPR_NO_MEMORY;
    }

    above = detail->sums;

    for (y = 0; y < detail->h; y++) {
        sums = above + detail->w + 1;
        row = 0;

        for (x = 0; x < detail->w; x++) {
            row += ktpr_spots_cell(image, x, y);
            sums[x + 1] = above[x + 1] + row;
        }

        above = sums;
    }

    return KTPR_DONE;
}


static double
ktpr_spots_sum(const ktpr_detail_t *detail, const ktpr_area_t *a)
{
    const double *top, *bottom;

    top = detail->sums + (size_t) a->y * (detail->w + 1) + a->x;
    bottom = top + (size_t) a->h * (detail->w + 1);

    return bottom[a->w] - bottom[0] - top[a->w] + top[0];
}


/* What the detail of a spot is above that around it; 0 when it is no spot. */
static double
ktpr_spots_contrast(const ktpr_detail_t *detail, const ktpr_area_t *a)
{
    int         side;
    double      in, around, n;
    ktpr_area_t ring;

    n = (double) a->w * a->h;
    in = ktpr_spots_sum(detail, a);
    if (in < KTPR_SPOTS_DETAIL * n) {
        return 0;
    }

    side = (int) ceil(KTPR_SPOTS_AROUND * (a->w < a->h ? a->w : a->h));
    ring.x = a->x > side ? a->x - side : 0;
    ring.y = a->y > side ? a->y - side : 0;
    ring.w = (a->x + a->w + side < detail->w ? a->x + a->w + side : detail->w)
             - ring.x;
    ring.h = (a->y + a->h + side < detail->h ? a->y + a->h + side : detail->h)
             - ring.y;

    around = (ktpr_spots_sum(detail, &ring) - in)
             / fmax(1, (double) ring.w * ring.h - n);
    in /= n;

    return in < KTPR_SPOTS_CONTRAST * around ? 0 : in - around;
}


/* Whether a spot overlaps one of the n before. */
static int
ktpr_spots_known(const ktpr_area_t *a, const ktpr_area_t *spots, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        if (a->x < spots[i].x + spots[i].w && spots[i].x < a->x + a->w
            && a->y < spots[i].y + spots[i].h && spots[i].y < a->y + a->h) {
            return 1;
        }
    }

    return 0;
}


/* Finds the clearest spot beside the n before; its score, 0 for none. */
static double
ktpr_spots_best(const ktpr_detail_t *detail, ktpr_area_t *spots, int n)
{
    int         i, stride;
    double      size, most, weight, score, best;
    ktpr_area_t a;

    best = 0;
    most = KTPR_SPOTS_MOST * (detail->w > detail->h ? detail->w : detail->h);

    for (size = KTPR_SPOTS_LEAST; size <= most; size *= KTPR_SPOTS_NEXT) {
        stride = (int) (size / KTPR_SPOTS_STRIDE);

        /* lying, standing, and turned by any other angle */
        for (i = 0; i < 3; i++) {
            a.w = (int) (i == 0 ? size : size / KTPR_SPOTS_SHAPE);
            a.h = (int) (i == 1 ? size : size / KTPR_SPOTS_SHAPE);

            if (i == 2) {
                a.w = a.h = (int) (size * (1 + KTPR_SPOTS_SHAPE) / 2
                                   / KTPR_SPOTS_SHAPE);
            }

            weight = pow((double) a.w * a.h, KTPR_SPOTS_SIZE);

            for (a.y = 0; a.y + a.h <= detail->h; a.y += stride) {
                for (a.x = 0; a.x + a.w <= detail->w; a.x += stride) {
                    score = weight * ktpr_spots_contrast(detail, &a);

                    if (score > best && !ktpr_spots_known(&a, spots, n)) {
                        best = score;
                        spots[n] = a;
                    }
                }
            }
        }
    }

    return best;
}


int
ktpr_spots_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                ktpr_area_t spots[KTPR_MAX_SPOTS])
{
    int           i, n;
    ktpr_detail_t detail;

    if (ktpr_spots_detail(pool, image, &detail) != KTPR_DONE) {
        return KTPR_NO_MEMORY;
    }

    for (n = 0; n < KTPR_MAX_SPOTS; n++) {
        if (ktpr_spots_best(&detail, spots, n) <= 0) {
            break;
        }
    }

    ktpr_pool_free(pool, detail.sums);

    for (i = 0; i < n; i++) {
        spots[i].x *= KTPR_SPOTS_CELL;
        spots[i].y *= KTPR_SPOTS_CELL;
        spots[i].w *= KTPR_SPOTS_CELL;
        spots[i].h *= KTPR_SPOTS_CELL;
    }

    return n;
}
