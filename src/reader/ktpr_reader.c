#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_confidence.h"
#include "ktpr_decode.h"
#include "ktpr_fields.h"
#include "ktpr_glance.h"
#include "ktpr_head.h"
#include "ktpr_issued.h"
#include "ktpr_kind.h"
#include "ktpr_lines.h"
#include "ktpr_number.h"
#include "ktpr_quality.h"
#include "ktpr_reader.h"
#include "ktpr_scan.h"
#include "ktpr_spots.h"
#include "ktpr_warp.h"


/*
 * Bytes of the pool: the pixels of the largest image, its flattened copies,
 * and buffers.  Lower: large images are KTPR_FAILED; higher: a crafted image
 * can make a worker larger.
 */
#define KTPR_READER_MEMORY (160UL << 20)

/*
 * A card is far away if its longer side is less than this part of the image's:
 * it is read again, or for the first time, from that part of the photo, with a
 * margin in longer sides.  More costs time; less loses names.
 */
#define KTPR_READER_FAR    .42
#define KTPR_READER_MARGIN .3

/*
 * Score of columns (ktpr_columns.c) from which on a spot is part of a page of
 * writing, and no other is looked at: it saves the time of documents.
 */
#define KTPR_READER_PAGE 18.

/* Pixels of the file that the longer side has at least. */
#define KTPR_READER_CARD 320

/* A card in its plane, in row spacings. */
#define KTPR_READER_LEFT   -9.5
#define KTPR_READER_TOP    -7.
#define KTPR_READER_RIGHT  24.
#define KTPR_READER_BOTTOM 14.5

/*
 * Confidence of a check from which on there is a card.  Less takes family
 * cards, with three of the labels, for one; more loses cards that can be read.
 */
#define KTPR_READER_DETECTED .7

/* fixed: EXIF's orientation of a mirrored image */
#define KTPR_READER_MIRROR 2

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

    ktpr_confidence_set(card->fields);

    return KTPR_OK;
}


/* A file that is being read; its whole image, reduced, and the best scan. */
typedef struct {
    const ktpr_reader_t *reader;
    const unsigned char *bytes;
    size_t               len;
    ktpr_image_t         whole;
    ktpr_scan_t          scan;
    double               mirrored; /* width of the file; 0: not mirrored */
} ktpr_photo_t;

/* Sets what a photo shows. */
typedef ktpr_result_t (*ktpr_reader_pt)(ktpr_photo_t *photo,
                                        ktpr_card_t  *card);


static ktpr_scan_t
ktpr_reader_scan(const ktpr_photo_t *photo)
{
    ktpr_scan_t scan = {0};

    scan.pool = photo->reader->pool;
    scan.engines = &photo->reader->engines;

    return scan;
}


/*
 * Decodes an area of the photo, NULL for all of it, with least pixels or more
 * on its longer side, 0: as large as can be.  Of a mirrored photo areas and
 * pixels are those of its mirror image.
 */
static ktpr_status_t
ktpr_reader_decode(const ktpr_photo_t *photo, const ktpr_area_t *area,
                   int least, ktpr_image_t *image)
{
    double        x, y;
    ktpr_area_t   part;
    ktpr_pool_t  *pool;
    ktpr_status_t rc;

    pool = photo->reader->pool;

    if (photo->mirrored > 0 && area != NULL) {
        part = *area;
        part.x = (int) photo->mirrored - area->x - area->w;
        area = &part;
    }

    rc = ktpr_decode_least(pool, photo->bytes, photo->len, area, least, image);

    if (rc != KTPR_DONE || photo->mirrored == 0) {
        return rc;
    }

    x = photo->mirrored - image->x - image->w * image->scale;
    y = image->y;
    rc = ktpr_image_turn(pool, image, KTPR_READER_MIRROR);
    image->x = x;
    image->y = y;

    return rc;
}


/*
 * The area of the file that a part of the photo is, with a margin around it; 0
 * if the part is too small for a card, or so large that it is no part.
 */
static int
ktpr_reader_area(const ktpr_photo_t *photo, const ktpr_area_t *part,
                 ktpr_area_t *area)
{
    int    margin, side, least;
    double scale;

    scale = photo->whole.scale;
    side = part->w > part->h ? part->w : part->h;
    least = photo->whole.w > photo->whole.h ? photo->whole.w : photo->whole.h;

    if (side * scale < KTPR_READER_CARD || side > KTPR_READER_FAR * least) {
        return 0;
    }

    margin = (int) (KTPR_READER_MARGIN * side);
    area->x = (int) ((part->x - margin) * scale);
    area->y = (int) ((part->y - margin) * scale);
    area->w = (int) ((part->w + 2 * margin) * scale);
    area->h = (int) ((part->h + 2 * margin) * scale);

    return 1;
}


