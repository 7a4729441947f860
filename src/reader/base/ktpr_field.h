/* The fields of a card as the rooms of the reader pass them on. */

#ifndef KTPR_FIELD_H
#define KTPR_FIELD_H


/* The fields of the contract's answer, in its order. */
typedef enum {
    KTPR_NIK = 0,
    KTPR_FULL_NAME,
    KTPR_PLACE_OF_BIRTH,
    KTPR_DATE_OF_BIRTH,
    KTPR_GENDER,
    KTPR_BLOOD_TYPE,
    KTPR_ADDRESS,
    KTPR_RT_RW,
    KTPR_ADMINISTRATIVE_VILLAGE,
    KTPR_DISTRICT,
    KTPR_CITY,
    KTPR_STATE,
    KTPR_RELIGION,
    KTPR_MARITAL_STATUS,
    KTPR_OCCUPATION,
    KTPR_NATIONALITY,
    KTPR_FIELDS,

    /* not in the contract: reported with the details only */
    KTPR_VALID_UNTIL = KTPR_FIELDS,
    KTPR_ISSUED_PLACE,
    KTPR_ISSUED_DATE,
    KTPR_ALL_FIELDS
} ktpr_field_id_t;

/* Bytes of a value, with its terminating null. */
#define KTPR_MAX_VALUE 128

typedef struct {
    char     value[KTPR_MAX_VALUE]; /* UTF-8; "": could not be read */
    char     raw[KTPR_MAX_VALUE];   /* the text as first recognised */
    float    confidence;            /* 0 to 1 */
    float    score;                 /* what it was taken from, 0 to 1 */
    int      x, y, w, h;            /* in pixels of the upright image */
    unsigned repaired : 1;          /* changed by a cross-check or lexicon */
    unsigned burnt : 1;             /* a reflection may hide a part of it */
    unsigned confirmed : 1;         /* see ktpr_confidence.c */
} ktpr_field_t;


/* "nik", "full_name" ...: the name in the contract; NULL out of range. */
const char *ktpr_field_name(ktpr_field_id_t field);


#endif /* KTPR_FIELD_H */
