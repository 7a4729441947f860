#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ktpd_lines.h"


/* Less contrast than this is grain, and is not blown up. */
#define KTPD_LINE_CONTRAST 40

/* Columns of nothing beside the row, for the layers that look far. */
#define KTPD_LINE_FAR  16
#define KTPD_LINE_WIDE 96 /* channels of the row */

#define KTPD_LINE_LAST (KTPD_LINE_LAYERS - 1)

/* Sums are made for so many channels, and at most so many places, at once. */
#define KTPD_LINE_CHANNELS 16
#define KTPD_LINE_GROUP    6

/* Sums are made for whole groups of places: some more than there are. */
#define KTPD_LINE_MORE (KTPD_LINE_GROUP * KTPD_LINE_WIDE)

/* Values of the largest pictures and rows, with an edge of nothing. */
#define KTPD_LINE_EVEN                                                        \
    ((KTPD_LINE_H + 2) * (KTPD_LINE_MAX + 2) + KTPD_LINE_MORE)
#define KTPD_LINE_PICTURE                                                     \
    ((KTPD_LINE_H / 2 + 2) * (KTPD_LINE_MAX / 2 + 2) * 16 + KTPD_LINE_MORE)
#define KTPD_LINE_SUMS (KTPD_LINE_MAX * 16 + KTPD_LINE_MORE)
#define KTPD_LINE_ROW                                                         \
    ((KTPD_LINE_COLUMNS + 2 * KTPD_LINE_FAR) * KTPD_LINE_WIDE + KTPD_LINE_MORE)

/* What a layer is summed over, and where to. */
typedef struct {
    const ktpd_line_layer_t *layer;
    const float             *weights;
    const float             *biases;
    const float             *in;
    size_t                   step;  /* from a place to the next */
    size_t                   apart; /* from a run to the next */
    float                   *out;
    int                      n; /* places */
} ktpd_line_sum_t;

typedef void (*ktpd_line_sums_pt)(const ktpd_line_sum_t *sum);

struct ktpd_line_net_s {
    ktpd_line_sums_pt sums;
    float            *weights[KTPD_LINE_LAYERS];
    const float      *biases[KTPD_LINE_LAYERS];
    float            *flat; /* the image evened, then with an edge */
    float            *even;
    float            *pictures[2];
    float            *part[2]; /* a row of sums each */
    float            *rows[2];
};


/* The level that a share of n pixels is at or under. */
static int
ktpd_line_level(const unsigned *histogram, int n, double share)
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
ktpd_line_even(const unsigned char *px, int w, float *out)
{
    int      i, n, ink, paper;
    float    v, range;
    unsigned histogram[256] = {0};

    n = w * KTPD_LINE_H;

    for (i = 0; i < n; i++) {
        histogram[px[i]]++;
    }

    ink = ktpd_line_level(histogram, n, .02);
    paper = ktpd_line_level(histogram, n, .75);
    range = (float) (paper - ink > KTPD_LINE_CONTRAST ? paper - ink
                                                      : KTPD_LINE_CONTRAST);

    for (i = 0; i < n; i++) {
        v = (float) (paper - px[i]) / range;
        out[i] = v < -.5f ? -.5f : (v > 1.5f ? 1.5f : v);
    }
}


/* For what every processor of the kind has, and for wider registers. */

#define KTPD_LINE_SUMS_NAME ktpd_line_sums_any
#define KTPD_LINE_SUMS_FOR
#define KTPD_LINE_LANES  4
#define KTPD_LINE_PLACES 3
#include "ktpd_line_sums.h"

#if defined(__x86_64__)

#define KTPD_LINE_SUMS_NAME ktpd_line_sums_avx2
#define KTPD_LINE_SUMS_FOR  __attribute__((target("avx2,fma")))
#define KTPD_LINE_LANES     8
#define KTPD_LINE_PLACES    6
#include "ktpd_line_sums.h"

