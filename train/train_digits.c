/*
 * Trains the network of src/reader/ocr/ktpr_digit_net.h on drawn digits and
 * writes its weights as C.
 *
 *   train_digits SAMPLES WEIGHT:FONTFILE... > ktpr_digit_weights.c
 *
 * Each sample is a digit between two neighbours, or the middle of a gap,
 * stretched, made bolder or lighter, tilted, shifted, blurred, with a
 * gradient, a rule or a glare, and grain, like a number on a photo.  The seed
 * is fixed: the same fonts give the same weights.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H

#include "ktpr_digit_net.h"


/* Pixels: a drawn digit, a glyph and the canvas; fonts; samples a step. */
#define TRAIN_HEIGHT 54
#define TRAIN_GLYPH  80
#define TRAIN_W      240
#define TRAIN_H      96
#define TRAIN_FONTS  128
#define TRAIN_BATCH  16

typedef struct {
    int           w[10];         /* width of the ink */
    int           h[10], up[10]; /* height; top above the base line */
    double        advance;
    double        weight;
    unsigned char ink[10][TRAIN_GLYPH][TRAIN_GLYPH];
} train_font_t;

typedef struct {
    float v[TRAIN_H][TRAIN_W];
} train_canvas_t;

static train_font_t train_fonts[TRAIN_FONTS];
static int          train_nfonts;


static double
train_random(void)
{
    static unsigned long long s = 88172645463325252ULL;

    /* xorshift64 (Marsaglia 2003) */
    s ^= s << 13;
    s ^= s >> 7;
    s ^= s << 17;

    return (double) (s >> 11) / 9007199254740992.;
}


static double
train_between(double a, double b)
{
    return a + (b - a) * train_random();
}


static double
train_normal(void)
{
    return sqrt(-2 * log(train_random() + 1e-12))
           * cos(2 * M_PI * train_random());
}


static int
train_glyph(FT_Face face, train_font_t *font, int digit)
{
    int          y;
    FT_GlyphSlot slot;

    if (FT_Load_Char(face, (FT_ULong) ('0' + digit), FT_LOAD_RENDER) != 0) {
        return -1;
    }

    slot = face->glyph;
    if (slot->bitmap.width > TRAIN_GLYPH || slot->bitmap.rows > TRAIN_GLYPH
        || slot->bitmap.width == 0) {
        return -1;
    }

    font->w[digit] = (int) slot->bitmap.width;
    font->h[digit] = (int) slot->bitmap.rows;
    font->up[digit] = slot->bitmap_top;
    font->advance = (double) slot->advance.x / 64;

    for (y = 0; y < font->h[digit]; y++) {
        memcpy(font->ink[digit][y],
               slot->bitmap.buffer + y * slot->bitmap.pitch,
               slot->bitmap.width);
    }

    return 0;
}


static int
train_font(FT_Library library, const char *spec)
{
    int           d, size;
    char         *name;
    FT_Face       face;
    train_font_t *font;

    if (train_nfonts == TRAIN_FONTS) {
        return -1;
    }

    font = &train_fonts[train_nfonts];
    font->weight = strtod(spec, &name);

    if (*name != ':' || FT_New_Face(library, name + 1, 0, &face) != 0) {
        fprintf(stderr, "%s: no font\n", spec);
        return -1;
    }

    /* the size at which an 8 has the height that is drawn */
    size = 64;
    FT_Set_Pixel_Sizes(face, 0, (FT_UInt) size);

    if (FT_Load_Char(face, '8', FT_LOAD_RENDER) == 0
        && face->glyph->bitmap.rows > 0) {
        size = size * TRAIN_HEIGHT / (int) face->glyph->bitmap.rows;
        FT_Set_Pixel_Sizes(face, 0, (FT_UInt) size);

        for (d = 0; d < 10 && train_glyph(face, font, d) == 0; d++) {
            /* void */
        }

        train_nfonts += d == 10;
        if (d < 10) {
            fprintf(stderr, "%s: left out\n", spec);
        }
    }

    FT_Done_Face(face);

    return 0;
}


