/* Burnt-out paper on a line of writing: what is printed there is not seen. */

#ifndef KTPR_BURNT_H
#define KTPR_BURNT_H

#include "ktpr_scan.h"


/*
 * Whether a reflection hides a part of a strip of the level page, or of what
 * may be printed near its ends.  Not on a card whose paper is white in most
 * places, as a copy's.  The scan has found a card.
 */
int ktpr_burnt_strip(const ktpr_scan_t *scan, const ktpr_strip_t *strip);


#endif /* KTPR_BURNT_H */