#define KTPD_LINE_SUMS_NAME ktpd_line_sums_avx512
#define KTPD_LINE_SUMS_FOR  __attribute__((target("avx512f")))
#define KTPD_LINE_LANES     16
#define KTPD_LINE_PLACES    6
#include "ktpd_line_sums.h"

#endif


static ktpd_line_sums_pt
ktpd_line_choose(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        return ktpd_line_sums_avx512;
    }

    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return ktpd_line_sums_avx2;
    }
#endif

    return ktpd_line_sums_any;
}


/*
 * A weight of the table: the printable characters from '#' on, but for '?'
 * and '\\', stand for -44 to 44 steps.
 */
static int
ktpd_line_weight(char c)
{
    return c - '#' - (c > '?') - (c > '\\') - 44;
}


static int
ktpd_line_net_load(ktpd_line_net_t *net)
{
    int                      i, k, n, channels;
    const char              *from;
    const float             *steps;
    const ktpd_line_layer_t *layer;

    from = ktpd_line_weights;
    channels = 0;

    for (i = 0; i < KTPD_LINE_LAYERS; i++) {
        layer = &ktpd_line_layers[i];
        n = layer->runs * layer->length * layer->out;
        steps = ktpd_line_steps + channels;
        net->biases[i] = ktpd_line_biases + channels;
        net->weights[i] = malloc(sizeof(float) * (size_t) n);

        if (net->weights[i] == NULL) {
            return -1;
        }

        for (k = 0; k < n; k++) {
            net->weights[i][k] =
                (float) ktpd_line_weight(*from++) * steps[k % layer->out];
        }

        channels += layer->out;
    }

    return 0;
}


ktpd_line_net_t *
ktpd_line_net_create(void)
{
    int              i;
    ktpd_line_net_t *net;

    net = calloc(1, sizeof(ktpd_line_net_t));
    if (net == NULL) {
        return NULL;
    }

    net->sums = ktpd_line_choose();
    net->even = calloc(KTPD_LINE_EVEN, sizeof(float));
    net->flat = calloc(KTPD_LINE_H * KTPD_LINE_MAX, sizeof(float));

    for (i = 0; i < 2; i++) {
        net->pictures[i] = calloc(KTPD_LINE_PICTURE, sizeof(float));
        net->part[i] = calloc(KTPD_LINE_SUMS, sizeof(float));
        net->rows[i] = calloc(KTPD_LINE_ROW, sizeof(float));
    }

    if (ktpd_line_net_load(net) != 0 || net->even == NULL || net->flat == NULL
        || net->pictures[0] == NULL || net->pictures[1] == NULL
        || net->part[0] == NULL || net->part[1] == NULL || net->rows[0] == NULL
        || net->rows[1] == NULL) {
        ktpd_line_net_destroy(net);
        return NULL;
    }

    return net;
}