/*
 * Finds the card in a part of the photo, decoded as large as can be, with a
 * margin around it; scan is set.  1 when there is one, 0 when not, or
 * KTPR_NO_MEMORY.
 */
static int
ktpr_reader_near(const ktpr_photo_t *photo, const ktpr_area_t *part,
                 ktpr_scan_t *scan)
{
    ktpr_area_t   area;
    ktpr_status_t rc;

    if (!ktpr_reader_area(photo, part, &area)) {
        return 0;
    }

    *scan = ktpr_reader_scan(photo);
    rc = ktpr_reader_decode(photo, &area, 0, &scan->image);

    return rc == KTPR_DONE        ? ktpr_scan_find(scan)
           : rc == KTPR_NO_MEMORY ? rc
                                  : 0;
}


/* Finds a found card again, nearer, if it is far away. */
static ktpr_status_t
ktpr_reader_nearer(ktpr_photo_t *photo)
{
    int          i, rc;
    double       x0, y0, x1, y1;
    ktpr_map_t   plane;
    ktpr_scan_t  scan;
    ktpr_area_t  part;
    ktpr_point_t p;

    ktpr_lines_plane(&photo->scan, &plane);
    x0 = y0 = 1e9;
    x1 = y1 = -1e9;

    for (i = 0; i < 4; i++) {
        p = ktpr_map_point(&plane,
                           i % 2 ? KTPR_READER_RIGHT : KTPR_READER_LEFT,
                           i / 2 ? KTPR_READER_BOTTOM : KTPR_READER_TOP);
        x0 = fmin(x0, p.x);
        y0 = fmin(y0, p.y);
        x1 = fmax(x1, p.x);
        y1 = fmax(y1, p.y);
    }

    if (!(x0 > -photo->whole.w && y0 > -photo->whole.h
          && x1 < 2 * photo->whole.w && y1 < 2 * photo->whole.h)) {
        return KTPR_DONE;
    }

    part.x = (int) x0;
    part.y = (int) y0;
    part.w = (int) (x1 - x0);
    part.h = (int) (y1 - y0);

    rc = ktpr_reader_near(photo, &part, &scan);
    if (rc > 0 && !scan.doubtful) {
        photo->scan = scan;
    }

    return rc < 0 ? KTPR_NO_MEMORY : KTPR_DONE;
}


/*
 * Measures the quality of an image or, with KTPR_OK, of the card in it, which
 * the scan found in that image or in a reduced one.
 */
static ktpr_result_t
ktpr_reader_quality(ktpr_photo_t *photo, const ktpr_image_t *image,
                    ktpr_part_t part, ktpr_result_t result, ktpr_card_t *card)
{
    double        by, spacing, measures[KTPR_MEASURES];
    ktpr_map_t    plane, enlarge;
    ktpr_status_t rc;

    spacing = 0;

    if (result == KTPR_OK) {
        by = (double) image->w / photo->scan.image.w;
        enlarge = ktpr_map_affine(by, 0, (by - 1) / 2, 0, by, (by - 1) / 2);
        spacing = by * ktpr_scan_spacing(&photo->scan);
        ktpr_lines_plane(&photo->scan, &plane);
        plane = ktpr_map_then(&plane, &enlarge);
    }

    rc = ktpr_quality_measures(photo->reader->pool, image, part, spacing,
                               result == KTPR_OK ? &plane : NULL, measures);

    if (rc == KTPR_DONE) {
        ktpr_quality_judge(measures, &card->quality);
    }

    return rc == KTPR_NO_MEMORY ? KTPR_FAILED : result;
}


/*
 * Reads the fields of the card that was found, if one was, and measures the
 * quality of the image: of the scan's or, without a card, of the whole one.
 */
static ktpr_result_t
ktpr_reader_found(ktpr_photo_t *photo, int found, const ktpr_image_t *whole,
                  ktpr_card_t *card)
{
    ktpr_result_t result;

    if (found < 0) {
        return KTPR_FAILED;
    }

    result = found > 0 ? ktpr_reader_fields(photo->reader, &photo->scan, card)
                       : KTPR_NOT_DETECTED;

    if (result == KTPR_OK) {
        whole = &photo->scan.image;
    }

    return whole == NULL ? result
                         : ktpr_reader_quality(photo, whole, KTPR_PART_ALL,
                                               result, card);
}


/*
 * Looks for a card that is far away in spots of the photo.  What was allocated
 * for the photo and for each spot before is freed.
 */
