#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_confidence.h"
#include "ktpr_fields.h"
#include "ktpr_gazetteer.h"
#include "ktpr_lexicon.h"
#include "ktpr_number.h"
#include "ktpr_text.h"


/*
 * fixed: RT and RW of a confirmed value, below.  Those of three digits are
 * rarer than misread zeros.
 */
#define KTPR_CONFIDENCE_RT 100

/*
 * What the confidence rises by within a step, at most, so that of two values
 * the one with the higher score comes first.  Lower: many values are equally
 * sure, and a limit takes all of them or none; higher: those at the beginning
 * of a step are less sure than they are right.
 */
#define KTPR_CONFIDENCE_RISE .004f

/*
 * Part of its score that a value keeps of which nothing confirms that a
 * reflection hides no part of it.  Of 91 such values on drawn cards 42 were
 * right.  Higher: cut values are taken for whole ones; lower: whole ones
 * beside a reflection are not taken.
 */
#define KTPR_CONFIDENCE_BURNT .8f

/*
 * The most that is said of a value that was repaired where a reflection may
 * hide a part of it, or that was concluded from another.  Of 62 names of
 * regions on drawn cards 59 were right.  Higher: a wrong one is taken for one
 * that was read.
 */
#define KTPR_CONFIDENCE_COMPLETED .9f

/*
 * A step of the table: the confidence of scores in a range.  Steps of a field
 * are in ascending order; between two of them, where nothing is known, the
 * confidence rises evenly.
 */
typedef struct {
    ktpr_field_id_t field; /* KTPR_ALL_FIELDS: of each */
    int             confirmed;
    float           low, high;
    float           confidence;
} ktpr_confidence_step_t;

static const ktpr_confidence_step_t ktpr_confidence_steps[] = {
#include "ktpr_confidence_table.h"
};


/* Whether a value is a word of a lexicon as it is. */
static int
ktpr_confidence_word(ktpr_lexicon_t lexicon, const char *value)
{
    double      distance;
    const char *word;

    word = ktpr_lexicon_match(lexicon, value, 0, &distance);

    return word != NULL && strcmp(word, value) == 0;
}


/* A regency or city, with or without that word before it. */
static int
ktpr_confidence_place(const char *value)
{
    return ktpr_gazetteer_find(NULL, KTPR_LEVEL_REGENCY, 0, value) != NULL
           || ktpr_gazetteer_find(NULL, KTPR_LEVEL_REGENCY, 1, value) != NULL;
}


/* A district or village of the card's city. */
static int
ktpr_confidence_inside(const ktpr_field_t *fields, ktpr_level_t level,
                       const char *value)
{
    const ktpr_region_t *city;

    city = ktpr_gazetteer_find(NULL, KTPR_LEVEL_REGENCY, 0,
                               fields[KTPR_CITY].value);

    return city != NULL && ktpr_gazetteer_find(city, level, 0, value) != NULL;
}


static int
ktpr_confidence_rt_rw(const char *value)
{
    const char *slash;

    slash = strchr(value, '/');

    return slash != NULL && atoi(value) < KTPR_CONFIDENCE_RT
           && atoi(slash + 1) < KTPR_CONFIDENCE_RT;
}


/*
 * Whether a value is one that a card is likely to have, or that the card has
 * elsewhere, too.  Of names, addresses and numbers nothing is known; they are
 * doubtful where a reflection may hide a part of them, as is a status, of
 * which one is the end of another.
 */
