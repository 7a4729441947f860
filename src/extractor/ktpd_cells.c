#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpd_cells.h"


/* From digit to digit, in heights of a digit: OCR-A, wide faces, narrow. */
#define KTPD_PITCH_MIN  .56
#define KTPD_PITCH_MAX  1.10
#define KTPD_PITCH_STEP .25 /* in pixels */

/* No likelihood is under this: one bad cell must not outweigh the others. */
#define KTPD_CELL_FLOOR .002

/* What the gap beside a cell counts beside the cell itself. */
#define KTPD_GAP_SHARE .35

/* Good enough for no other height to be tried. */
#define KTPD_CELLS_GOOD (-.10)

/* Windows on each side that have a say in what a cell is. */
#define KTPD_CELL_AROUND 2

/* From digit to digit over a mark, in pitches: a thin slash, a wide dash. */
#define KTPD_MARK_MIN 1.25
#define KTPD_MARK_MAX 2.15

#define KTPD_MAX_WINDOWS 900

typedef struct {
    int           n;                /* windows, one a pixel */
    int           cells;            /* digits */
    unsigned char mark[KTPD_CELLS]; /* whether one stands before a digit */
    float         p[KTPD_MAX_WINDOWS][10]; /* logs */
    float         even[KTPD_MAX_WINDOWS][10];
    float         cell[KTPD_MAX_WINDOWS]; /* log of the best digit's */
    float         gap[KTPD_MAX_WINDOWS];  /* log of being none */
    float         best[KTPD_CELLS][KTPD_MAX_WINDOWS];
    unsigned char step[KTPD_CELLS][KTPD_MAX_WINDOWS];
} ktpd_windows_t;


/*
 * A digit's likelihood is the mean, of logarithms, over the windows around
 * its place: a window beside the digit may take it for another one, and the
 * middle of those that agree is where it stands.
 */
static void
ktpd_windows_even(ktpd_windows_t *w)
{
    int   x, i, d, n;
    float sum;

    for (x = 0; x < w->n; x++) {
        w->cell[x] = -1e9f;

        for (d = 0; d < 10; d++) {
            sum = 0;
            n = 0;

            for (i = -KTPD_CELL_AROUND; i <= KTPD_CELL_AROUND; i++) {
                if (x + i >= 0 && x + i < w->n) {
                    sum += w->p[x + i][d];
                    n++;
                }
            }

            w->even[x][d] = sum / (float) n;
            w->cell[x] =
                w->even[x][d] > w->cell[x] ? w->even[x][d] : w->cell[x];
        }
    }
}


static void
ktpd_windows_run(const ktpd_digit_net_t *net, const ktpd_gray_t *line,
                 ktpd_windows_t *windows)
{
    int              x, i, j, d;
    ktpd_digit_run_t run;

    windows->n = line->w - KTPD_DIGIT_W + 1;
    if (windows->n > KTPD_MAX_WINDOWS) {
        windows->n = KTPD_MAX_WINDOWS;
    }

    for (x = 0; x < windows->n; x++) {
        for (j = 0; j < KTPD_DIGIT_H; j++) {
            for (i = 0; i < KTPD_DIGIT_W; i++) {
                run.in[j * KTPD_DIGIT_W + i] =
                    line->px[(size_t) j * line->w + x + i];
            }
        }

        ktpd_digit_even(&run);
        ktpd_digit_run(net, &run);
        windows->gap[x] =
            logf(run.p[KTPD_DIGIT_NONE] + (float) KTPD_CELL_FLOOR);

        for (d = 0; d < 10; d++) {
            windows->p[x][d] = logf(run.p[d] + (float) KTPD_CELL_FLOOR);
        }
    }

    ktpd_windows_even(windows);
}


/* The gap's likelihood at x; outside what was cut nothing is known. */
static float
ktpd_windows_gap(const ktpd_windows_t *windows, double x)
{
    int at;

    at = (int) lrint(x);

    return at >= 0 && at < windows->n
               ? (float) KTPD_GAP_SHARE * windows->gap[at]
               : (float) (KTPD_GAP_SHARE * -.5);
}


/* The best way to cell k at window x. */
static void
ktpd_windows_step(ktpd_windows_t *w, int k, int x, double pitch)
{
    int   from, first, last, middle;
    float v, most, off;

    middle = (int) lrint(x - pitch);
    first = middle - 1;
    last = middle + 1;

    if (w->mark[k]) {
        first = (int) lrint(x - KTPD_MARK_MAX * pitch);
        last = (int) lrint(x - KTPD_MARK_MIN * pitch);
    }

    first = first < 0 ? 0 : first;
    last = last < x ? last : x - 1;
    most = -1e9f;

    for (from = first; from <= last; from++) {
        off = w->mark[k] ? 0
                         : .02f * (float) ((from - middle) * (from - middle));
        v = w->best[k - 1][from] - off;

        if (v > most) {
            most = v;
            w->step[k][x] = (unsigned char) (x - from);
        }
    }

    w->best[k][x] = most + w->cell[x];

    if (!w->mark[k]) {
        w->best[k][x] += ktpd_windows_gap(w, x - pitch / 2);
    }
}


