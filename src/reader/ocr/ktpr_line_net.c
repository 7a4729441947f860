#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktp_cpu.h"
#include "ktpr_line_net.h"
#include "ktpr_line_weights.h"


/*
 * fixed: how a line's image is normalised, which the weights were trained
 * with: the least contrast that becomes 1, in grey levels, since less is
 * grain; the shares of pixels darker than the ink level and the paper level;
 * the range of values.
 */
#define KTPR_LINE_NET_CONTRAST 40
#define KTPR_LINE_NET_INK      .02
#define KTPR_LINE_NET_PAPER    .75
#define KTPR_LINE_NET_LOW      (-.5f)
#define KTPR_LINE_NET_HIGH     1.5f

/* fixed: steps from 0 to the greatest weight of ktpr_line_weights.c */
#define KTPR_LINE_NET_STEPS 44

/* Columns of nothing beside the row, for the layers that look far. */
#define KTPR_LINE_FAR  16
#define KTPR_LINE_WIDE 96 /* channels of the row */

#define KTPR_LINE_LAST (KTPR_LINE_LAYERS - 1)

/* Sums are made for so many channels, and at most so many places, at once. */
#define KTPR_LINE_CHANNELS 16
#define KTPR_LINE_GROUP    6

/* Sums are made for whole groups of places: some more than there are. */
#define KTPR_LINE_MORE (KTPR_LINE_GROUP * KTPR_LINE_WIDE)

/* Values of the largest pictures and rows, with an edge of nothing. */
#define KTPR_LINE_EVEN                                                        \
    ((KTPR_LINE_H + 2) * (KTPR_LINE_MAX + 2) + KTPR_LINE_MORE)
#define KTPR_LINE_PICTURE                                                     \
    ((KTPR_LINE_H / 2 + 2) * (KTPR_LINE_MAX / 2 + 2) * 16 + KTPR_LINE_MORE)
#define KTPR_LINE_SUMS (KTPR_LINE_MAX * 16 + KTPR_LINE_MORE)
#define KTPR_LINE_ROW                                                         \
    ((KTPR_LINE_COLUMNS + 2 * KTPR_LINE_FAR) * KTPR_LINE_WIDE + KTPR_LINE_MORE)

/* What a layer is summed over, and where to. */
typedef struct {
    const ktpr_line_layer_t *layer;
    const float             *weights;
    const float             *biases;
    const float             *in;
    size_t                   step;  /* from a place to the next */
    size_t                   apart; /* from a run to the next */
    float                   *out;
    int                      n; /* places */
} ktpr_line_sum_t;

typedef void (*ktpr_line_sums_pt)(const ktpr_line_sum_t *sum);

struct ktpr_line_net_s {
    ktpr_line_sums_pt sums;
    float            *weights[KTPR_LINE_LAYERS];
    const float      *biases[KTPR_LINE_LAYERS];
    float            *flat; /* the image evened, then with an edge */
    float            *even;
    float            *pictures[2];
    float            *part[2]; /* a row of sums each */
    float            *rows[2];
};


/* The level that a share of n pixels is at or under. */
static int
ktpr_line_level(const unsigned *histogram, int n, double share)
{
    int level, sum;

    sum = 0;

    for (level = 0; level < 255; level++) {
        sum += (int) histogram[level];
        if (sum >= share * n) {
            break;
        }
    }

    return level;
}


void
ktpr_line_net_even(const unsigned char *px, int w, float *out)
{
    int      i, n, ink, paper;
    float    v, range;
    unsigned histogram[256] = {0};

    n = w * KTPR_LINE_H;

    for (i = 0; i < n; i++) {
        histogram[px[i]]++;
    }

    ink = ktpr_line_level(histogram, n, KTPR_LINE_NET_INK);
    paper = ktpr_line_level(histogram, n, KTPR_LINE_NET_PAPER);
    range = (float) (paper - ink > KTPR_LINE_NET_CONTRAST
                         ? paper - ink
                         : KTPR_LINE_NET_CONTRAST);

    for (i = 0; i < n; i++) {
        v = (float) (paper - px[i]) / range;
        v = v < KTPR_LINE_NET_LOW ? KTPR_LINE_NET_LOW : v;
        out[i] = v > KTPR_LINE_NET_HIGH ? KTPR_LINE_NET_HIGH : v;
    }
}


/* For what every processor of the kind has, and for wider registers. */

#define KTPR_LINE_SUMS_NAME ktpr_line_sums_any
#define KTPR_LINE_SUMS_FOR
#define KTPR_LINE_LANES  4
#define KTPR_LINE_PLACES 3
#include "ktpr_line_net_sums.h"

#if defined(__x86_64__)

