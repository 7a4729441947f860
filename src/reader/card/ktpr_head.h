/*
 * The head of a card: two centred lines above the number, the province and
 * the regency or city; and the names of all fields against the table of
 * regions.
 */

#ifndef KTPR_HEAD_H
#define KTPR_HEAD_H

#include "ktpr_field.h"
#include "ktpr_scan.h"


typedef enum {
    KTPR_HEAD_NONE = 0, /* not that of a card */
    KTPR_HEAD_PROVINCE, /* of a card: it names a province */
    KTPR_HEAD_OTHER     /* the title of another document */
} ktpr_head_t;


/* Reads province and regency or city; what is not found stays empty. */
ktpr_head_t ktpr_head_read(ktpr_scan_t *scan, ktpr_field_t *fields);

/*
 * Corrects district and village within the city that was read, and the place
 * of birth among all regencies, by the table of regions.
 */
void ktpr_head_repair(ktpr_scan_t *scan, ktpr_field_t *fields);


#endif /* KTPR_HEAD_H */
