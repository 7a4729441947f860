#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_cells.h"


/* From digit to digit, in heights of a digit: OCR-A, wide faces, narrow. */
#define KTPR_PITCH_MIN  .56
#define KTPR_PITCH_MAX  1.10
#define KTPR_PITCH_STEP .25 /* in pixels */

/* No likelihood is under this: one bad cell must not outweigh the others. */
#define KTPR_CELL_FLOOR .002

/* What the gap beside a cell counts beside the cell itself. */
#define KTPR_GAP_SHARE .35

/* Good enough for no other height to be tried. */
#define KTPR_CELLS_GOOD (-.10)

/* Windows on each side that have a say in what a cell is. */
#define KTPR_CELL_AROUND 2

/* From digit to digit over a mark, in pitches: a thin slash, a wide dash. */
#define KTPR_MARK_MIN 1.25
#define KTPR_MARK_MAX 2.15

#define KTPR_MAX_WINDOWS 900

typedef struct {
    int           n;                /* windows, one a pixel */
    int           cells;            /* digits */
    unsigned char mark[KTPR_CELLS]; /* whether one stands before a digit */
    float         p[KTPR_MAX_WINDOWS][10]; /* logs */
    float         even[KTPR_MAX_WINDOWS][10];
    float         cell[KTPR_MAX_WINDOWS]; /* log of the best digit's */
    float         gap[KTPR_MAX_WINDOWS];  /* log of being none */
    float         best[KTPR_CELLS][KTPR_MAX_WINDOWS];
    unsigned char step[KTPR_CELLS][KTPR_MAX_WINDOWS];
} ktpr_windows_t;


/*
 * A digit's likelihood is the mean, of logarithms, over the windows around
 * its place: a window beside the digit may take it for another one, and the
 * middle of those that agree is where it stands.
 */
