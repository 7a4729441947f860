/* Finds a card in an image: its geometry, and its rows as first read. */

#ifndef KTPR_SCAN_H
#define KTPR_SCAN_H

#include "ktpr_assign.h"
#include "ktpr_evidence.h"


typedef struct {
    ktpr_pool_t          *pool;
    const ktpr_engines_t *engines;
    ktpr_image_t          image;
    ktpr_page_t           page;
    ktpr_sheet_t          sheet;
    double capital; /* that the sheet was made for, in pixels of the image */
    double best_columns; /* the best score of any page's columns */
    ktpr_columns_t columns;
    ktpr_rows_t    rows;
    ktpr_table_t  *table;
    unsigned       doubtful : 1; /* a card only if a number is read */
} ktpr_scan_t;

/* Margins of a value's cut, in heights of a capital. */
#define KTPR_LOOK_LEFT  .38
#define KTPR_LOOK_RIGHT .5


/*
 * Finds the card in scan->image; pool, engines and image are set.  1 when
 * there is one, 0 when not, or KTPR_NO_MEMORY.
 */
int ktpr_scan_find(ktpr_scan_t *scan);

/* The spacing of the card's rows, in pixels of the image. */
double ktpr_scan_spacing(const ktpr_scan_t *scan);

/*
 * ktpr_view_read(), ktpr_view_glance() and ktpr_evidence_cells() with strips
 * of the level page.  A look is a glance and, unless that is clear, more of
 * them (ktpr_view_again()).
 */
void ktpr_scan_read(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                    const ktpr_cut_t *cut, const char *alphabet,
                    ktpr_reading_t *reading);
void ktpr_scan_look(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                    double left, double right, const char *alphabet,
                    ktpr_reading_t *reading);
void ktpr_scan_glance(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                      double left, double right, const char *alphabet,
                      ktpr_reading_t *reading);
int  ktpr_scan_cells(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                     const char *pattern, ktpr_evidence_t *evidence);

/*
 * Reads the value of a line, of which no end was found, up to where the
 * longest one may end; the strip then ends where the text does.
 */
void ktpr_scan_value(ktpr_scan_t *scan, ktpr_line_id_t line, ktpr_entry_t *e);

/* The entry of a line, or NULL. */
ktpr_entry_t *ktpr_scan_line(ktpr_scan_t *scan, ktpr_line_id_t line);

/* The rectangle that a strip covers, in pixels of the upright file. */
void ktpr_scan_box(const ktpr_scan_t *scan, const ktpr_strip_t *strip,
                   int *x_file, int *y_file, int *w_file, int *h_file);


#endif /* KTPR_SCAN_H */
