#include "card.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <pango/pangocairo.h>

/* Units of the card to an inch. */
#define INCH (CARD_WIDTH / (85.60 / 25.4))

#define LABELS_X 36.0
#define ROWS_Y   182.0
#define ROW_STEP 30.2
#define PHOTO_X  718.0
#define PHOTO_Y  178.0
#define PHOTO_W  226.0
#define PHOTO_H  292.0

typedef enum {
    TEXT_LEFT,
    TEXT_CENTRE
} text_align_t;

static void card_base(cairo_t *cr);
static void card_globe(cairo_t *cr);
static void card_waves(cairo_t *cr);
static void card_lines(cairo_t *cr, double strength);
static void card_print(cairo_t *cr, const card_style_t *style,
                       const person_t *person, dice_t *dice);
static void card_dots(cairo_t *cr, const card_style_t *style,
                      const person_t *person, dice_t *dice);
static void card_mark(cairo_t *cr, double x, double y, double size,
                      double turn);
static void card_header(cairo_t *cr, const card_style_t *style,
                        const person_t *person);
static void card_rows(cairo_t *cr, const card_style_t *style,
                      const person_t *person);
static void card_row(cairo_t *cr, const card_style_t *style, double y,
                     double indent, const char *label, const char *value);
static void card_photo(cairo_t *cr, dice_t *dice);
static void card_issued(cairo_t *cr, const card_style_t *style,
                        const person_t *person, dice_t *dice);
static void card_text(cairo_t *cr, const char *family, const char *font,
                      double x, double y, double room, text_align_t align,
                      const char *text);


void
card_draw(cairo_t *cr, const card_style_t *style, const person_t *person,
          dice_t *dice)
{
    cairo_save(cr);
    card_base(cr);
    card_globe(cr);
    card_waves(cr);

    if (style->secure > 0) {
        card_lines(cr, style->secure);
    }

    /* a free corner of the card, the photo, and the lower edge: the mark is
       plain to any eye and lies under no field */

    cairo_set_source_rgba(cr, 0.75, 0.15, 0.15, 0.35);
    card_mark(cr, 400, 590, 56, 0);

    card_photo(cr, dice);

    cairo_set_source_rgb(cr, 0.10, 0.10, 0.12);

    if (style->dots > 0) {
        card_dots(cr, style, person, dice);

    } else {
        card_print(cr, style, person, dice);
    }

    cairo_restore(cr);
}


static void
card_print(cairo_t *cr, const card_style_t *style, const person_t *person,
           dice_t *dice)
{
    card_header(cr, style, person);
    card_rows(cr, style, person);
    card_issued(cr, style, person, dice);
}


/* The print as a card printer sets it: a dot has ink or has none. */

static void
card_dots(cairo_t *cr, const card_style_t *style, const person_t *person,
          dice_t *dice)
{
    double           scale;
    cairo_t         *print;
    cairo_matrix_t   matrix;
    cairo_pattern_t *ink;
    cairo_surface_t *dots;

    scale = style->dots / INCH;
    dots = cairo_image_surface_create(CAIRO_FORMAT_A8,
                                      (int) ceil(CARD_WIDTH * scale),
                                      (int) ceil(CARD_HEIGHT * scale));
    print = cairo_create(dots);
    cairo_scale(print, scale, scale);
    cairo_set_antialias(print, CAIRO_ANTIALIAS_NONE);
    card_print(print, style, person, dice);
    cairo_destroy(print);

    ink = cairo_pattern_create_for_surface(dots);
    cairo_matrix_init_scale(&matrix, scale, scale);
    cairo_pattern_set_matrix(ink, &matrix);
    cairo_pattern_set_filter(ink, CAIRO_FILTER_NEAREST);
    cairo_mask(cr, ink);
    cairo_pattern_destroy(ink);
    cairo_surface_destroy(dots);
}


