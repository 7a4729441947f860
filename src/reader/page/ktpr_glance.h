/*
 * Whether an image shows a card, by some labels of it.  No value is read, so
 * that it takes a small part of the time of ktpr_scan_find().
 */

#ifndef KTPR_GLANCE_H
#define KTPR_GLANCE_H

#include "ktpr_scan.h"


/* The longer side of an image that is glanced at, in pixels, at most. */
#define KTPR_GLANCE_SIDE 640


/*
 * Looks for a card in scan->image; pool, engines and image are set, the sheet
 * is not.  *confidence is 0 (no label of a card) to 1 (several that are
 * clear).  1 if there are labels, of which the clearest one's row and line are
 * the scan's table; 0 if not, or KTPR_NO_MEMORY.
 */
int ktpr_glance_find(ktpr_scan_t *scan, double *confidence);


#endif /* KTPR_GLANCE_H */
