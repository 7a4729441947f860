/* How sure a field is, as the share of right values among alike ones. */

#ifndef KTPR_CONFIDENCE_H
#define KTPR_CONFIDENCE_H

#include "ktpr_field.h"


/*
 * Replaces the confidences of all fields of a card, which the rules have set,
 * by those of the table that "make calibrate" writes, 0 to 1; sets score and
 * confirmed.  The confidence of an empty value stays 0.
 */
void ktpr_confidence_set(ktpr_field_t *fields);


#endif /* KTPR_CONFIDENCE_H */
