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
#include "scene.h"
#include "table.h"


/* Members of the person that can be set, at most. */
#define MEMBERS_SET 32

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
    GLARE_X,
    GLARE_Y,
    GLARE_LONG,
    GLARE_TURN,
    GLARE_EDGE,
    UNEVEN,
    UNEVEN_TURN,
    TINT,
    YAW,
    PITCH,
    VALUES,
    DOTS,
    SECURE,
    NUMBERS
} number_t;

typedef struct {
    double      numbers[NUMBERS];
    const char *picture;
    const char *truth;
    scene_t     scene;
    int         gray;
    const char *set[MEMBERS_SET]; /* "name=value" */
    int         nset;
} options_t;


static void   options_parse(options_t *opt, int argc, char *argv[]);
static double option_number(number_t number, const char *value);
static void   option_set(options_t *opt, int option, const char *value);
static void   usage(FILE *out);
static int    truth_write(const char *name, const options_t *opt,
                          person_t *person);
static int    truth_print(FILE *file, yajl_gen gen, const options_t *opt,
                          person_t *person);
static void   truth_meta(yajl_gen gen, const options_t *opt);


int
main(int argc, char *argv[])
{
    int              i, rc;
    dice_t           dice;
    person_t         people[SCENE_CARDS];
    camera_t         camera;
    options_t        opt;
    cairo_surface_t *picture;

    options_parse(&opt, argc, argv);

    for (i = opt.scene.columns * opt.scene.rows - 1; i >= 0; i--) {
        dice_init(&dice, (uint64_t) opt.numbers[SEED] + (uint64_t) i);
        person_invent(&people[i], &dice);
    }

    for (i = 0; i < opt.nset; i++) {
        if (person_set(&people[0], opt.set[i]) != 0) {
            fprintf(stderr, "ktp-specimen: invalid value \"%s\"\n",
                    opt.set[i]);
            return EXIT_FAILURE;
        }
    }

    opt.scene.cover = opt.numbers[COVER];
    opt.scene.rotate = opt.numbers[ROTATE];
    opt.scene.yaw = opt.numbers[YAW];
    opt.scene.pitch = opt.numbers[PITCH];
    opt.scene.style.values = opt.numbers[VALUES];
    opt.scene.style.dots = opt.numbers[DOTS];
    opt.scene.style.secure = opt.numbers[SECURE];
    picture =
        scene_draw(&opt.scene, people, &dice, (uint64_t) opt.numbers[SEED]);
    rc = EXIT_FAILURE;

    camera.blur = opt.numbers[BLUR];
    camera.noise = opt.numbers[NOISE];
    camera.dark = opt.numbers[DARK];
    camera.glare = opt.numbers[GLARE];
    camera.glare_x = opt.numbers[GLARE_X];
    camera.glare_y = opt.numbers[GLARE_Y];
    camera.glare_long = opt.numbers[GLARE_LONG];
    camera.glare_turn = opt.numbers[GLARE_TURN];
    camera.glare_edge = opt.numbers[GLARE_EDGE];
    camera.uneven = opt.numbers[UNEVEN];
    camera.uneven_turn = opt.numbers[UNEVEN_TURN];
    camera.tint = opt.numbers[TINT];
    camera.gray = opt.gray;

    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS
        || camera_apply(picture, &camera, &dice) != 0) {
        fprintf(stderr, "ktp-specimen: no memory for the picture\n");

    } else if (picture_write(picture, opt.picture, (int) opt.numbers[QUALITY])
                   == 0
               && (opt.truth == NULL
                   || truth_write(opt.truth, &opt, &people[0]) == 0)) {
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
        { "glare-x", required_argument, NULL, 256 + GLARE_X },
        { "glare-y", required_argument, NULL, 256 + GLARE_Y },
        { "glare-long", required_argument, NULL, 256 + GLARE_LONG },
        { "glare-turn", required_argument, NULL, 256 + GLARE_TURN },
        { "glare-edge", required_argument, NULL, 256 + GLARE_EDGE },
        { "uneven",  required_argument, NULL, 256 + UNEVEN },
        { "uneven-turn", required_argument, NULL, 256 + UNEVEN_TURN },
        { "tint",    required_argument, NULL, 256 + TINT },
        { "yaw",     required_argument, NULL, 256 + YAW },
        { "pitch",   required_argument, NULL, 256 + PITCH },
        { "values",  required_argument, NULL, 256 + VALUES },
        { "dots",    required_argument, NULL, 256 + DOTS },
        { "secure",  required_argument, NULL, 256 + SECURE },
        { "table",   required_argument, NULL, 'b' },
        { "font",    required_argument, NULL, 'f' },
        { "output",  required_argument, NULL, 'o' },
        { "truth",   required_argument, NULL, 't' },
        { "size",    required_argument, NULL, 's' },
        { "set",     required_argument, NULL, 'v' },
        { "title",   required_argument, NULL, 'i' },
        { "gray",    no_argument,       NULL, 'g' },
        { "page",    no_argument,       NULL, 'p' },
        { "cards",   required_argument, NULL, 'c' },
        { "plain",   no_argument,       NULL, 'l' },
        { "help",    no_argument,       NULL, 'h' },
        { NULL,      0,                 NULL, 0 },
    };

    *opt = (options_t) {
        .numbers = { [SEED] = 1, [QUALITY] = 90, [COVER] = 0.88,
                     [NOISE] = 1.5, [DARK] = 1, [GLARE_X] = 0.40,
                     [GLARE_Y] = 0.46, [GLARE_LONG] = 1, [GLARE_EDGE] = 2,
                     [VALUES] = 0.272 },
        .scene = { .width = 1600, .height = 1200, .table = TABLE_WOOD,
                   .columns = 1, .rows = 1,
                   .style = { .family = "Liberation Sans" } },
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
        [GLARE_X] = { "glare-x", 0, 1 },
        [GLARE_Y] = { "glare-y", 0, 1 },
        [GLARE_LONG] = { "glare-long", 1, 10 },
        [GLARE_TURN] = { "glare-turn", -360, 360 },
        [GLARE_EDGE] = { "glare-edge", 1, 20 },
        [UNEVEN]  = { "uneven", 0, 1 },
        [UNEVEN_TURN] = { "uneven-turn", -360, 360 },
        [TINT]    = { "tint", -1, 1 },
        [YAW]     = { "yaw", -80, 80 },
        [PITCH]   = { "pitch", -80, 80 },
        [VALUES]  = { "values", 0.2, 0.4 },
        [DOTS]    = { "dots", 0, 1200 },
        [SECURE]  = { "secure", 0, 1 },
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
        if (sscanf(value, "%5dx%5d", &opt->scene.width, &opt->scene.height)
                == 2
            && opt->scene.width >= 16 && opt->scene.height >= 16) {
            return;
        }

        fprintf(stderr, "ktp-specimen: invalid size \"%s\"\n", value);
        exit(EXIT_FAILURE);

    case 'c':
        if (sscanf(value, "%2dx%2d", &opt->scene.columns, &opt->scene.rows)
                == 2
            && opt->scene.columns > 0 && opt->scene.rows > 0
            && opt->scene.columns * opt->scene.rows <= SCENE_CARDS) {
            return;
        }

        fprintf(stderr, "ktp-specimen: invalid cards \"%s\"\n", value);
        exit(EXIT_FAILURE);

    case 'b':
        opt->scene.table = table_named(value);
        if (opt->scene.table >= 0) {
            return;
        }

        fprintf(stderr, "ktp-specimen: invalid table \"%s\"\n", value);
        exit(EXIT_FAILURE);

    case 'f':
        opt->scene.style.family = value;
        return;

    case 'v':
        if (opt->nset < MEMBERS_SET) {
            opt->set[opt->nset++] = value;
            return;
        }

        fprintf(stderr, "ktp-specimen: too many values\n");
        exit(EXIT_FAILURE);

    case 'i':
        opt->scene.style.title = value;
        return;

    case 'g':
        opt->gray = 1;
        return;

    case 'p':
        opt->scene.page = 1;
        return;

    case 'l':
        opt->scene.style.plain = 1;
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
    fputs(
        "usage: ktp-specimen -o FILE [options]\n"
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
        "  --glare-x F   where it is, in widths (0.40)\n"
        "  --glare-y F   and in heights (0.46)\n"
        "  --glare-long F  its length over its breadth (1)\n"
        "  --glare-turn DEG  of its length, clockwise (0)\n"
        "  --glare-edge F  2 fades as a lamp's halo, 10 is a window (2)\n"
        "  --uneven F    light's excess at one side, its lack opposite (0)\n"
        "  --uneven-turn DEG  of that side: 0 right, 90 below (0)\n"
        "  --gray        as a photocopy\n"
        "  --tint F      of the light, 1 yellow to -1 blue (0)\n"
        "  --yaw DEG     the right side goes away from the camera (0)\n"
        "  --pitch DEG   the upper side goes away (0)\n"
        "  --table NAME  wood, plain, dark, white, stone, tiles or papers"
        " (wood)\n"
        "  --font NAME   family of all but the number (Liberation Sans)\n"
        "  --values F    where values start, in widths (0.272)\n"
        "  --plain       values are not bold\n"
        "  --dots N      print of one bit a dot, N an inch; 0: smooth (0)\n"
        "  --secure F    strength of dense security lines, 0 to 1 (0)\n"
        "  --set NAME=VALUE  what the card says in place of the seed's:"
        " nik=...\n"
        "  --title TEXT  in place of head and NIK: a card of another kind\n"
        "  --page        a page of prose in place of the card\n"
        "  --cards CxR   cards of the seeds N, N + 1, ... in C columns and R"
        " rows,\n"
        "                seen straight; --truth and --set are of the first\n",
        out);
}


