#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpr_cells.h"


/*
 * Digit heights: the range and the steps of the pitch, which is the distance
 * from digit to digit, that are tried.  The narrowest is that of condensed
 * faces, the widest that of OCR-A.  Set not recorded.  A range too small: the
 * numbers of a typeface are not read at all; too large, or the step too small:
 * CPU, and a path that skips digits.
 */
#define KTPR_CELLS_PITCH_MIN  .56
#define KTPR_CELLS_PITCH_MAX  1.10
#define KTPR_CELLS_PITCH_STEP .25 /* pixels */

/*
 * Log units a square pixel: the cost of a digit that is off the pitch.  Set
 * not recorded.  Lower: digits are skipped or read twice; higher: letters of
 * uneven distance, or a slanted strip, are not followed.
 */
#define KTPR_CELLS_UNEVEN .02f

/*
 * Likelihood added to each class before the logarithm, so that one bad window
 * does not outweigh all others.  Set not recorded.  Higher: clear digits are
 * as uncertain as others; lower: one spoilt digit decides the whole path.
 */
#define KTPR_CELLS_FLOOR .002

/*
 * Weight of the gaps beside a cell, in weights of the cell; and the logarithm
 * of a gap's likelihood outside the cut, where nothing is known.  Set not
 * recorded.  Too low: the path begins in the middle of a wide digit; too high:
 * touching digits are not read.
 */
#define KTPR_CELLS_GAP         .35
#define KTPR_CELLS_GAP_UNKNOWN (-.5)

/*
 * Mean logarithm of the digits' likelihoods above which no other height or
 * shift is tried.  Chosen for speed; set not recorded.  Higher: up to six
 * times the CPU of a number.
 */
#define KTPR_CELLS_GOOD (-.10)

/*
 * Windows (pixels) on each side over which the likelihoods of a digit are
 * averaged.  Set not recorded.  Lower: a window beside the digit decides;
 * higher: neighbouring digits blur into each other.
 */
#define KTPR_CELLS_AROUND 2

/*
 * Pitches from digit to digit over a mark: a thin slash and a wide dash.  Set
 * not recorded.  A range too small: numbers with marks are shifted by one.
 */
#define KTPR_CELLS_MARK_MIN 1.25
#define KTPR_CELLS_MARK_MAX 2.15

/* Digit heights added at both ends of a strip, for the first and last gap. */
#define KTPR_CELLS_MARGIN 1.2

/*
 * Digit heights and shifts that are tried one after the other, in heights of
 * the strip: the strip may be that much too high, too low or beside the
 * digits. Set not recorded.  Too far from 1 and 0: tried for nothing, since
 * the network knows digits of one height.
 */
#define KTPR_CELLS_LOWER  .93
#define KTPR_CELLS_LOWEST .86
#define KTPR_CELLS_HIGHER 1.07
#define KTPR_CELLS_SHIFT  .07

/*
 * fixed: pixels added to a cut's height, so that rounding down gives
 * KTPR_DIGIT_H
 */
#define KTPR_CELLS_ROUND .01

/*
 * fixed: windows of a strip, one a pixel, at most: sixteen digits of the
 * widest pitch with margins are some 400; a strip may be twice as long as its
 * number.  What is behind is not read.
 */
#define KTPR_CELLS_WINDOWS 900

/* fixed: the sum of a path that does not exist, under that of any that does.
 */
#define KTPR_CELLS_NEVER (-1e9f)

typedef struct {
    int           n;                /* windows, one a pixel */
    int           cells;            /* digits */
    unsigned char mark[KTPR_CELLS]; /* whether one stands before a digit */
    float         p[KTPR_CELLS_WINDOWS][10]; /* logs */
    float         even[KTPR_CELLS_WINDOWS][10];
    float         cell[KTPR_CELLS_WINDOWS]; /* log of the best digit's */
    float         gap[KTPR_CELLS_WINDOWS];  /* log of being none */
    float         best[KTPR_CELLS][KTPR_CELLS_WINDOWS];
    unsigned char step[KTPR_CELLS][KTPR_CELLS_WINDOWS];
} ktpr_windows_t;


/*
 * Averages the logarithms of each digit's likelihood over neighbouring
 * windows.  A window beside a digit may take it for another one; the digit is
 * in the middle of the windows that agree.
 */