static const train_font_t *
train_pick(void)
{
    int    i;
    double sum, at;

    sum = 0;
    for (i = 0; i < train_nfonts; i++) {
        sum += train_fonts[i].weight;
    }

    at = train_random() * sum;

    for (i = 0; i < train_nfonts - 1; i++) {
        at -= train_fonts[i].weight;
        if (at < 0) {
            break;
        }
    }

    return &train_fonts[i];
}


/* Draws a digit (-1: a colon) centred at x, on the base line. */
static void
train_draw(train_canvas_t *canvas, const train_font_t *font, int digit,
           double x)
{
    int   i, j, x0, y0, base;
    float v;

    base = (TRAIN_H + TRAIN_HEIGHT) / 2;

    if (digit < 0) {
        for (j = 0; j < 10; j++) {
            for (i = 0; i < 10; i++) {
                x0 = (int) x - 5 + i;
                if (x0 >= 0 && x0 < TRAIN_W) {
                    canvas->v[base - 12 + j][x0] = 1;
                    canvas->v[base - 44 + j][x0] = 1;
                }
            }
        }
        return;
    }

    x0 = (int) (x - font->w[digit] / 2.);
    y0 = base - font->up[digit];

    for (j = 0; j < font->h[digit]; j++) {
        for (i = 0; i < font->w[digit]; i++) {
            if (x0 + i < 0 || x0 + i >= TRAIN_W || y0 + j < 0
                || y0 + j >= TRAIN_H) {
                continue;
            }

            v = (float) font->ink[digit][j][i] / 255;
            if (v > canvas->v[y0 + j][x0 + i]) {
                canvas->v[y0 + j][x0 + i] = v;
            }
        }
    }
}


/* Replaces each of n values, step apart, by the mean of 2 r + 1 around it. */
static void
train_mean(float *p, int n, int step, int r)
{
    int   i;
    float sum, line[TRAIN_W];

    for (i = 0; i < n; i++) {
        line[i] = p[i * step];
    }

    sum = 0;
    for (i = -r; i <= r; i++) {
        sum += line[i < 0 ? 0 : (i >= n ? n - 1 : i)];
    }

    for (i = 0; i < n; i++) {
        p[i * step] = sum / (float) (2 * r + 1);
        sum += line[i + r + 1 >= n ? n - 1 : i + r + 1];
        sum -= line[i - r < 0 ? 0 : i - r];
    }
}


static void
train_blur(train_canvas_t *canvas, int rx, int ry)
{
    int i, pass;

    for (pass = 0; pass < 2; pass++) {
        for (i = 0; i < TRAIN_H && rx > 0; i++) {
            train_mean(canvas->v[i], TRAIN_W, 1, rx);
        }
        for (i = 0; i < TRAIN_W && ry > 0; i++) {
            train_mean(&canvas->v[0][i], TRAIN_H, TRAIN_W, ry);
        }
    }
}


/* Bolder or lighter strokes: a blur and a threshold other than a half. */
static void
train_thicken(train_canvas_t *canvas)
{
    int   x, y;
    float level, v;

    train_blur(canvas, 2, 2);
    level = (float) train_between(.22, .62);

    for (y = 0; y < TRAIN_H; y++) {
        for (x = 0; x < TRAIN_W; x++) {
            v = (canvas->v[y][x] - level) * 4 + .5f;
            canvas->v[y][x] = v < 0 ? 0 : (v > 1 ? 1 : v);
        }
    }
}


static float
train_at(const train_canvas_t *canvas, double x, double y)
{
    int   x0, y0;
    float fx, fy, a, b;

    x0 = (int) floor(x);
    y0 = (int) floor(y);

    if (x0 < 0 || y0 < 0 || x0 >= TRAIN_W - 1 || y0 >= TRAIN_H - 1) {
        return 0;
    }

    fx = (float) (x - x0);
    fy = (float) (y - y0);
    a = canvas->v[y0][x0] * (1 - fx) + canvas->v[y0][x0 + 1] * fx;
    b = canvas->v[y0 + 1][x0] * (1 - fx) + canvas->v[y0 + 1][x0 + 1] * fx;

    return a * (1 - fy) + b * fy;
}


