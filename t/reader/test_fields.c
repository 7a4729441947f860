/* From what the network saw of a line to the value of its field. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_fields.h"
#include "ktpr_head.h"


#define COLUMNS 128

/* A card of which one line was read. */
typedef struct {
    union {
        ktpr_line_columns_t columns;
        char                room[sizeof(ktpr_line_columns_t)
                  + COLUMNS * KTPR_LINE_CLASSES * sizeof(float)];
    } look;
    ktpr_scan_t  scan;
    ktpr_table_t table;
    ktpr_field_t fields[KTPR_ALL_FIELDS];
} card_t;


static ktpr_pool_t *pool;


static int
create(void **state)
{
    (void) state;

    pool = ktpr_pool_create(1 << 20);

    return pool == NULL;
}


static int
destroy(void **state)
{
    (void) state;

    ktpr_pool_destroy(pool);

    return 0;
}


static float *
column(card_t *card, int i, char c)
{
    const char *at;

    at = strchr(KTPR_LINE_ALPHABET, c);
    assert_non_null(at);

    return &card->look.columns.p[i][at - KTPR_LINE_ALPHABET + 1];
}


/*
 * A line of a text, a character in every second column.  doubt: the character
 * that is nearly as likely at the place "at".
 */
static void
read_line(card_t *card, ktpr_line_id_t line, const char *text, int at,
          char doubt)
{
    int           i;
    ktpr_entry_t *e;

    memset(card, 0, sizeof(card_t));
    card->look.columns.n = 2 * (int) strlen(text) + 1;
    assert_true(card->look.columns.n <= COLUMNS);

    for (i = 0; i < card->look.columns.n; i++) {
        card->look.columns.p[i][0] = .98f;

        if (i % 2 == 1) {
            card->look.columns.p[i][0] = .02f;
            *column(card, i, text[i / 2]) = i / 2 == at ? .6f : .98f;
        }
    }

    *column(card, 2 * at + 1, doubt) = .38f;

    ktpr_pool_reset(pool);
    card->scan.pool = pool;
    card->scan.table = &card->table;
    card->scan.image.w = 1000;
    card->scan.image.h = 600;
    card->scan.page.level_to_image = ktpr_map_affine(1, 0, 0, 0, 1, 0);
    card->table.spacing = 20;
    card->table.n = 1;

    /* too flat to be cut out: no other line can be read */
    card->scan.rows.capital = .5;

    e = &card->table.entries[0];
    e->line = (int) line;
    e->value.looks[0] = &card->look.columns;
    e->value.nlooks = 1;
    ktpr_reading_agree(NULL, &e->value);
    assert_string_equal(e->value.text, text);
}


static void
anything_is_possible(card_t *card)
{
    int i, k;

    for (i = 0; i < card->look.columns.n; i++) {
        for (k = 1; k < KTPR_LINE_CLASSES; k++) {
            card->look.columns.p[i][k] += 1e-4f;
        }
    }
}


static void
colon_before_a_value_is_no_letter(void **state)
{
    card_t          card;
    ktpr_evidence_t birth;

    (void) state;

    /* no alphabet of a line has a colon; the line is not read again for it */
    read_line(&card, KTPR_LINE_NAME, ": SARI DEWI", 0, 'I');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_FULL_NAME].value, "SARI DEWI");

    read_line(&card, KTPR_LINE_DISTRICT, ":TEBET", 0, 'I');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_DISTRICT].value, "TEBET");

    /* one within the value is what the line cannot have: it is read again */
    read_line(&card, KTPR_LINE_NAME, ": SAR: DEWI", 5, 'I');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_FULL_NAME].value, "SARI DEWI");
}


static void
line_of_the_head_that_cannot_be_read(void **state)
{
    card_t          card;
    ktpr_fragment_t line;

    (void) state;

    /* of a capital's height, and too flat to be cut out */
    memset(&line, 0, sizeof(line));
    line.x0 = 40;
    line.x1 = 200;
    line.height = 15;
    line.top = 199.5;
    line.bottom = 200;

    read_line(&card, KTPR_LINE_NAME, "SARI DEWI", 0, 'I');
    card.table.entries[0].row.y = 300;
    card.scan.rows.capital = 10;
    card.scan.page.fragments = &line;
    card.scan.page.n = 1;

    assert_int_equal(ktpr_head_read(&card.scan, card.fields), KTPR_HEAD_NONE);
    assert_string_equal(card.fields[KTPR_STATE].value, "");
    assert_string_equal(card.fields[KTPR_CITY].value, "");
}