static int
truth_write(const char *name, const options_t *opt, person_t *person)
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
    rc = gen == NULL ? -1 : truth_print(file, gen, opt, person);

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
truth_print(FILE *file, yajl_gen gen, const options_t *opt, person_t *person)
{
    int                  k;
    size_t               i, len;
    const char          *text;
    const unsigned char *json;

    static const char *const members[] = {
        "nik",           "full_name",      "place_of_birth",
        "date_of_birth", "gender",         "blood_type",
        "address",       "rt_rw",          "administrative_village",
        "district",      "city",           "state",
        "religion",      "marital_status", "occupation",
        "nationality",
    };

    yajl_gen_config(gen, yajl_gen_beautify, 1);
    yajl_gen_map_open(gen);
    yajl_gen_string(gen, (const unsigned char *) "truth", 5);
    yajl_gen_map_open(gen);

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        for (k = 0; k < 2; k++) {
            text = k == 0 ? members[i] : person_member(person, members[i]);
            yajl_gen_string(gen, (const unsigned char *) text, strlen(text));
        }
    }

    yajl_gen_map_close(gen);
    truth_meta(gen, opt);
    yajl_gen_map_close(gen);

    if (yajl_gen_get_buf(gen, &json, &len) != yajl_gen_status_ok
        || fwrite(json, 1, len, file) != len) {
        return -1;
    }

    return 0;
}


