/*
 * The transport's private header: libcurl is included nowhere else.
 *
 * The rules of the multi interface: libcurl's functions that change a
 * transfer, and done handlers, are not called from libcurl's callbacks.  A
 * callback sets a state or posts an event instead.
 */

#ifndef NGX_HTTP_KTP_TRANSPORT_CURL_H
#define NGX_HTTP_KTP_TRANSPORT_CURL_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <curl/curl.h>
#include "ngx_http_ktp_transport.h"


/* Of libcurl 8.6: a line is longer than libcurl allows. */
#if (LIBCURL_VERSION_NUM < 0x080600)
#define CURLE_TOO_LARGE ((CURLcode) 100)
#endif

/* An option of libcurl 8.20. */
#if (LIBCURL_VERSION_NUM < 0x081400)
#define CURLMOPT_RESOLVE_THREADS_MAX ((CURLMoption) (CURLOPTTYPE_LONG + 20))
#endif

/* Spare transfers, kept with their easy handles and settings, at most. */
#define NGX_HTTP_KTP_SPARE_TRANSFERS 64

/*
 * Concurrent name look-ups per worker.  Each is a thread of libcurl, which
 * would start one for every call; here a name has one at most.
 */
#define NGX_HTTP_KTP_LOOKUPS 16

/*
 * The limit for upstreams of a single call, whose names clients choose: slow
 * ones leave slots for configured upstreams.
 */
#define NGX_HTTP_KTP_LOOKUPS_ONCE 12

/* Sizes of an upload buffer; libcurl accepts 16 KB to 2 MB. */
#define NGX_HTTP_KTP_UPLOAD_MIN 16384
#define NGX_HTTP_KTP_UPLOAD_MAX (256 * 1024)

/*
 * Number of calls that get the largest buffer.  With n calls in progress the
 * next one gets (16 / n)^2 of it, and not less than the smallest: all later
 * calls together use no more memory than these 16.
 */
#define NGX_HTTP_KTP_UPLOAD_CALLS 16

/*
 * Limit of a response apart from its body, in bytes: status lines, headers,
 * interim responses (1xx), trailers, the head of a proxy's response, chunk
 * extensions.  libcurl keeps each header line until the end of the call, with
 * about HEAD_LINE bytes beside its text, which are counted as well.
 */
#define NGX_HTTP_KTP_HEAD_MAX  65536
#define NGX_HTTP_KTP_HEAD_LINE 128

/* A transfer whose handle keeps a larger head than this is not reused. */
#define NGX_HTTP_KTP_HEAD_SPARE 8192

/* The smallest piece of a body passed to libcurl at a time: one page. */
#define NGX_HTTP_KTP_PART_MIN 4096


typedef struct ngx_http_ktp_name_s ngx_http_ktp_name_t;

/*
 * The state of a transfer, set by ngx_http_ktp_transport_state() only.
 *
 *     SPARE -> STARTED -> RESOLVING -> CONNECTING -> SENDING <-> PAUSED
 *     SENDING -> WAITING -> RECEIVING -> ENDED -> SPARE
 *
 * With a kept-alive connection STARTED goes to SENDING, with a cached address
 * to CONNECTING.  When a connection breaks, a retry by libcurl itself goes
 * back to RESOLVING or CONNECTING, a retry by the transport from ENDED to
 * STARTED.  A failure goes from any state to ENDED; an abort or a timeout to
 * SPARE, or from RESOLVING to ABANDONED.
 */
typedef enum {
    /* states in which the handle is not in the multi handle */

    /* unused, kept for another call */
    NGX_HTTP_KTP_TRANSFER_SPARE = 0,
    /* waits for another call's look-up of the same name, or for a slot */
    NGX_HTTP_KTP_TRANSFER_QUEUED,
    /* completed by libcurl; a retry or the done handler follows */
    NGX_HTTP_KTP_TRANSFER_ENDED,

    /* states in which it is */

    /* libcurl looks for a kept-alive connection, then for a cached address */
    NGX_HTTP_KTP_TRANSFER_STARTED,
    /* a name look-up was refused, so libcurl fails it; QUEUED follows */
    NGX_HTTP_KTP_TRANSFER_DEFERRED,
    /* a thread of libcurl resolves the name */
    NGX_HTTP_KTP_TRANSFER_RESOLVING,
    /* the same, but the call was aborted or timed out: no call any more */
    NGX_HTTP_KTP_TRANSFER_ABANDONED,
    /* connecting to the upstream or the proxy, TLS handshake included */
    NGX_HTTP_KTP_TRANSFER_CONNECTING,
    /* the request is being sent, its last byte not yet passed to libcurl */
    NGX_HTTP_KTP_TRANSFER_SENDING,
    /* the same, but the read callback had no data */
    NGX_HTTP_KTP_TRANSFER_PAUSED,
    /* the whole request was passed to libcurl; no response yet */
    NGX_HTTP_KTP_TRANSFER_WAITING,
    /* a response, be it an interim one (1xx), has begun */
    NGX_HTTP_KTP_TRANSFER_RECEIVING
} ngx_http_ktp_transfer_state_t;

