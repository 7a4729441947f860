/*
 * A JSON writer that passes the text to a callback piece by piece.  Keys and
 * values are written in the order of the text; at most 100 objects and arrays
 * may be open.  After the writer is created, no function fails.
 */

#ifndef KTP_JSON_WRITER_H
#define KTP_JSON_WRITER_H

#include <stddef.h>


typedef struct ktp_json_writer_s ktp_json_writer_t;

/* Takes the next len bytes of the text. */
typedef void (*ktp_json_writer_pt)(void *ctx, const char *p, size_t len);


/* NULL without memory. */
ktp_json_writer_t *ktp_json_writer_create(ktp_json_writer_pt print, void *ctx);

/* The braces of an object. */
void ktp_json_writer_open(ktp_json_writer_t *writer);
void ktp_json_writer_close(ktp_json_writer_t *writer);

void ktp_json_writer_open_array(ktp_json_writer_t *writer);
void ktp_json_writer_close_array(ktp_json_writer_t *writer);

/* Writes a key or a string value of valid UTF-8. */
void ktp_json_writer_string(ktp_json_writer_t *writer, const char *p,
                            size_t len);

/* Writes a number; p is a valid JSON number. */
void ktp_json_writer_number(ktp_json_writer_t *writer, const char *p,
                            size_t len);

/* Writes true or false. */
void ktp_json_writer_bool(ktp_json_writer_t *writer, int value);

void ktp_json_writer_null(ktp_json_writer_t *writer);

/* NULL is allowed. */
void ktp_json_writer_destroy(ktp_json_writer_t *writer);


#endif /* KTP_JSON_WRITER_H */
