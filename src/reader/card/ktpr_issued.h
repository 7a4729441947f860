/* Where and when a card was issued: two lines under the photo. */

#ifndef KTPR_ISSUED_H
#define KTPR_ISSUED_H

#include "ktpr_field.h"
#include "ktpr_scan.h"


/* Reads place and date of issue; without a valid date both stay empty. */
void ktpr_issued_read(ktpr_scan_t *scan, ktpr_field_t *fields);


#endif /* KTPR_ISSUED_H */
