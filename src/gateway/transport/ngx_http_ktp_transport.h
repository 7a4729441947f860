/*
 * HTTP calls by libcurl on nginx's event loop.  Knows callbacks, not
 * requests: start, resume, abort, done.  One multi handle a worker.
 */

#ifndef NGX_HTTP_KTP_TRANSPORT_H
#define NGX_HTTP_KTP_TRANSPORT_H

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_KTP_CALL_OK = 0,    /* a whole answer came, of any status */
    NGX_HTTP_KTP_CALL_FAILED,    /* refused, reset, TLS, garbage, cut */
    NGX_HTTP_KTP_CALL_TIMEOUT,   /* of the connection, a read, or the whole */
    NGX_HTTP_KTP_CALL_TOO_LARGE, /* the answer is over its ceiling */
    NGX_HTTP_KTP_CALL_STOPPED    /* read, write or guard ended it */
} ngx_http_ktp_call_result_t;

/*
 * Where calls go to; made from the configuration and constant afterwards.
 * Every string is null-terminated.
 */
typedef struct {
    /*
     * Unlike that of all others, from 1; handles keep the settings of an id.
     * 0: for one call only.
     */
    ngx_uint_t id;

    ngx_str_t url;         /* as libcurl takes it */
    ngx_str_t unix_socket; /* path, or empty */
    ngx_str_t lookup;      /* name that has to be looked up; empty: none */
    ngx_str_t connect_to;  /* "::host:port" in place of the URL's, or empty */
    ngx_str_t host_header; /* "Host: name" where connect_to is set */
    ngx_str_t proxy;       /* URL, or empty */

    ngx_str_t ca_file; /* path; empty: the system's */
    ngx_str_t certificate;
    ngx_str_t certificate_key;

    ngx_msec_t connect_timeout; /* of name, connection and TLS */
    ngx_msec_t read_timeout;    /* without a byte in either direction */
    ngx_msec_t timeout;         /* of the whole call */
    ngx_msec_t keepalive_timeout;
    ngx_uint_t keepalive;    /* idle connections that the worker keeps */
    ngx_uint_t max_inflight; /* calls that the worker has at a time */
    ngx_uint_t retries;
    size_t     max_response; /* bytes of the answer's body */

    unsigned ssl_verify : 1;
} ngx_http_ktp_upstream_t;

typedef struct ngx_http_ktp_call_s     ngx_http_ktp_call_t;
typedef struct ngx_http_ktp_transfer_s ngx_http_ktp_transfer_t;

/* What this process has at present, for whoever wants to tell it. */
typedef struct {
    ngx_atomic_t calls;       /* in flight */
    ngx_atomic_t connections; /* open, idle ones as well */
    ngx_atomic_t opened;      /* connections, so far */
} ngx_http_ktp_transport_stat_t;

/* May be pointed at memory that other processes read; never NULL. */
extern ngx_http_ktp_transport_stat_t *ngx_http_ktp_transport_stat;

/* What read returns when there is nothing yet, and when there never will. */
#define NGX_HTTP_KTP_READ_AGAIN ((size_t) -1)
#define NGX_HTTP_KTP_READ_ERROR ((size_t) -2)

struct ngx_http_ktp_call_s {
    /* set by the caller */

    const ngx_http_ktp_upstream_t *upstream;
    ngx_pool_t                    *pool; /* of the answer's body */
    ngx_log_t                     *log;
    ngx_array_t *headers; /* of ngx_str_t, "Name: value", null-terminated */
    off_t        body_length; /* -1: unknown, sent in chunks */
    size_t       buffer; /* of libcurl's, for the body; 0: by its length */

    /*
     * The next bytes of the request's body, at most size; 0 is the end.
     * After READ_AGAIN it is called again when ngx_http_ktp_transport_resume()
     * was.  NULL: the call is a GET.
     */
    size_t (*read)(void *data, u_char *buf, size_t size);
    /*
     * Back to the first byte of the request's body; NULL, or an answer that
     * is not NGX_OK: the body cannot be sent again.
     */
    ngx_int_t (*rewind)(void *data);
    /*
     * Bytes of the body of an answer of status 200, as they arrive; not
     * NGX_OK ends the call.  NULL: they are collected in body.
     */
    ngx_int_t (*write)(void *data, u_char *p, size_t len);
    /* Whether an address may be connected to; NULL: any. */
    ngx_int_t (*guard)(void *data, struct sockaddr *sa);
    /* called once, never from within start or abort */
    void (*done)(void *data, ngx_http_ktp_call_t *call);
    void *data;

    /* set when started */

    size_t part; /* bytes of the body that read is asked for at most */

    /* set when done or aborted */

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
    ngx_uint_t                 retries;    /* times it was sent anew */

    /*
     * The last byte of the request was handed out: the upstream may have
     * taken it.  While it is not set, the call cannot have been taken.
     */
    unsigned handed_out : 1;

    ngx_http_ktp_transfer_t *transfer; /* the transport's own */
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
 * NGX_BUSY: the worker has as many calls as it may have.  NGX_ERROR: it was
 * not started.  In both cases done is not called.
 */
ngx_int_t ngx_http_ktp_transport_start(ngx_http_ktp_call_t *call);

/*
 * There is something to read again, for a call that was started and is not
 * done; nothing if it was not waited for.
 */
void ngx_http_ktp_transport_resume(ngx_http_ktp_call_t *call);

/* Ends a call that was started and is not done; done is not called. */
void ngx_http_ktp_transport_abort(ngx_http_ktp_call_t *call);


#endif /* NGX_HTTP_KTP_TRANSPORT_H */
