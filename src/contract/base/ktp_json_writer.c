#include <yajl/yajl_gen.h>
#include "ktp_json.h"
#include "ktp_json_writer.h"


/*
 * The writer and what yajl 2.1 takes for a generator, 0.7 KB, with room to
 * spare.  yajl makes a buffer even where the text is handed over, and does
 * not look at what its allocator returns.
 */
#define KTP_JSON_WRITER_BASE 960

struct ktp_json_writer_s {
    yajl_gen    gen;
    ktp_arena_t arena;
};


ktp_json_writer_t *
ktp_json_writer_create(ktp_json_writer_pt print, void *ctx)
{
    ktp_arena_t        arena;
    yajl_alloc_funcs   funcs;
    ktp_json_writer_t *writer;

    ktp_arena_init(&arena);

    if (ktp_arena_reserve(&arena, KTP_JSON_WRITER_BASE) != 0) {
        return NULL;
    }

    /* the writer is in its own arena, and goes with it */

    writer = ktp_arena_alloc(&arena, sizeof(ktp_json_writer_t));
    writer->arena = arena;

    ktp_json_funcs(&funcs, &writer->arena);

    writer->gen = yajl_gen_alloc(&funcs);
    (void) yajl_gen_config(writer->gen, yajl_gen_print_callback, print, ctx);

    return writer;
}


void
ktp_json_writer_open(ktp_json_writer_t *writer)
{
    (void) yajl_gen_map_open(writer->gen);
}


void
ktp_json_writer_close(ktp_json_writer_t *writer)
{
    (void) yajl_gen_map_close(writer->gen);
}


void
ktp_json_writer_open_array(ktp_json_writer_t *writer)
{
    (void) yajl_gen_array_open(writer->gen);
}


void
ktp_json_writer_close_array(ktp_json_writer_t *writer)
{
    (void) yajl_gen_array_close(writer->gen);
}


void
ktp_json_writer_string(ktp_json_writer_t *writer, const char *p, size_t len)
{
    (void) yajl_gen_string(writer->gen, (const unsigned char *) p, len);
}


void
ktp_json_writer_number(ktp_json_writer_t *writer, const char *p, size_t len)
{
    (void) yajl_gen_number(writer->gen, p, len);
}


void
ktp_json_writer_bool(ktp_json_writer_t *writer, int value)
{
    (void) yajl_gen_bool(writer->gen, value);
}


void
ktp_json_writer_null(ktp_json_writer_t *writer)
{
    (void) yajl_gen_null(writer->gen);
}


void
ktp_json_writer_destroy(ktp_json_writer_t *writer)
{
    ktp_arena_t arena;

    if (writer) {
        arena = writer->arena;
        ktp_arena_destroy(&arena);
    }
}
