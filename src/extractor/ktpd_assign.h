/*
 * Which line of the card each row is: by its label, by the shape of its
 * value, by its place and by the order that lines have.
 */

#ifndef KTPD_ASSIGN_H
#define KTPD_ASSIGN_H

#include "ktpd_ocr.h"
#include "ktpd_rows.h"


typedef enum {
    KTPD_LINE_NAME = 0,
    KTPD_LINE_BIRTH,
    KTPD_LINE_GENDER,
    KTPD_LINE_ADDRESS,
    KTPD_LINE_RT_RW,
    KTPD_LINE_VILLAGE,
    KTPD_LINE_DISTRICT,
    KTPD_LINE_RELIGION,
    KTPD_LINE_STATUS,
    KTPD_LINE_OCCUPATION,
    KTPD_LINE_NATIONALITY,
    KTPD_LINE_VALID,
    KTPD_LINES,
} ktpd_line_id_t;

/* A row that is no line of its own. */
#define KTPD_LINE_NONE (-1)
#define KTPD_LINE_MORE (-2) /* goes on the line above */

typedef struct {
    ktpd_row_t     row;
    ktpd_reading_t label;
    ktpd_reading_t value;
    double         like[KTPD_LINES];     /* label, 0 to 1 */
    double         evidence[KTPD_LINES]; /* label and value */
    int            line;
} ktpd_entry_t;

typedef struct {
    ktpd_entry_t entries[KTPD_MAX_ROWS];
    int          n;
    double       spacing;
    double       score;
    int          labels; /* lines whose label was recognised */
    int          lines;  /* lines that have a row */
} ktpd_table_t;


/* Fills like and evidence from the texts of label and value. */
void ktpd_assign_weigh(ktpd_entry_t *entry);

/*
 * Gives each entry its line, all of one card; sets score, labels and lines.
 * The table has a row at least.
 */
void ktpd_assign(ktpd_table_t *table);

/* A date in a text: "DD-MM-YYYY" into date; where it begins, or -1. */
int ktpd_find_date(const char *text, char date[11]);


#endif /* KTPD_ASSIGN_H */
