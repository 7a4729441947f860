/* From a card's lines to the contract's fields. */

#ifndef KTPD_FIELDS_H
#define KTPD_FIELDS_H

#include "ktpd_evidence.h"
#include "ktpd_reader.h"


/*
 * Fills all fields but the NIK; birth is what speaks for each digit of the
 * date of birth, DDMMYYYY (no places: no date).
 */
void ktpd_fields_read(ktpd_scan_t *scan, ktpd_card_t *card,
                      ktpd_evidence_t *birth);

/* Province and regency from the head of the card. */
void ktpd_head_read(ktpd_scan_t *scan, ktpd_card_t *card);

/* Place and date of issue, under the photo. */
void ktpd_issued_read(ktpd_scan_t *scan, ktpd_card_t *card);

/* Village, district, city and place of birth, by the table of regions. */
void ktpd_regions_repair(ktpd_scan_t *scan, ktpd_card_t *card);

/* The base line of the first row, where Nama is or would be. */
double ktpd_fields_first(ktpd_scan_t *scan);

/*
 * The map from the card's plane to the image: in spacings of its rows, from
 * where the values' column meets the first row's base line.
 */
void ktpd_fields_plane(ktpd_scan_t *scan, ktpd_map_t *plane);

/* Puts a value into a field; strip may be NULL. */
void ktpd_field_set(const ktpd_scan_t *scan, ktpd_field_t *field,
                    const char *value, const ktpd_reading_t *reading,
                    const ktpd_strip_t *strip);

/* Replaces a value by one that something else on the card proves. */
void ktpd_field_repair(ktpd_field_t *field, const char *value);

/* Whether DD-MM-YYYY is a day that a living person was born on. */
int ktpd_date_valid(const char *date);


#endif /* KTPD_FIELDS_H */
