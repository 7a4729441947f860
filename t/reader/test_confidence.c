/* Confidences rise with scores, and less is said of what nothing confirms. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_confidence.h"


static ktpr_field_t fields[KTPR_ALL_FIELDS];

static const struct {
    ktpr_field_id_t field;
    const char     *value; /* confirmed */
    const char     *other; /* not; NULL: any is */
} values[] = {
    {KTPR_NIK, "3273991107540006", NULL},
    {KTPR_FULL_NAME, "YOSEP KHAYALAN", NULL},
    {KTPR_PLACE_OF_BIRTH, "PAYAKUMBUH", "PAYAKU MBUH"},
    {KTPR_DATE_OF_BIRTH, "11-07-1954", "17-07-1954"},
    {KTPR_GENDER, "LAKI-LAKI", "LAKI"},
    {KTPR_BLOOD_TYPE, "O", NULL},
    {KTPR_ADDRESS, "JL. MAWAR NO. 3", NULL},
    {KTPR_RT_RW, "003/019", "003/919"},
    {KTPR_RT_RW, "099/001", "199/001"},
    {KTPR_ADMINISTRATIVE_VILLAGE, "CIPAGANTI", "CIPAGANT"},
    {KTPR_DISTRICT, "COBLONG", "CIMANGGIS"}, /* of another city */
    {KTPR_CITY, "KOTA BANDUNG", "KOTA BANDUN"},
    {KTPR_STATE, "JAWA BARAT", "JAWABARAT"},
    {KTPR_RELIGION, "ISLAM", "KONOMUCU"},
    {KTPR_MARITAL_STATUS, "BELUM KAWIN", "BELUMKAWIN"},
    {KTPR_OCCUPATION, "PELAJAR/MAHASISWA", "PELAJARIMAHASISWA"},
    {KTPR_NATIONALITY, "WNI", "WMI"},
    {KTPR_VALID_UNTIL, "SEUMUR HIDUP", "SEUMUR"},
    {KTPR_VALID_UNTIL, "11-07-2017", "31-02-2017"},
    {KTPR_ISSUED_PLACE, "BOYOLALI", "BOYO"},
    {KTPR_ISSUED_DATE, "11-09-2013", NULL},
};

#define VALUES (sizeof(values) / sizeof(values[0]))


/* A card of values that all are confirmed, each of the same confidence. */
static void
fill(float confidence)
{
    int i;

    memset(fields, 0, sizeof(fields));

    for (i = (int) VALUES - 1; i >= 0; i--) {
        snprintf(fields[values[i].field].value, KTPR_MAX_VALUE, "%s",
                 values[i].value);
    }

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        fields[i].confidence = confidence;
    }
}


static void
confirmed_values(void **state)
{
    size_t        i;
    float         confidence;
    ktpr_field_t *field;

    (void) state;

    for (i = 0; i < VALUES; i++) {
        fill(.99f);
        field = &fields[values[i].field];
        snprintf(field->value, KTPR_MAX_VALUE, "%s", values[i].value);
        ktpr_confidence_set(fields);
        confidence = field->confidence;

        if (!field->confirmed) {
            fail_msg("%s is not confirmed", values[i].value);
        }

        if (values[i].other == NULL) {
            continue;
        }

        fill(.99f);
        snprintf(field->value, KTPR_MAX_VALUE, "%s", values[i].other);
        ktpr_confidence_set(fields);

        if (field->confirmed || field->confidence >= confidence) {
            fail_msg("%s is as sure as %s", values[i].other, values[i].value);
        }
    }
}


