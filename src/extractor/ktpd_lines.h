/*
 * A small network that reads a line of print: layers of 3x3 filters down to
 * one row of columns, layers that look at neighbouring columns near and far,
 * and a class for each column: a character, or none (connectionist temporal
 * classification, Graves 2006).  bench/train_lines.py makes its weights from
 * lines drawn in many typefaces.
 */

#ifndef KTPD_LINES_H
#define KTPD_LINES_H

#include <stddef.h>


/* A line's image: the capital's height and what is above and below it. */
#define KTPD_LINE_CAPITAL 16
#define KTPD_LINE_ABOVE   4
#define KTPD_LINE_H       24

/* Pixels across that the height of a capital is: letters are widened. */
#define KTPD_LINE_ACROSS 20

/* Widths: of a thin letter, of sixty capitals. */
#define KTPD_LINE_LEAST 16
#define KTPD_LINE_MAX   1200

/* Pixels of the image that a column of classes stands for. */
#define KTPD_LINE_STEP 4

#define KTPD_LINE_COLUMNS (KTPD_LINE_MAX / KTPD_LINE_STEP)

/* The characters, small letters as capitals; class 0 is none. */
#define KTPD_LINE_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,/-'():&+"
#define KTPD_LINE_CLASSES  48

/* The layers: four of filters, four along the row, the classes. */
#define KTPD_LINE_LAYERS 9

/*
 * A layer sums, for each place, runs of values that lie beside each other:
 * rows of three pixels, or columns some way apart.
 */
typedef struct {
    int runs;
    int length; /* of a run: pixels times channels */
    int out;    /* channels, a multiple of 16 */
    int apart;  /* columns between runs; 0: a run a row */
} ktpd_line_layer_t;

typedef struct ktpd_line_net_s ktpd_line_net_t;

/* What the network gives for a line: likelihoods, adding up to 1 a column. */
typedef struct {
    int   n; /* columns */
    float p[][KTPD_LINE_CLASSES];
} ktpd_line_columns_t;

/* How many columns a line so many pixels wide has. */
#define ktpd_line_columns(w) (((w) + KTPD_LINE_STEP - 1) / KTPD_LINE_STEP)

/* The weights as stored: a printable character each, see ktpd_lines.c. */
extern const ktpd_line_layer_t ktpd_line_layers[KTPD_LINE_LAYERS];
extern const char              ktpd_line_weights[];
extern const float             ktpd_line_steps[]; /* a channel: what 1 is */
extern const float             ktpd_line_biases[];


/* The network with its room to work in; NULL: no memory. */
ktpd_line_net_t *ktpd_line_net_create(void);
void             ktpd_line_net_destroy(ktpd_line_net_t *net);

/*
 * Evens a line's image of KTPD_LINE_H rows of w pixels: paper is 0, ink
 * about 1.
 */
void ktpd_line_even(const unsigned char *px, int w, float *out);

/*
 * Reads an image of KTPD_LINE_H rows of w pixels, at least KTPD_LINE_LEAST
 * and at most KTPD_LINE_MAX; columns has room for ktpd_line_columns(w).  Not
 * for two threads at once.
 */
void ktpd_line_run(ktpd_line_net_t *net, const unsigned char *px, int w,
                   ktpd_line_columns_t *columns);


#endif /* KTPD_LINES_H */
