/*
 * Draws lines of text as they look on a photo of a card, to train and to
 * measure the line network: a library that train/train_lines.py loads.  A
 * line is set in a typeface, made bolder or lighter or printed in dots of one
 * bit, blurred, sampled at some resolution with grain, background pattern,
 * security lines, glare and JPEG artefacts, and cut out again slightly tilted
 * and off its height.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ft2build.h>
#include FT_FREETYPE_H
#include <turbojpeg.h>

#include "ktpr_line_net.h"


/* Pixels: a drawn capital, a glyph, the canvas and its base line. */
#define DRAW_CAPITAL 32
#define DRAW_GLYPH   72
#define DRAW_H       96
#define DRAW_BASE    64
#define DRAW_W       2600
#define DRAW_FONTS   256

/*
 * Dots of a printed capital: card printers have 300 dots an inch, with which
 * the capitals of a card have about 20.
 */
#define DRAW_DOTS_LEAST 15
#define DRAW_DOTS_MOST  27

/* Letters with room beside them, and its growth at most, in spaces. */
#define DRAW_THIN "ITLYFJRP1"
#define DRAW_GAP  .45

/* Rays across a line of text, at most. */
#define DRAW_RAYS 8

/* Pixels of the photo of a line, at most. */
#define DRAW_PHOTO_H 160
#define DRAW_PHOTO_W 3600

typedef struct {
    unsigned char w, h;
    signed char   left, up;
    float         advance;
    unsigned char ink[DRAW_GLYPH][DRAW_GLYPH];
} draw_glyph_t;

typedef struct {
    FT_Face      face;
    double       em;         /* by the height of a capital */
    draw_glyph_t glyphs[96]; /* of ASCII; width and advance 0: none */
} draw_font_t;

typedef struct {
    int   w, h;
    float v[DRAW_PHOTO_H * DRAW_PHOTO_W];
} draw_photo_t;

/* Paper and ink of a photo, in grey levels. */
typedef struct {
    float paper;
    float contrast; /* of ink */
    float shown;    /* share of the ground's pattern that shows in ink */
} draw_tone_t;

/* The camera's view of the line. */
typedef struct {
    double capital; /* pixels */
    double tilt, wide;
    double x0, y0; /* of the photo's corner, in its pixels */
} draw_view_t;

static draw_font_t       *draw_fonts[DRAW_FONTS];
static int                draw_nfonts;
static FT_Library         draw_library;
static unsigned long long draw_seed;
static float              draw_canvas[DRAW_H][DRAW_W];
static int                draw_width;

int draw_font(const char *file);
int draw_line(int font, const char *text, unsigned long long seed,
              double spoil, float *out, int room);


static double
draw_random(void)
{
    /* xorshift64 (Marsaglia 2003) */
    draw_seed ^= draw_seed << 13;
    draw_seed ^= draw_seed >> 7;
    draw_seed ^= draw_seed << 17;

    return (double) (draw_seed >> 11) / 9007199254740992.;
}


static double
draw_between(double a, double b)
{
    return a + (b - a) * draw_random();
}


/* The cosine of turn full turns, from a table: a pattern takes many. */
static float
draw_cosine(float turn)
{
    int          i;
    static float table[1024];

    if (table[0] == 0) {
        for (i = 0; i < 1024; i++) {
            table[i] = (float) cos(2 * M_PI * i / 1024);
        }
    }

    return table[(int) ((turn + 4096) * 1024) & 1023];
}


/* Roughly normal: the sum of four random bytes. */
static float
draw_speck(void)
{
    draw_seed ^= draw_seed << 13;
    draw_seed ^= draw_seed >> 7;
    draw_seed ^= draw_seed << 17;

    return ((float) ((draw_seed >> 8 & 255) + (draw_seed >> 20 & 255)
                     + (draw_seed >> 32 & 255) + (draw_seed >> 44 & 255))
            - 510)
           / 147.8f;
}


