/* From the lines of a card to the fields of the contract. */

#ifndef KTPR_FIELDS_H
#define KTPR_FIELDS_H

#include "ktpr_evidence.h"
#include "ktpr_field.h"
#include "ktpr_scan.h"


/*
 * Reads all fields of the lines below the number, see ktpr_lines_complete();
 * fields has room for KTPR_ALL_FIELDS.  birth: the evidence for each digit of
 * the date of birth, DDMMYYYY, with n 0 when there is no date.
 */
void ktpr_fields_read(ktpr_scan_t *scan, ktpr_field_t *fields,
                      ktpr_evidence_t *birth);

/*
 * Sets a field to a value, read from a strip of the level page (NULL: the
 * box is not set); an empty value has confidence 0.
 */
void ktpr_fields_set(const ktpr_scan_t *scan, ktpr_field_t *field,
                     const char *value, const ktpr_reading_t *reading,
                     const ktpr_strip_t *strip);

/*
 * Sets another value; if it differs, the field is marked as repaired, and gets
 * the confidence of the repair, 0 to 1.
 */
void ktpr_fields_repair(ktpr_field_t *field, const char *value, float sure);

/* Whether a text is DD-MM-YYYY and a day of the years 1900 to 2100. */
int ktpr_fields_date_valid(const char *date);


#endif /* KTPR_FIELDS_H */
