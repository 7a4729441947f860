#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_decode.h"
#include "ktpr_fields.h"
#include "ktpr_head.h"
#include "ktpr_issued.h"
#include "ktpr_kind.h"
#include "ktpr_number.h"
#include "ktpr_quality.h"
#include "ktpr_reader.h"
#include "ktpr_scan.h"


/*
 * Bytes of the pool: the pixels of the largest image, its flattened copies,
 * and buffers.  Lower: large images are KTPR_FAILED; higher: a crafted image
 * can make a worker larger.
 */
#define KTPR_READER_MEMORY (160UL << 20)

struct ktpr_reader_s {
    ktpr_engines_t engines;
    ktpr_pool_t   *pool;
    int            year; /* the current one */
};


ktpr_reader_t *
ktpr_reader_create(const char *tessdata, time_t now)
{
    struct tm      tm;
    ktpr_reader_t *reader;

    reader = calloc(1, sizeof(ktpr_reader_t));
    if (reader == NULL) {
        return NULL;
    }

    gmtime_r(&now, &tm);
    reader->year = tm.tm_year + 1900;
    reader->pool = ktpr_pool_create(KTPR_READER_MEMORY);

    if (ktpr_view_engines_create(&reader->engines, tessdata) != 0
        || reader->pool == NULL) {
        ktpr_reader_destroy(reader);
        return NULL;
    }

    return reader;
}


int
ktpr_reader_load(ktpr_reader_t *reader)
{
    return ktpr_tesseract_load(reader->engines.tesseract);
}


void
ktpr_reader_destroy(ktpr_reader_t *reader)
{
    if (reader != NULL) {
        ktpr_view_engines_destroy(&reader->engines);
        ktpr_pool_destroy(reader->pool);
        free(reader);
    }
}


/* Reads the fields of the card that a scan has found. */
static ktpr_result_t
ktpr_reader_fields(const ktpr_reader_t *reader, ktpr_scan_t *scan,
                   ktpr_card_t *card)
{
    ktpr_head_t     head;
    ktpr_evidence_t birth;

    head = ktpr_head_read(scan, card->fields);
    ktpr_fields_read(scan, card->fields, &birth);
    ktpr_number_read(scan, &birth, reader->year, card->fields);
    ktpr_head_repair(scan, card->fields);
    ktpr_issued_read(scan, card->fields);

    if (!ktpr_kind_card(scan, head, card->fields)) {
        memset(card->fields, 0, sizeof(card->fields));
        return KTPR_NOT_DETECTED;
    }

    return KTPR_OK;
}


static ktpr_result_t
ktpr_reader_scan(const ktpr_reader_t *reader, ktpr_scan_t *scan,
                 const unsigned char *image, size_t len, ktpr_card_t *card)
{
    int           found;
    double        measures[KTPR_MEASURES];
    ktpr_map_t    plane;
    ktpr_result_t result;
    ktpr_status_t rc;

    rc = ktpr_decode(scan->pool, image, len, &scan->image);
    if (rc != KTPR_DONE) {
        return rc == KTPR_UNFIT    ? KTPR_UNDECODABLE
               : rc == KTPR_COSTLY ? KTPR_TOO_COSTLY
                                   : KTPR_FAILED;
    }

    found = ktpr_scan_find(scan);

    if (found < 0) {
        return KTPR_FAILED;
    }

    result =
        found > 0 ? ktpr_reader_fields(reader, scan, card) : KTPR_NOT_DETECTED;

    if (result == KTPR_OK) {
        ktpr_fields_plane(scan, &plane);
    }

    rc = ktpr_quality_measures(scan->pool, &scan->image,
                               result == KTPR_OK ? ktpr_scan_spacing(scan) : 0,
                               result == KTPR_OK ? &plane : NULL, measures);

    if (rc == KTPR_DONE) {
        ktpr_quality_judge(measures, &card->quality);
    }

    return rc == KTPR_NO_MEMORY ? KTPR_FAILED : result;
}


ktpr_result_t
ktpr_reader_read(ktpr_reader_t *reader, const unsigned char *image, size_t len,
                 ktpr_card_t *card)
{
    ktpr_scan_t   scan;
    ktpr_result_t result;

    ktpr_pool_reset(reader->pool);
    memset(card, 0, sizeof(ktpr_card_t));
    memset(&scan, 0, sizeof(ktpr_scan_t));
    scan.pool = reader->pool;
    scan.engines = &reader->engines;

    result = ktpr_reader_scan(reader, &scan, image, len, card);

    /* a reading without the memory that it takes is no answer */
    if (ktpr_pool_failed(reader->pool)) {
        result = KTPR_FAILED;
    }

    if (result == KTPR_FAILED) {
        memset(card, 0, sizeof(ktpr_card_t));
    }

    ktpr_pool_reset(reader->pool);

    return result;
}


int
ktpr_reader_image(ktpr_reader_t *reader, const unsigned char *bytes,
                  size_t len, ktpr_image_t *image)
{
    ktpr_pool_reset(reader->pool);

    return ktpr_decode(reader->pool, bytes, len, image);
}
