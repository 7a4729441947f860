/* The reader of lines: the network, its columns, and what they can be. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_choice.h"
#include "ktpr_ctc.h"
#include "ktpr_evidence.h"
#include "ktpr_lexicon.h"


#define PAPER 235
#define INK   30
#define NEVER ((double) KTPR_CTC_NEVER)

/* Columns for short lines, each of nothing until something is put there. */
typedef union {
    ktpr_line_columns_t columns;
    char                room[sizeof(ktpr_line_columns_t)
              + 64 * KTPR_LINE_CLASSES * sizeof(float)];
} small_t;


static void
put(small_t *small, int column, char c, float p)
{
    const char *at;

    at = strchr(KTPR_LINE_ALPHABET, c);
    assert_non_null(at);
    small->columns.p[column][at - KTPR_LINE_ALPHABET + 1] = p;
    small->columns.p[column][0] -= p;
}


static void
nothing(small_t *small, int n)
{
    int i;

    memset(small, 0, sizeof(small_t));
    small->columns.n = n;

    for (i = 0; i < n; i++) {
        small->columns.p[i][0] = 1;
    }
}


/* A text in every second column, each character .98 sure. */
static void
spell(small_t *small, const char *text, ktpr_reading_t *reading)
{
    int i, k;

    nothing(small, 2 * (int) strlen(text) + 1);

    /* nothing is quite impossible */
    for (i = 0; i < small->columns.n; i++) {
        for (k = 1; k < KTPR_LINE_CLASSES; k++) {
            small->columns.p[i][k] = 1e-4f;
        }
    }

    for (i = 0; text[i] != '\0'; i++) {
        put(small, 2 * i + 1, text[i], .98f);
    }

    memset(reading, 0, sizeof(ktpr_reading_t));
    reading->looks[0] = &small->columns;
    reading->nlooks = 1;
}


static void
score_sums_all_ways(void **state)
{
    double         score;
    small_t        small, other;
    ktpr_reading_t reading;

    (void) state;

    nothing(&small, 2);
    put(&small, 0, 'A', .6f);
    put(&small, 1, 'A', .6f);

    /* A and nothing, nothing and A, A going on; never A twice */
    assert_true(fabs(exp(ktpr_ctc_score(&small.columns, "A", NEVER)) - .84)
                < 1e-5);
    assert_true(fabs(exp(ktpr_ctc_score(&small.columns, "", NEVER)) - .16)
                < 1e-5);
    assert_true(ktpr_ctc_score(&small.columns, "AA", NEVER) < -1e20);

    /* an unknown character, and a text that is too long */
    assert_true(ktpr_ctc_score(&small.columns, "a", NEVER) < -1e20);
    assert_true(
        ktpr_ctc_score(
            &small.columns,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
            "AAAAAAAA",
            NEVER)
        < -1e20);

    /* whether it is as likely as that */
    score = ktpr_ctc_score(&small.columns, "A", NEVER);
    assert_true(ktpr_ctc_score(&small.columns, "A", score - 1e-6) == score);
    assert_true(ktpr_ctc_score(&small.columns, "A", score + 1e-6) < -1e20);

    /* so in the mean of two looks, of which the other has nothing */
    nothing(&other, 2);
    memset(&reading, 0, sizeof(reading));
    reading.looks[reading.nlooks++] = &small.columns;
    reading.looks[reading.nlooks++] = &other.columns;
    score = ktpr_reading_score(&reading, "");
    assert_true(ktpr_reading_score_least(&reading, "", score - 1e-6) == score);
    assert_true(ktpr_reading_score_least(&reading, "", score + 1e-6) < -1e20);
}


