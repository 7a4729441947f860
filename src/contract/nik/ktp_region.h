/*
 * Provinces, regencies and cities of Indonesia by their codes of the
 * Ministry of Home Affairs, which a NIK begins with.  Source and date of the
 * table: data/README.md.
 */

#ifndef KTP_REGION_H
#define KTP_REGION_H

#include <stddef.h>


/*
 * Name of a province by its code, 11 to 96, as the card's heading has it
 * without the word PROVINSI ("JAWA BARAT"); NULL if there is none.  The
 * string is constant.
 */
const char *ktp_region_province(unsigned code);

/*
 * Name of a regency or city by its code of four digits, as a card has it:
 * "KABUPATEN X" or "KOTA X" (71 to 99).  A code given up when Papua was
 * divided in 2022 has the name that goes on under another code.  NULL if
 * there is none.  The string is constant.
 */
const char *ktp_region_regency(unsigned code);

/*
 * The code that a regency has today: the same, the new one of a code given
 * up in 2022, or 0 for a code that is not in the table.
 */
unsigned ktp_region_today(unsigned code);

/*
 * The code of a province by its name of len bytes.  Case, spaces and marks
 * do not matter, nor does the word PROVINSI before it; short forms in use
 * (DKI, D.I., NTB, NTT) are known.  0 if there is none.
 */
unsigned ktp_region_province_by_name(const char *name, size_t len);

typedef enum {
    KTP_REGION_UNKNOWN = -1, /* the name is nobody's, or the code is not
                                in the table */
    KTP_REGION_OTHER = 0,    /* the name is another regency's */
    KTP_REGION_SAME = 1
} ktp_region_match_t;

/*
 * Whether a name of len bytes is that of the regency or city with a code.
 * Without KABUPATEN or KOTA before it, a name is whichever fits; name may be
 * NULL when len is 0.
 */
ktp_region_match_t ktp_region_match(unsigned code, const char *name,
                                    size_t len);


#endif /* KTP_REGION_H */