/* The window around x, as a photo shows it. */
static void
train_window(const train_canvas_t *canvas, double x, double pitch,
             ktpr_digit_run_t *run)
{
    int    i, j, line;
    double scale, wide, tilt, shear, dy, px, py, contrast, grain, gx, gy;
    double spot, sx, sy, v;

    scale =
        TRAIN_HEIGHT / (double) KTPR_DIGIT_HEIGHT * train_between(.90, 1.12);
    wide = train_between(.82, 1.2);
    tilt = train_between(-.05, .05);
    shear = train_between(-.10, .10);
    dy = train_between(-1.6, 1.6);
    contrast = train_between(60, 210);
    grain = train_random() < .5 ? train_between(0, 8) : train_between(0, 26);
    gx = train_between(-1.5, 1.5);
    gy = train_between(-1.5, 1.5);
    line = train_random() < .2 ? (int) train_between(0, KTPR_DIGIT_H) : -1;
    spot = train_random() < .06 ? train_between(.3, 1) : 0;
    sx = train_between(0, KTPR_DIGIT_W);
    sy = train_between(0, KTPR_DIGIT_H);
    (void) pitch;

    for (j = 0; j < KTPR_DIGIT_H; j++) {
        for (i = 0; i < KTPR_DIGIT_W; i++) {
            px = i - (KTPR_DIGIT_W - 1) / 2.;
            py = j - (KTPR_DIGIT_H - 1) / 2. + dy;
            v = train_at(canvas, x + (px + shear * py) * scale * wide,
                         TRAIN_H / 2. + (py + tilt * px) * scale);
            v *= 1 - spot * exp(-(pow(i - sx, 2) + pow(j - sy, 2)) / 40);
            v = 235 - contrast * v + gx * px + gy * py + grain * train_normal()
                - (j == line ? 25 : 0);
            run->in[j * KTPR_DIGIT_W + i] =
                (float) (v < 0 ? 0 : (v > 255 ? 255 : v));
        }
    }

    ktpr_digit_net_even(run);
}


/* Clutter beside a number: edges of a photo, rules, spots. */
static void
train_clutter(train_canvas_t *canvas)
{
    int   i, n, x, y, x0, y0, x1, y1;
    float v;

    n = (int) train_between(1, 3.999);

    for (i = 0; i < n; i++) {
        x0 = (int) train_between(0, TRAIN_W);
        y0 = (int) train_between(-40, TRAIN_H);
        x1 = x0 + (int) train_between(3, 140);
        y1 = y0 + (int) train_between(3, 140);
        v = (float) train_between(.2, 1);

        for (y = y0 < 0 ? 0 : y0; y < y1 && y < TRAIN_H; y++) {
            for (x = x0; x < x1 && x < TRAIN_W; x++) {
                canvas->v[y][x] = v;
            }
        }
    }
}