/*
 * An easy handle with the call it performs.  A transfer whose call is aborted
 * during a name look-up stays until the look-up ends: other calls wait for
 * it, and its thread cannot be stopped.
 */
struct ngx_http_ktp_transfer_s {
    ngx_queue_t                   queue; /* tr->active or tr->spare */
    ngx_http_ktp_transfer_state_t state;

    /* kept from call to call */

    CURL              *easy;
    CURLU             *url;
    ngx_uint_t         upstream; /* id of its settings; 0: none to reuse */
    struct curl_slist *connect_to;

    /* of the current call; zero in SPARE */

    ngx_http_ktp_call_t *call;
    /* the look-up that this transfer makes, until all of it is cached */
    ngx_http_ktp_name_t *name;
    ngx_queue_t          waiting; /* in QUEUED: tr->queued or name's */
    struct curl_slist   *headers;
    struct curl_slist   *hosts;       /* CURLOPT_RESOLVE */
    curl_off_t           lookup_time; /* libcurl's, before the look-up */
    ngx_event_t          timer;
    ngx_msec_t           start;
    ngx_msec_t           attempt; /* start of the current attempt */
    ngx_msec_t           deadline;
    off_t                sent;      /* bytes of the body passed to libcurl */
    off_t                moved;     /* bytes sent, as the timer last saw */
    size_t               head;      /* bytes of the response head so far */
    int                  receive;   /* size of the receive buffer */
    off_t                beside;    /* bytes of header lines so far */
    off_t                unseen;    /* bytes read, in no callback yet */
    uint64_t             received;  /* bytes read from the connection */
    ngx_uint_t           addresses; /* tried for the current connection */
    size_t               allocated; /* size of call->body's memory */
    u_char               peer[NGX_SOCKADDR_STRLEN]; /* last tried address */
    size_t               peer_len;
    char                 errors[CURL_ERROR_SIZE]; /* libcurl's own text */
    in_port_t            port;          /* of the last address tried */
    unsigned             cached : 1;    /* the address is of an earlier call */
    unsigned             unwatched : 1; /* a descriptor has no connection */
    unsigned             no_slot : 1;   /* QUEUED for a slot, not for a name */
    unsigned             declined : 1;  /* guard refused an address */
    unsigned             begun : 1; /* libcurl has begun to send the request */
    unsigned             heard : 1; /* response data arrived in PAUSED */
};

typedef struct ngx_http_ktp_socket_s ngx_http_ktp_socket_t;

typedef struct {
    CURLM           *multi;
    CURLSH          *share;    /* TLS sessions, common to all handles */
    ngx_event_t      answered; /* resumes calls marked as heard */
    ngx_log_t       *log;
    ngx_connection_t dummy; /* ev->data of events: debug logs read fd */
    ngx_queue_t      active;
    ngx_queue_t      spare;
    ngx_uint_t       nspare;
    ngx_uint_t       ncalls;
    ngx_uint_t       ngrowing; /* transfers that need memory in reserve */
    ngx_uint_t       nkind[NGX_HTTP_KTP_CALL_KINDS]; /* of them */
    ngx_uint_t       reads;           /* successful reads of bodies so far */
    ngx_uint_t       keepalive;       /* largest setting seen so far */
    unsigned         long_line : 1;   /* a line over HEAD_MAX was refused */
    unsigned         reuses_dead : 1; /* libcurl may use a dead connection */

    /* sockets */

    ngx_http_ktp_socket_t **sockets; /* by descriptor */
    ngx_uint_t              nsockets;
    ngx_queue_t             idle;
    ngx_uint_t              nidle; /* connections in idle */
    ngx_uint_t              ndead; /* shut down, not closed by libcurl yet */
    ngx_event_t             reaper;
    CURL                   *prune;
    unsigned                pruning : 1;

    /* name look-ups */

    ngx_queue_t names;
    ngx_uint_t  nnames;
    ngx_queue_t queued; /* transfers that wait for a slot */

    /*
     * CURLOPT_RESOLVE of the next transfer: addresses that failed, to be
     * dropped from the cache, and those that libcurl did not keep
     */
    struct curl_slist *hosts;
    ngx_event_t        wake;
} ngx_http_ktp_transport_t;


