/* JSON as it is written, piece by piece, to whoever takes the pieces. */

#ifndef KTP_JSON_WRITER_H
#define KTP_JSON_WRITER_H

#include <stddef.h>


typedef struct ktp_json_writer_s ktp_json_writer_t;

/* Takes the next len bytes of the text. */
typedef void (*ktp_json_writer_pt)(void *ctx, const char *p, size_t len);


/* NULL without memory. */
ktp_json_writer_t *ktp_json_writer_create(ktp_json_writer_pt print, void *ctx);

void ktp_json_writer_open(ktp_json_writer_t *writer);
void ktp_json_writer_close(ktp_json_writer_t *writer);
void ktp_json_writer_open_array(ktp_json_writer_t *writer);
void ktp_json_writer_close_array(ktp_json_writer_t *writer);

/* A key, or a string where a value stands; valid UTF-8. */
void ktp_json_writer_string(ktp_json_writer_t *writer, const char *p,
                            size_t len);

/* A number by its digits, which must be right. */
void ktp_json_writer_number(ktp_json_writer_t *writer, const char *p,
                            size_t len);

/* NULL is allowed. */
void ktp_json_writer_destroy(ktp_json_writer_t *writer);


#endif /* KTP_JSON_WRITER_H */
