/*
 * A small convolutional network for printed digits: a layer of 5x5 filters,
 * the maximum of each 2x2 of their outputs, a fully connected layer, and 11
 * classes: the ten digits, and no digit (a gap, a colon).  The weights come
 * from train/train_digits.c, from drawn digits of many typefaces.
 */

#ifndef KTPR_DIGIT_NET_H
#define KTPR_DIGIT_NET_H


/* Pixels of a window; a digit is KTPR_DIGIT_HEIGHT high, in its middle. */
#define KTPR_DIGIT_W      16
#define KTPR_DIGIT_H      24
#define KTPR_DIGIT_HEIGHT 18

#define KTPR_DIGIT_FILTERS 8
#define KTPR_DIGIT_FILTER  5
#define KTPR_DIGIT_CONV_W  (KTPR_DIGIT_W - KTPR_DIGIT_FILTER + 1)
#define KTPR_DIGIT_CONV_H  (KTPR_DIGIT_H - KTPR_DIGIT_FILTER + 1)
#define KTPR_DIGIT_POOL_W  (KTPR_DIGIT_CONV_W / 2)
#define KTPR_DIGIT_POOL_H  (KTPR_DIGIT_CONV_H / 2)
#define KTPR_DIGIT_POOLED                                                     \
    (KTPR_DIGIT_FILTERS * KTPR_DIGIT_POOL_W * KTPR_DIGIT_POOL_H)
#define KTPR_DIGIT_SUMS    48
#define KTPR_DIGIT_CLASSES 11
#define KTPR_DIGIT_NONE    10

typedef struct {
    float filters[KTPR_DIGIT_FILTERS][KTPR_DIGIT_FILTER * KTPR_DIGIT_FILTER];
    float filter_bias[KTPR_DIGIT_FILTERS];
    float sums[KTPR_DIGIT_SUMS][KTPR_DIGIT_POOLED];
    float sum_bias[KTPR_DIGIT_SUMS];
    float classes[KTPR_DIGIT_CLASSES][KTPR_DIGIT_SUMS];
    float class_bias[KTPR_DIGIT_CLASSES];
} ktpr_digit_net_t;

/* Outputs of the layers for one window; largest: which of each 2x2 it is. */
typedef struct {
    float         in[KTPR_DIGIT_H * KTPR_DIGIT_W];
    float         pooled[KTPR_DIGIT_POOLED];
    unsigned char largest[KTPR_DIGIT_POOLED];
    float         sums[KTPR_DIGIT_SUMS];
    float         p[KTPR_DIGIT_CLASSES]; /* adds up to 1 */
} ktpr_digit_run_t;

/* Numbers of the network. */
#define KTPR_DIGIT_WEIGHTS ((int) (sizeof(ktpr_digit_net_t) / sizeof(float)))


/* Sets the network from the weights of ktpr_digit_weights.c. */
void ktpr_digit_net_load(ktpr_digit_net_t *net);

/* Normalises run->in to mean 0 and spread 1. */
void ktpr_digit_net_even(ktpr_digit_run_t *run);

/* Computes run->p from run->in. */
void ktpr_digit_net_run(const ktpr_digit_net_t *net, ktpr_digit_run_t *run);


#endif /* KTPR_DIGIT_NET_H */