/*
 * The best windows about pitch apart, by Viterbi's way; their score and
 * places.
 */
static float
ktpd_windows_path(ktpd_windows_t *w, double pitch, int places[KTPD_CELLS])
{
    int   k, x, last;
    float v, most;

    for (x = 0; x < w->n; x++) {
        w->best[0][x] = w->cell[x] + ktpd_windows_gap(w, x - pitch / 2)
                        + ktpd_windows_gap(w, x - pitch);
    }

    for (k = 1; k < w->cells; k++) {
        for (x = 0; x < w->n; x++) {
            ktpd_windows_step(w, k, x, pitch);
        }
    }

    last = 0;
    most = -1e9f;

    for (x = 0; x < w->n; x++) {
        v = w->best[w->cells - 1][x] + ktpd_windows_gap(w, x + pitch / 2)
            + ktpd_windows_gap(w, x + pitch);
        if (v > most) {
            most = v;
            last = x;
        }
    }

    for (k = w->cells - 1; k >= 0; k--) {
        places[k] = last;
        last -= k > 0 ? w->step[k][last] : 0;
    }

    return most;
}


/* What is in a cell: the likelihoods at its place, made to add up to 1. */
static void
ktpd_cell_fill(const ktpd_windows_t *windows, int place, double p[10])
{
    int    d;
    double sum;

    sum = 0;

    for (d = 0; d < 10; d++) {
        p[d] = exp(windows->even[place][d]);
        sum += p[d];
    }

    for (d = 0; d < 10; d++) {
        p[d] /= sum;
    }
}


/* Cells of a strip of which digits are height pixels high when cut. */
static int
ktpd_cells_try(ktpd_scan_t *scan, const ktpd_digit_net_t *net,
               const ktpd_strip_t *strip, double height,
               ktpd_windows_t *windows, ktpd_cells_t *cells)
{
    int         k, places[KTPD_CELLS], best[KTPD_CELLS];
    float       score, most;
    double      pitch, sum;
    ktpd_cut_t  cut;
    ktpd_gray_t line;

    cut.capital = height;
    cut.wide = 1;
    cut.above = (KTPD_DIGIT_H + .01 - height) / 2 / height;
    cut.left = 1.2;
    cut.right = 1.2;

    if (ktpd_crop(scan->pool, &scan->sheet, &scan->page.map, strip, &cut,
                  &line)
        != 0) {
        return -1;
    }

    if (line.h < KTPD_DIGIT_H
        || line.w < KTPD_DIGIT_W + windows->cells * KTPD_PITCH_MIN * height) {
        ktpd_pool_free(scan->pool, line.px);
        return -1;
    }

    ktpd_windows_run(net, &line, windows);
    ktpd_pool_free(scan->pool, line.px);
    most = -1e9f;

    for (pitch = KTPD_PITCH_MIN * height; pitch < KTPD_PITCH_MAX * height;
         pitch += KTPD_PITCH_STEP) {
        score = ktpd_windows_path(windows, pitch, places);
        if (score > most) {
            most = score;
            memcpy(best, places, sizeof(best));
        }
    }

    if (most < -1e8f) {
        return -1;
    }

    sum = 0;
    for (k = 0; k < windows->cells; k++) {
        ktpd_cell_fill(windows, best[k], cells->p[k]);
        sum += windows->cell[best[k]];
    }

    cells->n = windows->cells;
    cells->quality = sum / windows->cells;

    return 0;
}


int
ktpd_cells_read(ktpd_scan_t *scan, const ktpd_digit_net_t *net,
                const ktpd_strip_t *strip, const char *pattern,
                ktpd_cells_t *cells)
{
    size_t          i;
    double          h;
    ktpd_cells_t    tried;
    ktpd_strip_t    s;
    ktpd_windows_t *windows;

    /* height of the digits, and shift in heights */
    static const double tries[][2] = {
        {1, 0}, {.93, 0}, {1.07, 0}, {1, -.07}, {1, .07}, {.86, 0},
    };

    windows = ktpd_pool_alloc(scan->pool, 1, sizeof(ktpd_windows_t));
    if (windows == NULL) {
        return -1;
    }

    for (; *pattern != '\0' && windows->cells < KTPD_CELLS; pattern++) {
        if (*pattern == 'd') {
            windows->cells++;
        } else {
            windows->mark[windows->cells] = 1;
        }
    }

    cells->quality = -1e9;

    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        s = *strip;
        h = s.bottom - s.top;
        s.top += tries[i][1] * h;
        s.bottom += tries[i][1] * h;

        if (ktpd_cells_try(scan, net, &s, KTPD_DIGIT_HEIGHT * tries[i][0],
                           windows, &tried)
                == 0
            && tried.quality > cells->quality) {
            *cells = tried;
        }

        if (cells->quality > KTPD_CELLS_GOOD) {
            break;
        }
    }

    ktpd_pool_free(scan->pool, windows);

    return cells->quality > -1e8 ? 0 : -1;
}
