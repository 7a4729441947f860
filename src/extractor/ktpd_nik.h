/*
 * The number: sixteen digits, PPKKCC DDMMYY SSSS, a woman's day 40 higher.
 * Region, date of birth and gender stand elsewhere on the card too, so that
 * what is doubtful can be checked.
 */

#ifndef KTPD_NIK_H
#define KTPD_NIK_H

#include "ktpd_reader.h"
#include "ktpd_scan.h"


/* Reads the number and checks it against the card's other fields. */
void ktpd_nik_read(ktpd_scan_t *scan, ktpd_card_t *card);


#endif /* KTPD_NIK_H */
