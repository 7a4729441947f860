/* The drawing of a card, and of pages that are none. */

#ifndef SPECIMEN_CARD_H
#define SPECIMEN_CARD_H

#include <cairo.h>
#include "person.h"

/* A card in units of its own: an ID-1 card is 85.60 by 53.98 mm. */
#define CARD_WIDTH  1000.0
#define CARD_HEIGHT 630.6


/* How a card is set. */
typedef struct {
    const char *family; /* of all text but the number */
    double      values; /* where they start, in widths of the card */
    const char *title;  /* in place of head and number; NULL: a KTP */
    double      dots;   /* of one bit an inch that print is made of; 0: none */
    int         plain;  /* values in the weight of labels, not bold */
    double      secure; /* strength of dense security lines, 0 to 1 */
} card_style_t;


/* Draws the card with its upper left corner at the origin. */
void card_draw(cairo_t *cr, const card_style_t *style, const person_t *person,
               dice_t *dice);

/* Draws a page of prose of the size of a card: a picture that is no KTP. */
void page_draw(cairo_t *cr);


#endif /* SPECIMEN_CARD_H */
