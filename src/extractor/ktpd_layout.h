/*
 * Where things stand on a card, told from the writing alone: the page
 * turned level, its fragments of writing, and the two columns (labels and
 * values) that a KTP has.
 */

#ifndef KTPD_LAYOUT_H
#define KTPD_LAYOUT_H

#include "ktpd_blobs.h"
#include "ktpd_quad.h"


/* The longer side of the plane that layout is found on. */
#define KTPD_WORK_SIDE 1000

#define KTPD_MAX_COLUMNS 4

typedef struct {
    ktpd_gray_t work;    /* flattened, as the image stands or straightened */
    ktpd_map_t  to_full; /* from work to the image */
    unsigned    straight : 1; /* the card fills the plane */

    ktpd_gray_t level; /* flattened, lines of writing level */
    ktpd_map_t  map;   /* from level to the image */

    double           text; /* height of a capital, in pixels of level */
    ktpd_fragment_t *fragments;
    int              n;
} ktpd_page_t;

/* x = at + slope * y */
typedef struct {
    double at, slope;
} ktpd_edge_t;

typedef struct {
    double      score;
    ktpd_edge_t labels, values; /* left ends of the two columns */
    double      spacing;        /* from row to row */
} ktpd_columns_t;


/* Reduces and flattens the image; 0 or -1. */
int ktpd_page_create(ktpd_pool_t *pool, const ktpd_image_t *image,
                     ktpd_page_t *page);

/* Straightens the card that quad says, and flattens it; 0 or -1. */
int ktpd_page_straight(ktpd_pool_t *pool, const ktpd_image_t *image,
                       const ktpd_quad_t *quad, ktpd_page_t *page);

/*
 * Where lines of writing go, in degrees clockwise from level, -89 to 90; 0
 * also for what ktpd_page_level() finds by itself.  Lines that are upside
 * down go the same way.
 */
double ktpd_page_turn(ktpd_pool_t *pool, const ktpd_page_t *page);

/* Turns the page back by turn degrees, then level; 0 or -1. */
int ktpd_page_level(ktpd_pool_t *pool, ktpd_page_t *page, double turn);

/*
 * Finds fragments of what is darker than threshold (of KTPD_PAPER); text is
 * the height of a capital, 0 to measure it.  0, or -1 when there is no
 * writing.
 */
int ktpd_page_fragments(ktpd_pool_t *pool, ktpd_page_t *page, double threshold,
                        double text);

/* The best pairs of columns, best first; how many (0: none). */
int ktpd_columns_find(ktpd_pool_t *pool, const ktpd_page_t *page,
                      ktpd_columns_t columns[KTPD_MAX_COLUMNS]);

double ktpd_edge_at(const ktpd_edge_t *edge, double y);


#endif /* KTPD_LAYOUT_H */
