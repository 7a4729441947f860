/*
 * Assigns rows to the lines of the card: by the label of a row, the shape of
 * its value, its place, and the order of lines.
 */

#ifndef KTPR_ASSIGN_H
#define KTPR_ASSIGN_H

#include "ktpr_reading.h"
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
#define KTPR_LINE_MORE (-2) /* continues the line above */

typedef struct {
    ktpr_row_t     row;
    ktpr_reading_t label;
    ktpr_reading_t value;
    double         like[KTPR_LINES];     /* of the label to a line's, to 1 */
    double         evidence[KTPR_LINES]; /* of label and value together */
    unsigned       part : 1;             /* the label is a part of a line's */
    double         begins; /* middle of the value's first letter */
    int            line;   /* ktpr_line_id_t, KTPR_LINE_NONE or _MORE */
} ktpr_entry_t;

typedef struct {
    ktpr_entry_t entries[KTPR_MAX_ROWS];
    int          n;
    double       spacing; /* from row to row, in pixels of level */
    double       score;   /* evidence of all rows, less what does not fit */
    int          labels;  /* lines whose label was recognised */
    int          lines;   /* lines that have a row */
} ktpr_table_t;


/* Sets like, evidence and part from the texts of label and value. */
void ktpr_assign_weigh(ktpr_entry_t *entry);

/*
 * Sets the line of each entry, all of one card, and score, labels and lines.
 * The table has a row at least.
 */
void ktpr_assign(ktpr_table_t *table);

/*
 * Finds the last date in a text and writes it as "DD-MM-YYYY".  Its offset, or
 * -1 when there is none.
 */
int ktpr_assign_date(const char *text, char date[11]);


#endif /* KTPR_ASSIGN_H */
