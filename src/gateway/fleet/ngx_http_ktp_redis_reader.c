#include "ngx_http_ktp_redis_reader.h"

#if (NGX_HTTP_KTP_HIREDIS)
#include <hiredis/hiredis.h>
#endif


size_t
ngx_http_ktp_redis_reader_code(ngx_http_ktp_redis_reply_t *reply, u_char *code)
{
    size_t     n;
    ngx_str_t *said;

    said = &reply->values[0].text;

    for (n = 0;
         reply->error && n < said->len && n < NGX_HTTP_KTP_REDIS_READER_CODE;
         n++) {
        if (said->data[n] < 'A' || said->data[n] > 'Z') {
            break;
        }

        code[n] = said->data[n];
    }

    return n;
}


size_t
ngx_http_ktp_redis_reader_size(ngx_str_t *args, ngx_uint_t n)
{
    size_t     size;
    ngx_uint_t i;

    size = sizeof("*" CRLF) - 1 + NGX_INT_T_LEN;

    for (i = 0; i < n; i++) {
        size += sizeof("$" CRLF CRLF) - 1 + NGX_SIZE_T_LEN + args[i].len;
    }

    return size;
}


u_char *
ngx_http_ktp_redis_reader_write(u_char *p, ngx_str_t *args, ngx_uint_t n)
{
    ngx_uint_t i;

    p = ngx_sprintf(p, "*%ui" CRLF, n);

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "$%uz" CRLF "%V" CRLF, args[i].len, &args[i]);
    }

    return p;
}


#if (NGX_HTTP_KTP_HIREDIS)

struct ngx_http_ktp_redis_reader_s {
    redisReader              *hiredis;
    redisReplyObjectFunctions fn;
    redisReply               *reply; /* the last one */
};


/*
 * The number of elements comes from the server; hiredis allocates an array for
 * it before it has seen one.  No command is answered with nested arrays.
 */

#if (HIREDIS_MAJOR > 0)

static void *(*ngx_http_ktp_redis_reader_array)(const redisReadTask *, size_t);

static void *
ngx_http_ktp_redis_reader_create_array(const redisReadTask *task, size_t n)
{
    return task->parent || n > NGX_HTTP_KTP_REDIS_VALUES
               ? NULL
               : ngx_http_ktp_redis_reader_array(task, n);
}

#else

static void *(*ngx_http_ktp_redis_reader_array)(const redisReadTask *, int);

static void *
ngx_http_ktp_redis_reader_create_array(const redisReadTask *task, int n)
{
    return task->parent || n < 0 || n > NGX_HTTP_KTP_REDIS_VALUES
               ? NULL
               : ngx_http_ktp_redis_reader_array(task, n);
}

#endif


ngx_http_ktp_redis_reader_t *
ngx_http_ktp_redis_reader_create(void)
{
    ngx_http_ktp_redis_reader_t *reader;

    reader = ngx_calloc(sizeof(ngx_http_ktp_redis_reader_t), ngx_cycle->log);
    if (reader == NULL) {
        return NULL;
    }

    reader->hiredis = redisReaderCreate();
    if (reader->hiredis == NULL) {
        ngx_free(reader);
        return NULL;
    }

    ngx_http_ktp_redis_reader_array = reader->hiredis->fn->createArray;

    reader->fn = *reader->hiredis->fn;
    reader->fn.createArray = ngx_http_ktp_redis_reader_create_array;
    reader->hiredis->fn = &reader->fn;

    return reader;
}


void
ngx_http_ktp_redis_reader_destroy(ngx_http_ktp_redis_reader_t *reader)
{
    if (reader->reply) {
        freeReplyObject(reader->reply);
    }

    redisReaderFree(reader->hiredis);
    ngx_free(reader);
}


ngx_int_t
ngx_http_ktp_redis_reader_feed(ngx_http_ktp_redis_reader_t *reader, u_char *p,
                               size_t len)
{
    return redisReaderFeed(reader->hiredis, (char *) p, len) == REDIS_OK
               ? NGX_OK
               : NGX_ERROR;
}


static ngx_int_t
ngx_http_ktp_redis_reader_value(ngx_http_ktp_redis_value_t *value,
                                redisReply                 *reply)
{
    ngx_memzero(value, sizeof(ngx_http_ktp_redis_value_t));

    switch (reply->type) {

    case REDIS_REPLY_INTEGER:
        value->number = reply->integer;
        return NGX_OK;

    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        value->is_text = 1;
        value->text.data = (u_char *) reply->str;
        value->text.len = reply->len;
        return NGX_OK;

    default: /* an array in an array, nil in an array, types of RESP3 */
        return NGX_ERROR;
    }
}


ngx_int_t
ngx_http_ktp_redis_reader_next(ngx_http_ktp_redis_reader_t *reader,
                               ngx_http_ktp_redis_reply_t  *reply)
{
    void        *object;
    redisReply  *last, **element;
    ngx_uint_t   i;
    redisReader *hiredis;

    hiredis = reader->hiredis;

    if (reader->reply) {
        freeReplyObject(reader->reply);
        reader->reply = NULL;
    }

    if (redisReaderGetReply(hiredis, &object) != REDIS_OK) {
        return NGX_ERROR;
    }

    if (object == NULL) {
        return hiredis->len > NGX_HTTP_KTP_REDIS_REPLY ? NGX_ERROR : NGX_AGAIN;
    }

    last = object;
    reader->reply = last;

    reply->error = last->type == REDIS_REPLY_ERROR;
    reply->n = 0;

    if (last->type == REDIS_REPLY_NIL) {
        return NGX_OK;
    }

    if (last->type != REDIS_REPLY_ARRAY) {
        reply->n = 1;
        return ngx_http_ktp_redis_reader_value(&reply->values[0], last);
    }

    element = last->element;

    for (i = 0; i < last->elements; i++) {
        if (ngx_http_ktp_redis_reader_value(&reply->values[i], element[i])
            != NGX_OK) {
            return NGX_ERROR;
        }
    }

    reply->n = last->elements;

    return NGX_OK;
}


#else

/* Without hiredis "ktp_redis" is refused, so that there is no reader. */

ngx_http_ktp_redis_reader_t *
ngx_http_ktp_redis_reader_create(void)
{
    return NULL;
}


void
ngx_http_ktp_redis_reader_destroy(ngx_http_ktp_redis_reader_t *reader)
{
}


ngx_int_t
ngx_http_ktp_redis_reader_feed(ngx_http_ktp_redis_reader_t *reader, u_char *p,
                               size_t len)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_ktp_redis_reader_next(ngx_http_ktp_redis_reader_t *reader,
                               ngx_http_ktp_redis_reply_t  *reply)
{
    return NGX_ERROR;
}

#endif