static double
draw_normal(void)
{
    return sqrt(-2 * log(draw_random() + 1e-12))
           * cos(2 * M_PI * draw_random());
}


static int
draw_load_glyph(FT_Face face, int c, draw_glyph_t *glyph)
{
    unsigned     y;
    FT_GlyphSlot slot;

    if (FT_Get_Char_Index(face, (FT_ULong) c) == 0
        || FT_Load_Char(face, (FT_ULong) c, FT_LOAD_RENDER) != 0) {
        return -1;
    }

    slot = face->glyph;
    if (slot->bitmap.width > DRAW_GLYPH || slot->bitmap.rows > DRAW_GLYPH) {
        return -1;
    }

    glyph->w = (unsigned char) slot->bitmap.width;
    glyph->h = (unsigned char) slot->bitmap.rows;
    glyph->left = (signed char) slot->bitmap_left;
    glyph->up = (signed char) slot->bitmap_top;
    glyph->advance = (float) slot->linearHoriAdvance / 65536;

    for (y = 0; y < slot->bitmap.rows; y++) {
        memcpy(glyph->ink[y],
               slot->bitmap.buffer + (int) y * slot->bitmap.pitch,
               slot->bitmap.width);
    }

    return 0;
}


/* Loads a typeface; its number, or -1: no typeface, or glyphs missing. */
int
draw_font(const char *file)
{
    int          c, size;
    FT_Face      face;
    draw_font_t *font;

    if (draw_nfonts == DRAW_FONTS
        || (draw_library == NULL && FT_Init_FreeType(&draw_library) != 0)
        || FT_New_Face(draw_library, file, 0, &face) != 0) {
        return -1;
    }

    font = calloc(1, sizeof(draw_font_t));
    size = 64;
    FT_Set_Pixel_Sizes(face, 0, (FT_UInt) size);

    if (font == NULL || FT_Load_Char(face, 'H', FT_LOAD_RENDER) != 0
        || face->glyph->bitmap.rows == 0) {
        free(font);
        return -1;
    }

    font->face = face;
    font->em = size / (double) face->glyph->bitmap.rows;
    size = (int) lrint(DRAW_CAPITAL * font->em);
    FT_Set_Pixel_Sizes(face, 0, (FT_UInt) size);

    for (c = ' '; c < 0x7f; c++) {
        if (draw_load_glyph(face, c, &font->glyphs[c - ' ']) != 0
            && (c == ' ' || strchr(KTPR_LINE_ALPHABET, c) != NULL)) {
            free(font);
            return -1;
        }
    }

    draw_fonts[draw_nfonts] = font;

    return draw_nfonts++;
}


static void
draw_ink(const draw_glyph_t *glyph, double x, int base)
{
    int   i, j, x0, y0;
    float v, *to;

    x0 = (int) lrint(x) + glyph->left;
    y0 = base - glyph->up;

    for (j = 0; j < glyph->h; j++) {
        for (i = 0; i < glyph->w; i++) {
            if (x0 + i < 0 || x0 + i >= DRAW_W || y0 + j < 0
                || y0 + j >= DRAW_H) {
                continue;
            }

            v = (float) glyph->ink[j][i] / 255;
            to = &draw_canvas[y0 + j][x0 + i];
            *to = v > *to ? v : *to;
        }
    }
}


/* Sets a text at x; its end.  wide: factor for the width of blanks. */
static double
draw_set(const draw_font_t *font, const char *text, double x, int base,
         double spacing, double wide)
{
    const draw_glyph_t *glyph;

    for (; *text != '\0'; text++) {
        glyph = &font->glyphs[*text - ' '];
        draw_ink(glyph, x, base);
        x += glyph->advance * (*text == ' ' ? wide : 1) + spacing;
    }

    return x;
}


