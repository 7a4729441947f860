/* The generated tables of ktp_region.c; nobody else reads them. */

#ifndef KTP_REGION_TABLE_H
#define KTP_REGION_TABLE_H

#include <stddef.h>
#include <stdint.h>


typedef struct {
    uint16_t    code; /* PP or PPKK */
    const char *name; /* as printed on a card, upper case */
    const char *key;  /* letters of the name, without KABUPATEN or KOTA */
} ktp_region_t;

/* A regency whose code changed when its province was divided. */
typedef struct {
    uint16_t from;
    uint16_t to;
} ktp_region_moved_t;


/* sorted by code */
extern const ktp_region_t       ktp_region_table_provinces[];
extern const size_t             ktp_region_table_provinces_n;
extern const ktp_region_t       ktp_region_table_regencies[];
extern const size_t             ktp_region_table_regencies_n;
extern const ktp_region_moved_t ktp_region_table_moved[];
extern const size_t             ktp_region_table_moved_n;

/* indexes into the regencies, sorted by key, then by code */
extern const uint16_t ktp_region_table_by_key[];


#endif /* KTP_REGION_TABLE_H */
