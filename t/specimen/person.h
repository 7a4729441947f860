/*
 * An invented person and the card that says so, all from one seed.  The NIK
 * names a district 99, which no regency has: it cannot be anyone's.
 */

#ifndef SPECIMEN_PERSON_H
#define SPECIMEN_PERSON_H

#include <stdint.h>

#define PERSON_MAX 96


typedef struct {
    uint64_t state;
} dice_t;

typedef struct {
    char nik[PERSON_MAX];
    char full_name[PERSON_MAX];
    char place_of_birth[PERSON_MAX];
    char date_of_birth[PERSON_MAX]; /* DD-MM-YYYY */
    char gender[PERSON_MAX];
    char blood_type[PERSON_MAX];
    char address[PERSON_MAX];
    char rt_rw[PERSON_MAX];
    char administrative_village[PERSON_MAX];
    char district[PERSON_MAX];
    char religion[PERSON_MAX];
    char marital_status[PERSON_MAX];
    char occupation[PERSON_MAX];
    char nationality[PERSON_MAX];
    char city[PERSON_MAX];
    char state[PERSON_MAX];

    /* printed, but no field of the contract */
    char valid_until[PERSON_MAX];
    char issued_place[PERSON_MAX];
    char issued_date[PERSON_MAX];
} person_t;


void dice_init(dice_t *dice, uint64_t seed);

/* 0 to n - 1; n is at least 1. */
unsigned dice_roll(dice_t *dice, unsigned n);

/* 0 up to, not including, 1. */
double dice_real(dice_t *dice);

void person_invent(person_t *person, dice_t *dice);

/*
 * Sets a member by "name=value"; a longer value is cut.  -1 if there is none
 * of that name.
 */
int person_set(person_t *person, const char *pair);

/* The text of a member by its name, NULL if there is none. */
char *person_member(person_t *person, const char *name);


#endif /* SPECIMEN_PERSON_H */
