/* Where and when a card was issued: two lines under the photo. */

#include <math.h>
#include <string.h>

#include "ktpr_fields.h"
#include "ktpr_issued.h"
#include "ktpr_text.h"


/* The photo's left edge from the values', and the place's rows: spacings. */
#define KTPR_ISSUED_LEFT  12.5
#define KTPR_ISSUED_RIGHT 26.
#define KTPR_ISSUED_TOP   7.5
#define KTPR_ISSUED_LOW   13.

#define KTPR_ISSUED_LINES 3


/* Fragments in the corner under the photo, joined to lines, from the top. */
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
        x = f->x0 - ktpr_edge_at(&scan->columns.values, y);
        y -= first + scan->rows.slope * x;

        if (x < KTPR_ISSUED_LEFT * spacing || x > KTPR_ISSUED_RIGHT * spacing
            || y < KTPR_ISSUED_TOP * spacing || y > KTPR_ISSUED_LOW * spacing
            || f->n < 3 || f->height > 1.3 * scan->rows.capital) {
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
                < .5 * scan->rows.capital) {
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

    n = ktpr_issued_lines(scan, ktpr_fields_first(scan), lines);
    at = -1;
    date_y = 0;

    for (i = 0; i < n; i++) {
        ktpr_scan_look(scan, &lines[i], KTPR_LOOK_LEFT, KTPR_LOOK_RIGHT,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -.",
                       &readings[i]);

        if (at < 0 && ktpr_assign_date(readings[i].text, date) >= 0
            && ktpr_fields_date_valid(date)) {
            at = i;
            date_y = ktpr_rows_strip_bottom(&lines[i], lines[i].x0);
            ktpr_fields_set(scan, &fields[KTPR_ISSUED_DATE], date,
                            &readings[i], &lines[i]);
        }
    }

    /* the place stands right above the date */
    for (i = 0; i < n && at >= 0; i++) {
        y = date_y - ktpr_rows_strip_bottom(&lines[i], lines[at].x0);

        if (i != at && y > .5 * scan->table->spacing
            && y < 1.6 * scan->table->spacing) {
            ktpr_text_trim(readings[i].text, " -.", " -.");
            ktpr_fields_set(scan, &fields[KTPR_ISSUED_PLACE], readings[i].text,
                            &readings[i], &lines[i]);
        }
    }
}