static void
read_weighs_texts(void **state)
{
    int             n;
    small_t         small;
    ktpr_ctc_text_t texts[KTPR_CTC_TEXTS];

    (void) state;

    /* nothing is likelier in each column, A in the whole: .64 to .36 */
    nothing(&small, 2);
    put(&small, 0, 'A', .4f);
    put(&small, 1, 'A', .4f);
    n = ktpr_ctc_read(&small.columns, NULL, texts);
    assert_int_equal(n, 2);
    assert_string_equal(texts[0].text, "A");
    assert_true(fabsf(expf(texts[0].score) - .64f) < 1e-4f);
    assert_string_equal(texts[1].text, "");

    /* blanks at the ends are nothing, two are one; an alphabet limits */
    nothing(&small, 8);
    put(&small, 0, ' ', .9f);
    put(&small, 1, 'O', .6f);
    put(&small, 1, '0', .39f);
    put(&small, 3, ' ', .9f);
    put(&small, 5, ' ', .9f);
    put(&small, 6, '7', .9f);
    put(&small, 7, ' ', .9f);
    ktpr_ctc_read(&small.columns, NULL, texts);
    assert_string_equal(texts[0].text, "O 7");
    ktpr_ctc_read(&small.columns, "0123456789 ", texts);
    assert_string_equal(texts[0].text, "0 7");
}


static void
lexicon_by_likelihood(void **state)
{
    float          sure;
    small_t        small;
    ktpr_reading_t reading;

    (void) state;

    /* X was likelier than K, which is what the lexicon has */
    spell(&small, "XAWIN", &reading);
    small.columns.p[1][0] = 1;
    put(&small, 1, 'X', .6f);
    put(&small, 1, 'K', .38f);
    ktpr_reading_agree(NULL, &reading);
    assert_string_equal(reading.text, "XAWIN");
    assert_string_equal(
        ktpr_lexicon_choose(KTPR_LEX_STATUS, &reading, 1, &sure), "KAWIN");
    assert_true(sure > .5 && sure < 1);

    /* a word of none of its letters is not made one of them */
    spell(&small, "DFGHJ", &reading);
    ktpr_reading_agree(NULL, &reading);
    assert_null(ktpr_lexicon_choose(KTPR_LEX_STATUS, &reading, 1, &sure));

    /* what Tesseract read has no looks */
    spell(&small, "BUDXA", &reading);
    ktpr_reading_agree(NULL, &reading);
    reading.nlooks = 0;
    assert_null(ktpr_lexicon_choose(KTPR_LEX_RELIGION, &reading, 9, &sure));
}


static void
clear_letters_stay(void **state)
{
    float          sure[KTPR_MAX_VALUE];
    small_t        small;
    ktpr_reading_t reading;

    (void) state;

    spell(&small, "SARA 12", &reading);
    small.columns.p[5][0] = 1;
    put(&small, 5, 'R', .6f);
    put(&small, 5, 'K', .3f);
    ktpr_reading_agree(NULL, &reading);
    assert_string_equal(reading.text, "SARA 12");
    ktpr_reading_sure(&reading, "SARA 12", sure);
    assert_true(sure[0] > KTPR_READING_CLEAR);
    assert_true(fabsf(sure[2] - .6f) < 1e-5f);
    assert_true(sure[6] > KTPR_READING_CLEAR);

    /* the letter that is not clear, in the line or in a part of it */
    assert_true(ktpr_reading_yields(&reading, "SARA 12", "SAKA 12"));
    assert_true(ktpr_reading_yields(&reading, "SARA", "SAKA"));
    assert_true(ktpr_reading_yields(&reading, "SARA", "SAA"));
    assert_true(ktpr_reading_yields(&reading, "SARA", "SARAS"));

    /* one that is */
    assert_false(ktpr_reading_yields(&reading, "SARA", "SARO"));
    assert_false(ktpr_reading_yields(&reading, "SARA", "ARA"));
    assert_false(ktpr_reading_yields(&reading, "SARA 12", "SARA12"));
    assert_false(ktpr_reading_yields(&reading, "SARA 12", "SARA 1 2"));

    /* a blank of which nothing was seen, though the letter is not clear */
    assert_false(ktpr_reading_yields(&reading, "SARA 12", "SAR A 12"));
}


