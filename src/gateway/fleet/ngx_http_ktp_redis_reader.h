/*
 * The protocol of Redis (RESP2): commands to bytes, and bytes to replies.  The
 * only file that knows hiredis, whose asynchronous interface is not used: a
 * reply that nobody asked for ends the process there, by an assertion.
 */

#ifndef NGX_HTTP_KTP_REDIS_READER_H
#define NGX_HTTP_KTP_REDIS_READER_H

#include <ngx_config.h>
#include <ngx_core.h>


/* Values of a reply, at most. */
#define NGX_HTTP_KTP_REDIS_VALUES 16

/* Length of an error code of Redis in a message, such as "NOAUTH". */
#define NGX_HTTP_KTP_REDIS_READER_CODE 32

/* Bytes of a reply, at most. */
#define NGX_HTTP_KTP_REDIS_REPLY 65536

typedef struct ngx_http_ktp_redis_reader_s ngx_http_ktp_redis_reader_t;

/* Either a text or a number; the other is empty or 0. */
typedef struct {
    unsigned  is_text : 1;
    int64_t   number;
    ngx_str_t text; /* may contain any byte */
} ngx_http_ktp_redis_value_t;

/* One value, or those of an array; nil has none. */
typedef struct {
    unsigned                   error : 1; /* its text is the only value */
    ngx_uint_t                 n;
    ngx_http_ktp_redis_value_t values[NGX_HTTP_KTP_REDIS_VALUES];
} ngx_http_ktp_redis_reply_t;


/* NULL: no memory. */
ngx_http_ktp_redis_reader_t *ngx_http_ktp_redis_reader_create(void);

void ngx_http_ktp_redis_reader_destroy(ngx_http_ktp_redis_reader_t *reader);

/* Adds bytes that were received.  NGX_ERROR: no memory. */
ngx_int_t ngx_http_ktp_redis_reader_feed(ngx_http_ktp_redis_reader_t *reader,
                                         u_char *p, size_t len);

/*
 * Reads the next reply, whose texts are valid until the next call.  NGX_AGAIN:
 * it is incomplete.  NGX_ERROR: it is malformed, an array in an array, or
 * larger than the limits above; the reader is of no use any more.
 */
ngx_int_t ngx_http_ktp_redis_reader_next(ngx_http_ktp_redis_reader_t *reader,
                                         ngx_http_ktp_redis_reply_t  *reply);

/*
 * The code of an error reply, its first word of at most
 * NGX_HTTP_KTP_REDIS_READER_CODE bytes, for a message: the rest may
 * repeat what was sent.  Returns its length, 0 for other replies.
 */
size_t ngx_http_ktp_redis_reader_code(ngx_http_ktp_redis_reply_t *reply,
                                      u_char                     *code);

/* Size of a command. */
size_t ngx_http_ktp_redis_reader_size(ngx_str_t *args, ngx_uint_t n);

/* Writes a command; returns its end. */
u_char *ngx_http_ktp_redis_reader_write(u_char *p, ngx_str_t *args,
                                        ngx_uint_t n);


#endif /* NGX_HTTP_KTP_REDIS_READER_H */
