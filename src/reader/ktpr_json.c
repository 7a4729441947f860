#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include "ktp_json.h"
#include "ktpr_json.h"
#include "ktpr_number.h"


/*
 * Bytes of an answer, at most: of a field, its value twice and its raw text,
 * with each byte escaped as six, and its names and numbers; and the rest.
 */
#define KTPR_JSON_FIELD (3 * 6 * KTPR_MAX_VALUE + 512)
#define KTPR_JSON_REST  2048

/*
 * yajl does not check what its allocator returns, so it takes from an arena
 * that has room for the whole answer: for the generator, and for a buffer that
 * is doubled until the answer fits, with each smaller one before it.
 */
#define KTPR_JSON_GENERATOR 8192
#define KTPR_JSON_DOUBLED   4

typedef struct {
    ktp_arena_t arena;
    yajl_gen    gen;
} ktpr_json_t;


static void
ktpr_json_string(yajl_gen gen, const char *s)
{
    yajl_gen_string(gen, (const unsigned char *) s, strlen(s));
}


static void
ktpr_json_pair(yajl_gen gen, const char *name, const char *value)
{
    ktpr_json_string(gen, name);
    ktpr_json_string(gen, value);
}


static void
ktpr_json_flag(yajl_gen gen, const char *name, int value)
{
    ktpr_json_string(gen, name);
    yajl_gen_bool(gen, value);
}


/* A number with three decimals; yajl prints doubles with twenty digits. */
static void
ktpr_json_score(yajl_gen gen, const char *name, double value)
{
    int  n;
    char number[32];

    n = snprintf(number, sizeof(number), "%.3f", value);
    ktpr_json_string(gen, name);
    yajl_gen_number(gen, number, (size_t) n);
}


static void
ktpr_json_quality(yajl_gen gen, const ktpr_quality_t *quality)
{
    ktpr_json_string(gen, "image_quality");
    yajl_gen_map_open(gen);
    ktpr_json_flag(gen, "blur", quality->blur);
    ktpr_json_flag(gen, "dark", quality->dark);
    ktpr_json_flag(gen, "flashlight", quality->flashlight);
    ktpr_json_flag(gen, "grayscale", quality->grayscale);
    ktpr_json_score(gen, "blur_score", quality->blur_score);
    ktpr_json_score(gen, "dark_score", quality->dark_score);
    ktpr_json_score(gen, "flashlight_score", quality->flashlight_score);
    ktpr_json_score(gen, "grayscale_score", quality->grayscale_score);
    yajl_gen_map_close(gen);
}


/* Begins the details of a field; the caller ends them. */
static void
ktpr_json_detail(yajl_gen gen, const char *name, const ktpr_field_t *field,
                 int scores)
{
    ktpr_json_string(gen, name);
    yajl_gen_map_open(gen);
    ktpr_json_pair(gen, "value", field->value);
    ktpr_json_score(gen, "confidence", field->confidence);

    if (scores) {
        ktpr_json_score(gen, "score", field->score);
        ktpr_json_flag(gen, "confirmed", field->confirmed);
    }

    ktpr_json_pair(gen, "raw", field->raw);
    ktpr_json_flag(gen, "repaired", field->repaired);
    ktpr_json_string(gen, "box");
    yajl_gen_array_open(gen);
    yajl_gen_integer(gen, field->x);
    yajl_gen_integer(gen, field->y);
    yajl_gen_integer(gen, field->w);
    yajl_gen_integer(gen, field->h);
    yajl_gen_array_close(gen);
}


static void
ktpr_json_warnings(yajl_gen gen, const ktpr_field_t *fields)
{
    size_t   i;
    unsigned warnings;

    static const struct {
        ktpr_number_warning_t warning;
        const char           *name;
    } names[] = {
        {KTPR_NUMBER_NO_REGION, "unknown_region"},
        {KTPR_NUMBER_NO_DATE_IN, "invalid_date"},
        {KTPR_NUMBER_OTHER_REGION, "region_differs"},
        {KTPR_NUMBER_OTHER_BIRTH, "date_of_birth_differs"},
        {KTPR_NUMBER_OTHER_GENDER, "gender_differs"},
    };

    warnings = ktpr_number_warnings(fields);
    ktpr_json_string(gen, "warnings");
    yajl_gen_array_open(gen);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (warnings & names[i].warning) {
            ktpr_json_string(gen, names[i].name);
        }
    }

    yajl_gen_array_close(gen);
}


