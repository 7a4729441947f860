/*
 * HTTP calls by libcurl on nginx's event loop.  Knows callbacks, not
 * requests: start, abort, done.  One multi handle a worker.
 */

#ifndef NGX_HTTP_KTP_TRANSPORT_H
#define NGX_HTTP_KTP_TRANSPORT_H

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_KTP_CALL_OK = 0,   /* a whole answer came, of any status */
    NGX_HTTP_KTP_CALL_FAILED,   /* refused, reset, TLS, garbage, cut */
    NGX_HTTP_KTP_CALL_TIMEOUT,  /* of the connection, a read, or the whole */
    NGX_HTTP_KTP_CALL_TOO_LARGE /* the answer is over its ceiling */
} ngx_http_ktp_call_result_t;

/* Where calls go to; made from the configuration and constant afterwards. */
typedef struct {
    ngx_str_t  url;             /* null-terminated, as libcurl takes it */
    ngx_str_t  unix_socket;     /* null-terminated path, or empty */
    ngx_str_t  ca_file;         /* null-terminated path */
    ngx_msec_t connect_timeout; /* of name, connection and TLS */
    ngx_msec_t read_timeout;    /* without a byte in either direction */
    ngx_msec_t timeout;         /* of the whole call */
    size_t     max_response;    /* bytes of the answer's body */
} ngx_http_ktp_upstream_t;

typedef struct ngx_http_ktp_call_s ngx_http_ktp_call_t;

struct ngx_http_ktp_call_s {
    /* set by the caller */

    const ngx_http_ktp_upstream_t *upstream;
    ngx_pool_t                    *pool; /* of the answer's body */
    ngx_log_t                     *log;
    ngx_array_t *headers; /* of ngx_str_t, "Name: value", null-terminated */
    size_t       body_length;

    /* the next bytes of the request's body, at most size; 0 is the end */
    size_t (*read)(void *data, u_char *buf, size_t size);
    /* back to the first byte of the request's body */
    void (*rewind)(void *data);
    /* called once, never from within start or abort */
    void (*done)(void *data, ngx_http_ktp_call_t *call);
    void *data;

    /* set when done */

    ngx_http_ktp_call_result_t result;
    const char                *error; /* constant text, for the log */
    ngx_uint_t                 status;
    ngx_str_t                  content_type; /* in pool; may be empty */
    ngx_str_t                  body;         /* in pool; may be empty */
    ngx_str_t                  addr;         /* in pool, "address:port" */
    ngx_int_t                  connect_time; /* milliseconds, -1: none */
    ngx_int_t                  header_time;
    ngx_msec_t                 response_time;
    off_t                      bytes_sent; /* of the request's body */

    /*
     * The last byte of the request was handed out: the upstream may have
     * taken it.  While it is not set, the call cannot have been taken.
     */
    unsigned handed_out : 1;

    /* the transport's own */

    void       *easy;
    void       *slist;
    ngx_event_t timer;
    ngx_msec_t  deadline;
    ngx_msec_t  start;
    size_t      sent;
    size_t      allocated;
    unsigned    too_large : 1;
};


/*
 * Makes the worker's multi handle; nothing in processes that are not
 * workers.  For init_process.
 */
ngx_int_t ngx_http_ktp_transport_init(ngx_cycle_t *cycle);

/* Releases every descriptor and handle.  For exit_process. */
void ngx_http_ktp_transport_exit(ngx_cycle_t *cycle);

/*
 * Starts a call whose caller's part is filled in and whose rest is zero.
 * NGX_OK: done will be called once, unless it is aborted before.
 * NGX_ERROR: it was not started, and done is not called.
 */
ngx_int_t ngx_http_ktp_call_start(ngx_http_ktp_call_t *call);

/* Ends a call that was started and is not done; done is not called. */
void ngx_http_ktp_call_abort(ngx_http_ktp_call_t *call);


#endif /* NGX_HTTP_KTP_TRANSPORT_H */
