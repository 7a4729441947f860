#include "table.h"
#include <math.h>
#include <stdint.h>
#include <string.h>


static void table_light(cairo_t *cr, int w, int h, const double from[3],
                        const double to[3]);
static void table_wood(cairo_t *cr, int w, int h);
static void table_stone(cairo_t *cr, int w, int h, dice_t *dice);
static void table_tiles(cairo_t *cr, int w, int h, dice_t *dice);
static void table_papers(cairo_t *cr, int w, int h, dice_t *dice);
static void table_sheet(cairo_t *cr, double side, dice_t *dice);


int
table_named(const char *name)
{
    int i;

    static const char *const names[TABLES] = {
        "wood", "plain", "dark", "white", "stone", "tiles", "papers"};

    for (i = 0; i < TABLES; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }

    return -1;
}


void
table_draw(cairo_t *cr, table_t table, int width, int height, dice_t *dice)
{
    /* clang-format off */

    static const double lights[TABLES][2][3] = {
        [TABLE_WOOD]   = { { 0.66, 0.54, 0.42 }, { 0.50, 0.39, 0.29 } },
        [TABLE_PLAIN]  = { { 0.55, 0.57, 0.60 }, { 0.42, 0.45, 0.49 } },
        [TABLE_DARK]   = { { 0.13, 0.12, 0.14 }, { 0.07, 0.07, 0.08 } },
        [TABLE_WHITE]  = { { 0.96, 0.96, 0.94 }, { 0.88, 0.88, 0.87 } },
        [TABLE_STONE]  = { { 0.58, 0.56, 0.53 }, { 0.50, 0.49, 0.47 } },
        [TABLE_TILES]  = { { 0.74, 0.72, 0.69 }, { 0.62, 0.61, 0.60 } },
        [TABLE_PAPERS] = { { 0.40, 0.33, 0.27 }, { 0.31, 0.26, 0.22 } },
    };

    /* clang-format on */

    table_light(cr, width, height, lights[table][0], lights[table][1]);

    switch (table) {
    case TABLE_WOOD:
        table_wood(cr, width, height);
        break;

    case TABLE_STONE:
        table_stone(cr, width, height, dice);
        break;

    case TABLE_TILES:
        table_tiles(cr, width, height, dice);
        break;

    case TABLE_PAPERS:
        table_papers(cr, width, height, dice);
        break;

    default:
        break;
    }
}


/* lit from the upper left */

static void
table_light(cairo_t *cr, int w, int h, const double from[3],
            const double to[3])
{
    cairo_pattern_t *light;

    light = cairo_pattern_create_linear(0, 0, w, h);
    cairo_pattern_add_color_stop_rgb(light, 0, from[0], from[1], from[2]);
    cairo_pattern_add_color_stop_rgb(light, 1, to[0], to[1], to[2]);
    cairo_set_source(cr, light);
    cairo_paint(cr);
    cairo_pattern_destroy(light);
}


static void
table_wood(cairo_t *cr, int w, int h)
{
    int    i;
    double y;

    cairo_set_source_rgba(cr, 0.30, 0.20, 0.12, 0.25);
    cairo_set_line_width(cr, h / 500.0);

    for (i = 0; i < 24; i++) {
        y = (i + 0.5) * h / 24.0;
        cairo_move_to(cr, 0, y);
        cairo_curve_to(cr, w / 3.0, y - 12, w / 1.5, y + 14, w, y - 6);
        cairo_stroke(cr);
    }
}


/* specks of all sizes, light and dark */

static void
table_stone(cairo_t *cr, int w, int h, dice_t *dice)
{
    int    i;
    double r, v;

    for (i = 0; i < 9000; i++) {
        v = dice_roll(dice, 2) ? 0.92 : 0.16;
        r = w * (0.0006 + 0.005 * pow(dice_real(dice), 4));
        cairo_set_source_rgba(cr, v, v, v * 0.97, 0.10 + 0.35 * r / w * 100);
        cairo_new_path(cr);
        cairo_arc(cr, w * dice_real(dice), h * dice_real(dice), r, 0,
                  2 * M_PI);
        cairo_fill(cr);
    }
}


static void
table_tiles(cairo_t *cr, int w, int h, dice_t *dice)
{
    int    i;
    double side;

    side = w * (0.08 + 0.10 * dice_real(dice));

    cairo_save(cr);
    cairo_translate(cr, w / 2.0, h / 2.0);
    cairo_rotate(cr, M_PI * dice_real(dice));
    cairo_set_line_width(cr, w / 220.0);
    cairo_set_source_rgb(cr, 0.36, 0.35, 0.34);

    for (i = -20; i <= 20; i++) {
        cairo_move_to(cr, i * side, -2.0 * w);
        cairo_line_to(cr, i * side, 2.0 * w);
        cairo_move_to(cr, -2.0 * w, i * side);
        cairo_line_to(cr, 2.0 * w, i * side);
    }

    cairo_stroke(cr);
    cairo_restore(cr);
}


static void
table_papers(cairo_t *cr, int w, int h, dice_t *dice)
{
    int i;

    for (i = 0; i < 9; i++) {
        cairo_save(cr);
        cairo_translate(cr, w * dice_real(dice), h * dice_real(dice));
        cairo_rotate(cr, 2 * M_PI * dice_real(dice));
        table_sheet(cr, w * (0.15 + 0.30 * dice_real(dice)), dice);
        cairo_restore(cr);
    }
}


/* a sheet with lines on it, or a notebook's cover */

static void
table_sheet(cairo_t *cr, double side, dice_t *dice)
{
    int    i, cover;
    double v;

    cover = dice_roll(dice, 3) == 0;
    v = 0.86 + 0.10 * dice_real(dice);

    if (cover) {
        cairo_set_source_rgb(cr, 0.2 + 0.5 * dice_real(dice),
                             0.2 + 0.4 * dice_real(dice),
                             0.2 + 0.5 * dice_real(dice));
    } else {
        cairo_set_source_rgb(cr, v, v, v * 0.97);
    }

    cairo_rectangle(cr, 0, 0, side, 1.41 * side);
    cairo_fill(cr);

    cairo_set_source_rgba(cr, 0.2, 0.2, 0.25, 0.6);
    cairo_set_line_width(cr, side / 90);

    for (i = 0; !cover && i < 18; i++) {
        cairo_move_to(cr, 0.1 * side, (0.15 + 0.065 * i) * side);
        cairo_line_to(cr, (0.5 + 0.4 * dice_real(dice)) * side,
                      (0.15 + 0.065 * i) * side);
    }

    cairo_stroke(cr);
}