static void
ktpr_windows_even(ktpr_windows_t *w)
{
    int   x, i, d, n;
    float sum;

    for (x = 0; x < w->n; x++) {
        w->cell[x] = -1e9f;

        for (d = 0; d < 10; d++) {
            sum = 0;
            n = 0;

            for (i = -KTPR_CELL_AROUND; i <= KTPR_CELL_AROUND; i++) {
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
ktpr_windows_run(const ktpr_digit_net_t *net, const ktpr_gray_t *line,
                 ktpr_windows_t *windows)
{
    int              x, i, j, d;
    ktpr_digit_run_t run;

    windows->n = line->w - KTPR_DIGIT_W + 1;
    if (windows->n > KTPR_MAX_WINDOWS) {
        windows->n = KTPR_MAX_WINDOWS;
    }

    for (x = 0; x < windows->n; x++) {
        for (j = 0; j < KTPR_DIGIT_H; j++) {
            for (i = 0; i < KTPR_DIGIT_W; i++) {
                run.in[j * KTPR_DIGIT_W + i] =
                    line->px[(size_t) j * line->w + x + i];
            }
        }

        ktpr_digit_net_even(&run);
        ktpr_digit_net_run(net, &run);
        windows->gap[x] =
            logf(run.p[KTPR_DIGIT_NONE] + (float) KTPR_CELL_FLOOR);

        for (d = 0; d < 10; d++) {
            windows->p[x][d] = logf(run.p[d] + (float) KTPR_CELL_FLOOR);
        }
    }

    ktpr_windows_even(windows);
}


/* The gap's likelihood at x; outside what was cut nothing is known. */
static float
ktpr_windows_gap(const ktpr_windows_t *windows, double x)
{
    int at;

    at = (int) lrint(x);

    return at >= 0 && at < windows->n
               ? (float) KTPR_GAP_SHARE * windows->gap[at]
               : (float) (KTPR_GAP_SHARE * -.5);
}


/* The best way to cell k at window x. */
static void
ktpr_windows_step(ktpr_windows_t *w, int k, int x, double pitch)
{
    int   from, first, last, middle;
    float v, most, off;

    middle = (int) lrint(x - pitch);
    first = middle - 1;
    last = middle + 1;

    if (w->mark[k]) {
        first = (int) lrint(x - KTPR_MARK_MAX * pitch);
        last = (int) lrint(x - KTPR_MARK_MIN * pitch);
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
        w->best[k][x] += ktpr_windows_gap(w, x - pitch / 2);
    }
}


/*
 * The best windows about pitch apart, by Viterbi's way; their score and
 * places.
 */
static float
ktpr_windows_path(ktpr_windows_t *w, double pitch, int places[KTPR_CELLS])
{
    int   k, x, last;
    float v, most;

    for (x = 0; x < w->n; x++) {
        w->best[0][x] = w->cell[x] + ktpr_windows_gap(w, x - pitch / 2)
                        + ktpr_windows_gap(w, x - pitch);
    }

    for (k = 1; k < w->cells; k++) {
        for (x = 0; x < w->n; x++) {
            ktpr_windows_step(w, k, x, pitch);
        }
    }

    last = 0;
    most = -1e9f;

    for (x = 0; x < w->n; x++) {
        v = w->best[w->cells - 1][x] + ktpr_windows_gap(w, x + pitch / 2)
            + ktpr_windows_gap(w, x + pitch);
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
ktpr_cell_fill(const ktpr_windows_t *windows, int place, double p[10])
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
ktpr_cells_try(const ktpr_view_t *view, const ktpr_strip_t *strip,
               double height, ktpr_windows_t *windows, ktpr_cells_t *cells)
{
    int         k, places[KTPR_CELLS], best[KTPR_CELLS];
    float       score, most;
    double      pitch, sum;
    ktpr_cut_t  cut;
    ktpr_gray_t line;

    cut.capital = height;
    cut.wide = 1;
    cut.above = (KTPR_DIGIT_H + .01 - height) / 2 / height;
    cut.left = 1.2;
    cut.right = 1.2;

    if (ktpr_crop(view->pool, view->sheet, view->to_image, strip, &cut, &line)
        != 0) {
        return -1;
    }

    if (line.h < KTPR_DIGIT_H
        || line.w < KTPR_DIGIT_W + windows->cells * KTPR_PITCH_MIN * height) {
        ktpr_pool_free(view->pool, line.px);
        return -1;
    }

    ktpr_windows_run(view->engines->digits, &line, windows);
    ktpr_pool_free(view->pool, line.px);
    most = -1e9f;

    for (pitch = KTPR_PITCH_MIN * height; pitch < KTPR_PITCH_MAX * height;
         pitch += KTPR_PITCH_STEP) {
        score = ktpr_windows_path(windows, pitch, places);
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
        ktpr_cell_fill(windows, best[k], cells->p[k]);
        sum += windows->cell[best[k]];
    }

    cells->n = windows->cells;
    cells->quality = sum / windows->cells;

    return 0;
}


int
ktpr_cells_read(const ktpr_view_t *view, const ktpr_strip_t *strip,
                const char *pattern, ktpr_cells_t *cells)
{
    size_t          i;
    double          h;
    ktpr_cells_t    tried;
    ktpr_strip_t    s;
    ktpr_windows_t *windows;

    /* height of the digits, and shift in heights */
    static const double tries[][2] = {
        {1, 0}, {.93, 0}, {1.07, 0}, {1, -.07}, {1, .07}, {.86, 0},
    };

    windows = ktpr_pool_alloc(view->pool, 1, sizeof(ktpr_windows_t));
    if (windows == NULL) {
        return -1;
    }

    for (; *pattern != '\0' && windows->cells < KTPR_CELLS; pattern++) {
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

        if (ktpr_cells_try(view, &s, KTPR_DIGIT_HEIGHT * tries[i][0], windows,
                           &tried)
                == 0
            && tried.quality > cells->quality) {
            *cells = tried;
        }

        if (cells->quality > KTPR_CELLS_GOOD) {
            break;
        }
    }

    ktpr_pool_free(view->pool, windows);

    return cells->quality > -1e8 ? 0 : -1;
}
