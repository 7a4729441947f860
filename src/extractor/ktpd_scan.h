/* A card found in an image: its geometry, and its rows as first read. */

#ifndef KTPD_SCAN_H
#define KTPD_SCAN_H

#include "ktpd_assign.h"
#include "ktpd_digits.h"


typedef struct {
    ktpd_pool_t            *pool;
    ktpd_ocr_t             *ocr;
    const ktpd_digit_net_t *digits;
    ktpd_image_t            image;
    ktpd_page_t             page;
    ktpd_sheet_t            sheet;
    double         capital; /* that the sheet was made for, in the image */
    double         best_columns; /* the best score of any page's columns */
    ktpd_columns_t columns;
    ktpd_rows_t    rows;
    ktpd_table_t  *table;
    unsigned       doubtful : 1; /* it takes a number to be a card */
} ktpd_scan_t;


/*
 * Finds the card in scan->image with pool and ocr set.  1 when there is one,
 * 0 when not, -1 when memory is short.
 */
int ktpd_scan_find(ktpd_scan_t *scan);

/* The spacing of the card's rows, in pixels of the image. */
double ktpd_scan_spacing(const ktpd_scan_t *scan);

/*
 * Reads a strip of the level page.  An empty reading when it cannot be cut.
 */
void ktpd_scan_read(ktpd_scan_t *scan, const ktpd_strip_t *strip,
                    const ktpd_cut_t *cut, ktpd_ocr_engine_t engine,
                    const char *alphabet, ktpd_reading_t *reading);

/* Margins of a value, in capitals. */
#define KTPD_LOOK_LEFT  .38
#define KTPD_LOOK_RIGHT .5

/*
 * Reads a strip by the network, with margins of so many capitals; where it
 * is not sure it looks more than once.  An empty reading when the strip
 * cannot be cut.
 */
void ktpd_scan_look(ktpd_scan_t *scan, const ktpd_strip_t *strip, double left,
                    double right, const char *alphabet,
                    ktpd_reading_t *reading);

/* The entry of a line, or NULL. */
ktpd_entry_t *ktpd_scan_line(ktpd_scan_t *scan, ktpd_line_id_t line);

/* The rectangle of the upright file that a strip covers, in its pixels. */
void ktpd_scan_box(const ktpd_scan_t *scan, const ktpd_strip_t *strip, int *x,
                   int *y, int *w, int *h);


#endif /* KTPD_SCAN_H */
