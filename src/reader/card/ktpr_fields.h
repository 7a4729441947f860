/* From a card's lines to the contract's fields. */

#ifndef KTPR_FIELDS_H
#define KTPR_FIELDS_H

#include "ktpr_evidence.h"
#include "ktpr_field.h"
#include "ktpr_scan.h"


/*
 * Fills all fields but the NIK; birth is what speaks for each digit of the
 * date of birth, DDMMYYYY (no places: no date).
 */
void ktpr_fields_read(ktpr_scan_t *scan, ktpr_field_t *fields,
                      ktpr_evidence_t *birth);

/* The base line of the first row, where Nama is or would be. */
double ktpr_fields_first(ktpr_scan_t *scan);

/*
 * The map from the card's plane to the image: in spacings of its rows, from
 * where the values' column meets the first row's base line.
 */
void ktpr_fields_plane(ktpr_scan_t *scan, ktpr_map_t *plane);

/* Puts a value into a field; strip may be NULL. */
void ktpr_fields_set(const ktpr_scan_t *scan, ktpr_field_t *field,
                     const char *value, const ktpr_reading_t *reading,
                     const ktpr_strip_t *strip);

/* Replaces a value by one that something else on the card proves. */
void ktpr_fields_repair(ktpr_field_t *field, const char *value);

/* Whether DD-MM-YYYY is a day that a living person was born on. */
int ktpr_fields_date_valid(const char *date);


#endif /* KTPR_FIELDS_H */