static ktpr_result_t
ktpr_reader_spots(ktpr_photo_t *photo, ktpr_card_t *card)
{
    int           i, n;
    ktpr_area_t   spots[KTPR_MAX_SPOTS];
    ktpr_pool_t  *pool;
    ktpr_result_t result;

    pool = photo->reader->pool;
    result = KTPR_NOT_DETECTED;
    n = ktpr_spots_find(pool, &photo->whole, spots);

    for (i = 0; i < n && result == KTPR_NOT_DETECTED; i++) {
        if (ktpr_pool_failed(pool)) {
            return KTPR_FAILED;
        }

        ktpr_pool_reset(pool);
        result = ktpr_reader_found(
            photo, ktpr_reader_near(photo, &spots[i], &photo->scan), NULL,
            card);

        if (photo->scan.best_columns > KTPR_READER_PAGE) {
            break;
        }
    }

    return n < 0 ? KTPR_FAILED : result;
}


/* The result of a file that did not decode. */
static ktpr_result_t
ktpr_reader_undecoded(ktpr_status_t rc)
{
    return rc == KTPR_UNFIT    ? KTPR_UNDECODABLE
           : rc == KTPR_COSTLY ? KTPR_TOO_COSTLY
                               : KTPR_FAILED;
}


/*
 * Looks for a card in an image, reduced; the confidence of card becomes that,
 * if it is higher.  With a card, or if it is the whole image, the quality is
 * measured.
 */
static ktpr_result_t
ktpr_reader_glance(ktpr_photo_t *photo, const ktpr_image_t *image, int whole,
                   ktpr_card_t *card)
{
    int           side, w, h, found;
    double        confidence;
    ktpr_result_t result;

    photo->scan = ktpr_reader_scan(photo);
    photo->scan.image = *image;
    side = image->w > image->h ? image->w : image->h;
    w = image->w * KTPR_GLANCE_SIDE / side;
    h = image->h * KTPR_GLANCE_SIDE / side;

    if (w < 1 || h < 1) {
        return KTPR_NOT_DETECTED;
    }

    if (side > KTPR_GLANCE_SIDE
        && ktpr_warp_reduce(photo->scan.pool, image, w, h, &photo->scan.image)
               != KTPR_DONE) {
        return KTPR_FAILED;
    }

    found = ktpr_glance_find(&photo->scan, &confidence);
    if (found < 0) {
        return KTPR_FAILED;
    }

    card->confidence = fmax(card->confidence, confidence);
    result = confidence < KTPR_READER_DETECTED ? KTPR_NOT_DETECTED : KTPR_OK;

    return whole || result == KTPR_OK ? ktpr_reader_quality(
               photo, image, KTPR_PART_CARD, result, card)
                                      : result;
}


/*
 * Reads the card in the whole photo.  sure: whether the photo has one, or
 * another document that is like one.
 */
static ktpr_result_t
ktpr_reader_whole(ktpr_photo_t *photo, ktpr_card_t *card, int *sure)
{
    int           found;
    ktpr_status_t rc;

    *sure = 1;
    photo->scan = ktpr_reader_scan(photo);

    rc = ktpr_reader_decode(photo, NULL, 0, &photo->whole);
    if (rc != KTPR_DONE) {
        return ktpr_reader_undecoded(rc);
    }

    photo->scan.image = photo->whole;
    found = ktpr_scan_find(&photo->scan);

    if (found > 0 && ktpr_reader_nearer(photo) != KTPR_DONE) {
        return KTPR_FAILED;
    }

    *sure = found > 0 && !photo->scan.doubtful;

    return ktpr_reader_found(photo, found, &photo->whole, card);
}


/*
 * Reads the card in the mirror image of the photo, if a glance at that shows
 * one: some cameras mirror what they see.
 */
static ktpr_result_t
ktpr_reader_mirrored(ktpr_photo_t *photo, ktpr_card_t *card)
{
    int           i, sure;
    ktpr_field_t *field;
    ktpr_result_t result;
    ktpr_status_t rc;

    if (ktpr_pool_failed(photo->reader->pool)) {
        return KTPR_FAILED;
    }

    ktpr_pool_reset(photo->reader->pool);
    photo->mirrored = photo->whole.w * photo->whole.scale;

    rc = ktpr_reader_decode(photo, NULL, KTPR_GLANCE_SIDE, &photo->whole);
    if (rc != KTPR_DONE) {
        return ktpr_reader_undecoded(rc);
    }

    result = ktpr_reader_glance(photo, &photo->whole, 0, card);
    card->confidence = 0;

    if (result != KTPR_OK) {
        return result;
    }

    ktpr_pool_reset(photo->reader->pool);
    result = ktpr_reader_whole(photo, card, &sure);

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        field = &card->fields[i];
        field->x = field->w > 0 ? (int) photo->mirrored - field->x - field->w
                                : field->x;
    }

    return result;
}


