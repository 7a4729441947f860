/*
 * The number (NIK): sixteen digits, PPKKCC DDMMYY SSSS, with 40 added to a
 * woman's day.  Region, date of birth and gender are also printed elsewhere
 * on the card, which decides doubtful digits.
 */

#ifndef KTPR_NUMBER_H
#define KTPR_NUMBER_H

#include "ktpr_evidence.h"
#include "ktpr_field.h"
#include "ktpr_scan.h"


/*
 * Reads the number and decides its doubtful digits by the other fields,
 * which have been read.  birth: the evidence for the printed date, DDMMYYYY,
 * with n 0 when there is none.  year: the current one, which bounds years of
 * birth.  May correct the date of birth, and fill in it and the gender.
 */
void ktpr_number_read(ktpr_scan_t *scan, const ktpr_evidence_t *birth,
                      int year, ktpr_field_t *fields);

/*
 * Whether the field has a valid number that was read clearly, and not decided
 * by other fields.
 */
int ktpr_number_sure(const ktpr_field_t *field);

/* What is strange about a number; it is reported as it was read. */
typedef enum {
    KTPR_NUMBER_NO_REGION = 1,    /* no regency has or had its code */
    KTPR_NUMBER_NO_DATE_IN = 2,   /* it has no date of birth */
    KTPR_NUMBER_OTHER_REGION = 4, /* not that of the card, see ktp_nik.h */
    KTPR_NUMBER_OTHER_BIRTH = 8,
    KTPR_NUMBER_OTHER_GENDER = 16
} ktpr_number_warning_t;

/* The warnings about the number of a card, as bits; 0 without a number. */
unsigned ktpr_number_warnings(const ktpr_field_t *fields);

/*
 * Whether the number is valid, and the date of birth in it is the printed one,
 * which was read by itself.
 */
int ktpr_number_agrees(const ktpr_field_t *fields);

/*
 * Decides the doubtful digits of a number by the other fields, in place: nik
 * has the likeliest digit of each of its sixteen places.  May correct the
 * date of birth.  A part of ktpr_number_read().
 */
void ktpr_number_decide(const ktpr_evidence_t *evidence,
                        const ktpr_evidence_t *birth, int year,
                        ktpr_field_t *fields, char *nik);


#endif /* KTPR_NUMBER_H */
