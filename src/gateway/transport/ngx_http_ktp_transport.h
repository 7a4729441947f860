/*
 * HTTP client: libcurl on nginx's event loop, one multi handle per worker.
 * It knows calls and their callbacks, not requests.  A call is started,
 * resumed when its body has more data, and ends by its done handler or by
 * ngx_http_ktp_transport_abort().
 *
 * Each step of a call is logged at debug level (NGX_LOG_DEBUG_HTTP), on lines
 * that begin with "ktp call".  They never contain a header, URL, key or body.
 */

#ifndef NGX_HTTP_KTP_TRANSPORT_H
#define NGX_HTTP_KTP_TRANSPORT_H

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NGX_HTTP_KTP_CALL_OK = 0,    /* complete response, of any status */
    NGX_HTTP_KTP_CALL_FAILED,    /* connection, TLS or protocol error */
    NGX_HTTP_KTP_CALL_TIMEOUT,   /* connect, idle or total timeout expired */
    NGX_HTTP_KTP_CALL_TOO_LARGE, /* response body exceeds max_response */
    /* more than 64 KB of the response are not its body */
    NGX_HTTP_KTP_CALL_HEAD_TOO_LARGE,
    /* not sent: no free connection, descriptor or look-up in this worker */
    NGX_HTTP_KTP_CALL_BUSY,
    NGX_HTTP_KTP_CALL_STOPPED /* a read, write or guard callback failed */
} ngx_http_ktp_call_result_t;

/* Why a call failed, as far as it is known; also for a timeout. */
typedef enum {
    NGX_HTTP_KTP_CAUSE_NONE = 0,    /* it did not fail, or for its result */
    NGX_HTTP_KTP_CAUSE_DNS,         /* a name cannot be resolved */
    NGX_HTTP_KTP_CAUSE_CONNECT,     /* no connection, or none by the proxy */
    NGX_HTTP_KTP_CAUSE_TLS,         /* the handshake, or another certificate */
    NGX_HTTP_KTP_CAUSE_TLS_NAME,    /* a certificate for other names */
    NGX_HTTP_KTP_CAUSE_TLS_EXPIRED, /* expired, or not valid yet */
    NGX_HTTP_KTP_CAUSE_TLS_ISSUER,  /* issued by nobody who is trusted */
    NGX_HTTP_KTP_CAUSE_CA_FILE,     /* trusted certificates cannot be read */
    NGX_HTTP_KTP_CAUSE_RESET,       /* the connection was lost */
    NGX_HTTP_KTP_CAUSE_CODING,      /* a content coding that is not known */
    NGX_HTTP_KTP_CAUSE_PROTOCOL     /* the response is not HTTP */
} ngx_http_ktp_cause_t;

/*
 * Settings of an upstream.  They come from the configuration and must not
 * change while a call uses them.  Strings are null-terminated.
 */
typedef struct {
    /*
     * Unique, from 1: an easy handle keeps the settings of an upstream and is
     * reused for its calls.  0: settings of a single call.
     */
    ngx_uint_t id;

    ngx_str_t name; /* for logs: ktp_pass without arguments, or empty */
    ngx_str_t url;
    ngx_str_t unix_socket; /* path, or empty */
    ngx_str_t lookup;      /* host name to resolve; empty: none */
    ngx_str_t connect_to;  /* CURLOPT_CONNECT_TO, "::host:port", or empty */
    ngx_str_t host_header; /* "Host: name"; used with connect_to */
    ngx_str_t proxy;       /* URL, or empty */
    ngx_str_t user_agent;  /* or empty */

    ngx_str_t ca_file;         /* path; empty: the system's certificates */
    ngx_str_t certificate;     /* PEM text, or empty */
    ngx_str_t certificate_key; /* PEM text */

    ngx_msec_t connect_timeout; /* name look-up, connect, TLS handshake */
    ngx_msec_t read_timeout;    /* between two read or write operations */
    ngx_msec_t timeout;         /* of the whole call, retries included */
    ngx_msec_t keepalive_timeout;
    ngx_uint_t keepalive;    /* idle connections per worker, at most */
    ngx_uint_t max_inflight; /* calls of a kind per worker, at most */
    ngx_uint_t retries;      /* per call, at most */
    size_t     max_response; /* bytes of the response body, at most */

    unsigned ssl_verify : 1;
    unsigned repeats : 1; /* a call is repeated after it was sent as well */
} ngx_http_ktp_upstream_t;

typedef struct ngx_http_ktp_call_s     ngx_http_ktp_call_t;
typedef struct ngx_http_ktp_transfer_s ngx_http_ktp_transfer_t;

/* Counters of this process. */
typedef struct {
    ngx_atomic_t calls;       /* in progress */
    ngx_atomic_t connections; /* open, active and idle */
    ngx_atomic_t opened;      /* connections since start */
} ngx_http_ktp_transport_stat_t;

/* Never NULL; may be replaced by a pointer to shared memory. */
extern ngx_http_ktp_transport_stat_t *ngx_http_ktp_transport_stat;

/*
 * Kinds of calls, each counted by itself, so that those that others can delay
 * at no cost take no places of the rest.
 */
typedef enum {
    NGX_HTTP_KTP_CALL_WHOLE = 0, /* all of it is here */
    NGX_HTTP_KTP_CALL_STREAMED,  /* its body is still being received */
    NGX_HTTP_KTP_CALL_FETCH,     /* from a host that a client chose */
    NGX_HTTP_KTP_CALL_KINDS
} ngx_http_ktp_call_kind_t;

/*
 * Calls that are limited together in a worker, beside max_inflight, such as
 * those of a client.
 */
