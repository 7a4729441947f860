/* The rows of a level page: which fragments make one, and where it begins. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ktpr_flatten.h"
#include "ktpr_rows.h"


#define CAPITAL 10
#define SPACING 19.5
#define LABELS  40
#define VALUES  200

/* A page with room for letters of a capital's height. */
typedef struct {
    ktpr_pool_t    *pool;
    ktpr_page_t     page;
    ktpr_columns_t  columns;
    ktpr_fragment_t fragments[8];
} sheet_t;


static void
blank(sheet_t *sheet)
{
    memset(sheet, 0, sizeof(sheet_t));
    sheet->pool = ktpr_pool_create(16UL << 20);
    assert_non_null(sheet->pool);
    assert_int_equal(
        ktpr_gray_create(sheet->pool, 600, 120, &sheet->page.level),
        KTPR_DONE);
    memset(sheet->page.level.px, KTPR_PAPER, 600 * 120);
    sheet->page.text = CAPITAL;
    sheet->page.fragments = sheet->fragments;
    sheet->columns.labels.at = LABELS;
    sheet->columns.values.at = VALUES;
    sheet->columns.spacing = SPACING;
}


/* Letters from x0 to x1 on a base line: only ink, or a fragment, too. */
static void
write_letters(sheet_t *sheet, int x0, int x1, int bottom, int found)
{
    int              x, y, n;
    ktpr_fragment_t *f;

    n = (x1 - x0) / CAPITAL;
    f = &sheet->fragments[sheet->page.n];

    if (found) {
        sheet->page.n++;
        f->n = n;
        f->blobs =
            ktpr_pool_alloc(sheet->pool, (size_t) n, sizeof(ktpr_blob_t));
        assert_non_null(f->blobs);
    }

    for (x = x0; n-- > 0; x += CAPITAL) {
        if (found) {
            f->blobs[(x - x0) / CAPITAL] =
                (ktpr_blob_t){x, bottom - CAPITAL, CAPITAL - 2, CAPITAL, 40};
        }

        for (y = bottom - CAPITAL; y < bottom; y++) {
            memset(sheet->page.level.px + y * sheet->page.level.w + x, 90, 3);
        }
    }

    if (found) {
        assert_int_equal(ktpr_fragments_fit(sheet->pool, f), KTPR_DONE);
    }
}


static void
rest_of_a_value_is_a_row(void **state)
{
    sheet_t     sheet;
    ktpr_rows_t rows;

    (void) state;

    /* the first letters of the second row are no fragment */
    blank(&sheet);
    write_letters(&sheet, LABELS, LABELS + 60, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 120, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 60, 60, 0);
    write_letters(&sheet, VALUES + 60, VALUES + 180, 60, 1);

    assert_int_equal(
        ktpr_rows_find(sheet.pool, &sheet.page, &sheet.columns, &rows), 2);
    assert_true(rows.rows[1].has_value);
    assert_int_equal((int) (rows.rows[1].value.x0 + .5), VALUES);
    assert_true(rows.rows[1].value.x1 >= VALUES + 170);
    ktpr_pool_destroy(sheet.pool);

    /* no ink leads to it: something beside the values */
    blank(&sheet);
    write_letters(&sheet, LABELS, LABELS + 60, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 120, 40, 1);
    write_letters(&sheet, VALUES + 60, VALUES + 180, 60, 1);
    assert_int_equal(
        ktpr_rows_find(sheet.pool, &sheet.page, &sheet.columns, &rows), 1);
    ktpr_pool_destroy(sheet.pool);

    /* ink leads to it, from a value that ends there: it is beside that */
    blank(&sheet);
    write_letters(&sheet, LABELS, LABELS + 60, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 50, 40, 1);
    write_letters(&sheet, VALUES + 50, VALUES + 80, 40, 0);
    write_letters(&sheet, VALUES + 80, VALUES + 140, 40, 1);
    assert_int_equal(
        ktpr_rows_find(sheet.pool, &sheet.page, &sheet.columns, &rows), 1);
    assert_true(rows.rows[0].value.x1 >= VALUES + 130);
    ktpr_pool_destroy(sheet.pool);
}


static void
long_value_reaches_the_photo(void **state)
{
    int         photo;
    sheet_t     sheet;
    ktpr_rows_t rows;

    (void) state;

    /* the photo of a card begins 16 to 17 spacings from the values */
    photo = VALUES + (int) (16 * SPACING);
    blank(&sheet);
    write_letters(&sheet, LABELS, LABELS + 60, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 200, 40, 1);
    write_letters(&sheet, VALUES + 200, photo, 40, 0);
    assert_int_equal(
        ktpr_rows_find(sheet.pool, &sheet.page, &sheet.columns, &rows), 1);
    assert_true(rows.rows[0].value.x1 >= photo - CAPITAL);
    ktpr_pool_destroy(sheet.pool);

    /* what is further right is the photo's */
    blank(&sheet);
    write_letters(&sheet, LABELS, LABELS + 60, 40, 1);
    write_letters(&sheet, VALUES, VALUES + 200, 40, 1);
    write_letters(&sheet, VALUES + 200, 600, 40, 0);
    assert_int_equal(
        ktpr_rows_find(sheet.pool, &sheet.page, &sheet.columns, &rows), 1);
    assert_true(rows.rows[0].value.x1 <= VALUES + 17 * SPACING);
    ktpr_pool_destroy(sheet.pool);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_of_a_value_is_a_row),
        cmocka_unit_test(long_value_reaches_the_photo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
