/*
 * A small network that reads a line of print: layers of 3x3 filters down to
 * one row of columns, layers that look at neighbouring columns near and far,
 * and a class for each column: a character, or none (connectionist temporal
 * classification, Graves 2006).  train/train_lines.py makes its weights from
 * lines drawn in many typefaces.
 */

#ifndef KTPR_LINE_NET_H
#define KTPR_LINE_NET_H

#include <stddef.h>


/* A line's image: the capital's height and what is above and below it. */
#define KTPR_LINE_CAPITAL 16
#define KTPR_LINE_ABOVE   4
#define KTPR_LINE_H       24

/* Pixels across that the height of a capital is: letters are widened. */
#define KTPR_LINE_ACROSS 20

/* Widths: of a thin letter, of sixty capitals. */
#define KTPR_LINE_LEAST 16
#define KTPR_LINE_MAX   1200

/* Pixels of the image that a column of classes stands for. */
#define KTPR_LINE_STEP 4

#define KTPR_LINE_COLUMNS (KTPR_LINE_MAX / KTPR_LINE_STEP)

/* The characters, small letters as capitals; class 0 is none. */
#define KTPR_LINE_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,/-'():&+"
#define KTPR_LINE_CLASSES  48

/* The layers: four of filters, four along the row, the classes. */
#define KTPR_LINE_LAYERS 9

/*
 * A layer sums, for each place, runs of values that lie beside each other:
 * rows of three pixels, or columns some way apart.
 */
typedef struct {
    int runs;
    int length; /* of a run: pixels times channels */
    int out;    /* channels, a multiple of 16 */
    int apart;  /* columns between runs; 0: a run a row */
} ktpr_line_layer_t;

typedef struct ktpr_line_net_s ktpr_line_net_t;

/* What the network gives for a line: likelihoods, adding up to 1 a column. */
typedef struct {
    int   n; /* columns */
    float p[][KTPR_LINE_CLASSES];
} ktpr_line_columns_t;

/* How many columns a line so many pixels wide has. */
#define ktpr_line_columns(w) (((w) + KTPR_LINE_STEP - 1) / KTPR_LINE_STEP)

/* The weights as stored: a printable character each, see ktpr_line_net.c. */
extern const ktpr_line_layer_t ktpr_line_weights_layers[KTPR_LINE_LAYERS];
extern const char              ktpr_line_weights[];
extern const float ktpr_line_weights_steps[]; /* a channel: what 1 is */
extern const float ktpr_line_weights_biases[];


/* The network with its room to work in; NULL: no memory. */
ktpr_line_net_t *ktpr_line_net_create(void);
void             ktpr_line_net_destroy(ktpr_line_net_t *net);

/*
 * Evens a line's image of KTPR_LINE_H rows of w pixels: paper is 0, ink
 * about 1.
 */
void ktpr_line_net_even(const unsigned char *px, int w, float *out);

/*
 * Reads an image of KTPR_LINE_H rows of w pixels, at least KTPR_LINE_LEAST
 * and at most KTPR_LINE_MAX; columns has room for ktpr_line_columns(w).  Not
 * for two threads at once.
 */
void ktpr_line_net_run(ktpr_line_net_t *net, const unsigned char *px, int w,
                       ktpr_line_columns_t *columns);


#endif /* KTPR_LINE_NET_H */
