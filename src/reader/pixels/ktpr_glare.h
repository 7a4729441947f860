/*
 * The reflection of a lamp in a card.  It adds light, so that no channel stays
 * below its limit and print is hidden, and it ends within millimetres; uneven
 * light that overexposes paper leaves print visible and fades slowly.
 */

#ifndef KTPR_GLARE_H
#define KTPR_GLARE_H

#include "ktpr_image.h"
#include "ktpr_map.h"


/*
 * Measures by how many grey levels, 0 to 255, the surroundings are darker than
 * the burnt-out spot where that difference is largest; 0 when there is no
 * spot of two millimetres or more.  White cloth around the face of the card's
 * photo is no spot.
 *
 * card_to_image maps the card's plane (ktpr_map.h), and spacing is that of the
 * card's rows in pixels of the image.  Without a card card_to_image is NULL,
 * and the whole image is measured as if a card filled it.  KTPR_NO_MEMORY.
 */
ktpr_status_t ktpr_glare_measure(ktpr_pool_t *pool, const ktpr_image_t *image,
                                 const ktpr_map_t *card_to_image,
                                 double spacing, double *glare);


#endif /* KTPR_GLARE_H */
