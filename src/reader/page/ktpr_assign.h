/*
 * Which line of the card each row is: by its label, by the shape of its
 * value, by its place and by the order that lines have.
 */

#ifndef KTPR_ASSIGN_H
#define KTPR_ASSIGN_H

#include "ktpr_tesseract.h"
#include "ktpr_rows.h"


typedef enum {
    KTPR_LINE_NAME = 0,
    KTPR_LINE_BIRTH,
    KTPR_LINE_GENDER,
    KTPR_LINE_ADDRESS,
    KTPR_LINE_RT_RW,
    KTPR_LINE_VILLAGE,
    KTPR_LINE_DISTRICT,
    KTPR_LINE_RELIGION,
    KTPR_LINE_STATUS,
    KTPR_LINE_OCCUPATION,
    KTPR_LINE_NATIONALITY,
    KTPR_LINE_VALID,
    KTPR_LINES,
} ktpr_line_id_t;

/* A row that is no line of its own. */
#define KTPR_LINE_NONE (-1)
#define KTPR_LINE_MORE (-2) /* goes on the line above */

typedef struct {
    ktpr_row_t     row;
    ktpr_reading_t label;
    ktpr_reading_t value;
    double         like[KTPR_LINES];     /* label, 0 to 1 */
    double         evidence[KTPR_LINES]; /* label and value */
    int            line;
} ktpr_entry_t;

typedef struct {
    ktpr_entry_t entries[KTPR_MAX_ROWS];
    int          n;
    double       spacing;
    double       score;
    int          labels; /* lines whose label was recognised */
    int          lines;  /* lines that have a row */
} ktpr_table_t;


/* Fills like and evidence from the texts of label and value. */
void ktpr_assign_weigh(ktpr_entry_t *entry);

/*
 * Gives each entry its line, all of one card; sets score, labels and lines.
 * The table has a row at least.
 */
void ktpr_assign(ktpr_table_t *table);

/* A date in a text: "DD-MM-YYYY" into date; where it begins, or -1. */
int ktpr_assign_date(const char *text, char date[11]);


#endif /* KTPR_ASSIGN_H */