/* Values of which a reflection may hide a part are less sure. */
static void
burnt_values(void **state)
{
    size_t        i;
    float         confidence;
    ktpr_field_t *field;

    static const struct {
        ktpr_field_id_t field;
        unsigned        confirmed; /* nothing of it is hidden */
    } cases[] = {
        {KTPR_NIK, 0},      {KTPR_FULL_NAME, 0},
        {KTPR_ADDRESS, 0},  {KTPR_MARITAL_STATUS, 0},
        {KTPR_DISTRICT, 1}, {KTPR_RELIGION, 1},
        {KTPR_STATE, 1},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        field = &fields[cases[i].field];

        fill(.99f);
        ktpr_confidence_set(fields);
        assert_true(field->confirmed);
        confidence = field->confidence;

        fill(.99f);
        field->burnt = 1;
        ktpr_confidence_set(fields);
        assert_int_equal(field->confirmed, cases[i].confirmed);

        if (cases[i].confirmed) {
            assert_true(field->confidence == confidence);
        } else {
            assert_true(field->confidence < .9f);
        }

        /* what was completed is not as sure as what was read */
        field->repaired = 1;
        field->confidence = .99f;
        ktpr_confidence_set(fields);
        assert_true(field->confidence <= .9f);
    }
}


/*
 * A date that the rules took from the number is as sure as that, which is of
 * the card's region, and has that date.
 */
static void
repaired_date(void **state)
{
    size_t        i;
    ktpr_field_t *field;

    static const struct {
        const char *nik, *date;
        unsigned    confirmed;
    } cases[] = {
        {"3273991107540006", "11-07-1954", 1},
        {"3273991107540006", "12-07-1954", 0},
        {"3578991107540006", "11-07-1954", 0}, /* of another region */
        {"4719911107540006", "11-07-1954", 0}, /* of none */
        {"3273995107540006", "11-07-1954", 0}, /* of a woman */
    };

    (void) state;

    field = &fields[KTPR_DATE_OF_BIRTH];

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill(.99f);
        snprintf(fields[KTPR_NIK].value, KTPR_MAX_VALUE, "%s", cases[i].nik);
        snprintf(field->value, KTPR_MAX_VALUE, "%s", cases[i].date);
        field->repaired = 1;
        ktpr_confidence_set(fields);
        assert_int_equal(field->confirmed, cases[i].confirmed);
    }
}


static void
rising(void **state)
{
    int   i, k, rises;
    float last[KTPR_ALL_FIELDS] = {0};

    (void) state;

    rises = 0;

    for (k = 0; k <= 1000; k++) {
        fill((float) k / 1000);
        ktpr_confidence_set(fields);
        rises += fields[KTPR_FULL_NAME].confidence > last[KTPR_FULL_NAME];

        for (i = 0; i < KTPR_ALL_FIELDS; i++) {
            if (fields[i].confidence < last[i] || fields[i].confidence < 0
                || fields[i].confidence > 1) {
                fail_msg("%s falls from %f to %f at %d",
                         ktpr_field_name((ktpr_field_id_t) i),
                         (double) last[i], (double) fields[i].confidence, k);
            }
            last[i] = fields[i].confidence;
        }
    }

    /* within steps, too: scores begin and end inside of the table's */
    assert_true(rises > 950);

    /* .95 is the most where over 0.5 % of the surest values were wrong */

    for (i = 0; i < KTPR_FIELDS; i++) {
        if (last[i] < .949f) {
            fail_msg("%s is never sure", ktpr_field_name((ktpr_field_id_t) i));
        }
    }
}


/* A card with fields that could not be read is a worse one. */
static void
empty_values(void **state)
{
    int   i;
    float score;

    (void) state;

    fill(.99f);
    ktpr_confidence_set(fields);
    score = fields[KTPR_FULL_NAME].score;

    fill(.99f);
    for (i = KTPR_PLACE_OF_BIRTH; i < KTPR_ALL_FIELDS; i++) {
        fields[i].value[0] = '\0';
    }
    ktpr_confidence_set(fields);

    assert_true(fields[KTPR_FULL_NAME].score < score / 4);

    for (i = KTPR_PLACE_OF_BIRTH; i < KTPR_ALL_FIELDS; i++) {
        assert_true(fields[i].score == 0 && !fields[i].confirmed);
        assert_true(fields[i].confidence == 0);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirmed_values), cmocka_unit_test(burnt_values),
        cmocka_unit_test(repaired_date),    cmocka_unit_test(rising),
        cmocka_unit_test(empty_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