static void
ktpr_windows_even(ktpr_windows_t *w)
{
    int   x, i, d, n;
    float sum;

    for (x = 0; x < w->n; x++) {
        w->cell[x] = KTPR_CELLS_NEVER;

        for (d = 0; d < 10; d++) {
            sum = 0;
            n = 0;

            for (i = -KTPR_CELLS_AROUND; i <= KTPR_CELLS_AROUND; i++) {
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
    if (windows->n > KTPR_CELLS_WINDOWS) {
        windows->n = KTPR_CELLS_WINDOWS;
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
            logf(run.p[KTPR_DIGIT_NONE] + (float) KTPR_CELLS_FLOOR);

        for (d = 0; d < 10; d++) {
            windows->p[x][d] = logf(run.p[d] + (float) KTPR_CELLS_FLOOR);
        }
    }

    ktpr_windows_even(windows);
}


/* The weighted logarithm of the likelihood of a gap at x. */
static float
ktpr_windows_gap(const ktpr_windows_t *windows, double x)
{
    int at;

    at = (int) lrint(x);

    return at >= 0 && at < windows->n
               ? (float) KTPR_CELLS_GAP * windows->gap[at]
               : (float) (KTPR_CELLS_GAP * KTPR_CELLS_GAP_UNKNOWN);
}


/* The logarithm of the likelihood of a digit at x, in the cut. */
static double
ktpr_windows_digit(const ktpr_windows_t *windows, double x)
{
    int at;

    at = (int) lrint(x);

    return at >= 0 && at < windows->n ? (double) windows->cell[at]
                                      : (double) KTPR_CELLS_NEVER;
}


/* Finds the best predecessor of cell k at window x. */
static void
ktpr_windows_step(ktpr_windows_t *w, int k, int x, double pitch)
{
    int   from, first, last, middle;
    float v, most, off;

    middle = (int) lrint(x - pitch);
    first = middle - 1;
    last = middle + 1;

    if (w->mark[k]) {
        first = (int) lrint(x - KTPR_CELLS_MARK_MAX * pitch);
        last = (int) lrint(x - KTPR_CELLS_MARK_MIN * pitch);
    }

    first = first < 0 ? 0 : first;
    last = last < x ? last : x - 1;
    most = KTPR_CELLS_NEVER;

    for (from = first; from <= last; from++) {
        off = w->mark[k] ? 0
                         : KTPR_CELLS_UNEVEN
                               * (float) ((from - middle) * (from - middle));
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
 * Finds the best windows about pitch apart (Viterbi's algorithm): their places
 * and score.
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
    most = KTPR_CELLS_NEVER;

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


/* The likelihoods of the digits at a place, scaled to add up to 1. */
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


/*
 * Reads the cells of a strip that is cut so that digits are height pixels
 * high.  0, or -1 when it cannot be cut or is too short.
 */
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
    cut.above = (KTPR_DIGIT_H + KTPR_CELLS_ROUND - height) / 2 / height;
    cut.left = KTPR_CELLS_MARGIN;
    cut.right = KTPR_CELLS_MARGIN;

    if (ktpr_crop(view->pool, view->sheet, view->to_image, strip, &cut, &line)
        != 0) {
        return -1;
    }

    if (line.h < KTPR_DIGIT_H
        || line.w < KTPR_DIGIT_W
                        + windows->cells * KTPR_CELLS_PITCH_MIN * height) {
        ktpr_pool_free(view->pool, line.px);
        return -1;
    }

    ktpr_windows_run(view->engines->digits, &line, windows);
    ktpr_pool_free(view->pool, line.px);
    most = KTPR_CELLS_NEVER;

    for (pitch = KTPR_CELLS_PITCH_MIN * height;
         pitch < KTPR_CELLS_PITCH_MAX * height;
         pitch += KTPR_CELLS_PITCH_STEP) {
        score = ktpr_windows_path(windows, pitch, places);
        if (score > most) {
            most = score;
            memcpy(best, places, sizeof(best));
        }
    }

    if (most < KTPR_CELLS_NEVER / 2) {
        return -1;
    }

    sum = 0;
    cells->least = 0;

    for (k = 0; k < windows->cells; k++) {
        ktpr_cell_fill(windows, best[k], cells->p[k]);
        sum += windows->cell[best[k]];
        cells->least = fmin(cells->least, windows->cell[best[k]]);
    }

    pitch = (double) (best[windows->cells - 1] - best[0])
            / (windows->cells > 1 ? windows->cells - 1 : 1);
    cells->beyond =
        fmax(ktpr_windows_digit(windows, best[0] - pitch),
             ktpr_windows_digit(windows, best[windows->cells - 1] + pitch));
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
        {1, 0},
        {KTPR_CELLS_LOWER, 0},
        {KTPR_CELLS_HIGHER, 0},
        {1, -KTPR_CELLS_SHIFT},
        {1, KTPR_CELLS_SHIFT},
        {KTPR_CELLS_LOWEST, 0},
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

    cells->quality = (double) KTPR_CELLS_NEVER;

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

    return cells->quality > (double) KTPR_CELLS_NEVER / 2 ? 0 : -1;
}
