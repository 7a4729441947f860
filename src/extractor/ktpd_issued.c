/* Where and when a card was issued: two lines under the photo. */

#include <math.h>
#include <string.h>

#include "ktpd_fields.h"
#include "ktpd_text.h"


/* The photo's left edge from the values', and the place's rows: spacings. */
#define KTPD_ISSUED_LEFT  12.5
#define KTPD_ISSUED_RIGHT 26.
#define KTPD_ISSUED_TOP   7.5
#define KTPD_ISSUED_LOW   13.

#define KTPD_ISSUED_LINES 3


/* Fragments in the corner under the photo, joined to lines, from the top. */
static int
ktpd_issued_lines(const ktpd_scan_t *scan, double first,
                  ktpd_strip_t lines[KTPD_ISSUED_LINES])
{
    int                    i, k, n;
    double                 x, y, spacing;
    ktpd_strip_t           strip;
    const ktpd_fragment_t *f;

    n = 0;
    spacing = scan->table->spacing;

    for (i = 0; i < scan->page.n; i++) {
        f = &scan->page.fragments[i];
        y = f->bottom + f->slope * f->x0;
        x = f->x0 - ktpd_edge_at(&scan->columns.values, y);
        y -= first + scan->rows.slope * x;

        if (x < KTPD_ISSUED_LEFT * spacing || x > KTPD_ISSUED_RIGHT * spacing
            || y < KTPD_ISSUED_TOP * spacing || y > KTPD_ISSUED_LOW * spacing
            || f->n < 3 || f->height > 1.3 * scan->rows.capital) {
            continue;
        }

        strip.x0 = f->x0;
        strip.x1 = f->x1;
        strip.slope = f->slope;
        strip.top = f->top;
        strip.bottom = f->bottom;

        for (k = 0; k < n; k++) {
            if (fabs(ktpd_strip_bottom(&lines[k], f->x0) - f->bottom
                     - f->slope * f->x0)
                < .5 * scan->rows.capital) {
                break;
            }
        }

        if (k < n) {
            lines[k].x0 = fmin(lines[k].x0, strip.x0);
            lines[k].x1 = fmax(lines[k].x1, strip.x1);

        } else if (n < KTPD_ISSUED_LINES) {
            lines[n++] = strip;
        }
    }

    return n;
}


void
ktpd_issued_read(ktpd_scan_t *scan, ktpd_card_t *card)
{
    int            i, n, at;
    char           date[11];
    double         y, date_y;
    ktpd_strip_t   lines[KTPD_ISSUED_LINES];
    ktpd_reading_t readings[KTPD_ISSUED_LINES];

    n = ktpd_issued_lines(scan, ktpd_fields_first(scan), lines);
    at = -1;
    date_y = 0;

    for (i = 0; i < n; i++) {
        ktpd_scan_look(scan, &lines[i], KTPD_LOOK_LEFT, KTPD_LOOK_RIGHT,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -.",
                       &readings[i]);

        if (at < 0 && ktpd_find_date(readings[i].text, date) >= 0
            && ktpd_date_valid(date)) {
            at = i;
            date_y = ktpd_strip_bottom(&lines[i], lines[i].x0);
            ktpd_field_set(scan, &card->fields[KTPD_ISSUED_DATE], date,
                           &readings[i], &lines[i]);
        }
    }

    /* the place stands right above the date */
    for (i = 0; i < n && at >= 0; i++) {
        y = date_y - ktpd_strip_bottom(&lines[i], lines[at].x0);

        if (i != at && y > .5 * scan->table->spacing
            && y < 1.6 * scan->table->spacing) {
            ktpd_text_trim(readings[i].text, " -.", " -.");
            ktpd_field_set(scan, &card->fields[KTPD_ISSUED_PLACE],
                           readings[i].text, &readings[i], &lines[i]);
        }
    }
}
