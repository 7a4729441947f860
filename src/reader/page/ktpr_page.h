/*
 * The page: the image reduced and flattened, turned level by its lines of
 * writing, and its fragments of writing.
 */

#ifndef KTPR_PAGE_H
#define KTPR_PAGE_H

#include "ktpr_fragments.h"
#include "ktpr_gray.h"
#include "ktpr_map.h"
#include "ktpr_quad.h"


/* The longer side of the plane that layout is found on. */
#define KTPR_WORK_SIDE 1000

typedef struct {
    ktpr_gray_t work;    /* flattened, as the image stands or straightened */
    ktpr_map_t  to_full; /* from work to the image */
    unsigned    straight : 1; /* the card fills the plane */

    ktpr_gray_t level; /* flattened, lines of writing level */
    ktpr_map_t  map;   /* from level to the image */

    double           text; /* height of a capital, in pixels of level */
    ktpr_fragment_t *fragments;
    int              n;
} ktpr_page_t;


/* Reduces and flattens the image; 0 or -1. */
int ktpr_page_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                     ktpr_page_t *page);

/* Straightens the card that quad says, and flattens it; 0 or -1. */
int ktpr_page_straight(ktpr_pool_t *pool, const ktpr_image_t *image,
                       const ktpr_quad_t *quad, ktpr_page_t *page);

/*
 * Where lines of writing go, in degrees clockwise from level, -89 to 90; 0
 * also for what ktpr_page_level() finds by itself.  Lines that are upside
 * down go the same way.
 */
double ktpr_page_turn(ktpr_pool_t *pool, const ktpr_page_t *page);

/* Turns the page back by turn degrees, then level; 0 or -1. */
int ktpr_page_level(ktpr_pool_t *pool, ktpr_page_t *page, double turn);

/*
 * Finds fragments of what is darker than threshold (of KTPR_PAPER); text is
 * the height of a capital, 0 to measure it.  0, or -1 when there is no
 * writing.
 */
int ktpr_page_fragments(ktpr_pool_t *pool, ktpr_page_t *page, double threshold,
                        double text);


#endif /* KTPR_PAGE_H */
