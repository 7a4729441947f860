#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktp_nik.h"
#include "ktpd_fields.h"
#include "ktpd_nik.h"
#include "ktpd_quality.h"
#include "ktpd_reader.h"
#include "ktpd_scan.h"


/* Pixels of the largest image, its flattened copies, and what is small. */
#define KTPD_READER_MEMORY (160UL << 20)

/* A number this sure makes a card of what looks half like one. */
#define KTPD_READER_SURE .9f

struct ktpd_reader_s {
    ktpd_ocr_t  *ocr;
    ktpd_pool_t *pool;

    ktpd_digit_net_t digits;
};

static const char *const ktpd_field_names[KTPD_ALL_FIELDS] = {
    "nik",           "full_name",      "place_of_birth",
    "date_of_birth", "gender",         "blood_type",
    "address",       "rt_rw",          "administrative_village",
    "district",      "city",           "state",
    "religion",      "marital_status", "occupation",
    "nationality",   "valid_until",    "issued_place",
    "issued_date",
};


ktpd_reader_t *
ktpd_reader_create(const char *tessdata)
{
    ktpd_reader_t *reader;

    reader = calloc(1, sizeof(ktpd_reader_t));
    if (reader == NULL) {
        return NULL;
    }

    reader->pool = ktpd_pool_create(KTPD_READER_MEMORY);
    reader->ocr = ktpd_ocr_create(tessdata);
    ktpd_digit_net_load(&reader->digits);

    if (reader->pool == NULL || reader->ocr == NULL) {
        fprintf(stderr, "ktpd: Tesseract's data for \"ind\" and \"eng\" "
                        "cannot be loaded\n");
        ktpd_reader_destroy(reader);
        return NULL;
    }

    return reader;
}


void
ktpd_reader_destroy(ktpd_reader_t *reader)
{
    if (reader != NULL) {
        ktpd_ocr_destroy(reader->ocr);
        ktpd_pool_destroy(reader->pool);
        free(reader);
    }
}


/* Whether the number was read clearly and is one as it stands. */
static int
ktpd_reader_number(const ktpd_card_t *card)
{
    ktp_nik_t           nik;
    const ktpd_field_t *field;

    field = &card->fields[KTPD_NIK];

    return !field->repaired && field->confidence > KTPD_READER_SURE
           && ktp_nik_parse(&nik, field->value, strlen(field->value)) == 0;
}


ktpd_result_t
ktpd_reader_read(ktpd_reader_t *reader, const unsigned char *image, size_t len,
                 ktpd_card_t *card)
{
    int             found;
    double          measures[KTPD_MEASURES];
    ktpd_map_t      plane;
    ktpd_scan_t     scan;
    ktpd_result_t   result;
    ktpd_evidence_t birth;

    memset(card, 0, sizeof(ktpd_card_t));
    memset(&scan, 0, sizeof(ktpd_scan_t));
    scan.pool = reader->pool;
    scan.ocr = reader->ocr;
    scan.digits = &reader->digits;

    if (ktpd_image_decode(scan.pool, image, len, &scan.image) != 0) {
        ktpd_pool_reset(scan.pool);
        return KTPD_UNDECODABLE;
    }

    result = KTPD_NOT_DETECTED;
    found = ktpd_scan_find(&scan);

    if (found < 0) {
        result = KTPD_FAILED;

    } else if (found > 0) {
        result = KTPD_OK;
        ktpd_head_read(&scan, card);
        ktpd_fields_read(&scan, card, &birth);
        ktpd_nik_read(&scan, &birth, card);
        ktpd_regions_repair(&scan, card);
        ktpd_issued_read(&scan, card);

        if (scan.doubtful && !ktpd_reader_number(card)) {
            memset(card->fields, 0, sizeof(card->fields));
            result = KTPD_NOT_DETECTED;
        }
    }

    if (result == KTPD_OK) {
        ktpd_fields_plane(&scan, &plane);
    }

    if (ktpd_quality_measures(scan.pool, &scan.image,
                              result == KTPD_OK ? ktpd_scan_spacing(&scan) : 0,
                              result == KTPD_OK ? &plane : NULL, measures)
        == 0) {
        ktpd_quality_judge(measures, &card->quality);
    }

    ktpd_pool_reset(scan.pool);

    return result;
}


const char *
ktpd_field_name(ktpd_field_id_t field)
{
    return field < KTPD_ALL_FIELDS ? ktpd_field_names[field] : NULL;
}
