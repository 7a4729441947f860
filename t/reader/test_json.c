/* The longest answers fit the memory that is reserved for them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_json.h"


/* A character that is escaped as six, KTPR_MAX_VALUE - 1 times. */
static void
fill(char text[KTPR_MAX_VALUE])
{
    memset(text, '\1', KTPR_MAX_VALUE - 1);
    text[KTPR_MAX_VALUE - 1] = '\0';
}


static void
longest_card(void **state)
{
    int                 i;
    char               *body, reference[4096];
    size_t              len;
    const char         *p;
    ktpr_card_t         card;
    ktpr_json_options_t options;

    (void) state;

    memset(&card, 0, sizeof(card));
    memset(&options, 0, sizeof(options));
    memset(reference, '\1', sizeof(reference));
    reference[sizeof(reference) - 1] = '\0';
    options.details = 1;
    options.pretty = 1;
    options.reference_id = reference;

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        fill(card.fields[i].value);
        fill(card.fields[i].raw);
        card.fields[i].x = INT32_MIN;
        card.fields[i].y = INT32_MIN;
        card.fields[i].w = INT32_MIN;
        card.fields[i].h = INT32_MIN;
    }

    body = ktpr_json_card(&card, &options, &len);
    assert_non_null(body);
    assert_int_equal(strlen(body), len);

    /* value in data, value and raw in the details, and the reference */
    i = 0;
    for (p = strstr(body, "\\u0001"); p != NULL;
         p = strstr(p + 6, "\\u0001")) {
        i++;
    }

    assert_int_equal(i, 3 * KTPR_ALL_FIELDS * (KTPR_MAX_VALUE - 1)
                            + (int) sizeof(reference) - 1);
    free(body);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