static ktpr_result_t
ktpr_reader_file(ktpr_photo_t *photo, ktpr_card_t *card)
{
    int           sure;
    ktpr_result_t result;

    result = ktpr_reader_whole(photo, card, &sure);

    /* a part of another document with a card's labels may look like a card */
    if (result == KTPR_NOT_DETECTED && !sure) {
        result = ktpr_reader_spots(photo, card);
    }

    return result == KTPR_NOT_DETECTED && !sure
               ? ktpr_reader_mirrored(photo, card)
               : result;
}


/* Looks for a card that is far away, as ktpr_reader_spots() does. */
static ktpr_result_t
ktpr_reader_glances(ktpr_photo_t *photo, ktpr_card_t *card)
{
    int           i, n;
    ktpr_area_t   area, spots[KTPR_MAX_SPOTS];
    ktpr_pool_t  *pool;
    ktpr_image_t  image;
    ktpr_result_t result;
    ktpr_status_t rc;

    pool = photo->reader->pool;
    result = KTPR_NOT_DETECTED;

    /* cards that are far away have no detail in a small image */

    ktpr_pool_reset(pool);
    rc = ktpr_decode(pool, photo->bytes, photo->len, NULL, &photo->whole);
    if (rc != KTPR_DONE) {
        return rc == KTPR_NO_MEMORY ? KTPR_FAILED : result;
    }

    n = ktpr_spots_find(pool, &photo->whole, spots);

    for (i = 0; i < n && result == KTPR_NOT_DETECTED; i++) {
        if (ktpr_pool_failed(pool)) {
            return KTPR_FAILED;
        }

        if (!ktpr_reader_area(photo, &spots[i], &area)) {
            continue;
        }

        ktpr_pool_reset(pool);
        rc = ktpr_decode_least(pool, photo->bytes, photo->len, &area,
                               KTPR_GLANCE_SIDE, &image);

        if (rc == KTPR_NO_MEMORY) {
            return KTPR_FAILED;
        }

        if (rc == KTPR_DONE) {
            result = ktpr_reader_glance(photo, &image, 0, card);
        }

        if (photo->scan.best_columns > KTPR_READER_PAGE) {
            break;
        }
    }

    return n < 0 ? KTPR_FAILED : result;
}


static ktpr_result_t
ktpr_reader_seen(ktpr_photo_t *photo, ktpr_card_t *card)
{
    ktpr_result_t result;
    ktpr_status_t rc;

    rc = ktpr_decode_least(photo->reader->pool, photo->bytes, photo->len, NULL,
                           KTPR_GLANCE_SIDE, &photo->whole);
    if (rc != KTPR_DONE) {
        return ktpr_reader_undecoded(rc);
    }

    result = ktpr_reader_glance(photo, &photo->whole, 1, card);

    return result == KTPR_NOT_DETECTED ? ktpr_reader_glances(photo, card)
                                       : result;
}


/* Does one of the two with a file and an empty card. */
static ktpr_result_t
ktpr_reader_run(ktpr_reader_t *reader, ktpr_reader_pt run,
                const unsigned char *image, size_t len, ktpr_card_t *card)
{
    ktpr_photo_t  photo = {0};
    ktpr_result_t result;

    ktpr_pool_reset(reader->pool);
    memset(card, 0, sizeof(ktpr_card_t));
    photo.reader = reader;
    photo.bytes = image;
    photo.len = len;
    photo.scan = ktpr_reader_scan(&photo);

    result = run(&photo, card);

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


ktpr_result_t
ktpr_reader_read(ktpr_reader_t *reader, const unsigned char *image, size_t len,
                 ktpr_card_t *card)
{
    return ktpr_reader_run(reader, ktpr_reader_file, image, len, card);
}


ktpr_result_t
ktpr_reader_check(ktpr_reader_t *reader, const unsigned char *image,
                  size_t len, ktpr_card_t *card)
{
    return ktpr_reader_run(reader, ktpr_reader_seen, image, len, card);
}


int
ktpr_reader_image(ktpr_reader_t *reader, const unsigned char *bytes,
                  size_t len, ktpr_image_t *image)
{
    ktpr_pool_reset(reader->pool);

    return ktpr_decode(reader->pool, bytes, len, NULL, image);
}
