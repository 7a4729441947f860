/*
 * Provinces, regencies and cities, districts and villages of Indonesia: a
 * table that scripts/make-regions writes from data/wilayah.tsv.
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


/*
 * Sorted by code, former names behind the current one; the number of names.
 */
extern const ktpr_region_t ktpr_gazetteer_table[];
extern const unsigned      ktpr_gazetteer_table_n;


/*
 * The region of a level inside another (NULL: anywhere) whose name is
 * nearest to text, by letters and digits only, at a distance of at most
 * limit; NULL when there is none, or when two names are equally near.
 * *distance: edits a letter of the nearest name; HUGE_VAL when there is none.
 */
const ktpr_region_t *ktpr_gazetteer_match(const ktpr_region_t *inside,
                                          ktpr_level_t level, const char *text,
                                          double limit, double *distance);

/*
 * The number of regions of a level inside another (NULL: anywhere) whose name
 * begins with text, or has it anywhere if that is set, and is longer; *region:
 * the first of them.  0 for an empty text.
 */
int ktpr_gazetteer_part(const ktpr_region_t *inside, ktpr_level_t level,
                        int anywhere, const char *text,
                        const ktpr_region_t **region);

/*
 * The region of a level inside another (NULL: anywhere) that has this very
 * name, without the words KABUPATEN and KOTA if shortened is set; NULL when
 * there is none.
 */
const ktpr_region_t *ktpr_gazetteer_find(const ktpr_region_t *inside,
                                         ktpr_level_t level, int shortened,
                                         const char *name);

/*
 * The province that a regency is in; NULL when a card of that regency may show
 * another one: a former name, or the province from which this one was parted.
 */
const ktpr_region_t *ktpr_gazetteer_province(const ktpr_region_t *regency);

/*
 * The city inside another region (NULL: anywhere) that has the name of a
 * regency but for the words KABUPATEN and KOTA, or the other way round; NULL
 * when there is none.
 */
const ktpr_region_t *ktpr_gazetteer_twin(const ktpr_region_t *inside,
                                         const ktpr_region_t *regency);

/*
 * The district that a village is in; NULL when others inside a region have a
 * village of that name, too, or when the table has a former name of it.
 */
const ktpr_region_t *ktpr_gazetteer_district(const ktpr_region_t *inside,
                                             const ktpr_region_t *village);

/*
 * Tries the names of a level inside another region (NULL: anywhere), each
 * between the texts before and behind, without the words KABUPATEN and KOTA
 * if shortened is set.  choice->what becomes the region.
 */
void ktpr_gazetteer_try(ktpr_choice_t *choice, const ktpr_region_t *inside,
                        ktpr_level_t level, int shortened, const char *before,
                        const char *behind);


#endif /* KTPR_GAZETTEER_H */
