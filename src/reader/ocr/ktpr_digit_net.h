/*
 * A small network that tells printed digits: one layer of 5x5 filters, the
 * larger of each 2x2 of what they give, a layer of sums, and a class each
 * for the ten digits and for what is none (the middle of a gap, a colon).
 * train/train_digits.c makes its weights from drawn digits of many typefaces.
 */

#ifndef KTPR_DIGIT_NET_H
#define KTPR_DIGIT_NET_H


/* A window: digits are KTPR_DIGIT_HEIGHT of its rows high, in the middle. */
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

/* What the layers give for one window; which of four was largest. */
typedef struct {
    float         in[KTPR_DIGIT_H * KTPR_DIGIT_W];
    float         pooled[KTPR_DIGIT_POOLED];
    unsigned char largest[KTPR_DIGIT_POOLED];
    float         sums[KTPR_DIGIT_SUMS];
    float         p[KTPR_DIGIT_CLASSES]; /* adds up to 1 */
} ktpr_digit_run_t;

/* The weights as stored: a byte each, times the step of its layer. */
#define KTPR_DIGIT_WEIGHTS ((int) (sizeof(ktpr_digit_net_t) / sizeof(float)))

extern const signed char ktpr_digit_weights[];
extern const float ktpr_digit_weights_steps[6]; /* in the struct's order */


/* The network from the stored weights. */
void ktpr_digit_net_load(ktpr_digit_net_t *net);

/* Evens run->in: mean 0, spread 1. */
void ktpr_digit_net_even(ktpr_digit_run_t *run);

/* From run->in to run->p. */
void ktpr_digit_net_run(const ktpr_digit_net_t *net, ktpr_digit_run_t *run);


#endif /* KTPR_DIGIT_NET_H */
