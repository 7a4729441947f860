/*
 * A lamp's reflection in a card.  It adds light, so that no channel is left
 * under its limit and print is hidden, and it ends within millimetres;
 * uneven light that burns paper out keeps print, and fades slowly.
 */

#ifndef KTPR_GLARE_H
#define KTPR_GLARE_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/*
 * How much darker paper is beside the brightest such spot of two millimetres
 * or more, 0 to 255; 0 when there is no spot.  plane maps spacings of the
 * card's rows, from where values and first row meet, to the image, in which
 * such a spacing is so many pixels; NULL when no card was found: of the whole
 * image, as if a card filled it.  0, or -1 for no memory.
 */
int ktpr_glare_measure(ktpr_pool_t *pool, const ktpr_image_t *image,
                       const ktpr_map_t *plane, double spacing, double *glare);


#endif /* KTPR_GLARE_H */
