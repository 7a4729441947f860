/*
 * Places in a photo where a card may lie that is too small in it to be read:
 * patches with more fine detail, as print has, than what is around them.
 */

#ifndef KTPR_SPOTS_H
#define KTPR_SPOTS_H

#include "ktpr_image.h"


/* Spots that are found, at most. */
#define KTPR_MAX_SPOTS 2

/*
 * Finds spots, the clearest first, in pixels of the image; a card is about as
 * large as its spot.  Their number, or KTPR_NO_MEMORY.
 */
int ktpr_spots_find(ktpr_pool_t *pool, const ktpr_image_t *image,
                    ktpr_area_t spots[KTPR_MAX_SPOTS]);


#endif /* KTPR_SPOTS_H */