static void
choice_is_clear(void **state)
{
    small_t        small;
    ktpr_choice_t  choice;
    ktpr_reading_t reading;

    (void) state;

    spell(&small, "SARA", &reading);
    small.columns.p[5][0] = 1;
    put(&small, 5, 'R', .5f);
    put(&small, 5, 'K', .49f);
    ktpr_reading_agree(NULL, &reading);

    ktpr_choice_begin(&choice, &reading);
    ktpr_choice_try(&choice, "SAKA", "1");
    assert_true(ktpr_choice_made(&choice, .1, KTPR_CHOICE_CLEAR));
    assert_string_equal(choice.what, "1");

    /* its rival is about as likely */
    ktpr_choice_try(&choice, "SARA", "2");
    assert_string_equal(choice.what, "2");
    assert_false(ktpr_choice_made(&choice, .1, KTPR_CHOICE_CLEAR));
    assert_true(ktpr_choice_made(&choice, .1, 0));

    /* what was not seen at all is too unlikely */
    ktpr_choice_begin(&choice, &reading);
    ktpr_choice_try(&choice, "SAWA", "3");
    assert_false(ktpr_choice_made(&choice, .1, KTPR_CHOICE_CLEAR));
}


static void
one_look_does_not_outweigh_others(void **state)
{
    int            i;
    small_t        looks[3];
    ktpr_reading_t reading;

    (void) state;

    for (i = 0; i < 3; i++) {
        spell(&looks[i], "SARA", &reading);
    }

    /* it sees nothing in the place of the last letter */
    for (i = 6; i < 9; i++) {
        put(&looks[2], i, 'A', 1e-6f);
    }
    looks[2].columns.p[7][0] = 1;

    for (i = 0; i < 3; i++) {
        reading.looks[i] = &looks[i].columns;
    }
    reading.nlooks = 3;

    /* its mean logarithm, -4.3, is less than that of SAR, -2.7 */
    ktpr_reading_agree(NULL, &reading);
    assert_string_equal(reading.text, "SARA");

    /* but then the text is not certain: -4.3 of four letters */
    assert_true(reading.confidence > .3f);
    assert_true(reading.confidence < .4f);
}


/* A text far behind in one look is tried all the same if another has it. */
static void
text_behind_is_tried_by_others(void **state)
{
    int            i;
    small_t        looks[3];
    ktpr_reading_t reading;

    (void) state;

    for (i = 0; i < 3; i++) {
        spell(&looks[i], i == 0 ? "SARA" : "SAKA", &reading);
    }

    /* ln(.98 / .001) = 6.9 */
    put(&looks[0], 5, 'K', .001f);

    for (i = 0; i < 3; i++) {
        reading.looks[i] = &looks[i].columns;
    }
    reading.nlooks = 3;

    ktpr_reading_agree(NULL, &reading);
    assert_string_equal(reading.text, "SAKA");
}


static void
digits_by_looks(void **state)
{
    char            digits[KTPR_CELLS + 1];
    small_t         small;
    ktpr_reading_t  reading;
    ktpr_evidence_t evidence;

    (void) state;

    spell(&small, "012/019", &reading);
    ktpr_reading_agree(NULL, &reading);
    memset(&evidence, 0, sizeof(evidence));
    evidence.n = 6;
    ktpr_evidence_looks(&evidence, &reading, "", "ddd/ddd");
    ktpr_evidence_best(&evidence, digits);
    assert_string_equal(digits, "012019");

    /* a line that is no number says nothing about one */
    spell(&small, "MELATI RAYA", &reading);
    ktpr_reading_agree(NULL, &reading);
    memset(&evidence, 0, sizeof(evidence));
    evidence.n = 6;
    ktpr_evidence_looks(&evidence, &reading, "", "ddd/ddd");
    assert_true(evidence.e[2][7] == 0);
}


/* A bar of the line's image. */
static void
bar(unsigned char *px, int w, int x0, int x1, int y0, int y1)
{
    int x, y;

    for (y = y0; y < y1; y++) {
        for (x = x0; x < x1; x++) {
            px[y * w + x] = INK;
        }
    }
}


/* Letters of bars alone, 16 pixels high, the usual place for 24 rows. */
static void
draw(unsigned char *px, int w, int x, char c)
{
    bar(px, w, x, x + 3, 4, 20);

    switch (c) {
    case 'E':
        bar(px, w, x, x + 14, 4, 6);
        bar(px, w, x, x + 13, 11, 13);
        bar(px, w, x, x + 14, 18, 20);
        break;
    case 'F':
        bar(px, w, x, x + 14, 4, 6);
        bar(px, w, x, x + 12, 11, 13);
        break;
    case 'H':
        bar(px, w, x + 13, x + 16, 4, 20);
        bar(px, w, x, x + 16, 11, 13);
        break;
    case 'L':
        bar(px, w, x, x + 13, 18, 20);
        break;
    default:
        break;
    }
}


