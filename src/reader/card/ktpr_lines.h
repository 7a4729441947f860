/*
 * The lines of a card below the number: their text, and those that were not
 * found as rows.
 */

#ifndef KTPR_LINES_H
#define KTPR_LINES_H

#include "ktpr_scan.h"


#define KTPR_LINES_DIGITS "0123456789"

/* Characters stripped from the left end of a value: specks, colons, rules. */
#define KTPR_LINES_JUNK " :;.,'\"-_=~*|&()/"


/*
 * Reads what was not found of the card: values beside labels, lines between
 * two that were found, and those above the first, which are added to the scan.
 * Not those above RT/RW: an address, which has one row or two, is among them.
 */
void ktpr_lines_complete(ktpr_scan_t *scan);

/*
 * The text of a line and of the rows it continues in, cleaned, in a buffer of
 * size bytes; reading: of its first row, with the raw text of all and the
 * confidence of the least sure.  0, 1 if a rule changed the text, or -1: there
 * is no such line.
 */
int ktpr_lines_text(ktpr_scan_t *scan, ktpr_line_id_t line, char *text,
                    size_t size, ktpr_reading_t *reading);

/* Whether a value is a dash, which stands for none. */
int ktpr_lines_dash(const char *text);

/*
 * Replaces VV by W, which the network takes for it in some typefaces; there is
 * no name with VV.  Whether it did.
 */
int ktpr_lines_letters(char *text);

/*
 * The base line of the first row (Nama) at the values' column, found or
 * extrapolated, in pixels of the level page.
 */
double ktpr_lines_first(ktpr_scan_t *scan);

/*
 * The map from the card's plane to the image.  The card's plane has the
 * spacing of rows as its unit, and its origin where the values' column
 * meets the first row's base line.
 */
void ktpr_lines_plane(ktpr_scan_t *scan, ktpr_map_t *plane);


#endif /* KTPR_LINES_H */