void
page_draw(cairo_t *cr)
{
    int i;

    static const char *const lines[] = {
        "Notulen rapat warga",
        "Rapat dibuka pada pukul sembilan pagi di balai",
        "pertemuan. Hadir dua puluh tiga orang warga.",
        "Dibahas perbaikan saluran air dan jadwal ronda",
        "malam untuk tiga bulan yang akan datang.",
        "Bendahara melaporkan saldo kas dan rencana",
        "pengeluaran. Rapat ditutup pada siang hari.",
    };

    cairo_set_source_rgb(cr, 0.97, 0.96, 0.93);
    cairo_rectangle(cr, 0, 0, CARD_WIDTH, CARD_HEIGHT);
    cairo_fill(cr);
    cairo_set_source_rgb(cr, 0.12, 0.12, 0.12);

    for (i = 0; i < (int) (sizeof(lines) / sizeof(lines[0])); i++) {
        card_text(cr, NULL,
                  i ? "Liberation Serif 30" : "Liberation Serif Bold 40", 60,
                  60 + 74 * i, 900, TEXT_LEFT, lines[i]);
    }
}


/* the rounded card; everything after it is clipped to it */

static void
card_base(cairo_t *cr)
{
    double           r;
    cairo_pattern_t *blue;

    r = 36;
    cairo_new_path(cr);
    cairo_arc(cr, CARD_WIDTH - r, r, r, -M_PI / 2, 0);
    cairo_arc(cr, CARD_WIDTH - r, CARD_HEIGHT - r, r, 0, M_PI / 2);
    cairo_arc(cr, r, CARD_HEIGHT - r, r, M_PI / 2, M_PI);
    cairo_arc(cr, r, r, r, M_PI, 3 * M_PI / 2);
    cairo_close_path(cr);
    cairo_clip(cr);

    blue = cairo_pattern_create_linear(0, 0, CARD_WIDTH, CARD_HEIGHT);
    cairo_pattern_add_color_stop_rgb(blue, 0, 0.72, 0.88, 0.97);
    cairo_pattern_add_color_stop_rgb(blue, 0.6, 0.77, 0.91, 0.98);
    cairo_pattern_add_color_stop_rgb(blue, 1, 0.66, 0.84, 0.95);
    cairo_set_source(cr, blue);
    cairo_paint(cr);
    cairo_pattern_destroy(blue);
}


static void
card_globe(cairo_t *cr)
{
    int i;

    cairo_set_source_rgba(cr, 0.52, 0.74, 0.88, 0.45);
    cairo_set_line_width(cr, 2.6);

    for (i = -4; i <= 4; i++) {
        cairo_save(cr);
        cairo_translate(cr, 480, 260);
        cairo_scale(cr, i ? abs(i) * 105 : 1, 320);
        cairo_new_path(cr);
        cairo_arc(cr, 0, 0, 1, i < 0 ? M_PI / 2 : -M_PI / 2,
                  i < 0 ? 3 * M_PI / 2 : M_PI / 2);
        cairo_restore(cr);
        cairo_stroke(cr);
    }

    for (i = -2; i <= 2; i++) {
        cairo_save(cr);
        cairo_translate(cr, 480, 260 + i * 112);
        cairo_scale(cr, 420 * sqrt(1 - i * i / 9.0), 34);
        cairo_new_path(cr);
        cairo_arc(cr, 0, 0, 1, 0, M_PI);
        cairo_restore(cr);
        cairo_stroke(cr);
    }
}


static void
card_waves(cairo_t *cr)
{
    int    i;
    double x;

    cairo_set_line_width(cr, 0.8);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.35);

    for (i = 0; i < 45; i++) {
        cairo_new_path(cr);

        for (x = 0; x <= CARD_WIDTH; x += 8) {
            cairo_line_to(cr, x, i * 14.3 + 5 * sin(x / 47 + i * 0.6));
        }

        cairo_stroke(cr);
    }
}


/* Dense light lines on a darker ground, and rays across them. */