/* Prints a glyph of dots, each so many pixels wide, at dot x, y. */
static void
draw_print(const FT_Bitmap *dots, double dot, int x, int y)
{
    int                  i, j, x0, x1, y0, y1;
    const unsigned char *row;

    y0 = (int) lrint(y * dot);
    y1 = (int) lrint((y + (int) dots->rows) * dot);
    x0 = (int) lrint(x * dot);
    x1 = (int) lrint((x + (int) dots->width) * dot);

    for (j = y0 > 0 ? y0 : 0; j < y1 && j < DRAW_H; j++) {
        row =
            dots->buffer
            + (int) ((double) (j - y0) * dots->rows / (y1 - y0)) * dots->pitch;

        for (i = x0 > 0 ? x0 : 0; i < x1 && i < DRAW_W; i++) {
            x = (int) ((double) (i - x0) * dots->width / (x1 - x0));
            if (row[x / 8] & 0x80 >> x % 8) {
                draw_canvas[j][i] = 1;
            }
        }
    }
}


/*
 * Dots by which a gap between letters grows: beside thin letters printers
 * leave more room than elsewhere, though less than a space.
 */
static int
draw_gap(const char *text, double space, double more)
{
    if (text[0] == ' ' || text[1] == ' ' || text[1] == '\0'
        || (strchr(DRAW_THIN, text[0]) == NULL
            && strchr(DRAW_THIN, text[1]) == NULL)) {
        return 0;
    }

    return (int) (draw_random() * more * space);
}


/*
 * Sets a text at x as a card printer does: in dots of one bit, letters at
 * whole dots, often closer than they should be.  Its end, or -1 when the
 * typeface has no such size.
 */
static double
draw_set_dots(const draw_font_t *font, const char *text, double x)
{
    int          capital, closer, twice, at, blank;
    double       dot, space, more;
    FT_GlyphSlot slot;

    capital = (int) draw_between(DRAW_DOTS_LEAST, DRAW_DOTS_MOST + 1);
    dot = (double) DRAW_CAPITAL / capital;
    closer = draw_random() < .4 ? 1 + (draw_random() < .15) : 0;
    twice = draw_random() < .12;
    more = draw_random() < .4 ? draw_between(.2, DRAW_GAP) : 0;
    blank = more == 0 && draw_random() < .7
                ? (int) (draw_between(-.09, .06) * capital)
                : 0;
    at = (int) (x / dot);

    if (FT_Set_Pixel_Sizes(font->face, 0, (FT_UInt) lrint(capital * font->em))
        != 0) {
        return -1;
    }

    space = font->glyphs[0].advance / dot + blank - closer;

    for (; *text != '\0'; text++) {
        if (FT_Load_Char(font->face, (FT_ULong) *text,
                         FT_LOAD_RENDER | FT_LOAD_TARGET_MONO)
            != 0) {
            return -1;
        }

        slot = font->face->glyph;
        draw_print(&slot->bitmap, dot, at + slot->bitmap_left,
                   (int) (DRAW_BASE / dot) - slot->bitmap_top);
        if (twice) {
            /* a ribbon that slips doubles the stems */
            draw_print(&slot->bitmap, dot, at + slot->bitmap_left + 1,
                       (int) (DRAW_BASE / dot) - slot->bitmap_top);
        }
        at += (int) (slot->advance.x >> 6) - closer
              + (*text == ' ' ? blank : draw_gap(text, space, more));
    }

    return at * dot;
}


/* Replaces each of n values by the mean of 2 r + 1 around it. */
static void
draw_mean(float *p, int n, int r)
{
    int          i;
    float        sum;
    static float line[DRAW_PHOTO_W];

    if (n <= r) {
        return;
    }

    for (i = 0; i < n; i++) {
        line[i] = p[i];
    }

    sum = 0;
    for (i = -r; i <= r; i++) {
        sum += line[i < 0 ? 0 : (i >= n ? n - 1 : i)];
    }

    for (i = 0; i < n; i++) {
        p[i] = sum / (float) (2 * r + 1);
        sum += line[i + r + 1 >= n ? n - 1 : i + r + 1];
        sum -= line[i - r < 0 ? 0 : i - r];
    }
}


