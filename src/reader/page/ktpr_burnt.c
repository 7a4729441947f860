#include "ktpr_burnt.h"


/*
 * Lengths are in heights of the strip, which is a capital's.  Numbers were
 * tuned on the set "like a print" and on cards drawn with reflections; see
 * docs/accuracy.md.
 */

/*
 * How far beyond the strip's ends a reflection may begin: print fades before
 * it is gone.  Less misses cut values; more makes whole ones less sure.
 */
#define KTPR_BURNT_REACH 2.5

/*
 * The least length of a reflection along the line.  Less takes grain on white
 * paper for one; more misses small ones.
 */
#define KTPR_BURNT_LENGTH 1.

/* Distance of the samples along the line: less costs time. */
#define KTPR_BURNT_STEP .2

/*
 * Grey level from which on the darkest channel is burnt out.  More loses
 * reflections to grain and to JPEG; less takes white paper for one.
 */
#define KTPR_BURNT_LEVEL 248

/*
 * The part of the rows from the labels to the photo that is burnt out on a
 * card whose paper is white.  More takes a copy's paper for reflections; less
 * misses large ones.
 */
#define KTPR_BURNT_WHITE .3

/* fixed: samples of those rows in each direction */
#define KTPR_BURNT_SAMPLES 40


/* The darkest channel of the image at a point of the level page. */
static int
ktpr_burnt_level(const ktpr_scan_t *scan, double x_level, double y_level)
{
    int                  x, y, least;
    ktpr_point_t         p;
    const unsigned char *rgb;

    p = ktpr_map_point(&scan->page.level_to_image, x_level, y_level);

    if (!(p.x >= 0 && p.y >= 0 && p.x < scan->image.w - 1
          && p.y < scan->image.h - 1)) {
        return 0;
    }

    x = (int) (p.x + .5);
    y = (int) (p.y + .5);
    rgb = scan->image.rgb
          + 3 * ((size_t) y * (size_t) scan->image.w + (size_t) x);
    least = rgb[0] < rgb[1] ? rgb[0] : rgb[1];

    return rgb[2] < least ? rgb[2] : least;
}


/* Whether the paper of the card is burnt out in most places. */
static int
ktpr_burnt_white(const ktpr_scan_t *scan)
{
    int    i, j, n;
    double x0, x1, y0, y1, x, y;

    n = 0;
    y0 = scan->rows.rows[0].y;
    y1 = scan->rows.rows[scan->rows.n - 1].y;

    for (j = 0; j < KTPR_BURNT_SAMPLES; j++) {
        y = y0 + (y1 - y0) * j / KTPR_BURNT_SAMPLES;
        x0 = ktpr_columns_at(&scan->columns.labels, y);
        x1 = ktpr_columns_at(&scan->columns.values, y)
             + KTPR_PHOTO * scan->columns.spacing;

        for (i = 0; i < KTPR_BURNT_SAMPLES; i++) {
            x = x0 + (x1 - x0) * i / KTPR_BURNT_SAMPLES;
            n += ktpr_burnt_level(scan, x, y + scan->rows.slope * (x - x0))
                 >= KTPR_BURNT_LEVEL;
        }
    }

    return n > KTPR_BURNT_WHITE * KTPR_BURNT_SAMPLES * KTPR_BURNT_SAMPLES;
}


int
ktpr_burnt_strip(const ktpr_scan_t *scan, const ktpr_strip_t *strip)
{
    size_t i;
    double x, y, h, length;

    /* a reflection may hide a half of the letters */
    static const double parts[] = {.15, .5, .85};

    h = strip->bottom - strip->top;
    if (!(h >= 1)) {
        return 0;
    }

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        length = 0;

        for (x = strip->x0 - KTPR_BURNT_REACH * h;
             x < strip->x1 + KTPR_BURNT_REACH * h; x += KTPR_BURNT_STEP * h) {
            y = strip->top + parts[i] * h + strip->slope * x;
            length = ktpr_burnt_level(scan, x, y) >= KTPR_BURNT_LEVEL
                         ? length + KTPR_BURNT_STEP
                         : 0;

            if (length >= KTPR_BURNT_LENGTH) {
                return !ktpr_burnt_white(scan);
            }
        }
    }

    return 0;
}
