/*
 * The sums of a layer, for registers of KTPR_LINE_LANES numbers: included
 * once for each kind of register, by ktpr_line_net.c alone.  Also set before:
 * KTPR_LINE_SUMS_NAME, the function's name; KTPR_LINE_SUMS_FOR, its target
 * attribute or nothing; KTPR_LINE_PLACES, for how many places sums are made
 * at once, so that they stay in registers.
 */

#define KTPR_LINE_PARTS (KTPR_LINE_CHANNELS / KTPR_LINE_LANES)

static KTPR_LINE_SUMS_FOR void
KTPR_LINE_SUMS_NAME(const ktpr_line_sum_t *sum)
{
    /* as it lies in memory, and in a register */
    typedef float lying_t
        __attribute__((vector_size(sizeof(float) * KTPR_LINE_LANES),
                       aligned(sizeof(float)), may_alias));
    typedef float vector_t
        __attribute__((vector_size(sizeof(float) * KTPR_LINE_LANES)));

    int            place, channel, run, i, q, k, length;
    float         *out;
    const float   *a, *w;
    const lying_t *from;
    vector_t       v, acc[KTPR_LINE_PLACES][KTPR_LINE_PARTS];

    length = sum->layer->length;

    for (place = 0; place < sum->n; place += KTPR_LINE_PLACES) {
        for (channel = 0; channel < sum->layer->out;
             channel += KTPR_LINE_CHANNELS) {

            from = (const lying_t *) (sum->biases + channel);
#pragma GCC unroll 8
            for (q = 0; q < KTPR_LINE_PLACES; q++) {
#pragma GCC unroll 8
                for (k = 0; k < KTPR_LINE_PARTS; k++) {
                    acc[q][k] = from[k];
                }
            }

            w = sum->weights + channel;

            for (run = 0; run < sum->layer->runs; run++) {
                a = sum->in + (size_t) run * sum->apart
                    + (size_t) place * sum->step;

                for (i = 0; i < length; i++, w += sum->layer->out) {
                    from = (const lying_t *) w;
#pragma GCC unroll 8
                    for (k = 0; k < KTPR_LINE_PARTS; k++) {
                        v = from[k];
#pragma GCC unroll 8
                        for (q = 0; q < KTPR_LINE_PLACES; q++) {
                            acc[q][k] +=
                                v * a[(size_t) q * sum->step + (size_t) i];
                        }
                    }
                }
            }

            out =
                sum->out + (size_t) place * (size_t) sum->layer->out + channel;
#pragma GCC unroll 8
            for (q = 0; q < KTPR_LINE_PLACES; q++, out += sum->layer->out) {
#pragma GCC unroll 8
                for (k = 0; k < KTPR_LINE_PARTS; k++) {
                    ((lying_t *) out)[k] = acc[q][k];
                }
            }
        }
    }
}

#undef KTPR_LINE_PARTS
#undef KTPR_LINE_SUMS_NAME
#undef KTPR_LINE_SUMS_FOR
#undef KTPR_LINE_LANES
#undef KTPR_LINE_PLACES