typedef struct {
    ngx_str_t  name;                           /* for logs */
    ngx_uint_t max;                            /* calls of a kind, at most */
    ngx_uint_t calls[NGX_HTTP_KTP_CALL_KINDS]; /* private: in progress */
} ngx_http_ktp_call_share_t;

/* The address of an attempt, null-terminated; one of the two is empty. */
typedef struct {
    ngx_str_t connect_to;  /* CURLOPT_CONNECT_TO, "::address:port" */
    ngx_str_t unix_socket; /* path */
} ngx_http_ktp_call_peer_t;

/* Return values of the read callback: no data yet, and failure. */
#define NGX_HTTP_KTP_READ_AGAIN ((size_t) -1)
#define NGX_HTTP_KTP_READ_ERROR ((size_t) -2)

struct ngx_http_ktp_call_s {
    /* set by the caller before start; the rest must be zero */

    const ngx_http_ktp_upstream_t *upstream;
    ngx_pool_t                    *pool; /* for response body and strings */
    ngx_log_t                     *log;
    ngx_array_t *headers; /* of ngx_str_t, "Name: value", null-terminated */
    ngx_msec_t   timeout; /* of all of it; 0: that of the upstream */
    off_t        body_length; /* bytes; -1: unknown, sent chunked */
    size_t       buffer;      /* libcurl's upload buffer; 0: by body_length */
    ngx_http_ktp_call_kind_t   kind;
    ngx_http_ktp_call_share_t *share; /* NULL: none */

    /*
     * Chooses the address of the first attempt and of each further one;
     * NGX_OK, or there is no further one.  Called by start, and before a
     * retry, unless that is for a kept-alive connection that was dead.  The
     * strings must stay until the next call.  NULL: the address is that of the
     * upstream.
     */
    ngx_int_t (*peer)(void *data, ngx_http_ktp_call_peer_t *peer);
    void *peer_data;

    /*
     * Called by libcurl: none of these may start, resume, abort or free a
     * call, or finalize a request.
     *
     * read: copies the next bytes of the request body to buf, at most size,
     * and returns their number; 0 is the end.  After READ_AGAIN it is called
     * again when ngx_http_ktp_transport_resume() has been.  NULL: the call is
     * a GET.
     */
    size_t (*read)(void *data, u_char *buf, size_t size);
    /*
     * Rewinds the request body to its first byte.  NULL, or a result other
     * than NGX_OK: the body cannot be sent again.
     */
    ngx_int_t (*rewind)(void *data);
    /*
     * Takes the body of a response with status 200 as it arrives; a result
     * other than NGX_OK ends the call.  NULL: it is collected in body.
     */
    ngx_int_t (*write)(void *data, u_char *p, size_t len);
    /* NGX_OK: the address may be connected to.  NULL: any may. */
    ngx_int_t (*guard)(void *data, struct sockaddr *sa);
    /*
     * The call has ended.  Called once, from an event handler, never from
     * start, resume or abort; it may free the call.
     */
    void (*done)(void *data, ngx_http_ktp_call_t *call);
    void *data;

    /* set by start */

    size_t part; /* bytes of the body that read is asked for, at most */

    /* set before done is called; after an abort only those marked with (a) */

    ngx_http_ktp_call_result_t result;
    ngx_http_ktp_cause_t       cause;
    const char                *error;  /* static text for the log, or NULL */
    ngx_str_t                  detail; /* libcurl's, in pool; may be empty */
    ngx_uint_t                 status;
    ngx_uint_t                 retry_after;  /* seconds; 0: none */
    ngx_str_t                  content_type; /* in pool; may be empty */
    ngx_str_t                  body;         /* in pool; may be empty */
    ngx_str_t                  addr;         /* in pool, "address:port" of
                                                the last attempt */
    ngx_int_t  connect_time;                 /* milliseconds, -1: none */
    ngx_int_t  header_time;                  /* milliseconds, -1: none */
    ngx_msec_t response_time;                /* milliseconds (a) */
    off_t      bytes_sent;                   /* of the request body (a) */
    ngx_uint_t retries;                      /* made (a) */

    /*
     * The last byte of the request body was passed to libcurl: the upstream
     * may have processed the request.  Until then it cannot have (a).
     */
    unsigned handed_out : 1;

    ngx_http_ktp_transfer_t *transfer; /* private; NULL once it has ended */
};


/*
 * Creates the worker's multi handle; does nothing in other processes.  To be
 * called by init_process.  NGX_ERROR: libcurl could not be initialized.
 */
ngx_int_t ngx_http_ktp_transport_init(ngx_cycle_t *cycle);

/*
 * Releases every connection, timer and handle; calls in progress end without
 * done.  To be called by exit_process.
 */
void ngx_http_ktp_transport_exit(ngx_cycle_t *cycle);

/*
 * Starts a call.  The call, its upstream, pool, log and headers belong to the
 * caller and must stay until done is called or the call is aborted, as must
 * its share.
 *
 * NGX_OK: done will be called, unless the call is aborted.  NGX_BUSY: the
 * worker has max_inflight calls of that kind in progress.  NGX_AGAIN: its
 * share has.  NGX_DECLINED: libcurl does not accept the URL.  NGX_ERROR: no
 * memory.  Done is called after NGX_OK only.
 */
ngx_int_t ngx_http_ktp_transport_start(ngx_http_ktp_call_t *call);

/*
 * The request body has more data.  For a call in progress; does nothing
 * unless read has returned READ_AGAIN.
 */
void ngx_http_ktp_transport_resume(ngx_http_ktp_call_t *call);

/*
 * Ends a call in progress; done is not called.  Its connection is closed,
 * unless the call had none yet.
 */
void ngx_http_ktp_transport_abort(ngx_http_ktp_call_t *call);


#endif /* NGX_HTTP_KTP_TRANSPORT_H */
