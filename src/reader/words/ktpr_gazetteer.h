/*
 * Provinces, regencies and cities, districts and villages of Indonesia, from
 * data/wilayah.tsv, which the build puts into the program.
 */

#ifndef KTPR_GAZETTEER_H
#define KTPR_GAZETTEER_H

#include "ktpr_choice.h"


typedef struct {
    /* PPKKCCVVVV, the digits below the region's own level zero */
    unsigned long long code;
    const char        *name; /* as a card prints it */
} ktpr_region_t;

typedef enum {
    KTPR_LEVEL_PROVINCE = 1,
    KTPR_LEVEL_REGENCY,
    KTPR_LEVEL_DISTRICT,
    KTPR_LEVEL_VILLAGE
} ktpr_level_t;


/* Sorted by code. */
extern const ktpr_region_t ktpr_regions[];
extern const unsigned      ktpr_nregions;


/*
 * The region of a level inside another (NULL: anywhere) whose name is the
 * nearest to text: letters and digits are compared, at most limit edits a
 * letter of the name.  NULL when none is so near; *distance is edits a
 * letter.
 */
const ktpr_region_t *ktpr_gazetteer_match(const ktpr_region_t *inside,
                                          ktpr_level_t level, const char *text,
                                          double limit, double *distance);

/*
 * Tries the names of a level inside another region (NULL: anywhere), each
 * with what stands before and behind it; what: the region.  Their words
 * KABUPATEN and KOTA are left away when short is set.
 */
void ktpr_gazetteer_try(ktpr_choice_t *choice, const ktpr_region_t *inside,
                        ktpr_level_t level, int shortened, const char *before,
                        const char *behind);

/* The region with the code's first digits (2: province, 4: regency). */
const ktpr_region_t *ktpr_gazetteer_by_code(const char  *digits,
                                            ktpr_level_t level);

/* The region of the given level that this one is in, or NULL. */
const ktpr_region_t *ktpr_gazetteer_above(const ktpr_region_t *region,
                                          ktpr_level_t         level);


#endif /* KTPR_GAZETTEER_H */
