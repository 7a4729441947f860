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


/* Longer side of the plane on which the layout is found, in pixels. */
#define KTPR_WORK_SIDE 1000

typedef struct {
    ktpr_gray_t work; /* flattened, as the image lies or straightened */
    ktpr_map_t  work_to_image;
    unsigned    straight : 1; /* the card fills the plane */

    ktpr_gray_t level; /* flattened, lines of writing level */
    ktpr_map_t  level_to_image;

    double           text; /* height of a capital, in pixels of level */
    ktpr_fragment_t *fragments;
    int              n;
} ktpr_page_t;


/*
 * Reduces and flattens the image.  KTPR_UNFIT when it is too small;
 * KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_page_create(ktpr_pool_t *pool, const ktpr_image_t *image,
                               ktpr_page_t *page);

/*
 * Straightens the card inside the corners of quad, and flattens it.
 * KTPR_UNFIT when the corners have no area; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_page_straight(ktpr_pool_t *pool, const ktpr_image_t *image,
                                 const ktpr_quad_t *quad, ktpr_page_t *page);

/*
 * Finds the direction of lines of writing, in degrees clockwise from level,
 * -89 to 90; 0 when ktpr_page_level() finds it by itself.  Lines that are
 * upside down have the same direction.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_page_turn(ktpr_pool_t *pool, const ktpr_page_t *page,
                             double *turn);

/*
 * Turns the page back by turn degrees, then level, and fills level and
 * level_to_image.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_page_level(ktpr_pool_t *pool, ktpr_page_t *page,
                              double turn);

/*
 * Finds fragments of what is darker than threshold, a part of KTPR_PAPER; text
 * is the height of a capital in pixels, 0 to measure it.  KTPR_UNFIT when
 * there is no writing; KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_page_fragments(ktpr_pool_t *pool, ktpr_page_t *page,
                                  double threshold, double text);


#endif /* KTPR_PAGE_H */
