/*
 * ktp-specimen: draws the card of an invented person, marked SPECIMEN, and
 * writes down what it says.
 */

#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pango/pangocairo.h>
#include <yajl/yajl_gen.h>
#include "card.h"
#include "person.h"
#include "picture.h"


/* The options that are numbers; getopt's value of one is 256 and its own. */
typedef enum {
    SEED = 0,
    QUALITY,
    COVER,
    ROTATE,
    BLUR,
    NOISE,
    DARK,
    GLARE,
    NUMBERS
} number_t;

typedef struct {
    double      numbers[NUMBERS];
    const char *picture;
    const char *truth;
    int         width;
    int         height;
    int         page;
    int         gray;
} options_t;


static void   options_parse(options_t *opt, int argc, char *argv[]);
static double option_number(number_t number, const char *value);
static void   option_set(options_t *opt, int option, const char *value);
static void   usage(FILE *out);
static cairo_surface_t *scene_draw(const options_t *opt,
                                   const person_t *person, dice_t *dice);
static void             scene_table(cairo_t *cr, const options_t *opt);
static int              truth_write(const char *name, const person_t *person);
static int truth_print(FILE *file, yajl_gen gen, const person_t *person);


int
main(int argc, char *argv[])
{
    int              rc;
    dice_t           dice;
    person_t         person;
    camera_t         camera;
    options_t        opt;
    cairo_surface_t *picture;

    options_parse(&opt, argc, argv);
    dice_init(&dice, (uint64_t) opt.numbers[SEED]);
    person_invent(&person, &dice);

    picture = scene_draw(&opt, &person, &dice);
    rc = EXIT_FAILURE;

    camera.blur = opt.numbers[BLUR];
    camera.noise = opt.numbers[NOISE];
    camera.dark = opt.numbers[DARK];
    camera.glare = opt.numbers[GLARE];
    camera.gray = opt.gray;

    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS
        || camera_apply(picture, &camera, &dice) != 0) {
        fprintf(stderr, "ktp-specimen: no memory for the picture\n");

    } else if (picture_write(picture, opt.picture, (int) opt.numbers[QUALITY])
                   == 0
               && (opt.truth == NULL
                   || truth_write(opt.truth, &person) == 0)) {
        rc = EXIT_SUCCESS;
    }

    cairo_surface_destroy(picture);

    return rc;
}


static void
options_parse(options_t *opt, int argc, char *argv[])
{
    int c;

    /* clang-format off */

    static const struct option table[] = {
        { "seed",    required_argument, NULL, 256 + SEED },
        { "quality", required_argument, NULL, 256 + QUALITY },
        { "cover",   required_argument, NULL, 256 + COVER },
        { "rotate",  required_argument, NULL, 256 + ROTATE },
        { "blur",    required_argument, NULL, 256 + BLUR },
        { "noise",   required_argument, NULL, 256 + NOISE },
        { "dark",    required_argument, NULL, 256 + DARK },
        { "glare",   required_argument, NULL, 256 + GLARE },
        { "output",  required_argument, NULL, 'o' },
        { "truth",   required_argument, NULL, 't' },
        { "size",    required_argument, NULL, 's' },
        { "gray",    no_argument,       NULL, 'g' },
        { "page",    no_argument,       NULL, 'p' },
        { "help",    no_argument,       NULL, 'h' },
        { NULL,      0,                 NULL, 0 },
    };

    *opt = (options_t) {
        .numbers = { [SEED] = 1, [QUALITY] = 90, [COVER] = 0.88,
                     [NOISE] = 1.5, [DARK] = 1 },
        .width = 1600, .height = 1200,
    };

    /* clang-format on */

    while ((c = getopt_long(argc, argv, "o:h", table, NULL)) != -1) {
        if (c >= 256) {
            opt->numbers[c - 256] =
                option_number((number_t) (c - 256), optarg);

        } else {
            option_set(opt, c, optarg);
        }
    }

    if (opt->picture == NULL || optind != argc) {
        usage(stderr);
        exit(EXIT_FAILURE);
    }
}


static double
option_number(number_t number, const char *value)
{
    char  *end;
    double n;

    /* clang-format off */

    static const struct {
        const char *name;
        double      min;
        double      max;
    } ranges[NUMBERS] = {
        [SEED]    = { "seed", 0, 1e15 },
        [QUALITY] = { "quality", 1, 100 },
        [COVER]   = { "cover", 0.05, 2 },
        [ROTATE]  = { "rotate", -360, 360 },
        [BLUR]    = { "blur", 0, 50 },
        [NOISE]   = { "noise", 0, 100 },
        [DARK]    = { "dark", 0, 2 },
        [GLARE]   = { "glare", 0, 1 },
    };

    /* clang-format on */

    n = strtod(value, &end);

    if (end == value || *end != '\0'
        || !(n >= ranges[number].min && n <= ranges[number].max)) {
        fprintf(stderr, "ktp-specimen: invalid %s \"%s\", it is %g to %g\n",
                ranges[number].name, value, ranges[number].min,
                ranges[number].max);
        exit(EXIT_FAILURE);
    }

    return n;
}


