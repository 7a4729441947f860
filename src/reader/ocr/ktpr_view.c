#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_view.h"


/*
 * Confidence, 0 to 1: a first look that is more sure is the only one.  Set
 * not recorded.  Higher: more CPU a card; lower: misread letters stay.
 */
#define KTPR_VIEW_SURE .98f

/*
 * Heights that a capital is taken to have in the second and third look, in
 * expected heights.  Set not recorded.  Too far from 1: the network, trained
 * on letters of one height, does not read the look.
 */
#define KTPR_VIEW_HIGHER 1.08
#define KTPR_VIEW_LOWER  .93

/*
 * Widths of the last two looks, in widths of the first.  Without the wider
 * one blurred addresses have more wrong letters; without the narrower one,
 * names in the wide letters of a print.
 */
#define KTPR_VIEW_WIDER    1.1
#define KTPR_VIEW_NARROWER .9

/*
 * fixed: pixels added to a cut's height, so that rounding down gives
 * KTPR_LINE_H
 */
#define KTPR_VIEW_ROUND .01


int
ktpr_view_engines_create(ktpr_engines_t *engines, const char *tessdata)
{
    memset(engines, 0, sizeof(ktpr_engines_t));

    engines->tesseract = ktpr_tesseract_create(tessdata);
    if (engines->tesseract == NULL) {
        return -1;
    }

    engines->lines = ktpr_line_net_create();
    engines->digits = malloc(sizeof(ktpr_digit_net_t));

    if (engines->lines == NULL || engines->digits == NULL) {
        fprintf(stderr, "no memory for the networks\n");
        return -1;
    }

    ktpr_digit_net_load(engines->digits);

    return 0;
}


void
ktpr_view_engines_destroy(ktpr_engines_t *engines)
{
    ktpr_tesseract_destroy(engines->tesseract);
    ktpr_line_net_destroy(engines->lines);
    free(engines->digits);
}


/* Adds what the network sees of a line to the reading's looks. */
static void
ktpr_view_add(const ktpr_view_t *view, const ktpr_gray_t *line,
              ktpr_reading_t *reading)
{
    ktpr_line_columns_t *columns;

    if (line->h != KTPR_LINE_H || line->w < KTPR_LINE_LEAST
        || line->w > KTPR_LINE_MAX) {
        return;
    }

    columns = ktpr_pool_alloc(view->pool, 1,
                              sizeof(ktpr_line_columns_t)
                                  + sizeof(columns->p[0])
                                        * (size_t) ktpr_line_columns(line->w));
    if (columns == NULL) {
        return;
    }

    ktpr_line_net_run(view->engines->lines, line->px, line->w, columns);
    reading->looks[reading->nlooks++] = columns;
}


/*
 * Adds a look at a strip, at a height of capitals and a width in those of the
 * first one.  0, or -1 when the strip cannot be cut.
 */
static int
ktpr_view_once(const ktpr_view_t *view, const ktpr_strip_t *strip, double left,
               double right, double height, double wide,
               ktpr_reading_t *reading)
{
    ktpr_cut_t  cut;
    ktpr_gray_t line;

    cut.capital = KTPR_LINE_CAPITAL * height;
    cut.wide = (double) KTPR_LINE_ACROSS / KTPR_LINE_CAPITAL * wide;
    cut.above = ((KTPR_LINE_H + KTPR_VIEW_ROUND) / cut.capital - 1) / 2;
    cut.left = left;
    cut.right = right;

    if (ktpr_crop(view->pool, view->sheet, view->to_image, strip, &cut, &line)
        != KTPR_DONE) {
        return -1;
    }

    ktpr_view_add(view, &line, reading);
    ktpr_pool_free(view->pool, line.px);

    return 0;
}


void
ktpr_view_glance(const ktpr_view_t *view, const ktpr_strip_t *strip,
                 double left, double right, const char *alphabet,
                 ktpr_reading_t *reading)
{
    memset(reading, 0, sizeof(ktpr_reading_t));

    if (ktpr_view_once(view, strip, left, right, 1, 1, reading) == 0) {
        ktpr_reading_agree(alphabet, reading);
    }
}


void
ktpr_view_again(const ktpr_view_t *view, const ktpr_strip_t *strip,
                double left, double right, const char *alphabet,
                ktpr_reading_t *reading)
{
    size_t i;

    static const struct {
        double height; /* of a capital, in expected heights */
        double wide;   /* in widths of the glance */
    } looks[KTPR_LOOKS - 1] = {
        {KTPR_VIEW_HIGHER, 1},
        {KTPR_VIEW_LOWER, 1},
        {1, KTPR_VIEW_WIDER},
        {1, KTPR_VIEW_NARROWER},
    };

    if (reading->confidence > KTPR_VIEW_SURE) {
        return;
    }

    for (i = 0; i < KTPR_LOOKS - 1; i++) {
        if (ktpr_view_once(view, strip, left, right, looks[i].height,
                           looks[i].wide, reading)
            != 0) {
            return;
        }
    }

    ktpr_reading_agree(alphabet, reading);
}


void
ktpr_view_read(const ktpr_view_t *view, const ktpr_strip_t *strip,
               const ktpr_cut_t *cut, const char *alphabet,
               ktpr_reading_t *reading)
{
    ktpr_gray_t line;

    memset(reading, 0, sizeof(ktpr_reading_t));

    /* Tesseract that failed once is not asked again for the same card */
    if (ktpr_pool_failed(view->pool)
        || ktpr_crop(view->pool, view->sheet, view->to_image, strip, cut,
                     &line)
               != 0) {
        return;
    }

    if (ktpr_tesseract_line(view->engines->tesseract, &line, alphabet, reading)
        != 0) {
        memset(reading, 0, sizeof(ktpr_reading_t));
        ktpr_pool_fail(view->pool);
    }

    ktpr_pool_free(view->pool, line.px);
}
