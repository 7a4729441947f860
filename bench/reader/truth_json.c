#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "truth_json.h"


#define TRUTH_MAX_FILE (64 * 1024)

typedef struct {
    truth_t *truth;
    int      depth;
    int      numbers; /* of the quad, so far */
    char     key[64];
} truth_ctx_t;


static int
truth_open(void *data)
{
    truth_ctx_t *ctx = data;

    ctx->depth++;

    return 1;
}


/* A list counts as true: a glare is given as its place. */
static int
truth_open_list(void *data)
{
    truth_ctx_t *ctx = data;

    if (strcmp(ctx->key, "glare") == 0 && ctx->depth == 2) {
        ctx->truth->glare = 1;
    }

    ctx->depth++;

    return 1;
}


static int
truth_close(void *data)
{
    truth_ctx_t *ctx = data;

    ctx->depth--;

    return 1;
}


static int
truth_key(void *data, const unsigned char *key, size_t len)
{
    truth_ctx_t *ctx = data;

    len = len < sizeof(ctx->key) ? len : sizeof(ctx->key) - 1;
    memcpy(ctx->key, key, len);
    ctx->key[len] = '\0';

    return 1;
}


static int
truth_string(void *data, const unsigned char *value, size_t len)
{
    int          i;
    char        *to;
    truth_ctx_t *ctx = data;

    for (i = 0; i < KTPR_FIELDS; i++) {
        if (ctx->depth == 2
            && strcmp(ctx->key, ktpr_field_name((ktpr_field_id_t) i)) == 0) {
            to = ctx->truth->fields[i];
            len = len < KTPR_MAX_VALUE ? len : KTPR_MAX_VALUE - 1;
            memcpy(to, value, len);
            to[len] = '\0';
        }
    }

    return 1;
}


static int
truth_number(void *data, const char *value, size_t len)
{
    char         number[32];
    truth_ctx_t *ctx = data;

    len = len < sizeof(number) ? len : sizeof(number) - 1;
    memcpy(number, value, len);
    number[len] = '\0';

    if (ctx->depth == 2 && strcmp(ctx->key, "blur_rel") == 0) {
        ctx->truth->blur = atof(number);

    } else if (ctx->depth == 2 && strcmp(ctx->key, "dark") == 0) {
        ctx->truth->dark = atof(number);

    } else if (ctx->depth == 4 && strcmp(ctx->key, "quad") == 0
               && ctx->numbers < 8) {
        ctx->truth->quad[ctx->numbers / 2][ctx->numbers % 2] = atof(number);
        ctx->truth->has_quad = ++ctx->numbers == 8;
    }

    return 1;
}


static int
truth_flag(void *data, int value)
{
    truth_ctx_t *ctx = data;

    if (ctx->depth == 2 && strcmp(ctx->key, "glare") == 0) {
        ctx->truth->glare = value;

    } else if (ctx->depth == 2 && strcmp(ctx->key, "gray") == 0) {
        ctx->truth->gray = value;
    }

    return 1;
}


int
truth_read(const char *name, truth_t *truth)
{
    FILE         *f;
    size_t        n;
    yajl_handle   yajl;
    yajl_status   status;
    truth_ctx_t   ctx = {.truth = truth};
    unsigned char buf[TRUTH_MAX_FILE];

    static const yajl_callbacks callbacks = {
        .yajl_boolean = truth_flag,
        .yajl_number = truth_number,
        .yajl_string = truth_string,
        .yajl_start_map = truth_open,
        .yajl_map_key = truth_key,
        .yajl_end_map = truth_close,
        .yajl_start_array = truth_open_list,
        .yajl_end_array = truth_close,
    };

    memset(truth, 0, sizeof(truth_t));
    truth->blur = truth->dark = -1;
    truth->glare = truth->gray = -1;

    f = fopen(name, "rb");
    if (f == NULL) {
        return -1;
    }

    n = fread(buf, 1, sizeof(buf), f);
    fclose(f);

    yajl = yajl_alloc(&callbacks, NULL, &ctx);
    if (yajl == NULL) {
        return -1;
    }

    status = yajl_parse(yajl, buf, n);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(yajl);
    }

    yajl_free(yajl);

    return status == yajl_status_ok ? 0 : -1;
}