#define KTPR_LINE_SUMS_NAME ktpr_line_sums_avx2
#define KTPR_LINE_SUMS_FOR  __attribute__((target("avx2,fma")))
#define KTPR_LINE_LANES     8
#define KTPR_LINE_PLACES    6
#include "ktpr_line_net_sums.h"

#define KTPR_LINE_SUMS_NAME ktpr_line_sums_avx512
#define KTPR_LINE_SUMS_FOR  __attribute__((target("avx512f")))
#define KTPR_LINE_LANES     16
#define KTPR_LINE_PLACES    6
#include "ktpr_line_net_sums.h"

#endif


static ktpr_line_sums_pt
ktpr_line_choose(void)
{
#if defined(__x86_64__)
    if (ktp_cpu_has(KTP_CPU_AVX512F)) {
        return ktpr_line_sums_avx512;
    }

    if (ktp_cpu_has(KTP_CPU_AVX2 | KTP_CPU_FMA)) {
        return ktpr_line_sums_avx2;
    }
#endif

    return ktpr_line_sums_any;
}


/*
 * A weight of the table: the printable characters from '#' on, but for '?'
 * and '\\', stand for -44 to 44 steps.
 */
static int
ktpr_line_weight(char c)
{
    return c - '#' - (c > '?') - (c > '\\') - KTPR_LINE_NET_STEPS;
}


static int
ktpr_line_net_load(ktpr_line_net_t *net)
{
    int                      i, k, n, channels;
    const char              *from;
    const float             *steps;
    const ktpr_line_layer_t *layer;

    from = ktpr_line_weights;
    channels = 0;

    for (i = 0; i < KTPR_LINE_LAYERS; i++) {
        layer = &ktpr_line_weights_layers[i];
        n = layer->runs * layer->length * layer->out;
        steps = ktpr_line_weights_steps + channels;
        net->biases[i] = ktpr_line_weights_biases + channels;
        net->weights[i] = malloc(sizeof(float) * (size_t) n);

        if (net->weights[i] == NULL) {
            return -1;
        }

        for (k = 0; k < n; k++) {
            net->weights[i][k] =
                (float) ktpr_line_weight(*from++) * steps[k % layer->out];
        }

        channels += layer->out;
    }

    return 0;
}


ktpr_line_net_t *
ktpr_line_net_create(void)
{
    int              i;
    ktpr_line_net_t *net;

    net = calloc(1, sizeof(ktpr_line_net_t));
    if (net == NULL) {
        return NULL;
    }

    net->sums = ktpr_line_choose();
    net->even = calloc(KTPR_LINE_EVEN, sizeof(float));
    net->flat = calloc(KTPR_LINE_H * KTPR_LINE_MAX, sizeof(float));

    for (i = 0; i < 2; i++) {
        net->pictures[i] = calloc(KTPR_LINE_PICTURE, sizeof(float));
        net->part[i] = calloc(KTPR_LINE_SUMS, sizeof(float));
        net->rows[i] = calloc(KTPR_LINE_ROW, sizeof(float));
    }

    if (ktpr_line_net_load(net) != 0 || net->even == NULL || net->flat == NULL
        || net->pictures[0] == NULL || net->pictures[1] == NULL
        || net->part[0] == NULL || net->part[1] == NULL || net->rows[0] == NULL
        || net->rows[1] == NULL) {
        ktpr_line_net_destroy(net);
        return NULL;
    }

    return net;
}


void
ktpr_line_net_destroy(ktpr_line_net_t *net)
{
    int i;

    if (net == NULL) {
        return;
    }

    for (i = 0; i < KTPR_LINE_LAYERS; i++) {
        free(net->weights[i]);
    }

    for (i = 0; i < 2; i++) {
        free(net->pictures[i]);
        free(net->part[i]);
        free(net->rows[i]);
    }

    free(net->even);
    free(net->flat);
    free(net);
}


/* The sums of layer i for n places of the picture or row at in. */
static void
ktpr_line_layer(const ktpr_line_net_t *net, int i, const float *in,
                size_t apart, int n, float *out)
{
    ktpr_line_sum_t          sum;
    const ktpr_line_layer_t *layer;

    layer = &ktpr_line_weights_layers[i];
    sum.layer = layer;
    sum.weights = net->weights[i];
    sum.biases = net->biases[i];
    sum.in = in;
    sum.step = (size_t) layer->length / (layer->apart > 0 ? 1 : 3);
    sum.apart = layer->apart > 0 ? sum.step * (size_t) layer->apart : apart;
    sum.out = out;
    sum.n = n;

    net->sums(&sum);
}


/* The larger of each few values that are over 0, of channels beside it. */
static void
ktpr_line_pool(float *const part[2], int n, int across, int channels,
               float *out)
{
    int          x, i, c;
    float        v;
    const float *from;

    for (x = 0; x < n; x++) {
        for (c = 0; c < channels; c++) {
            v = 0;
            for (i = 0; i < 2 * across; i++) {
                from = part[i % 2] + (size_t) (x * across + i / 2) * channels;
                v = from[c] > v ? from[c] : v;
            }
            *out++ = v;
        }
    }
}