/* The same for all columns of the canvas at once. */
static void
draw_mean_down(int r)
{
    int          x, y, in, out;
    float        part;
    static float sum[DRAW_W], old[DRAW_H][DRAW_W];

    for (y = 0; y < DRAW_H; y++) {
        memcpy(old[y], draw_canvas[y], sizeof(float) * (size_t) draw_width);
    }

    memset(sum, 0, sizeof(sum));
    part = 1 / (float) (2 * r + 1);

    /* paper above and below */
    for (y = -r; y < DRAW_H; y++) {
        in = y + r;
        out = y - r - 1;

        for (x = 0; x < draw_width && in < DRAW_H; x++) {
            sum[x] += old[in][x];
        }
        for (x = 0; x < draw_width && out >= 0; x++) {
            sum[x] -= old[out][x];
        }
        for (x = 0; x < draw_width && y >= 0; x++) {
            draw_canvas[y][x] = sum[x] * part;
        }
    }
}


/*
 * Blurs with a standard deviation of about sx and sy: two means of different
 * widths, so that fractional deviations occur.
 */
static void
draw_blur(double sx, double sy)
{
    int i, pass, rx, ry;

    for (pass = 0; pass < 2; pass++) {
        rx = (int) (1.22 * sx - .5 + draw_random());
        ry = (int) (1.22 * sy - .5 + draw_random());

        for (i = 0; i < DRAW_H && rx > 0; i++) {
            draw_mean(draw_canvas[i], draw_width, rx);
        }
        if (ry > 0) {
            draw_mean_down(ry);
        }
    }
}


/* Bolder or lighter strokes: a blur and a threshold other than a half. */
static void
draw_thicken(void)
{
    int   x, y;
    float level, v;

    draw_blur(1.2, 1.2);
    level = (float) draw_between(.22, .6);

    for (y = 0; y < DRAW_H; y++) {
        for (x = 0; x < draw_width; x++) {
            v = (draw_canvas[y][x] - level) * 2.5f + .5f;
            draw_canvas[y][x] = v < 0 ? 0 : (v > 1 ? 1 : v);
        }
    }
}


static float
draw_at(const float *v, int w, int h, int stride, double x, double y)
{
    int   x0, y0;
    float fx, fy, a, b;

    x = x < 0 ? 0 : (x > w - 1.001 ? w - 1.001 : x);
    y = y < 0 ? 0 : (y > h - 1.001 ? h - 1.001 : y);
    x0 = (int) x;
    y0 = (int) y;
    fx = (float) (x - x0);
    fy = (float) (y - y0);
    v += (size_t) y0 * (size_t) stride + (size_t) x0;
    a = v[0] * (1 - fx) + v[1] * fx;
    b = v[stride] * (1 - fx) + v[stride + 1] * fx;

    return a * (1 - fy) + b * fy;
}


/* Adds to a pixel of the ground, of which ink hides a part. */
static void
draw_add(float *v, const draw_tone_t *tone, float add)
{
    float ink;

    ink = (tone->paper - *v) / tone->contrast;
    ink = ink < 0 ? 0 : (ink > 1 ? 1 : ink);
    *v += add * (1 - ink * (1 - tone->shown));
}


/*
 * Security lines: a dense set of curved lines, darker or lighter than the
 * paper, most of them nearly along the text.
 */