static void
card_lines(cairo_t *cr, double strength)
{
    int    i;
    double x;

    cairo_set_source_rgba(cr, 0.22, 0.74, 0.82, 0.8 * strength);
    cairo_paint(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.9 * strength);
    cairo_set_line_width(cr, 3);

    for (i = -4; i < 100; i++) {
        cairo_new_path(cr);

        for (x = 0; x <= CARD_WIDTH; x += 8) {
            cairo_line_to(cr, x, i * 6.6 + 9 * sin(x / 240) + 2 * sin(x / 61));
        }

        cairo_stroke(cr);
    }

    for (i = -5; i <= 5; i++) {
        cairo_new_path(cr);
        cairo_move_to(cr, 480 + 24 * i, 420);
        cairo_line_to(cr, 480 + 130 * i, 150);
        cairo_stroke(cr);
    }
}


static void
card_mark(cairo_t *cr, double x, double y, double size, double turn)
{
    char font[64];

    snprintf(font, sizeof(font), "Liberation Sans Bold %d", (int) size);

    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, turn);
    card_text(cr, NULL, font, 0, -0.62 * size, 0, TEXT_CENTRE, "SPECIMEN");
    cairo_restore(cr);
}


static void
card_header(cairo_t *cr, const card_style_t *style, const person_t *person)
{
    char line[PERSON_MAX + 16];

    if (style->title != NULL) {
        card_text(cr, style->family, "Bold 33", 480, 58, 0, TEXT_CENTRE,
                  style->title);
        return;
    }

    snprintf(line, sizeof(line), "PROVINSI %s", person->state);
    card_text(cr, style->family, "Bold 33", 480, 22, 0, TEXT_CENTRE, line);
    card_text(cr, style->family, "Bold 33", 480, 58, 0, TEXT_CENTRE,
              person->city);

    card_text(cr, style->family, "OCRA 42", LABELS_X, 114, 0, TEXT_LEFT,
              "NIK");
    snprintf(line, sizeof(line), ":%s", person->nik);
    card_text(cr, style->family, "OCRA 42", style->values * CARD_WIDTH - 40,
              114, 0, TEXT_LEFT, line);
}


static void
card_rows(cairo_t *cr, const card_style_t *style, const person_t *person)
{
    int    i;
    double y;
    char   birth[2 * PERSON_MAX + 2];

    const struct {
        const char *label;
        double      indent;
        const char *value;
    } rows[] = {
        {"Nama", 0, person->full_name},
        {"Tempat/Tgl Lahir", 0, birth},
        {"Jenis Kelamin", 0, person->gender},
        {"Alamat", 0, person->address},
        {"RT/RW", 38, person->rt_rw},
        {"Kel/Desa", 38, person->administrative_village},
        {"Kecamatan", 38, person->district},
        {"Agama", 0, person->religion},
        {"Status Perkawinan", 0, person->marital_status},
        {"Pekerjaan", 0, person->occupation},
        {"Kewarganegaraan", 0, person->nationality},
        {"Berlaku Hingga", 0, person->valid_until},
    };

    snprintf(birth, sizeof(birth), "%s%s%s", person->place_of_birth,
             person->date_of_birth[0] != '\0' ? ", " : "",
             person->date_of_birth);

    for (i = 0; i < (int) (sizeof(rows) / sizeof(rows[0])); i++) {
        y = ROWS_Y + i * ROW_STEP;
        card_row(cr, style, y, rows[i].indent, rows[i].label, rows[i].value);
    }

    y = ROWS_Y + 2 * ROW_STEP;
    card_text(cr, style->family, "22", 520, y, 0, TEXT_LEFT, "Gol. Darah :");
    card_text(cr, style->family, style->plain ? "22" : "Bold 22", 652, y, 0,
              TEXT_LEFT, person->blood_type);
}


static void
card_row(cairo_t *cr, const card_style_t *style, double y, double indent,
         const char *label, const char *value)
{
    double values;

    values = style->values * CARD_WIDTH;

    card_text(cr, style->family, "22", LABELS_X + indent, y, 0, TEXT_LEFT,
              label);
    card_text(cr, style->family, "22", values - 14, y, 0, TEXT_LEFT, ":");
    card_text(cr, style->family, style->plain ? "22" : "Bold 22", values, y,
              PHOTO_X - values, TEXT_LEFT, value);
}