static void
option_set(options_t *opt, int option, const char *value)
{
    switch (option) {
    case 'o':
        opt->picture = value;
        return;

    case 't':
        opt->truth = value;
        return;

    case 's':
        if (sscanf(value, "%5dx%5d", &opt->width, &opt->height) == 2
            && opt->width >= 16 && opt->height >= 16) {
            return;
        }

        fprintf(stderr, "ktp-specimen: invalid size \"%s\"\n", value);
        exit(EXIT_FAILURE);

    case 'g':
        opt->gray = 1;
        return;

    case 'p':
        opt->page = 1;
        return;

    case 'h':
        usage(stdout);
        exit(EXIT_SUCCESS);

    default:
        usage(stderr);
        exit(EXIT_FAILURE);
    }
}


static void
usage(FILE *out)
{
    fputs("usage: ktp-specimen -o FILE [options]\n"
          "  -o FILE       picture to write; PNG if named so, else JPEG\n"
          "  --truth FILE  what the card says, as JSON\n"
          "  --seed N      who it is (1)\n"
          "  --size WxH    of the picture in pixels (1600x1200)\n"
          "  --quality N   of the JPEG (90)\n"
          "  --cover F     part of the width that the card takes (0.88)\n"
          "  --rotate DEG  clockwise (0)\n"
          "  --blur PX     standard deviation (0)\n"
          "  --noise N     standard deviation in steps of 255 (1.5)\n"
          "  --dark F      factor of the light (1)\n"
          "  --glare F     radius of a burnt-out spot in widths (0)\n"
          "  --gray        as a photocopy\n"
          "  --page        a page of prose in place of the card\n",
          out);
}


static cairo_surface_t *
scene_draw(const options_t *opt, const person_t *person, dice_t *dice)
{
    double           scale;
    cairo_t         *cr;
    cairo_surface_t *picture;

    picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, opt->width,
                                         opt->height);
    cr = cairo_create(picture);
    scene_table(cr, opt);

    scale = opt->numbers[COVER] * opt->width / CARD_WIDTH;

    cairo_translate(cr, opt->width / 2.0, opt->height / 2.0);
    cairo_rotate(cr, opt->numbers[ROTATE] * M_PI / 180);
    cairo_scale(cr, scale, scale);
    cairo_translate(cr, -CARD_WIDTH / 2, -CARD_HEIGHT / 2);

    if (opt->page) {
        page_draw(cr);

    } else {
        card_draw(cr, person, dice);
    }

    cairo_destroy(cr);

    return picture;
}


/* a wooden table, lit from the upper left */

static void
scene_table(cairo_t *cr, const options_t *opt)
{
    int              i;
    double           y;
    cairo_pattern_t *light;

    light = cairo_pattern_create_linear(0, 0, opt->width, opt->height);
    cairo_pattern_add_color_stop_rgb(light, 0, 0.66, 0.54, 0.42);
    cairo_pattern_add_color_stop_rgb(light, 1, 0.50, 0.39, 0.29);
    cairo_set_source(cr, light);
    cairo_paint(cr);
    cairo_pattern_destroy(light);

    cairo_set_source_rgba(cr, 0.30, 0.20, 0.12, 0.25);
    cairo_set_line_width(cr, opt->height / 500.0);

    for (i = 0; i < 24; i++) {
        y = (i + 0.5) * opt->height / 24.0;
        cairo_move_to(cr, 0, y);
        cairo_curve_to(cr, opt->width / 3.0, y - 12, opt->width / 1.5, y + 14,
                       opt->width, y - 6);
        cairo_stroke(cr);
    }
}


static int
truth_write(const char *name, const person_t *person)
{
    int      rc;
    FILE    *file;
    yajl_gen gen;

    file = fopen(name, "w");

    if (file == NULL) {
        perror(name);
        return -1;
    }

    gen = yajl_gen_alloc(NULL);
    rc = gen == NULL ? -1 : truth_print(file, gen, person);

    if (fclose(file) != 0 || rc != 0) {
        fprintf(stderr, "%s: could not be written\n", name);
        rc = -1;
    }

    if (gen != NULL) {
        yajl_gen_free(gen);
    }

    return rc;
}


static int
truth_print(FILE *file, yajl_gen gen, const person_t *person)
{
    int                  k;
    size_t               i, len;
    const char          *text;
    const unsigned char *json;

    const char *members[][2] = {
        {"nik", person->nik},
        {"full_name", person->full_name},
        {"place_of_birth", person->place_of_birth},
        {"date_of_birth", person->date_of_birth},
        {"gender", person->gender},
        {"blood_type", person->blood_type},
        {"address", person->address},
        {"rt_rw", person->rt_rw},
        {"administrative_village", person->administrative_village},
        {"district", person->district},
        {"city", person->city},
        {"state", person->state},
        {"religion", person->religion},
        {"marital_status", person->marital_status},
        {"occupation", person->occupation},
        {"nationality", person->nationality},
    };

    yajl_gen_config(gen, yajl_gen_beautify, 1);
    yajl_gen_map_open(gen);
    yajl_gen_string(gen, (const unsigned char *) "truth", 5);
    yajl_gen_map_open(gen);

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        for (k = 0; k < 2; k++) {
            text = members[i][k];
            yajl_gen_string(gen, (const unsigned char *) text, strlen(text));
        }
    }

    yajl_gen_map_close(gen);
    yajl_gen_map_close(gen);

    if (yajl_gen_get_buf(gen, &json, &len) != yajl_gen_status_ok
        || fwrite(json, 1, len, file) != len) {
        return -1;
    }

    return 0;
}
