/*
 * The number of an identity card (NIK): 16 digits PPKKCC DDMMYY SSSS, with
 * the region of the first registration, the date of birth as first recorded
 * (40 is added to a woman's day), and a serial number from 0001.  There is
 * no check digit.  Neither region nor date is ever changed, so a mismatch
 * with the card's fields is a warning and no error.
 */

#ifndef KTP_NIK_H
#define KTP_NIK_H

#include <stddef.h>
#include "ktp_value.h"


#define KTP_NIK_DIGITS 16

typedef enum {
    KTP_UNTOLD = -1,
    KTP_FALSE = 0,
    KTP_TRUE = 1
} ktp_tristate_t;

typedef struct {
    unsigned province; /* PP, in the table of provinces */
    unsigned regency;  /* PPKK; from 01, cities from 71; may be in no table */
    unsigned district; /* CC, from 01 */
    unsigned day;      /* 1 to 31, without the 40 */
    unsigned month;    /* 1 to 12 */
    unsigned year;     /* 0 to 99 */
    unsigned serial;   /* 1 to 9999 */
    unsigned female : 1;
} ktp_nik_t;

typedef struct {
    unsigned       valid_format : 1;
    const char    *province; /* constant; NULL: unknown */
    ktp_tristate_t date_of_birth_matches;
    ktp_tristate_t gender_matches;
    ktp_tristate_t region_matches;
} ktp_nik_check_t;


/*
 * 0 and the parts of a NIK of exactly 16 digits; -1 if it is none: another
 * length, another character, a province that does not exist, a day that no
 * month and year of that number has.
 */
int ktp_nik_parse(ktp_nik_t *nik, const char *p, size_t len);

/*
 * Compares a NIK with the card's fields, in the contract's formats.  A
 * result is KTP_UNTOLD if a value is empty or not understood, or the NIK is
 * invalid.  The region is compared with city, and with state only if city is
 * not conclusive.
 */
void ktp_nik_check(ktp_nik_check_t *check, ktp_value_t nik,
                   ktp_value_t date_of_birth, ktp_value_t gender,
                   ktp_value_t city, ktp_value_t state);


#endif /* KTP_NIK_H */