static void
colon_like_an_i_is_none(void **state)
{
    card_t          card;
    ktpr_evidence_t birth;

    (void) state;

    read_line(&card, KTPR_LINE_NAME, "I SARI DEWI", 0, ':');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_FULL_NAME].value, "I SARI DEWI");

    /* about as likely as nothing */
    *column(&card, 1, 'I') = .7f;
    *column(&card, 1, ':') = 0;
    card.look.columns.p[1][0] = .3f;
    *column(&card, 3, ' ') = .7f;
    card.look.columns.p[3][0] = .3f;
    ktpr_reading_agree(NULL, &card.table.entries[0].value);
    assert_string_equal(card.table.entries[0].value.text, "I SARI DEWI");
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_FULL_NAME].value, "SARI DEWI");
}


static void
neighbourhoods_are_under_a_hundred(void **state)
{
    card_t          card;
    ktpr_evidence_t birth;

    (void) state;

    /* 9 is four times as likely as 0, which is less than RW over 99 are rare
     */
    read_line(&card, KTPR_LINE_RT_RW, "009/908", 4, '0');

    anything_is_possible(&card);

    *column(&card, 9, '9') = .8f;
    *column(&card, 9, '0') = .2f;
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_RT_RW].value, "009/008");

    /* one that is clearer is reported */
    *column(&card, 9, '9') = .98f;
    *column(&card, 9, '0') = .02f;
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_RT_RW].value, "009/908");
}


static void
nationality_has_no_vv(void **state)
{
    card_t          card;
    ktpr_field_t   *field;
    ktpr_evidence_t birth;

    (void) state;

    /* also where both letters are clear, as they are in print of dots */
    read_line(&card, KTPR_LINE_NATIONALITY, "VVNI", 3, 'L');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    field = &card.fields[KTPR_NATIONALITY];
    assert_string_equal(field->value, "WNI");
    assert_true(field->repaired);

    /* a name is reported as it was read clearly */
    read_line(&card, KTPR_LINE_NAME, "NAVVAF ALI", 9, 'L');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_string_equal(card.fields[KTPR_FULL_NAME].value, "NAVVAF ALI");
}


static void
entry(card_t *card, ktpr_line_id_t line, double y)
{
    ktpr_entry_t *e;

    e = &card->table.entries[card->table.n++];
    memset(e, 0, sizeof(ktpr_entry_t));
    e->line = (int) line;
    e->row.y = y;
    e->row.value.x0 = 100;
    e->row.value.x1 = 100;
}


static void
lines_and_values_that_were_not_found(void **state)
{
    int             i;
    card_t          card;
    ktpr_entry_t   *e;
    ktpr_evidence_t birth;

    (void) state;

    /* gender; then address and RT/RW; then village, of a label only */
    read_line(&card, KTPR_LINE_GENDER, "LAKI-LAKI", 0, 'I');
    card.table.entries[0].row.y = 300;
    entry(&card, KTPR_LINE_VILLAGE, 366);
    entry(&card, KTPR_LINE_STATUS, 426);
    card.scan.columns.values.at = 100;
    card.scan.columns.spacing = 20;
    ktpr_fields_read(&card.scan, card.fields, &birth);

    assert_int_equal(card.table.n, KTPR_LINE_STATUS + 1);

    for (i = 0; i < card.table.n; i++) {
        e = &card.table.entries[i];
        assert_int_equal(e->line, i);

        /* above the first by the card's spacing, else evenly */
        assert_true(fabs(e->row.y
                         - (i < KTPR_LINE_GENDER ? 260 + 20 * i
                            : i < KTPR_LINE_VILLAGE
                                ? 300 + 22 * (i - KTPR_LINE_GENDER)
                                : 366 + 20 * (i - KTPR_LINE_VILLAGE)))
                    < 1e-6);

        /* nothing is there to be read */
        if (i != KTPR_LINE_GENDER) {
            assert_true(e->row.value.x0 == 100 && e->row.value.x1 == 100);
        }
    }

    /* above RT/RW is an address, which may have two rows */
    read_line(&card, KTPR_LINE_RT_RW, "001/002", 0, 'O');
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_int_equal(card.table.n, 1);

    /* an address goes on in rows without a label; so may a name */
    read_line(&card, KTPR_LINE_NAME, "SARI DEWI", 0, 'I');
    card.table.entries[0].row.y = 300;
    entry(&card, KTPR_LINE_GENDER, 360);
    ktpr_fields_read(&card.scan, card.fields, &birth);
    assert_int_equal(card.table.n, 2);
}