/*
 * A layer of filters over a picture with an edge: h rows of w places.  The
 * larger of two rows and of so many columns across goes to a new picture,
 * with an edge when edged is set.
 */
static void
ktpr_line_filters(ktpr_line_net_t *net, int i, const float *in, int w, int h,
                  int across, int edged, float *out)
{
    int    y, k, channels;
    size_t row, stride;

    channels = ktpr_line_weights_layers[i].out;
    row = (size_t) (w + 2) * (size_t) ktpr_line_weights_layers[i].length / 3;
    stride = (size_t) (w / across + 2) * (size_t) channels;
    memset(out, 0,
           sizeof(float) * stride * (size_t) (h / 2 + (edged ? 2 : 0)));

    for (y = 0; y < h / 2; y++) {
        for (k = 0; k < 2; k++) {
            ktpr_line_layer(net, i, in + (size_t) (2 * y + k) * row, row, w,
                            net->part[k]);
        }

        ktpr_line_pool(net->part, w / across, across, channels,
                       out + (size_t) (y + (edged ? 1 : 0)) * stride
                           + channels);
    }
}


/* Values over 0 of n columns of sums added to the row, or put there. */
static void
ktpr_line_add(const float *sums, int n, int keep, float *row)
{
    int i;

    row += KTPR_LINE_FAR * KTPR_LINE_WIDE;

    for (i = 0; i < n * KTPR_LINE_WIDE; i++) {
        row[i] = (keep ? row[i] : 0) + (sums[i] > 0 ? sums[i] : 0);
    }

    if (!keep) {
        memset(row + i, 0,
               sizeof(float)
                   * (KTPR_LINE_FAR * KTPR_LINE_WIDE + KTPR_LINE_MORE));
    }
}


/* Sums of classes to likelihoods that add up to 1. */
static void
ktpr_line_likelihoods(const float *sums, int n, ktpr_line_columns_t *columns)
{
    int          x, k;
    float        most, all;
    const float *v;

    columns->n = n;

    for (x = 0; x < n; x++) {
        v = sums + (size_t) x * KTPR_LINE_CLASSES;
        most = v[0];
        for (k = 1; k < KTPR_LINE_CLASSES; k++) {
            most = v[k] > most ? v[k] : most;
        }

        all = 0;
        for (k = 0; k < KTPR_LINE_CLASSES; k++) {
            columns->p[x][k] = expf(v[k] - most);
            all += columns->p[x][k];
        }

        for (k = 0; k < KTPR_LINE_CLASSES; k++) {
            columns->p[x][k] /= all;
        }
    }
}


void
ktpr_line_net_run(ktpr_line_net_t *net, const unsigned char *px, int w,
                  ktpr_line_columns_t *columns)
{
    int    i, y, n, far, wide;
    float *row;

    /* the picture with an edge, its width a multiple of a column's */
    n = ktpr_line_columns(w);
    wide = n * KTPR_LINE_STEP;
    ktpr_line_net_even(px, w, net->flat);
    memset(net->even, 0,
           sizeof(float) * (size_t) ((wide + 2) * (KTPR_LINE_H + 2)));

    for (y = 0; y < KTPR_LINE_H; y++) {
        memcpy(net->even + (y + 1) * (wide + 2) + 1, net->flat + y * w,
               sizeof(float) * (size_t) w);
    }

    ktpr_line_filters(net, 0, net->even, wide, KTPR_LINE_H, 2, 1,
                      net->pictures[0]);
    ktpr_line_filters(net, 1, net->pictures[0], wide / 2, KTPR_LINE_H / 2, 2,
                      1, net->pictures[1]);
    ktpr_line_filters(net, 2, net->pictures[1], n, KTPR_LINE_H / 4, 1, 0,
                      net->pictures[0]);

    row = net->rows[0];
    ktpr_line_layer(net, 3, net->pictures[0],
                    (size_t) (n + 2)
                        * (size_t) ktpr_line_weights_layers[2].out,
                    n, net->rows[1]);
    ktpr_line_add(net->rows[1], n, 0, row);

    for (i = 4; i < KTPR_LINE_LAST; i++) {
        far = KTPR_LINE_FAR - 2 * ktpr_line_weights_layers[i].apart;
        ktpr_line_layer(net, i, row + far * KTPR_LINE_WIDE, 0, n,
                        net->rows[1]);
        ktpr_line_add(net->rows[1], n, 1, row);
    }

    ktpr_line_layer(net, KTPR_LINE_LAST, row + KTPR_LINE_FAR * KTPR_LINE_WIDE,
                    0, n, net->rows[1]);
    ktpr_line_likelihoods(net->rows[1], n, columns);
}
