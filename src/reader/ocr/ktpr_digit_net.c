#include <math.h>
#include <string.h>

#include "ktpr_digit_net.h"
#include "ktpr_digit_weights.h"


/*
 * fixed: grey levels added to the spread of a window, so that the grain of an
 * empty one is not amplified to strokes.  The weights were trained with it.
 */
#define KTPR_DIGIT_NET_GRAIN 6

/* fixed: sums that are made at once; KTPR_DIGIT_POOLED is a multiple */
#define KTPR_DIGIT_LANES 16


/* Numbers of each member of ktpr_digit_net_t, in its order. */
static const int ktpr_digit_parts[KTPR_DIGIT_PARTS] = {
    KTPR_DIGIT_FILTERS * KTPR_DIGIT_FILTER * KTPR_DIGIT_FILTER,
    KTPR_DIGIT_FILTERS,
    KTPR_DIGIT_SUMS *KTPR_DIGIT_POOLED,
    KTPR_DIGIT_SUMS,
    KTPR_DIGIT_CLASSES *KTPR_DIGIT_SUMS,
    KTPR_DIGIT_CLASSES,
};


void
ktpr_digit_net_load(ktpr_digit_net_t *net)
{
    int                part, i;
    float             *to;
    const signed char *from;

    to = (float *) net;
    from = ktpr_digit_weights;

    for (part = 0; part < KTPR_DIGIT_PARTS; part++) {
        for (i = 0; i < ktpr_digit_parts[part]; i++) {
            *to++ = (float) *from++ * ktpr_digit_weights_steps[part];
        }
    }
}


void
ktpr_digit_net_even(ktpr_digit_run_t *run)
{
    int   i, n;
    float sum, square;

    n = KTPR_DIGIT_W * KTPR_DIGIT_H;
    sum = 0;
    square = 0;

    for (i = 0; i < n; i++) {
        sum += run->in[i];
    }

    sum /= (float) n;

    for (i = 0; i < n; i++) {
        run->in[i] -= sum;
        square += run->in[i] * run->in[i];
    }

    square = sqrtf(square / (float) n) + KTPR_DIGIT_NET_GRAIN;

    for (i = 0; i < n; i++) {
        run->in[i] /= square;
    }
}


static void
ktpr_digit_filters(const ktpr_digit_net_t *net, ktpr_digit_run_t *run)
{
    int          f, x, y, i, j, at;
    float        v, w, conv[KTPR_DIGIT_CONV_H][KTPR_DIGIT_CONV_W];
    const float *in;

    for (f = 0; f < KTPR_DIGIT_FILTERS; f++) {
        for (y = 0; y < KTPR_DIGIT_CONV_H; y++) {
            for (x = 0; x < KTPR_DIGIT_CONV_W; x++) {
                conv[y][x] = net->filter_bias[f];
            }

            for (j = 0; j < KTPR_DIGIT_FILTER; j++) {
                in = run->in + (y + j) * KTPR_DIGIT_W;
                for (i = 0; i < KTPR_DIGIT_FILTER; i++) {
                    w = net->filters[f][j * KTPR_DIGIT_FILTER + i];
                    for (x = 0; x < KTPR_DIGIT_CONV_W; x++) {
                        conv[y][x] += w * in[x + i];
                    }
                }
            }
        }

        for (y = 0; y < KTPR_DIGIT_POOL_H; y++) {
            for (x = 0; x < KTPR_DIGIT_POOL_W; x++) {
                at = (f * KTPR_DIGIT_POOL_H + y) * KTPR_DIGIT_POOL_W + x;
                run->pooled[at] = 0;
                run->largest[at] = 4;

                for (i = 0; i < 4; i++) {
                    v = conv[2 * y + i / 2][2 * x + i % 2];
                    if (v > run->pooled[at]) {
                        run->pooled[at] = v;
                        run->largest[at] = (unsigned char) i;
                    }
                }
            }
        }
    }
}


/* The sum of products of POOLED numbers, in lanes that the compiler sees. */
static float
ktpr_digit_sum(const float *weights, const float *pooled)
{
    int   i, k;
    float v, lanes[KTPR_DIGIT_LANES];

    memset(lanes, 0, sizeof(lanes));

    for (i = 0; i < KTPR_DIGIT_POOLED; i += KTPR_DIGIT_LANES) {
        for (k = 0; k < KTPR_DIGIT_LANES; k++) {
            lanes[k] += weights[i + k] * pooled[i + k];
        }
    }

    v = 0;
    for (k = 0; k < KTPR_DIGIT_LANES; k++) {
        v += lanes[k];
    }

    return v;
}


void
ktpr_digit_net_run(const ktpr_digit_net_t *net, ktpr_digit_run_t *run)
{
    int   i, k;
    float v, most, sum;

    ktpr_digit_filters(net, run);

    for (k = 0; k < KTPR_DIGIT_SUMS; k++) {
        v = net->sum_bias[k] + ktpr_digit_sum(net->sums[k], run->pooled);
        run->sums[k] = v > 0 ? v : 0;
    }

    most = -1e9f;

    for (k = 0; k < KTPR_DIGIT_CLASSES; k++) {
        v = net->class_bias[k];
        for (i = 0; i < KTPR_DIGIT_SUMS; i++) {
            v += net->classes[k][i] * run->sums[i];
        }
        run->p[k] = v;
        most = v > most ? v : most;
    }

    sum = 0;

    for (k = 0; k < KTPR_DIGIT_CLASSES; k++) {
        run->p[k] = expf(run->p[k] - most);
        sum += run->p[k];
    }

    for (k = 0; k < KTPR_DIGIT_CLASSES; k++) {
        run->p[k] /= sum;
    }
}