static void
draw_rules(draw_photo_t *photo, double capital, const draw_tone_t *tone)
{
    int    x, y;
    float  fx, fy, bend, sway, phase, strength, wide, c, v, *row;
    double apart, turn;

    apart = capital * draw_between(.16, .62);
    turn = draw_random() < .75 ? draw_normal() * .06 : draw_between(0, M_PI);
    fx = (float) (sin(turn) / apart);
    fy = (float) (cos(turn) / apart);
    bend = (float) (draw_random() < .6 ? draw_between(0, 1.6) : 0);
    sway = (float) (draw_between(.01, .12) / capital);
    phase = (float) draw_between(0, 1);
    wide = (float) draw_between(-.5, .6);
    strength = (float) (tone->contrast * draw_between(.08, .55)
                        * (draw_random() < .7 ? 1 : -1));

    for (y = 0; y < photo->h; y++) {
        row = photo->v + y * photo->w;

        for (x = 0; x < photo->w; x++) {
            c = draw_cosine(sway * (float) x + phase);
            c = draw_cosine(fx * (float) x + fy * (float) y + bend * c);
            /* a line's profile, with soft edges */
            v = (c - wide) * 2.2f + .5f;
            v = v < 0 ? 0 : (v > 1 ? 1 : v);
            draw_add(&row[x], tone, strength * v);
        }
    }
}


/* Rays and other large shapes with edges, lighter or darker. */
static void
draw_rays(draw_photo_t *photo, double capital, const draw_tone_t *tone)
{
    int    x, y, i, n, x0, x1;
    float  strength;
    double at, slope, wide, bow;

    n = (int) draw_between(1, DRAW_RAYS + 1);

    for (i = 0; i < n; i++) {
        at = draw_between(0, photo->w);
        slope = draw_normal() * .9;
        bow = draw_normal() * .1 / capital;
        wide = capital
               * (draw_random() < .7 ? draw_between(.06, .4)
                                     : draw_between(.4, 4));
        strength = (float) (tone->contrast * draw_between(.05, .4)
                            * (draw_random() < .7 ? 1 : -1));

        for (y = 0; y < photo->h; y++) {
            x0 = (int) (at + slope * y + bow * y * y);
            x1 = x0 + (int) (wide * sqrt(1 + slope * slope));
            for (x = x0 > 0 ? x0 : 0; x <= x1 && x < photo->w; x++) {
                draw_add(&photo->v[y * photo->w + x], tone, strength);
            }
        }
    }
}


/* The background: crossing waves, and uneven light. */
static void
draw_ground(draw_photo_t *photo, double capital, double contrast)
{
    int    x, y, i, waves;
    float  fx[3], fy[3], phase[3], strength[3], c, *row;
    double gx, gy, spot, sx, sy, sr, d, v;

    waves = draw_random() < .6 ? 1 + (int) draw_between(0, 2.999) : 0;
    gx = draw_normal() * .15 * contrast / photo->w;
    gy = draw_normal() * .1 * contrast / photo->h;
    spot = draw_random() < .06 ? draw_between(.2, .8) : 0;
    sx = draw_between(0, photo->w);
    sy = draw_between(0, photo->h);
    sr = draw_between(.5, 4) * capital;

    for (i = 0; i < waves; i++) {
        d = draw_between(.15, 2.5) / capital;
        v = draw_between(0, M_PI);
        fx[i] = (float) (d * cos(v));
        fy[i] = (float) (d * sin(v));
        phase[i] = (float) draw_between(0, 1);
        strength[i] = (float) (contrast * .14 * pow(draw_random(), 2));
    }

    for (y = 0; y < photo->h; y++) {
        row = photo->v + y * photo->w;

        for (i = 0; i < waves; i++) {
            for (x = 0; x < photo->w; x++) {
                c = draw_cosine(.31f * fy[i] * (float) x);
                c = draw_cosine(fx[i] * (float) x + fy[i] * (float) y
                                + phase[i] + .13f * c);
                row[x] += strength[i] * c * c * c;
            }
        }

        for (x = 0; x < photo->w; x++) {
            row[x] += (float) (gx * x + gy * y);
        }

        for (x = 0; x < photo->w && spot > 0; x++) {
            d = (pow(x - sx, 2) + pow(y - sy, 2)) / (sr * sr);
            d = d < 20 ? spot * exp(-d) : 0;
            row[x] += (float) ((235 - row[x]) * d);
        }
    }
}


