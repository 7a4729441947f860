/*
 * The weights of the network for lines, as train/train_lines.py writes them:
 * a printable character each (see ktpr_line_net.c), times the step of its
 * channel.  For this folder only.
 */

#ifndef KTPR_LINE_WEIGHTS_H
#define KTPR_LINE_WEIGHTS_H


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

extern const ktpr_line_layer_t ktpr_line_weights_layers[KTPR_LINE_LAYERS];
extern const char              ktpr_line_weights[];
extern const float             ktpr_line_weights_steps[]; /* one a channel */
extern const float             ktpr_line_weights_biases[];


#endif /* KTPR_LINE_WEIGHTS_H */
