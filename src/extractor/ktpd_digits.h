/*
 * A small network that tells printed digits: one layer of 5x5 filters, the
 * larger of each 2x2 of what they give, a layer of sums, and a class each
 * for the ten digits and for what is none (the middle of a gap, a colon).
 * bench/train_digits.c makes its weights from drawn digits of many typefaces.
 */

#ifndef KTPD_DIGITS_H
#define KTPD_DIGITS_H


/* A window: digits are KTPD_DIGIT_HEIGHT of its rows high, in the middle. */
#define KTPD_DIGIT_W      16
#define KTPD_DIGIT_H      24
#define KTPD_DIGIT_HEIGHT 18

#define KTPD_DIGIT_FILTERS 8
#define KTPD_DIGIT_FILTER  5
#define KTPD_DIGIT_CONV_W  (KTPD_DIGIT_W - KTPD_DIGIT_FILTER + 1)
#define KTPD_DIGIT_CONV_H  (KTPD_DIGIT_H - KTPD_DIGIT_FILTER + 1)
#define KTPD_DIGIT_POOL_W  (KTPD_DIGIT_CONV_W / 2)
#define KTPD_DIGIT_POOL_H  (KTPD_DIGIT_CONV_H / 2)
#define KTPD_DIGIT_POOLED                                                     \
    (KTPD_DIGIT_FILTERS * KTPD_DIGIT_POOL_W * KTPD_DIGIT_POOL_H)
#define KTPD_DIGIT_SUMS    48
#define KTPD_DIGIT_CLASSES 11
#define KTPD_DIGIT_NONE    10

typedef struct {
    float filters[KTPD_DIGIT_FILTERS][KTPD_DIGIT_FILTER * KTPD_DIGIT_FILTER];
    float filter_bias[KTPD_DIGIT_FILTERS];
    float sums[KTPD_DIGIT_SUMS][KTPD_DIGIT_POOLED];
    float sum_bias[KTPD_DIGIT_SUMS];
    float classes[KTPD_DIGIT_CLASSES][KTPD_DIGIT_SUMS];
    float class_bias[KTPD_DIGIT_CLASSES];
} ktpd_digit_net_t;

/* What the layers give for one window; which of four was largest. */
typedef struct {
    float         in[KTPD_DIGIT_H * KTPD_DIGIT_W];
    float         pooled[KTPD_DIGIT_POOLED];
    unsigned char largest[KTPD_DIGIT_POOLED];
    float         sums[KTPD_DIGIT_SUMS];
    float         p[KTPD_DIGIT_CLASSES]; /* adds up to 1 */
} ktpd_digit_run_t;

/* The weights as stored: a byte each, times the step of its layer. */
#define KTPD_DIGIT_WEIGHTS ((int) (sizeof(ktpd_digit_net_t) / sizeof(float)))

extern const signed char ktpd_digit_weights[];
extern const float       ktpd_digit_steps[6]; /* in the struct's order */


/* The network from the stored weights. */
void ktpd_digit_net_load(ktpd_digit_net_t *net);

/* Evens run->in: mean 0, spread 1. */
void ktpd_digit_even(ktpd_digit_run_t *run);

/* From run->in to run->p. */
void ktpd_digit_run(const ktpd_digit_net_t *net, ktpd_digit_run_t *run);


#endif /* KTPD_DIGITS_H */