extern ngx_http_ktp_transport_t ngx_http_ktp_transport;

/* The log of the transfer's call, or the worker's if the call is gone. */
#define ngx_http_ktp_transport_log(t)                                         \
    ((t)->call ? (t)->call->log : ngx_http_ktp_transport.log)


/* ngx_http_ktp_transport.c */

/* Sets the state, and logs its change. */
void ngx_http_ktp_transport_state(ngx_http_ktp_transfer_t      *t,
                                  ngx_http_ktp_transfer_state_t state);

/*
 * Records why the transport ends a call; the first reason is kept.  It is
 * called by callbacks of libcurl, which then return an error to libcurl.
 */
void ngx_http_ktp_transport_stop(ngx_http_ktp_transfer_t   *t,
                                 ngx_http_ktp_call_result_t result,
                                 const char                *error);

/* Ends a call for a reason; calls done.  Not to be called by a callback. */
void ngx_http_ktp_transport_fail(ngx_http_ktp_transfer_t   *t,
                                 ngx_http_ktp_call_result_t result,
                                 const char                *error);

/* Adds the transfer to the multi handle, and sets STARTED. */
ngx_int_t ngx_http_ktp_transport_add(ngx_http_ktp_transfer_t *t);

/*
 * Completes a call whose transfer is neither in the multi handle nor in a
 * queue of look-ups; calls done.
 */
void ngx_http_ktp_transport_end(ngx_http_ktp_transfer_t *t, CURLcode rc);

/*
 * libcurl has completed a transfer, whose handle has been removed from the
 * multi handle.  Anything may be freed.
 */
void ngx_http_ktp_transport_ended(CURL *easy, CURLcode rc);


/* ngx_http_ktp_transport_loop.c */

/* The multi handle has been created; it is still there at exit. */
void ngx_http_ktp_transport_loop_init(void);
void ngx_http_ktp_transport_loop_exit(void);

/*
 * Reports an event of a descriptor, or CURL_SOCKET_TIMEOUT, to libcurl, and
 * completes the calls that ended.  Anything may be freed by their handlers.
 */
void ngx_http_ktp_transport_loop_action(curl_socket_t fd, int mask);


/* ngx_http_ktp_transport_transfer.c */

/* A transfer with the settings of a call; NULL: no memory. */
ngx_http_ktp_transfer_t *
ngx_http_ktp_transport_transfer_create(ngx_http_ktp_call_t *call);

/*
 * Makes a transfer spare, or destroys it.  It is neither in the multi handle
 * nor in a queue of look-ups.  Credentials are wiped.
 */
void ngx_http_ktp_transport_transfer_free(ngx_http_ktp_transfer_t *t);

/*
 * Sets the address of the next attempt to that of the call's next peer;
 * NGX_ERROR if there is none.
 */
ngx_int_t ngx_http_ktp_transport_transfer_peer(ngx_http_ktp_transfer_t *t);

/* Frees a transfer that is in no queue, and its easy handle. */
void ngx_http_ktp_transport_transfer_destroy(ngx_http_ktp_transfer_t *t);


/* ngx_http_ktp_transport_callback.c */

/* Sets the callbacks of the transfer's handle. */
void ngx_http_ktp_transport_callback_set(ngx_http_ktp_transfer_t *t);

/*
 * Restarts the idle timeout: data was sent or received.  Until the connection
 * is ready, the connect timeout applies as well.
 */
void ngx_http_ktp_transport_callback_progress(ngx_http_ktp_transfer_t *t);

