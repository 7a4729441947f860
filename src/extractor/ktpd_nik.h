/*
 * The number: sixteen digits, PPKKCC DDMMYY SSSS, a woman's day 40 higher.
 * Region, date of birth and gender stand elsewhere on the card too, so that
 * what is doubtful can be checked.
 */

#ifndef KTPD_NIK_H
#define KTPD_NIK_H

#include "ktpd_evidence.h"
#include "ktpd_reader.h"


/*
 * Reads the number and decides what is doubtful in it by the card's other
 * fields: birth is the evidence for the printed date, DDMMYYYY, without
 * places when there is none.  May repair the date of birth.
 */
void ktpd_nik_read(ktpd_scan_t *scan, const ktpd_evidence_t *birth,
                   ktpd_card_t *card);


#endif /* KTPD_NIK_H */