static void
card_photo(cairo_t *cr, dice_t *dice)
{
    int red;

    red = (int) dice_roll(dice, 2);

    cairo_save(cr);
    cairo_rectangle(cr, PHOTO_X, PHOTO_Y, PHOTO_W, PHOTO_H);
    cairo_clip(cr);

    if (red) {
        cairo_set_source_rgb(cr, 0.78, 0.22, 0.20);

    } else {
        cairo_set_source_rgb(cr, 0.18, 0.40, 0.76);
    }

    cairo_paint(cr);

    /* a grey silhouette: no face, not even an invented one */

    cairo_set_source_rgb(cr, 0.55, 0.56, 0.58);
    cairo_save(cr);
    cairo_translate(cr, PHOTO_X + PHOTO_W / 2, PHOTO_Y + PHOTO_H);
    cairo_scale(cr, 0.44 * PHOTO_W, 0.34 * PHOTO_H);
    cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
    cairo_restore(cr);
    cairo_fill(cr);

    cairo_save(cr);
    cairo_translate(cr, PHOTO_X + PHOTO_W / 2, PHOTO_Y + 0.42 * PHOTO_H);
    cairo_scale(cr, 0.25 * PHOTO_W, 0.25 * PHOTO_H);
    cairo_arc(cr, 0, 0, 1, 0, 2 * M_PI);
    cairo_restore(cr);
    cairo_fill(cr);

    cairo_set_source_rgba(cr, 1, 1, 1, 0.85);
    card_mark(cr, PHOTO_X + PHOTO_W / 2, PHOTO_Y + 0.55 * PHOTO_H, 42, -0.6);
    cairo_restore(cr);
}


static void
card_issued(cairo_t *cr, const card_style_t *style, const person_t *person,
            dice_t *dice)
{
    int    i;
    double x, y;

    x = PHOTO_X + PHOTO_W / 2;
    card_text(cr, style->family, "19", x, 480, 0, TEXT_CENTRE,
              person->issued_place);
    card_text(cr, style->family, "19", x, 505, 0, TEXT_CENTRE,
              person->issued_date);

    /* a scrawl in place of a signature */

    cairo_new_path(cr);
    cairo_set_line_width(cr, 2.4);

    for (i = 0; i < 9; i++) {
        y = 566 + (i % 2 ? -1 : 1) * (4 + 16 * dice_real(dice));
        cairo_line_to(cr, x - 72 + 18 * i, y);
    }

    cairo_stroke(cr);
}


/*
 * One line of text, its top at y; room is the width that it may take (0: any
 * width), a longer one is set narrower.  family is for a font that names none.
 */

static void
card_text(cairo_t *cr, const char *family, const char *font, double x,
          double y, double room, text_align_t align, const char *text)
{
    int                   w, h;
    PangoLayout          *layout;
    cairo_font_options_t *options;
    PangoFontDescription *desc;

    layout = pango_cairo_create_layout(cr);
    desc = pango_font_description_from_string(font);

    options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, cairo_get_antialias(cr));
    pango_cairo_context_set_font_options(pango_layout_get_context(layout),
                                         options);
    cairo_font_options_destroy(options);

    if (family != NULL
        && !(pango_font_description_get_set_fields(desc)
             & PANGO_FONT_MASK_FAMILY)) {
        pango_font_description_set_family(desc, family);
    }

    /* sizes are in units of the card, whatever the resolution */

    pango_font_description_set_absolute_size(
        desc, pango_font_description_get_size(desc));
    pango_layout_set_font_description(layout, desc);
    pango_layout_set_text(layout, text, -1);
    pango_layout_get_pixel_size(layout, &w, &h);

    cairo_save(cr);
    cairo_translate(cr, align == TEXT_CENTRE ? x - w / 2.0 : x, y);

    if (room > 0 && w > room) {
        cairo_scale(cr, room / w, 1);
    }

    cairo_move_to(cr, 0, 0);
    pango_cairo_show_layout(cr, layout);
    cairo_restore(cr);

    pango_font_description_free(desc);
    g_object_unref(layout);
}
