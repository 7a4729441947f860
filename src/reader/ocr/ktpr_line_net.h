/*
 * A small convolutional network for a line of print: layers of 3x3 filters
 * that reduce the image to one row of columns, dilated layers along the row,
 * and a class for each column: a character, or none (connectionist temporal
 * classification, Graves 2006).  The weights come from train/train_lines.py,
 * from lines drawn in many typefaces.
 */

#ifndef KTPR_LINE_NET_H
#define KTPR_LINE_NET_H

#include <stddef.h>


/* Pixels of a line's image: height of a capital, above it, and in all. */
#define KTPR_LINE_CAPITAL 16
#define KTPR_LINE_ABOVE   4
#define KTPR_LINE_H       24

/* Pixels across for the height of a capital: letters are widened. */
#define KTPR_LINE_ACROSS 20

/* Widths of an image, in pixels: a thin letter, and sixty capitals. */
#define KTPR_LINE_LEAST 16
#define KTPR_LINE_MAX   1200

/* Pixels of the image that a column of classes stands for. */
#define KTPR_LINE_STEP 4

#define KTPR_LINE_COLUMNS (KTPR_LINE_MAX / KTPR_LINE_STEP)

/* The characters; small letters are read as capitals; class 0 is none. */
#define KTPR_LINE_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,/-'():&+"
#define KTPR_LINE_CLASSES  48

typedef struct ktpr_line_net_s ktpr_line_net_t;

/* The output for a line: likelihoods, which add up to 1 in each column. */
typedef struct {
    int   n; /* columns */
    float p[][KTPR_LINE_CLASSES];
} ktpr_line_columns_t;

/* Columns of a line that is w pixels wide. */
#define ktpr_line_columns(w) (((w) + KTPR_LINE_STEP - 1) / KTPR_LINE_STEP)


/* A network with its buffers, for one thread; NULL with no memory. */
ktpr_line_net_t *ktpr_line_net_create(void);
void             ktpr_line_net_destroy(ktpr_line_net_t *net);

/*
 * Normalises a line's image of KTPR_LINE_H rows of w pixels: paper to 0, ink
 * to about 1.
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