/* how it was taken; blur_rel is in thousandths of the card's width */

static void
truth_meta(yajl_gen gen, const options_t *opt)
{
    int    i, j;
    size_t k;

    const struct {
        const char *name;
        double      value;
    } numbers[] = {
        {"blur_rel", opt->numbers[BLUR] * CARD_WIDTH
                         / (opt->numbers[COVER] * opt->scene.width)},
        {"dark", opt->numbers[DARK]},
        {"glare_radius", opt->numbers[GLARE] / opt->numbers[COVER]},
        {"rotate", opt->numbers[ROTATE]},
        {"yaw", opt->numbers[YAW]},
        {"pitch", opt->numbers[PITCH]},
    };

    yajl_gen_string(gen, (const unsigned char *) "meta", 4);
    yajl_gen_map_open(gen);

    for (k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
        yajl_gen_string(gen, (const unsigned char *) numbers[k].name,
                        strlen(numbers[k].name));
        yajl_gen_double(gen, numbers[k].value);
    }

    yajl_gen_string(gen, (const unsigned char *) "glare", 5);
    yajl_gen_bool(gen, opt->numbers[GLARE] > 0);
    yajl_gen_string(gen, (const unsigned char *) "gray", 4);
    yajl_gen_bool(gen, opt->gray);
    yajl_gen_string(gen, (const unsigned char *) "quad", 4);
    yajl_gen_array_open(gen);

    for (i = 0; i < 4; i++) {
        yajl_gen_array_open(gen);
        for (j = 0; j < 2; j++) {
            yajl_gen_double(gen, opt->scene.quad[i][j]);
        }
        yajl_gen_array_close(gen);
    }

    yajl_gen_array_close(gen);
    yajl_gen_map_close(gen);
}