/* The call has got this socket: what was read from it before is not its. */
void ngx_http_ktp_transport_callback_start(ngx_http_ktp_transfer_t *t,
                                           curl_socket_t            fd);

/*
 * Counts the bytes that libcurl has read and passed to no callback.  To be
 * called after each read of the descriptor; before is the number of bytes that
 * a Unix socket had.  NGX_ERROR: the limit of the response head is exceeded.
 */
ngx_int_t ngx_http_ktp_transport_callback_unseen(ngx_http_ktp_transfer_t *t,
                                                 curl_socket_t fd, int before);

/* Sets the call's result and times, while the handle still has them. */
void ngx_http_ktp_transport_callback_result(ngx_http_ktp_transfer_t *t,
                                            CURLcode                 rc);


/* ngx_http_ktp_transport_memory.c */

/*
 * curl_global_init() with the allocator of this file.  The transport's log
 * must be set before.  Exit must be called after curl_global_cleanup().
 */
CURLcode ngx_http_ktp_transport_memory_init(void);
void     ngx_http_ktp_transport_memory_exit(void);

/* Sees to it that a further call has memory.  NGX_ERROR: there is none. */
ngx_int_t ngx_http_ktp_transport_memory_reserve(void);

/*
 * To be called after a TLS handshake: the heap is trimmed after a number of
 * them, once there were none for a while.
 */
void ngx_http_ktp_transport_memory_trim(void);


/* ngx_http_ktp_transport_socket.c */

/* Exit also cleans up the multi handle, which closes its connections. */
ngx_int_t ngx_http_ktp_transport_socket_init(ngx_cycle_t *cycle);
void      ngx_http_ktp_transport_socket_exit(void);
int       ngx_http_ktp_transport_socket_handler(CURL *easy, curl_socket_t fd,
                                                int what, void *data, void *socket);
curl_socket_t ngx_http_ktp_transport_socket_open(ngx_http_ktp_transfer_t *t,
                                                 struct curl_sockaddr *addr);
int ngx_http_ktp_transport_socket_close(void *data, curl_socket_t fd);


/* ngx_http_ktp_transport_name.c */

void ngx_http_ktp_transport_name_init(ngx_cycle_t *cycle);
void ngx_http_ktp_transport_name_exit(void);

/*
 * CURLOPT_RESOLVER_START_FUNCTION; data is the transfer.  Sets RESOLVING and
 * returns 0, or sets DEFERRED and returns 1, on which libcurl fails the
 * transfer; 1 alone: no memory.
 */
int ngx_http_ktp_transport_name_start(void *resolver, void *reserved,
                                      void *data);

/* The transfer's look-up has ended, with CURLE_OK or an error. */
void ngx_http_ktp_transport_name_end(ngx_http_ktp_transfer_t *t, CURLcode rc);

/*
 * From now on libcurl does not end the transfer's look-up when its connect
 * timeout expires, which would leave a thread behind that has no slot; or that
 * of each transfer whose time is nearly over.
 */
void ngx_http_ktp_transport_name_keep(ngx_http_ktp_transfer_t *t);
void ngx_http_ktp_transport_name_keep_all(void);

/*
 * Ends the transfer's look-up, or those of all transfers that are connecting,
 * if libcurl has the addresses of both families in its cache.
 */
void ngx_http_ktp_transport_name_check(ngx_http_ktp_transfer_t *t);
void ngx_http_ktp_transport_name_check_all(void);

/* The transfer is connected to ip: its look-up, if any, ends. */
void ngx_http_ktp_transport_name_connected(ngx_http_ktp_transfer_t *t,
                                           const char              *ip);

/*
 * To be called before a transfer is added: libcurl is to drop the addresses
 * that have failed, and to cache others.  Clear is called when the transfer
 * has ended.
 */
void ngx_http_ktp_transport_name_hosts(ngx_http_ktp_transfer_t *t);
void ngx_http_ktp_transport_name_hosts_clear(ngx_http_ktp_transfer_t *t);

/* No connection could be made to a cached address: it is to be dropped. */
void ngx_http_ktp_transport_name_failed(ngx_http_ktp_transfer_t *t);

/* Queues a transfer in DEFERRED; sets QUEUED. */
void ngx_http_ktp_transport_name_wait(ngx_http_ktp_transfer_t *t);


#endif /* NGX_HTTP_KTP_TRANSPORT_CURL_H */
