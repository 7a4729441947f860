/*
 * Reading a card: bytes of a JPEG or PNG file in, the contract's fields out.
 * One reader a thread; it holds its own Tesseract.
 */

#ifndef KTPD_READER_H
#define KTPD_READER_H

#include <stddef.h>


/* In the contract's order. */
typedef enum {
    KTPD_NIK = 0,
    KTPD_FULL_NAME,
    KTPD_PLACE_OF_BIRTH,
    KTPD_DATE_OF_BIRTH,
    KTPD_GENDER,
    KTPD_BLOOD_TYPE,
    KTPD_ADDRESS,
    KTPD_RT_RW,
    KTPD_ADMINISTRATIVE_VILLAGE,
    KTPD_DISTRICT,
    KTPD_CITY,
    KTPD_STATE,
    KTPD_RELIGION,
    KTPD_MARITAL_STATUS,
    KTPD_OCCUPATION,
    KTPD_NATIONALITY,
    KTPD_FIELDS,

    /* not in the contract, for the details only */
    KTPD_VALID_UNTIL = KTPD_FIELDS,
    KTPD_ISSUED_PLACE,
    KTPD_ISSUED_DATE,
    KTPD_ALL_FIELDS
} ktpd_field_id_t;

#define KTPD_MAX_VALUE 128

typedef struct {
    char     value[KTPD_MAX_VALUE]; /* UTF-8; "": could not be read */
    char     raw[KTPD_MAX_VALUE];   /* what recognition gave at first */
    float    confidence;            /* 0 to 1 */
    int      x, y, w, h;            /* in pixels of the upright image */
    unsigned repaired : 1;          /* changed by a cross-check or lexicon */
} ktpd_field_t;

typedef struct {
    unsigned blur : 1;
    unsigned dark : 1;
    unsigned flashlight : 1;
    unsigned grayscale : 1;
    double   blur_score; /* 0 (sharp) to 1 (blurred) */
    double   dark_score; /* 0 (bright) to 1 (dark) */
    double   flashlight_score;
    double   grayscale_score;
    double   measures[4]; /* what the scores come from, ktpd_quality.h */
} ktpd_quality_t;

typedef struct {
    ktpd_field_t   fields[KTPD_ALL_FIELDS];
    ktpd_quality_t quality;
} ktpd_card_t;

typedef enum {
    KTPD_OK = 0,
    KTPD_NOT_DETECTED, /* an image, but no card; quality is filled */
    KTPD_UNDECODABLE,  /* not a JPEG or PNG file that decodes */
    KTPD_FAILED        /* no memory, Tesseract failed */
} ktpd_result_t;

typedef struct ktpd_reader_s ktpd_reader_t;


/*
 * A reader, with its language data loaded from tessdata (a folder; NULL is
 * Tesseract's own).  NULL when that fails, with a message on standard
 * error.  Opens no file after this.
 */
ktpd_reader_t *ktpd_reader_create(const char *tessdata);

/* Reads one image; card is filled anew.  Thread-safe for distinct readers. */
ktpd_result_t ktpd_reader_read(ktpd_reader_t       *reader,
                               const unsigned char *image, size_t len,
                               ktpd_card_t *card);

/* "nik", "full_name" ...; the contract's names, NULL over the range. */
const char *ktpd_field_name(ktpd_field_id_t field);

void ktpd_reader_destroy(ktpd_reader_t *reader);


#endif /* KTPD_READER_H */
