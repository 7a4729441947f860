/* A card found in an image: its geometry, and its rows as first read. */

#ifndef KTPR_SCAN_H
#define KTPR_SCAN_H

#include "ktpr_assign.h"
#include "ktpr_digit_net.h"


typedef struct {
    ktpr_pool_t            *pool;
    ktpr_ocr_t             *ocr;
    const ktpr_digit_net_t *digits;
    ktpr_image_t            image;
    ktpr_page_t             page;
    ktpr_sheet_t            sheet;
    double         capital; /* that the sheet was made for, in the image */
    double         best_columns; /* the best score of any page's columns */
    ktpr_columns_t columns;
    ktpr_rows_t    rows;
    ktpr_table_t  *table;
    unsigned       doubtful : 1; /* it takes a number to be a card */
} ktpr_scan_t;


/*
 * Finds the card in scan->image with pool and ocr set.  1 when there is one,
 * 0 when not, -1 when memory is short.
 */
int ktpr_scan_find(ktpr_scan_t *scan);

/* The spacing of the card's rows, in pixels of the image. */
double ktpr_scan_spacing(const ktpr_scan_t *scan);

/*
 * Reads a strip of the level page.  An empty reading when it cannot be cut.
 */
void ktpr_scan_read(ktpr_scan_t *scan, const ktpr_strip_t *strip,
                    const ktpr_cut_t *cut, ktpr_ocr_engine_t engine,
                    const char *alphabet, ktpr_reading_t *reading);

/* Margins of a value, in capitals. */
#define KTPR_LOOK_LEFT  .38
#define KTPR_LOOK_RIGHT .5

/*
 * Reads a strip by the network, with margins of so many capitals; where it
 * is not sure it looks more than once.  An empty reading when the strip
 * cannot be cut.
 */
void ktpr_scan_look(ktpr_scan_t *scan, const ktpr_strip_t *strip, double left,
                    double right, const char *alphabet,
                    ktpr_reading_t *reading);

/* The entry of a line, or NULL. */
ktpr_entry_t *ktpr_scan_line(ktpr_scan_t *scan, ktpr_line_id_t line);

/* The rectangle of the upright file that a strip covers, in its pixels. */
void ktpr_scan_box(const ktpr_scan_t *scan, const ktpr_strip_t *strip, int *x,
                   int *y, int *w, int *h);


#endif /* KTPR_SCAN_H */