static int
ktpr_confidence_confirmed(const ktpr_field_t *fields, ktpr_field_id_t field)
{
    const char *value;

    value = fields[field].value;

    switch (field) {
    case KTPR_PLACE_OF_BIRTH:
    case KTPR_ISSUED_PLACE:
        return ktpr_confidence_place(value);
    case KTPR_DATE_OF_BIRTH:
        return fields[KTPR_DATE_OF_BIRTH].repaired
                   ? ktpr_number_warnings(fields) == 0
                   : ktpr_number_agrees(fields);
    case KTPR_GENDER:
        return ktpr_confidence_word(KTPR_LEX_GENDER, value);
    case KTPR_RT_RW:
        return ktpr_confidence_rt_rw(value);
    case KTPR_ADMINISTRATIVE_VILLAGE:
        return ktpr_confidence_inside(fields, KTPR_LEVEL_VILLAGE, value);
    case KTPR_DISTRICT:
        return ktpr_confidence_inside(fields, KTPR_LEVEL_DISTRICT, value);
    case KTPR_CITY:
        return ktpr_gazetteer_find(NULL, KTPR_LEVEL_REGENCY, 0, value) != NULL;
    case KTPR_STATE:
        return ktpr_gazetteer_find(NULL, KTPR_LEVEL_PROVINCE, 0, value)
               != NULL;
    case KTPR_RELIGION:
        return ktpr_confidence_word(KTPR_LEX_RELIGION, value);
    case KTPR_MARITAL_STATUS:
        return !fields[field].burnt
               && ktpr_confidence_word(KTPR_LEX_STATUS, value);
    case KTPR_OCCUPATION:
        return ktpr_confidence_word(KTPR_LEX_OCCUPATION, value);
    case KTPR_NATIONALITY:
        return strcmp(value, "WNI") == 0 || strcmp(value, "WNA") == 0;
    case KTPR_VALID_UNTIL:
        return ktpr_confidence_word(KTPR_LEX_VALID, value)
               || ktpr_fields_date_valid(value);
    default:
        return !fields[field].burnt;
    }
}


/*
 * The mean confidence of a card's fields, 0 to 1: of two texts that look
 * alike, that of the card that is read better is right more often.
 */
static double
ktpr_confidence_card(const ktpr_field_t *fields)
{
    int    i;
    double sum;

    sum = 0;

    for (i = 0; i < KTPR_FIELDS; i++) {
        sum += fields[i].value[0] != '\0' ? (double) fields[i].confidence : 0;
    }

    return sum / KTPR_FIELDS;
}


/* The confidence by the table; the score where it has no step. */
static float
ktpr_confidence_step(const ktpr_field_t *field, ktpr_field_id_t id)
{
    float                         high, below, rise, share;
    size_t                        i;
    const ktpr_confidence_step_t *step;

    high = below = 0;

    for (i = 0;
         i < sizeof(ktpr_confidence_steps) / sizeof(ktpr_confidence_steps[0]);
         i++) {
        step = &ktpr_confidence_steps[i];

        if (step->confirmed != (int) field->confirmed
            || (step->field != id && step->field != KTPR_ALL_FIELDS)) {
            continue;
        }

        rise = fminf(KTPR_CONFIDENCE_RISE, (step->confidence - below) / 2);

        if (field->score < step->low) {
            share = (field->score - high) / (step->low - high);
            return below + (step->confidence - rise - below) * share;
        }

        if (field->score < step->high) {
            share = (step->high - field->score) / (step->high - step->low);
            return step->confidence - rise * share;
        }

        high = step->high;
        below = step->confidence;
    }

    return high > 0 ? below : field->score;
}


void
ktpr_confidence_set(ktpr_field_t *fields)
{
    int             i;
    double          card;
    ktpr_field_t   *field;
    ktpr_field_id_t id;

    card = ktpr_confidence_card(fields);

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        id = (ktpr_field_id_t) i;
        field = &fields[i];
        field->score = 0;
        field->confirmed = 0;

        if (field->value[0] == '\0') {
            field->confidence = 0;
            continue;
        }

        /* digits of a number are told apart by themselves */
        field->score = (float) fmin(1, fmax(0, (double) field->confidence));
        field->score *= id == KTPR_NIK ? 1 : (float) card;
        field->confirmed = ktpr_confidence_confirmed(fields, id) ? 1 : 0;

        if (field->burnt && !field->confirmed) {
            field->score *= KTPR_CONFIDENCE_BURNT;
        }
    }

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        if (fields[i].value[0] != '\0') {
            fields[i].confidence =
                ktpr_confidence_step(&fields[i], (ktpr_field_id_t) i);

            if (fields[i].burnt && fields[i].repaired) {
                fields[i].confidence =
                    fminf(fields[i].confidence, KTPR_CONFIDENCE_COMPLETED);
            }
        }
    }
}