/* Draws a sample into run->in; its class. */
static int
train_sample(ktpr_digit_run_t *run)
{
    int                   i, middle, kind;
    double                pitch, x, blur;
    const train_font_t   *font;
    static train_canvas_t canvas;

    memset(&canvas, 0, sizeof(canvas));
    font = train_pick();
    pitch =
        font->advance > .6 * TRAIN_HEIGHT ? font->advance : .6 * TRAIN_HEIGHT;
    pitch *= train_between(.95, 1.25);
    middle = (int) train_between(0, 9.999);
    kind = middle;
    x = TRAIN_W / 2. + pitch * train_between(-.16, .16);

    for (i = -2; i <= 2; i++) {
        if (i == 0) {
            train_draw(&canvas, font, middle, TRAIN_W / 2.);

        } else if (train_random() > .16) {
            train_draw(&canvas, font,
                       train_random() < .05 ? -1
                                            : (int) train_between(0, 9.999),
                       TRAIN_W / 2. + i * pitch);
        }
    }

    if (train_random() < .16) {
        kind = KTPR_DIGIT_NONE;
        x = TRAIN_W / 2. + pitch * train_between(.32, .68);

        if (train_random() < .5) {
            memset(&canvas, 0, sizeof(canvas));
            x = TRAIN_W / 2. + pitch * train_between(-.3, .3);

            if (train_random() < .5) {
                train_draw(&canvas, font, -1, TRAIN_W / 2.);
                train_draw(&canvas, font, (int) train_between(0, 9.999),
                           TRAIN_W / 2. + pitch);

            } else if (train_random() < .7) {
                train_clutter(&canvas);
            }
        }
    }

    if (train_random() < .7) {
        train_thicken(&canvas);
    }

    blur = pow(train_random(), 1.5) * 8;
    train_blur(&canvas, (int) (blur * train_between(.6, 1.4)),
               (int) (blur * train_between(.6, 1.4)));
    train_window(&canvas, x, pitch, run);

    return kind;
}


/* Adds the gradient of -log p[kind] to grad. */
static void
train_back(const ktpr_digit_net_t *net, const ktpr_digit_run_t *run, int kind,
           ktpr_digit_net_t *grad)
{
    int          i, k, f, x, y;
    float        d, sums[KTPR_DIGIT_SUMS], pooled[KTPR_DIGIT_POOLED];
    const float *in;

    memset(sums, 0, sizeof(sums));
    memset(pooled, 0, sizeof(pooled));

    for (k = 0; k < KTPR_DIGIT_CLASSES; k++) {
        d = run->p[k] - (k == kind);
        grad->class_bias[k] += d;
        for (i = 0; i < KTPR_DIGIT_SUMS; i++) {
            grad->classes[k][i] += d * run->sums[i];
            sums[i] += d * net->classes[k][i];
        }
    }

    for (k = 0; k < KTPR_DIGIT_SUMS; k++) {
        d = run->sums[k] > 0 ? sums[k] : 0;
        if (d == 0) {
            continue;
        }

        grad->sum_bias[k] += d;
        for (i = 0; i < KTPR_DIGIT_POOLED; i++) {
            grad->sums[k][i] += d * run->pooled[i];
            pooled[i] += d * net->sums[k][i];
        }
    }

    for (i = 0; i < KTPR_DIGIT_POOLED; i++) {
        if (run->largest[i] > 3 || pooled[i] == 0) {
            continue;
        }

        f = i / (KTPR_DIGIT_POOL_W * KTPR_DIGIT_POOL_H);
        y = i / KTPR_DIGIT_POOL_W % KTPR_DIGIT_POOL_H * 2
            + run->largest[i] / 2;
        x = i % KTPR_DIGIT_POOL_W * 2 + run->largest[i] % 2;
        grad->filter_bias[f] += pooled[i];

        for (k = 0; k < KTPR_DIGIT_FILTER * KTPR_DIGIT_FILTER; k++) {
            in = run->in + (y + k / KTPR_DIGIT_FILTER) * KTPR_DIGIT_W + x
                 + k % KTPR_DIGIT_FILTER;
            grad->filters[f][k] += pooled[i] * *in;
        }
    }
}


static void
train_begin(ktpr_digit_net_t *net)
{
    int i, k;

    memset(net, 0, sizeof(*net));

    for (k = 0; k < KTPR_DIGIT_FILTERS; k++) {
        for (i = 0; i < KTPR_DIGIT_FILTER * KTPR_DIGIT_FILTER; i++) {
            net->filters[k][i] = (float) (train_normal() * .28);
        }
    }

    for (k = 0; k < KTPR_DIGIT_SUMS; k++) {
        for (i = 0; i < KTPR_DIGIT_POOLED; i++) {
            net->sums[k][i] =
                (float) (train_normal() * sqrt(2. / KTPR_DIGIT_POOLED));
        }
    }

    for (k = 0; k < KTPR_DIGIT_CLASSES; k++) {
        for (i = 0; i < KTPR_DIGIT_SUMS; i++) {
            net->classes[k][i] =
                (float) (train_normal() * sqrt(2. / KTPR_DIGIT_SUMS));
        }
    }
}


