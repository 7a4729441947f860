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


typedef struct {
    uint64_t    seed;
    const char *picture;
    const char *truth;
    int         width;
    int         height;
    int         quality;
    double      cover;
    double      rotate;
    int         page;
    camera_t    camera;
} options_t;


static void   options_parse(options_t *opt, int argc, char *argv[]);
static double option_number(const char *name, const char *value, double min,
                            double max);
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
    options_t        opt;
    cairo_surface_t *picture;

    options_parse(&opt, argc, argv);
    dice_init(&dice, opt.seed);
    person_invent(&person, &dice);

    picture = scene_draw(&opt, &person, &dice);
    rc = EXIT_FAILURE;

    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS
        || camera_apply(picture, &opt.camera, &dice) != 0) {
        fprintf(stderr, "ktp-specimen: no memory for the picture\n");

    } else if (picture_write(picture, opt.picture, opt.quality) == 0
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
        { "seed",    required_argument, NULL, 's' },
        { "output",  required_argument, NULL, 'o' },
        { "truth",   required_argument, NULL, 't' },
        { "size",    required_argument, NULL, 'S' },
        { "quality", required_argument, NULL, 'q' },
        { "cover",   required_argument, NULL, 'c' },
        { "rotate",  required_argument, NULL, 'r' },
        { "blur",    required_argument, NULL, 'b' },
        { "noise",   required_argument, NULL, 'n' },
        { "dark",    required_argument, NULL, 'd' },
        { "glare",   required_argument, NULL, 'g' },
        { "gray",    no_argument,       NULL, 'G' },
        { "page",    no_argument,       NULL, 'p' },
        { "help",    no_argument,       NULL, 'h' },
        { NULL,      0,                 NULL, 0 },
    };

    *opt = (options_t) { .seed = 1, .width = 1600, .height = 1200,
                         .quality = 90, .cover = 0.88,
                         .camera = { .noise = 1.5, .dark = 1 } };

    /* clang-format on */

    while ((c = getopt_long(argc, argv, "o:h", table, NULL)) != -1) {
        switch (c) {
        case 's':
            opt->seed = (uint64_t) option_number("seed", optarg, 0, 1e15);
            break;

        case 'o':
            opt->picture = optarg;
            break;

        case 't':
            opt->truth = optarg;
            break;

        case 'S':
            if (sscanf(optarg, "%5dx%5d", &opt->width, &opt->height) != 2
                || opt->width < 16 || opt->height < 16) {
                fprintf(stderr, "ktp-specimen: invalid size \"%s\"\n", optarg);
                exit(EXIT_FAILURE);
            }

            break;

        case 'q':
            opt->quality = (int) option_number("quality", optarg, 1, 100);
            break;

        case 'c':
            opt->cover = option_number("cover", optarg, 0.05, 2);
            break;

        case 'r':
            opt->rotate = option_number("rotate", optarg, -360, 360);
            break;

        case 'b':
            opt->camera.blur = option_number("blur", optarg, 0, 50);
            break;

        case 'n':
            opt->camera.noise = option_number("noise", optarg, 0, 100);
            break;

        case 'd':
            opt->camera.dark = option_number("dark", optarg, 0, 2);
            break;

        case 'g':
            opt->camera.glare = option_number("glare", optarg, 0, 1);
            break;

        case 'G':
            opt->camera.gray = 1;
            break;

        case 'p':
            opt->page = 1;
            break;

        case 'h':
            usage(stdout);
            exit(EXIT_SUCCESS);

        default:
            usage(stderr);
            exit(EXIT_FAILURE);
        }
    }

    if (opt->picture == NULL || optind != argc) {
        usage(stderr);
        exit(EXIT_FAILURE);
    }
}


static double
option_number(const char *name, const char *value, double min, double max)
{
    char  *end;
    double number;

    number = strtod(value, &end);

    if (end == value || *end != '\0' || !(number >= min && number <= max)) {
        fprintf(stderr, "ktp-specimen: invalid %s \"%s\", it is %g to %g\n",
                name, value, min, max);
        exit(EXIT_FAILURE);
    }

    return number;
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

    scale = opt->cover * opt->width / CARD_WIDTH;

    cairo_translate(cr, opt->width / 2.0, opt->height / 2.0);
    cairo_rotate(cr, opt->rotate * M_PI / 180);
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
