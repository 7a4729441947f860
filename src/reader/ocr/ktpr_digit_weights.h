/*
 * The weights of the network for digits, as train/train_digits.c writes them:
 * a byte each, times the step of its part.  For this folder only.
 */

#ifndef KTPR_DIGIT_WEIGHTS_H
#define KTPR_DIGIT_WEIGHTS_H


/* Members of ktpr_digit_net_t, in its order. */
#define KTPR_DIGIT_PARTS 6

extern const signed char ktpr_digit_weights[];
extern const float       ktpr_digit_weights_steps[KTPR_DIGIT_PARTS];


#endif /* KTPR_DIGIT_WEIGHTS_H */