static void
train_run(ktpr_digit_net_t *net, long samples)
{
    int                     i, b, kind, most, right;
    long                    n;
    float                   rate, *w, *g, *m;
    static ktpr_digit_net_t grad, momentum;
    ktpr_digit_run_t        run;

    right = 0;

    for (n = 0; n < samples; n += TRAIN_BATCH) {
        memset(&grad, 0, sizeof(grad));

        for (b = 0; b < TRAIN_BATCH; b++) {
            kind = train_sample(&run);
            ktpr_digit_net_run(net, &run);
            most = 0;
            for (i = 1; i < KTPR_DIGIT_CLASSES; i++) {
                most = run.p[i] > run.p[most] ? i : most;
            }
            right += most == kind;
            train_back(net, &run, kind, &grad);
        }

        rate = .02f * (1 - .97f * (float) n / (float) samples);
        w = (float *) net;
        g = (float *) &grad;
        m = (float *) &momentum;

        for (i = 0; i < KTPR_DIGIT_WEIGHTS; i++) {
            m[i] = .9f * m[i] - rate * (g[i] / TRAIN_BATCH + 1e-5f * w[i]);
            w[i] += m[i];
        }

        if (n / 50000 != (n + TRAIN_BATCH) / 50000) {
            fprintf(stderr, "%ld samples, last %.2f %% right\n",
                    n + TRAIN_BATCH, right / 500.);
            right = 0;
        }
    }
}


static void
train_write(const ktpr_digit_net_t *net)
{
    int          part, i, v, column;
    float        most, steps[6];
    const float *w;

    static const int parts[6] = {
        KTPR_DIGIT_FILTERS * KTPR_DIGIT_FILTER * KTPR_DIGIT_FILTER,
        KTPR_DIGIT_FILTERS,
        KTPR_DIGIT_SUMS * KTPR_DIGIT_POOLED,
        KTPR_DIGIT_SUMS,
        KTPR_DIGIT_CLASSES * KTPR_DIGIT_SUMS,
        KTPR_DIGIT_CLASSES,
    };

    printf("/* Made by train/train_digits.c; not to be edited. */\n\n"
           "#include \"ktpr_digit_weights.h\"\n\n\n/* clang-format off */\n\n"
           "const signed char ktpr_digit_weights[] = {\n");
    w = (const float *) net;

    for (part = 0; part < 6; part++) {
        most = 1e-6f;
        for (i = 0; i < parts[part]; i++) {
            most = fabsf(w[i]) > most ? fabsf(w[i]) : most;
        }

        steps[part] = most / 127;
        column = 0;

        for (i = 0; i < parts[part]; i++) {
            v = (int) lrintf(*w++ / steps[part]);
            column += printf("%d,", v);
            if (column > 74) {
                printf("\n");
                column = 0;
            }
        }
        printf("\n");
    }

    printf(
        "};\n\nconst float ktpr_digit_weights_steps[KTPR_DIGIT_PARTS] = {\n");
    for (part = 0; part < 6; part++) {
        printf("    %.9gf,\n", (double) steps[part]);
    }
    printf("};\n\n/* clang-format on */\n");
}


int
main(int argc, char **argv)
{
    int                     i;
    FT_Library              library;
    static ktpr_digit_net_t net;

    if (argc < 3 || FT_Init_FreeType(&library) != 0) {
        fprintf(stderr, "usage: train_digits SAMPLES WEIGHT:FONT...\n");
        return 2;
    }

    for (i = 2; i < argc; i++) {
        if (train_font(library, argv[i]) != 0) {
            return 1;
        }
    }

    train_begin(&net);
    train_run(&net, atol(argv[1]));
    train_write(&net);
    FT_Done_FreeType(library);

    return 0;
}
