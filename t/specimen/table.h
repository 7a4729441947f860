/* What lies around a card in a picture. */

#ifndef SPECIMEN_TABLE_H
#define SPECIMEN_TABLE_H

#include <cairo.h>
#include "person.h"


typedef enum {
    TABLE_WOOD = 0,
    TABLE_PLAIN,
    TABLE_DARK,
    TABLE_WHITE,
    TABLE_STONE,
    TABLE_TILES,
    TABLE_PAPERS,
    TABLES
} table_t;


/* The table of a name, or -1. */
int table_named(const char *name);

/* Paints a table over a picture of a size in pixels. */
void table_draw(cairo_t *cr, table_t table, int width, int height,
                dice_t *dice);


#endif /* SPECIMEN_TABLE_H */