/* Grain, coarse or fine, and sharpening of edges. */
static void
draw_grain(draw_photo_t *photo, double contrast, double spoil)
{
    int          x, y, n;
    float        level, sharp, *v;
    static float old[DRAW_PHOTO_H * DRAW_PHOTO_W];

    n = photo->w * photo->h;
    level = (float) (contrast * .22 * spoil * pow(draw_random(), 2.5));
    sharp = (float) (draw_random() < .2 ? draw_between(.2, 1.2) : 0);
    v = photo->v;

    for (x = 0; x < n; x++) {
        v[x] += level * draw_speck();
    }

    if (draw_random() < .3) {
        /* smoothed grain is coarse */
        for (y = 0; y < photo->h; y++) {
            draw_mean(v + y * photo->w, photo->w, 1);
        }
    }

    if (sharp > 0) {
        memcpy(old, v, sizeof(float) * (size_t) n);
        for (y = 1; y < photo->h - 1; y++) {
            for (x = 1; x < photo->w - 1; x++) {
                n = y * photo->w + x;
                v[n] += sharp
                        * (old[n]
                           - (old[n - 1] + old[n + 1] + old[n - photo->w]
                              + old[n + photo->w])
                                 / 4);
            }
        }
    }
}


static void
draw_jpeg(draw_photo_t *photo)
{
    int                  i, n;
    unsigned long        size;
    unsigned char       *jpeg;
    static tjhandle      in, out;
    static unsigned char px[DRAW_PHOTO_H * DRAW_PHOTO_W];

    if (in == NULL) {
        in = tjInitCompress();
        out = tjInitDecompress();
    }

    n = photo->w * photo->h;

    for (i = 0; i < n; i++) {
        px[i] =
            (unsigned char) (photo->v[i] < 0
                                 ? 0
                                 : (photo->v[i] > 255 ? 255 : photo->v[i]));
    }

    jpeg = NULL;
    size = 0;

    if (draw_random() < .75
        && tjCompress2(in, px, photo->w, 0, photo->h, TJPF_GRAY, &jpeg, &size,
                       TJSAMP_GRAY, (int) draw_between(25, 96), 0)
               == 0) {
        tjDecompress2(out, jpeg, size, px, photo->w, 0, photo->h, TJPF_GRAY,
                      0);
    }

    tjFree(jpeg);

    for (i = 0; i < n; i++) {
        photo->v[i] = px[i];
    }
}


/* Takes the photo of the line between x0 and x1.  secured: on such paper. */
static int
draw_photo(double x0, double x1, double spoil, int secured, draw_view_t *view,
           draw_photo_t *photo)
{
    int         x, y, box;
    double      scale, v;
    draw_tone_t tone;

    view->capital = 7 * pow(5.5, draw_random());
    view->capital /= spoil > 0 ? 1 : .4;
    view->wide = draw_between(.86, 1.16);
    view->tilt = draw_normal() * .03;

    scale = DRAW_CAPITAL / view->capital;
    photo->w = (int) ((x1 - x0 + 3 * DRAW_CAPITAL) * view->wide / scale);
    photo->h = (int) (3 * view->capital + fabs(view->tilt) * photo->w);

    if (photo->w > DRAW_PHOTO_W || photo->h > DRAW_PHOTO_H) {
        return -1;
    }

    view->x0 =
        x0 * view->wide / scale - draw_between(1.3, 1.6) * view->capital;
    view->y0 = DRAW_BASE / scale - draw_between(1.9, 2.2) * view->capital
               - (view->tilt < 0 ? 0 : view->tilt * photo->w);

    /* a pixel integrates over its area */
    box = (int) (scale / 2);
    for (y = 0; y < DRAW_H && box > 0; y++) {
        draw_mean(draw_canvas[y], draw_width, box);
    }
    if (box > 0) {
        draw_mean_down(box);
    }

    tone.contrast = (float) draw_between(70, 205);
    tone.paper = (float) draw_between(215, 240);
    tone.shown = (float) draw_random();

    for (y = 0; y < photo->h; y++) {
        for (x = 0; x < photo->w; x++) {
            v = draw_at(&draw_canvas[0][0], draw_width, DRAW_H, DRAW_W,
                        (x + view->x0) * scale / view->wide,
                        (y + view->y0 + view->tilt * x) * scale);
            photo->v[y * photo->w + x] =
                (float) (tone.paper - tone.contrast * v);
        }
    }

    if (secured) {
        for (x = 1 + (draw_random() < .25 ? 1 : 0); x > 0; x--) {
            draw_rules(photo, view->capital, &tone);
        }
        if (draw_random() < .5) {
            draw_rays(photo, view->capital, &tone);
        }
    }

    draw_ground(photo, view->capital, tone.contrast * spoil);
    draw_grain(photo, tone.contrast, spoil);
    draw_jpeg(photo);

    return 0;
}