static void
ktpr_json_details(yajl_gen gen, const ktpr_card_t *card, int scores)
{
    int i;

    ktpr_json_string(gen, "details");
    yajl_gen_map_open(gen);

    for (i = 0; i < KTPR_ALL_FIELDS; i++) {
        ktpr_json_detail(gen, ktpr_field_name((ktpr_field_id_t) i),
                         &card->fields[i], scores);

        if (i == KTPR_NIK) {
            ktpr_json_warnings(gen, card->fields);
        }

        yajl_gen_map_close(gen);
    }

    yajl_gen_map_close(gen);
}


/* Begins an answer of at most size bytes; 0, or -1 with no memory. */
static int
ktpr_json_begin(ktpr_json_t *json, size_t size, int pretty)
{
    yajl_alloc_funcs funcs;

    ktp_arena_init(&json->arena);

    if (ktp_arena_reserve(&json->arena,
                          KTPR_JSON_GENERATOR + KTPR_JSON_DOUBLED * size)
        != 0) {
        return -1;
    }

    ktp_json_funcs(&funcs, &json->arena);
    json->gen = yajl_gen_alloc(&funcs);
    yajl_gen_config(json->gen, yajl_gen_beautify, pretty);
    yajl_gen_map_open(json->gen);

    return 0;
}


/* Ends an answer; its text, or NULL with no memory. */
static char *
ktpr_json_end(ktpr_json_t *json, size_t *len)
{
    char                *body;
    const unsigned char *buf;

    body = NULL;
    yajl_gen_map_close(json->gen);

    if (yajl_gen_get_buf(json->gen, &buf, len) == yajl_gen_status_ok) {
        body = malloc(*len + 1);
        if (body != NULL) {
            memcpy(body, buf, *len);
            body[*len] = '\0';
        }
    }

    ktp_arena_destroy(&json->arena);

    return body;
}


int
ktpr_json_refused(const ktpr_card_t *card, const ktpr_json_options_t *options)
{
    const ktpr_quality_t *quality;

    quality = &card->quality;

    return options->validate_quality
           && (quality->blur || quality->dark || quality->flashlight
               || quality->grayscale);
}


char *
ktpr_json_card(const ktpr_card_t *card, const ktpr_json_options_t *options,
               size_t *len)
{
    int         i, bad;
    size_t      size;
    yajl_gen    gen;
    const char *reference;
    ktpr_json_t json;

    reference = options->reference_id != NULL ? options->reference_id : "";
    size = KTPR_ALL_FIELDS * KTPR_JSON_FIELD + KTPR_JSON_REST
           + 6 * strlen(reference);

    if (ktpr_json_begin(&json, size, (int) options->pretty) != 0) {
        return NULL;
    }

    gen = json.gen;
    bad = ktpr_json_refused(card, options);

    ktpr_json_pair(gen, "message",
                   bad ? "Image quality is not good enough" : "Success");
    ktpr_json_pair(gen, "status_code", "LOCAL-0");

    if (bad) {
        ktpr_json_pair(gen, "error_code", "FAIL_ON_1");
    }

    ktpr_json_string(gen, "data");
    yajl_gen_map_open(gen);

    for (i = 0; i < KTPR_FIELDS; i++) {
        ktpr_json_pair(gen, ktpr_field_name((ktpr_field_id_t) i),
                       bad ? "" : card->fields[i].value);
    }

    ktpr_json_pair(gen, "reference_id", reference);

    if (options->details && !bad) {
        for (i = KTPR_FIELDS; i < KTPR_ALL_FIELDS; i++) {
            ktpr_json_pair(gen, ktpr_field_name((ktpr_field_id_t) i),
                           card->fields[i].value);
        }

        ktpr_json_details(gen, card, (int) options->scores);
    }

    ktpr_json_quality(gen, &card->quality);
    yajl_gen_map_close(gen);

    return ktpr_json_end(&json, len);
}


char *
ktpr_json_check(const ktpr_card_t *card, int detected, size_t *len)
{
    ktpr_json_t json;

    if (ktpr_json_begin(&json, KTPR_JSON_REST, 0) != 0) {
        return NULL;
    }

    ktpr_json_pair(json.gen, "message", "Success");
    ktpr_json_pair(json.gen, "status_code", "LOCAL-0");
    ktpr_json_string(json.gen, "data");
    yajl_gen_map_open(json.gen);
    ktpr_json_flag(json.gen, "detected", detected);
    ktpr_json_score(json.gen, "confidence", card->confidence);
    ktpr_json_quality(json.gen, &card->quality);
    yajl_gen_map_close(json.gen);

    return ktpr_json_end(&json, len);
}
