/*
 * The number: sixteen digits, PPKKCC DDMMYY SSSS, a woman's day 40 higher.
 * Region, date of birth and gender stand elsewhere on the card too, so that
 * what is doubtful can be checked.
 */

#ifndef KTPR_NUMBER_H
#define KTPR_NUMBER_H

#include "ktpr_evidence.h"
#include "ktpr_field.h"
#include "ktpr_scan.h"


/*
 * Reads the number and decides what is doubtful in it by the card's other
 * fields: birth is the evidence for the printed date, DDMMYYYY, without
 * places when there is none.  May repair the date of birth.
 */
void ktpr_number_read(ktpr_scan_t *scan, const ktpr_evidence_t *birth,
                      ktpr_field_t *fields);


#endif /* KTPR_NUMBER_H */