static void
district_of_a_village(void **state)
{
    size_t        i;
    card_t        card, other;
    ktpr_field_t *field;

    static const struct {
        const char *text;
        int         at; /* of the letter that is not clear */
        char        doubt;
        const char *city, *village, *district;
    } cases[] = {
        {"CUAKU", 1, 'J', "KABUPATEN LEBAK", "CIPALABUH", "CIJAKU"},

        /* a letter that is clear; a city without that village */
        {"CUAKU", 0, 'O', "KABUPATEN LEBAK", "CIPALABUH", "CUAKU"},
        {"CUAKU", 1, 'J', "KABUPATEN GARUT", "CIPALABUH", "CUAKU"},

        /* it takes four edits of six letters */
        {"IU", 0, 'J', "KABUPATEN LEBAK", "CIPALABUH", "IU"},

        /* six districts begin so */
        {"BALIKPAPAN", 9, 'M', "KOTA BALIKPAPAN", "KLANDASAN ILIR",
         "BALIKPAPAN"},

        /* the village may be DAMAI BAHAGIA, or is none of the table */
        {"BLKPPN KOTA", 0, 'D', "KOTA BALIKPAPAN", "KLANDASAN ILIR",
         "BALIKPAPAN KOTA"},
        {"BLKPPN KOTA", 0, 'D', "KOTA BALIKPAPAN", "DAMAI", "BLKPPN KOTA"},
        {"BLKPPN KOTA", 0, 'D', "KOTA BALIKPAPAN", "KLANDASAN ILER",
         "BLKPPN KOTA"},
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        read_line(&card, KTPR_LINE_VILLAGE, cases[i].village, 0, 'O');
        read_line(&other, KTPR_LINE_DISTRICT, cases[i].text, cases[i].at,
                  cases[i].doubt);
        anything_is_possible(&card);
        anything_is_possible(&other);
        card.table.entries[1] = other.table.entries[0];
        card.table.n = 2;

        strcpy(card.fields[KTPR_CITY].value, cases[i].city);
        strcpy(card.fields[KTPR_ADMINISTRATIVE_VILLAGE].value,
               cases[i].village);
        card.fields[KTPR_ADMINISTRATIVE_VILLAGE].confidence = .9f;

        field = &card.fields[KTPR_DISTRICT];
        strcpy(field->value, cases[i].text);
        field->confidence = .6f;

        ktpr_head_repair(&card.scan, card.fields);
        assert_string_equal(field->value, cases[i].district);

        if (strcmp(cases[i].text, cases[i].district) != 0) {
            /* both together: at most 0.9 in the end */
            assert_true(field->repaired && field->burnt);
            assert_true(field->confidence > 0 && field->confidence < .9f);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colon_before_a_value_is_no_letter),
        cmocka_unit_test(line_of_the_head_that_cannot_be_read),
        cmocka_unit_test(colon_like_an_i_is_none),
        cmocka_unit_test(neighbourhoods_are_under_a_hundred),
        cmocka_unit_test(nationality_has_no_vv),
        cmocka_unit_test(lines_and_values_that_were_not_found),
        cmocka_unit_test(district_of_a_village),
    };

    return cmocka_run_group_tests(tests, create, destroy);
}
