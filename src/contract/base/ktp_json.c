#include "ktp_json.h"


/*
 * What yajl 2.1 takes for itself, with room to spare: the parser, the lexer,
 * a stack of 128 levels and the heads of two buffers.
 */
#define KTP_JSON_BASE 8192

/* a buffer of yajl begins with 2 KB */
#define KTP_JSON_FED_MIN 1024


static void *ktp_json_malloc(void *ctx, size_t size);
static void *ktp_json_realloc(void *ctx, void *p, size_t size);
static void  ktp_json_free(void *ctx, void *p);
static int   ktp_json_reserve(ktp_json_t *json);


int
ktp_json_open(ktp_json_t *json, const yajl_callbacks *callbacks, void *ctx,
              size_t longest)
{
    yajl_alloc_funcs funcs;

    json->fed = 0;
    json->longest = longest;
    ktp_arena_init(&json->arena);

    if (ktp_json_reserve(json) != 0) {
        return -1;
    }

    ktp_json_funcs(&funcs, &json->arena);

    json->yajl = yajl_alloc(callbacks, &funcs, ctx);
    (void) yajl_config(json->yajl, yajl_dont_validate_strings, 1);

    return 0;
}


void
ktp_json_close(ktp_json_t *json)
{
    /* yajl has nothing else to give back */

    ktp_arena_destroy(&json->arena);
}


void
ktp_json_funcs(yajl_alloc_funcs *funcs, ktp_arena_t *arena)
{
    funcs->malloc = ktp_json_malloc;
    funcs->realloc = ktp_json_realloc;
    funcs->free = ktp_json_free;
    funcs->ctx = arena;
}


static void *
ktp_json_malloc(void *ctx, size_t size)
{
    return ktp_arena_alloc(ctx, size);
}


static void *
ktp_json_realloc(void *ctx, void *p, size_t size)
{
    return ktp_arena_realloc(ctx, p, size);
}


/* The arena gives everything back at once. */
static void
ktp_json_free(void *ctx, void *p)
{
    (void) ctx;
    (void) p;
}


/*
 * yajl has two buffers for strings, each of 2 KB at first and doubled until
 * it holds the longest token that was fed; the sizes that a buffer goes
 * through sum up to less than 4 times that.
 */
static int
ktp_json_reserve(ktp_json_t *json)
{
    size_t fed;

    for (fed = KTP_JSON_FED_MIN; fed < json->fed; fed *= 2) { /* void */
    }

    return ktp_arena_reserve(&json->arena, KTP_JSON_BASE + 8 * fed);
}


ktp_code_t
ktp_json_feed(ktp_json_t *json, const unsigned char *p, size_t n)
{
    json->fed = n < json->longest - json->fed ? json->fed + n : json->longest;

    if (ktp_json_reserve(json) != 0) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    return yajl_parse(json->yajl, p, n) == yajl_status_ok ? KTP_OK
                                                          : KTP_NOT_JSON;
}


size_t
ktp_json_offset(const ktp_json_t *json)
{
    return yajl_get_bytes_consumed(json->yajl);
}


ktp_code_t
ktp_json_finish(ktp_json_t *json)
{
    return yajl_complete_parse(json->yajl) == yajl_status_ok
               ? KTP_OK
               : KTP_BODY_TRUNCATED;
}