static void
network_reads(void **state)
{
    int                  i;
    unsigned char        px[KTPR_LINE_H * 152];
    ktpr_line_net_t     *net;
    ktpr_ctc_text_t      texts[KTPR_CTC_TEXTS];
    ktpr_line_columns_t *columns;

    static const char word[] = "HELFLEH";

    (void) state;

    net = ktpr_line_net_create();
    columns = malloc(sizeof(*columns)
                     + sizeof(columns->p[0]) * ktpr_line_columns(152));
    assert_non_null(net);
    assert_non_null(columns);
    memset(px, PAPER, sizeof(px));

    for (i = 0; word[i] != '\0'; i++) {
        draw(px, 152, 8 + 20 * i, word[i]);
    }

    ktpr_line_net_run(net, px, 152, columns);
    assert_int_equal(columns->n, 38);
    ktpr_ctc_read(columns, NULL, texts);
    assert_string_equal(texts[0].text, word);

    free(columns);
    ktpr_line_net_destroy(net);
}


/* Any picture of any width has columns that add up to 1. */
static void
network_any_picture(void **state)
{
    int                  i, k, w, round;
    float                sum;
    unsigned             chance;
    unsigned char       *px;
    ktpr_line_net_t     *net;
    ktpr_line_columns_t *columns;

    static const int widths[] = {KTPR_LINE_LEAST, 17, 33, 402, KTPR_LINE_MAX};

    (void) state;

    chance = 1;
    net = ktpr_line_net_create();
    assert_non_null(net);

    for (round = 0; round < 15; round++) {
        w = widths[round % 5];
        px = malloc((size_t) (KTPR_LINE_H * w));
        columns =
            malloc(sizeof(*columns)
                   + sizeof(columns->p[0]) * (size_t) ktpr_line_columns(w));
        assert_non_null(px);
        assert_non_null(columns);

        for (i = 0; i < KTPR_LINE_H * w; i++) {
            chance = chance * 1103515245u + 12345u;
            px[i] = (unsigned char) (round < 5    ? PAPER
                                     : round < 10 ? 0
                                                  : chance >> 24);
        }

        ktpr_line_net_run(net, px, w, columns);
        assert_int_equal(columns->n, (w + 3) / 4);

        for (i = 0; i < columns->n; i++) {
            sum = 0;
            for (k = 0; k < KTPR_LINE_CLASSES; k++) {
                assert_true(columns->p[i][k] >= 0);
                sum += columns->p[i][k];
            }
            assert_true(fabsf(sum - 1) < 1e-4f);
        }

        free(px);
        free(columns);
    }

    ktpr_line_net_destroy(net);
}


static void
span_of_letters(void **state)
{
    double         first, last;
    small_t        small;
    ktpr_reading_t reading;

    (void) state;

    /* a character in every second of 11 columns; marks are none */
    spell(&small, ": A1.", &reading);
    assert_true(ktpr_reading_span(&reading, &first, &last));
    assert_true(fabs(first - 5.5 / 11) < 1e-9);
    assert_true(fabs(last - 7.5 / 11) < 1e-9);

    spell(&small, "- .", &reading);
    assert_false(ktpr_reading_span(&reading, &first, &last));

    memset(&reading, 0, sizeof(reading));
    assert_false(ktpr_reading_span(&reading, &first, &last));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_sums_all_ways),
        cmocka_unit_test(read_weighs_texts),
        cmocka_unit_test(lexicon_by_likelihood),
        cmocka_unit_test(clear_letters_stay),
        cmocka_unit_test(choice_is_clear),
        cmocka_unit_test(one_look_does_not_outweigh_others),
        cmocka_unit_test(text_behind_is_tried_by_others),
        cmocka_unit_test(digits_by_looks),
        cmocka_unit_test(network_reads),
        cmocka_unit_test(span_of_letters),
        cmocka_unit_test(network_any_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