/* Reduces by two, like the reader's sheet. */
static void
draw_halve(draw_photo_t *photo)
{
    int    x, y, w, h;
    float *v;

    w = photo->w / 2;
    h = photo->h / 2;
    v = photo->v;

    for (y = 0; y < h; y++) {
        for (x = 0; x < w; x++) {
            v[y * w + x] =
                (v[2 * y * photo->w + 2 * x] + v[2 * y * photo->w + 2 * x + 1]
                 + v[(2 * y + 1) * photo->w + 2 * x]
                 + v[(2 * y + 1) * photo->w + 2 * x + 1])
                / 4;
        }
    }

    photo->w = w;
    photo->h = h;
}


/* Cuts the line out like the reader, with errors like its own. */
static int
draw_cut(double x0, double x1, const draw_view_t *view, draw_photo_t *photo,
         float *out, int room)
{
    int                  i, j, w;
    double               height, slope, shear, dy, bow, left, right, x, y, f;
    double               across, up;
    static unsigned char px[KTPR_LINE_H * KTPR_LINE_MAX];

    height = draw_between(.88, 1.13);
    slope = draw_normal() * .005;
    shear = draw_random() < .3 ? draw_normal() * .12 : draw_normal() * .02;
    dy = draw_normal() * .06;
    bow = draw_normal() * .02;
    left = draw_between(.05, .8);
    right = draw_between(.05, .9);

    /* in capitals, then in pixels of the photo */
    w = (int) (((x1 - x0) * view->wide / DRAW_CAPITAL + left + right) / height
               * KTPR_LINE_ACROSS);

    if (w > room || w > KTPR_LINE_MAX || w < KTPR_LINE_LEAST) {
        return -1;
    }

    f = 1;
    while (view->capital * f / KTPR_LINE_CAPITAL > 1.6 && photo->h > 8) {
        draw_halve(photo);
        f /= 2;
    }

    for (j = 0; j < KTPR_LINE_H; j++) {
        for (i = 0; i < w; i++) {
            across = height * i / KTPR_LINE_ACROSS - left;
            up = height
                 * ((double) (KTPR_LINE_ABOVE + KTPR_LINE_CAPITAL - j)
                    / KTPR_LINE_CAPITAL);
            up += dy + slope * (across - w / 2. / KTPR_LINE_ACROSS)
                  + bow * cos(M_PI * i / w);
            x = x0 * view->wide / DRAW_CAPITAL * view->capital
                + (across + shear * up) * view->capital - view->x0;
            y = DRAW_BASE * view->capital / DRAW_CAPITAL - up * view->capital
                - view->y0 - view->tilt * x;
            px[j * w + i] = (unsigned char) lrintf(
                draw_at(photo->v, photo->w, photo->h, photo->w,
                        (x + .5) * f - .5, (y + .5) * f - .5));
        }
    }

    ktpr_line_net_even(px, w, out);

    return w;
}


