/* What the HTTP process makes of a packet from a worker that was taken over.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ktpd_channel.h"


static void
answer(ktpd_answer_t *a)
{
    memset(a, 0, sizeof(ktpd_answer_t));
    a->message.type = KTPD_ANSWER;
    a->result = KTPR_OK;
    strcpy(a->card.fields[KTPR_FULL_NAME].value, "RENÉ CONTOH");
    a->card.fields[KTPR_FULL_NAME].confidence = 0.5f;
    a->card.quality.blur_score = 0.25;
}


static void
good(void **state)
{
    ktpd_answer_t a;

    (void) state;

    answer(&a);
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), 0);
    assert_string_equal(a.card.fields[KTPR_FULL_NAME].value, "RENÉ CONTOH");
    assert_float_equal(a.card.fields[KTPR_FULL_NAME].confidence, 0.5, 0);
    assert_float_equal(a.card.quality.blur_score, 0.25, 0);
}


static void
refused(void **state)
{
    ktpd_answer_t a;

    (void) state;

    answer(&a);
    assert_int_equal(ktpd_channel_check(&a, sizeof(a) - 1), -1);
    assert_int_equal(ktpd_channel_check(&a, sizeof(ktpd_message_t)), -1);

    answer(&a);
    a.message.type = KTPD_READY;
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), -1);

    answer(&a);
    a.result = KTPR_FAILED + 1;
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), -1);

    answer(&a);
    a.result = UINT32_MAX;
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), -1);
}


static void
mended(void **state)
{
    ktpd_answer_t a;

    (void) state;

    /* no end, in each of the texts */

    answer(&a);
    memset(a.card.fields[KTPR_NIK].value, '1', KTPR_MAX_VALUE);
    memset(a.card.fields[KTPR_ISSUED_DATE].raw, '1', KTPR_MAX_VALUE);
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), 0);
    assert_int_equal(strlen(a.card.fields[KTPR_NIK].value),
                     KTPR_MAX_VALUE - 1);
    assert_int_equal(strlen(a.card.fields[KTPR_ISSUED_DATE].raw),
                     KTPR_MAX_VALUE - 1);

    /* not UTF-8, and cut in the middle of a character */

    answer(&a);
    strcpy(a.card.fields[KTPR_NIK].value, "\xc3\x28");
    memset(a.card.fields[KTPR_ADDRESS].value, 'x', KTPR_MAX_VALUE);
    memcpy(a.card.fields[KTPR_ADDRESS].value + KTPR_MAX_VALUE - 2, "\xc3\xa9",
           2);
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), 0);
    assert_string_equal(a.card.fields[KTPR_NIK].value, "");
    assert_string_equal(a.card.fields[KTPR_ADDRESS].value, "");

    /* numbers that JSON does not have, or that are no scores */

    answer(&a);
    a.card.quality.blur_score = (double) NAN;
    a.card.quality.dark_score = (double) INFINITY;
    a.card.quality.flashlight_score = -1;
    a.card.quality.grayscale_score = 1e300;
    a.card.fields[KTPR_NIK].confidence = -INFINITY;
    assert_int_equal(ktpd_channel_check(&a, sizeof(a)), 0);
    assert_float_equal(a.card.quality.blur_score, 0, 0);
    assert_float_equal(a.card.quality.dark_score, 0, 0);
    assert_float_equal(a.card.quality.flashlight_score, 0, 0);
    assert_float_equal(a.card.quality.grayscale_score, 1, 0);
    assert_float_equal(a.card.fields[KTPR_NIK].confidence, 0, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(refused),
        cmocka_unit_test(mended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