void
ktpd_line_net_destroy(ktpd_line_net_t *net)
{
    int i;

    if (net == NULL) {
        return;
    }

    for (i = 0; i < KTPD_LINE_LAYERS; i++) {
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
ktpd_line_layer(const ktpd_line_net_t *net, int i, const float *in,
                size_t apart, int n, float *out)
{
    ktpd_line_sum_t          sum;
    const ktpd_line_layer_t *layer;

    layer = &ktpd_line_layers[i];
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
ktpd_line_pool(float *const part[2], int n, int across, int channels,
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
ktpd_line_filters(ktpd_line_net_t *net, int i, const float *in, int w, int h,
                  int across, int edged, float *out)
{
    int    y, k, channels;
    size_t row, stride;

    channels = ktpd_line_layers[i].out;
    row = (size_t) (w + 2) * (size_t) ktpd_line_layers[i].length / 3;
    stride = (size_t) (w / across + 2) * (size_t) channels;
    memset(out, 0,
           sizeof(float) * stride * (size_t) (h / 2 + (edged ? 2 : 0)));

    for (y = 0; y < h / 2; y++) {
        for (k = 0; k < 2; k++) {
            ktpd_line_layer(net, i, in + (size_t) (2 * y + k) * row, row, w,
                            net->part[k]);
        }

        ktpd_line_pool(net->part, w / across, across, channels,
                       out + (size_t) (y + (edged ? 1 : 0)) * stride
                           + channels);
    }
}


/* Values over 0 of n columns of sums added to the row, or put there. */
static void
ktpd_line_add(const float *sums, int n, int keep, float *row)
{
    int i;

    row += KTPD_LINE_FAR * KTPD_LINE_WIDE;

    for (i = 0; i < n * KTPD_LINE_WIDE; i++) {
        row[i] = (keep ? row[i] : 0) + (sums[i] > 0 ? sums[i] : 0);
    }

    if (!keep) {
        memset(row + i, 0,
               sizeof(float)
                   * (KTPD_LINE_FAR * KTPD_LINE_WIDE + KTPD_LINE_MORE));
    }
}


/* Sums of classes to likelihoods that add up to 1. */
static void
ktpd_line_likelihoods(const float *sums, int n, ktpd_line_columns_t *columns)
{
    int          x, k;
    float        most, all;
    const float *v;

    columns->n = n;

    for (x = 0; x < n; x++) {
        v = sums + (size_t) x * KTPD_LINE_CLASSES;
        most = v[0];
        for (k = 1; k < KTPD_LINE_CLASSES; k++) {
            most = v[k] > most ? v[k] : most;
        }

        all = 0;
        for (k = 0; k < KTPD_LINE_CLASSES; k++) {
            columns->p[x][k] = expf(v[k] - most);
            all += columns->p[x][k];
        }

        for (k = 0; k < KTPD_LINE_CLASSES; k++) {
            columns->p[x][k] /= all;
        }
    }
}


void
ktpd_line_run(ktpd_line_net_t *net, const unsigned char *px, int w,
              ktpd_line_columns_t *columns)
{
    int    i, y, n, far, wide;
    float *row;

    /* the picture with an edge, its width a multiple of a column's */
    n = ktpd_line_columns(w);
    wide = n * KTPD_LINE_STEP;
    ktpd_line_even(px, w, net->flat);
    memset(net->even, 0,
           sizeof(float) * (size_t) ((wide + 2) * (KTPD_LINE_H + 2)));

    for (y = 0; y < KTPD_LINE_H; y++) {
        memcpy(net->even + (y + 1) * (wide + 2) + 1, net->flat + y * w,
               sizeof(float) * (size_t) w);
    }

    ktpd_line_filters(net, 0, net->even, wide, KTPD_LINE_H, 2, 1,
                      net->pictures[0]);
    ktpd_line_filters(net, 1, net->pictures[0], wide / 2, KTPD_LINE_H / 2, 2,
                      1, net->pictures[1]);
    ktpd_line_filters(net, 2, net->pictures[1], n, KTPD_LINE_H / 4, 1, 0,
                      net->pictures[0]);

    row = net->rows[0];
    ktpd_line_layer(net, 3, net->pictures[0],
                    (size_t) (n + 2) * (size_t) ktpd_line_layers[2].out, n,
                    net->rows[1]);
    ktpd_line_add(net->rows[1], n, 0, row);

    for (i = 4; i < KTPD_LINE_LAST; i++) {
        far = KTPD_LINE_FAR - 2 * ktpd_line_layers[i].apart;
        ktpd_line_layer(net, i, row + far * KTPD_LINE_WIDE, 0, n,
                        net->rows[1]);
        ktpd_line_add(net->rows[1], n, 1, row);
    }

    ktpd_line_layer(net, KTPD_LINE_LAST, row + KTPD_LINE_FAR * KTPD_LINE_WIDE,
                    0, n, net->rows[1]);
    ktpd_line_likelihoods(net->rows[1], n, columns);
}
