#include <yajl/yajl_gen.h>
#include "ktp_json_writer.h"


/* Only a name for yajl's own type, which users of this one need not know. */
#define ktp_json_writer_gen(writer) ((yajl_gen) (writer))


ktp_json_writer_t *
ktp_json_writer_create(ktp_json_writer_pt print, void *ctx)
{
    yajl_gen gen;

    gen = yajl_gen_alloc(NULL);

    if (gen) {
        (void) yajl_gen_config(gen, yajl_gen_print_callback, print, ctx);
    }

    return (ktp_json_writer_t *) gen;
}


void
ktp_json_writer_open(ktp_json_writer_t *writer)
{
    (void) yajl_gen_map_open(ktp_json_writer_gen(writer));
}


void
ktp_json_writer_close(ktp_json_writer_t *writer)
{
    (void) yajl_gen_map_close(ktp_json_writer_gen(writer));
}


void
ktp_json_writer_open_array(ktp_json_writer_t *writer)
{
    (void) yajl_gen_array_open(ktp_json_writer_gen(writer));
}


void
ktp_json_writer_close_array(ktp_json_writer_t *writer)
{
    (void) yajl_gen_array_close(ktp_json_writer_gen(writer));
}


void
ktp_json_writer_string(ktp_json_writer_t *writer, const char *p, size_t len)
{
    (void) yajl_gen_string(ktp_json_writer_gen(writer),
                           (const unsigned char *) p, len);
}


void
ktp_json_writer_number(ktp_json_writer_t *writer, const char *p, size_t len)
{
    (void) yajl_gen_number(ktp_json_writer_gen(writer), p, len);
}


void
ktp_json_writer_destroy(ktp_json_writer_t *writer)
{
    if (writer) {
        yajl_gen_free(ktp_json_writer_gen(writer));
    }
}
