#include <math.h>
#include <string.h>

#include "ktpr_fields.h"
#include "ktpr_issued.h"
#include "ktpr_lines.h"
#include "ktpr_text.h"


/* fixed: lines that are kept: place, date, and one of clutter */
#define KTPR_ISSUED_LINES 3

/*
 * Numbers of this file.  "capitals" are heights of a capital, "spacings"
 * distances from row to row.
 */

/*
 * Spacings from where the values' column meets the first row's base line:
 * the corner under the photo.  Geometry of the card; set not recorded.
 * Smaller: place or date are missed; larger: values, the photo or the
 * signature are read.
 */
#define KTPR_ISSUED_LEFT  12.5
#define KTPR_ISSUED_RIGHT 26.
#define KTPR_ISSUED_TOP   7.5
#define KTPR_ISSUED_LOW   13.

/*
 * Least blobs of a fragment, and its largest height in capitals: writing,
 * not a signature.  Set not recorded.  Looser: signatures are read; stricter:
 * short words, or capitals that touch a line, are missed.
 */
#define KTPR_ISSUED_BLOBS_LEAST 3
#define KTPR_ISSUED_HEIGHT_MOST 1.3

/*
 * Capitals: fragments with base lines nearer than this are on one line.
 * Geometry; set not recorded.  Lower: words are parted; higher: place and
 * date become one line.
 */
#define KTPR_ISSUED_REACH .5

/*
 * Spacings from the place's base line down to the date's: least and most.
 * Geometry; set not recorded.  Narrower: the place is missed; wider: other
 * writing is taken for it.
 */
#define KTPR_ISSUED_ABOVE_LEAST .5
#define KTPR_ISSUED_ABOVE_MOST  1.6

/* Characters of both lines. */
#define KTPR_ISSUED_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -."


/* The lines of writing in the corner under the photo; how many. */
static int
ktpr_issued_lines(const ktpr_scan_t *scan, double first,
                  ktpr_strip_t lines[KTPR_ISSUED_LINES])
{
    int                    i, k, n;
    double                 x, y, spacing;
    ktpr_strip_t           strip;
    const ktpr_fragment_t *f;

    n = 0;
    spacing = scan->table->spacing;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        y = f->bottom + f->slope * f->x0;
        x = f->x0 - ktpr_columns_at(&scan->columns.values, y);
        y -= first + scan->rows.slope * x;

        if (x < KTPR_ISSUED_LEFT * spacing || x > KTPR_ISSUED_RIGHT * spacing
            || y < KTPR_ISSUED_TOP * spacing || y > KTPR_ISSUED_LOW * spacing
            || f->n < KTPR_ISSUED_BLOBS_LEAST
            || f->height > KTPR_ISSUED_HEIGHT_MOST * scan->rows.capital) {
            continue;
        }

        strip.x0 = f->x0;
        strip.x1 = f->x1;
        strip.slope = f->slope;
        strip.top = f->top;
        strip.bottom = f->bottom;

        for (k = 0; k < n; k++) {
            if (fabs(ktpr_rows_strip_bottom(&lines[k], f->x0) - f->bottom
                     - f->slope * f->x0)
                < KTPR_ISSUED_REACH * scan->rows.capital) {
                break;
            }
        }

        if (k < n) {
            lines[k].x0 = fmin(lines[k].x0, strip.x0);
            lines[k].x1 = fmax(lines[k].x1, strip.x1);

        } else if (n < KTPR_ISSUED_LINES) {
            lines[n++] = strip;
        }
    }

    return n;
}


void
ktpr_issued_read(ktpr_scan_t *scan, ktpr_field_t *fields)
{
    int            i, n, at;
    char           date[11];
    double         y, date_y;
    ktpr_strip_t   lines[KTPR_ISSUED_LINES];
    ktpr_reading_t readings[KTPR_ISSUED_LINES];

    n = ktpr_issued_lines(scan, ktpr_lines_first(scan), lines);
    at = -1;
    date_y = 0;

    for (i = 0; i < n; i++) {
        ktpr_scan_look(scan, &lines[i], KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT,
                       KTPR_ISSUED_ALPHABET, &readings[i]);

        if (at < 0 && ktpr_assign_date(readings[i].text, date) >= 0
            && ktpr_fields_date_valid(date)) {
            at = i;
            date_y = ktpr_rows_strip_bottom(&lines[i], lines[i].x0);
            ktpr_fields_set(scan, &fields[KTPR_ISSUED_DATE], date,
                            &readings[i], &lines[i]);
        }
    }

    /* the place is right above the date */
    for (i = 0; i < n && at >= 0; i++) {
        y = date_y - ktpr_rows_strip_bottom(&lines[i], lines[at].x0);

        if (i != at && y > KTPR_ISSUED_ABOVE_LEAST * scan->table->spacing
            && y < KTPR_ISSUED_ABOVE_MOST * scan->table->spacing) {
            ktpr_text_trim(readings[i].text, " -.", " -.");
            ktpr_fields_set(scan, &fields[KTPR_ISSUED_PLACE], readings[i].text,
                            &readings[i], &lines[i]);
        }
    }
}
