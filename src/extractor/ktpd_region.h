/*
 * Provinces, regencies and cities, districts and villages of Indonesia, from
 * data/wilayah.tsv, which the build puts into the program.
 */

#ifndef KTPD_REGION_H
#define KTPD_REGION_H

#include "ktpd_choice.h"


typedef struct {
    /* PPKKCCVVVV, the digits below the region's own level zero */
    unsigned long long code;
    const char        *name; /* as a card prints it */
} ktpd_region_t;

typedef enum {
    KTPD_LEVEL_PROVINCE = 1,
    KTPD_LEVEL_REGENCY,
    KTPD_LEVEL_DISTRICT,
    KTPD_LEVEL_VILLAGE
} ktpd_level_t;


/* Sorted by code. */
extern const ktpd_region_t ktpd_regions[];
extern const unsigned      ktpd_nregions;


/*
 * The region of a level inside another (NULL: anywhere) whose name is the
 * nearest to text: letters and digits are compared, at most limit edits a
 * letter of the name.  NULL when none is so near; *distance is edits a
 * letter.
 */
const ktpd_region_t *ktpd_region_match(const ktpd_region_t *inside,
                                       ktpd_level_t level, const char *text,
                                       double limit, double *distance);

/*
 * Tries the names of a level inside another region (NULL: anywhere), each
 * with what stands before and behind it; what: the region.  Their words
 * KABUPATEN and KOTA are left away when short is set.
 */
void ktpd_region_try(ktpd_choice_t *choice, const ktpd_region_t *inside,
                     ktpd_level_t level, int shortened, const char *before,
                     const char *behind);

/* The region with the code's first digits (2: province, 4: regency). */
const ktpd_region_t *ktpd_region_by_code(const char  *digits,
                                         ktpd_level_t level);

/* The region of the given level that this one is in, or NULL. */
const ktpd_region_t *ktpd_region_above(const ktpd_region_t *region,
                                       ktpd_level_t         level);


#endif /* KTPD_REGION_H */