/* A dark or grey block of random height. */
static void
draw_block(double x0, double x1)
{
    int   x, y, y0, y1;
    float v;

    y0 = draw_random() < .5 ? 0 : (int) draw_between(0, DRAW_H);
    y1 = draw_random() < .5 ? DRAW_H : (int) draw_between(y0, DRAW_H);
    v = (float) draw_between(.1, 1);

    for (y = y0; y < y1; y++) {
        for (x = (int) x0; x < (int) x1 && x < DRAW_W; x++) {
            draw_canvas[y][x] = v > draw_canvas[y][x] ? v : draw_canvas[y][x];
        }
    }
}


/*
 * Draws a text ("": clutter without text).  spoil: strength of blur and
 * grain, 0 to 1.  out becomes KTPR_LINE_H rows of values; returns the values
 * in a row, or -1 when they exceed room.
 */
int
draw_line(int font, const char *text, unsigned long long seed, double spoil,
          float *out, int room)
{
    int                 i, dots, secured;
    double              x, x0, x1, spacing, wide, blur, sx;
    draw_view_t         view;
    const draw_font_t  *f;
    static draw_photo_t photo;

    f = draw_fonts[font];
    draw_seed = seed * 0x9e3779b97f4a7c15ULL + 88172645463325252ULL;
    (void) draw_random();
    (void) draw_random();

    memset(draw_canvas, 0, sizeof(draw_canvas));
    spacing = draw_random() < .5
                  ? 0
                  : draw_normal() * .03 * DRAW_CAPITAL
                        + (draw_random() < .15 ? .06 * DRAW_CAPITAL : 0);
    x0 = 2 * DRAW_CAPITAL;

    if (draw_random() < .06) {
        /* the row above, which is too near */
        draw_set(f, text, x0 + draw_between(-60, 60),
                 DRAW_BASE - (int) draw_between(1.55, 1.9) * DRAW_CAPITAL,
                 spacing, 1);
    }

    dots = draw_random() < .45;
    secured = draw_random() < (dots ? .7 : .25);
    wide = draw_random() < .5 ? 1 : draw_between(.75, 1.4);

    if (draw_random() < .16) {
        /* the end of a border or of the colon */
        x = x0 - draw_between(.45, 1.3) * DRAW_CAPITAL;
        if (dots) {
            (void) draw_set_dots(f, ":", x);
        } else {
            draw_ink(&f->glyphs[':' - ' '], x, DRAW_BASE);
        }
    }

    x1 = text[0] == '\0' ? x0 + draw_between(1, 12) * DRAW_CAPITAL
         : dots          ? draw_set_dots(f, text, x0)
                         : draw_set(f, text, x0, DRAW_BASE, spacing, wide);

    if (x1 < x0) {
        return -1;
    }

    if (text[0] == '\0' && draw_random() < .8) {
        for (i = (int) draw_between(1, 5); i > 0; i--) {
            x = draw_between(x0 - DRAW_CAPITAL, x1 + DRAW_CAPITAL);
            draw_block(x, x + draw_between(.05, 4) * DRAW_CAPITAL);
        }

    } else if (draw_random() < .06) {
        /* the edge of the photo */
        draw_block(x1 + draw_between(.35, .9) * DRAW_CAPITAL,
                   x1 + 2 * DRAW_CAPITAL);
    }

    if (draw_random() < (secured ? .35 : .1)) {
        /* the pattern was taken for text behind its end */
        x1 += draw_between(.5, 10) * DRAW_CAPITAL;
    }

    draw_width = (int) x1 + 2 * DRAW_CAPITAL;

    if (draw_width > DRAW_W) {
        return -1;
    }

    if (draw_random() < (dots ? .3 : .6)) {
        draw_thicken();
    }

    blur = .22 * DRAW_CAPITAL * spoil * pow(draw_random(), 1.4);
    sx = draw_random() < .25 ? draw_between(.5, 1.6) : 1;
    draw_blur(blur * sx, blur / sx);

    if (draw_photo(x0, x1, spoil, secured, &view, &photo) != 0) {
        return -1;
    }

    return draw_cut(x0, x1, &view, &photo, out, room);
}
