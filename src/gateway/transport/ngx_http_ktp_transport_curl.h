/* What the files of the transport share; nobody else includes it. */

#ifndef NGX_HTTP_KTP_TRANSPORT_CURL_H
#define NGX_HTTP_KTP_TRANSPORT_CURL_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <curl/curl.h>
#include "ngx_http_ktp_transport.h"


/* Transfers kept for use again, with their easy handles. */
#define NGX_HTTP_KTP_SPARE_TRANSFERS 64

/*
 * Look-ups of names at a time: each is a thread of libcurl's.  One name has
 * one at most.
 */
#define NGX_HTTP_KTP_LOOKUPS 16

/*
 * The same for upstreams of one call, whose names are the clients' to choose:
 * the others have some left, however slow these are.
 */
#define NGX_HTTP_KTP_LOOKUPS_ONCE 12

/* Upload buffers; libcurl takes them from 16 KB to 2 MB. */
#define NGX_HTTP_KTP_UPLOAD_MIN 16384
#define NGX_HTTP_KTP_UPLOAD_MAX (256 * 1024)

/*
 * Calls that get the largest one.  The n-th of more gets it by (16 / n)^2, so
 * that all others have no more than these together, or the smallest one.
 */
#define NGX_HTTP_KTP_UPLOAD_CALLS 16

/* The smallest piece of a body that a call of many hands out; one page. */
#define NGX_HTTP_KTP_PART_MIN 4096


typedef struct ngx_http_ktp_name_s ngx_http_ktp_name_t;

/*
 * What a transfer is at.  Only ngx_http_ktp_transport_state() sets it.
 *
 *     SPARE -> STARTED -> RESOLVING -> CONNECTING -> SENDING <-> PAUSED
 *     SENDING -> WAITING -> RECEIVING -> ENDED -> SPARE
 *
 * A kept-alive connection goes from STARTED to SENDING, a cached address to
 * CONNECTING.  A connection that turns out to be dead leads back: by libcurl
 * itself to STARTED's successors, by ours from ENDED to STARTED.  Every state
 * from STARTED to RECEIVING can go to ENDED, or to SPARE by an abort.
 */
typedef enum {
    /* libcurl does not have the handle */

    NGX_HTTP_KTP_TRANSFER_SPARE = 0, /* it has no call */
    NGX_HTTP_KTP_TRANSFER_QUEUED,    /* waits for a look-up of another call,
                                        or for one less of them */
    NGX_HTTP_KTP_TRANSFER_ENDED,     /* libcurl gave it back: its call is sent
                                        again, or is done */

    /* libcurl has the handle */

    NGX_HTTP_KTP_TRANSFER_STARTED,    /* looks for a kept-alive connection, and
                                         for an address in the cache */
    NGX_HTTP_KTP_TRANSFER_DEFERRED,   /* was refused a look-up, for which
                                         libcurl ends it; QUEUED is next */
    NGX_HTTP_KTP_TRANSFER_RESOLVING,  /* a thread of libcurl's looks the name
                                         up */
    NGX_HTTP_KTP_TRANSFER_ABANDONED,  /* so it does, but the call is gone */
    NGX_HTTP_KTP_TRANSFER_CONNECTING, /* to the upstream or the proxy, with
                                         TLS */
    NGX_HTTP_KTP_TRANSFER_SENDING,    /* the request goes out */
    NGX_HTTP_KTP_TRANSFER_PAUSED,     /* read had nothing; resume goes on */
    NGX_HTTP_KTP_TRANSFER_WAITING,    /* all of the request is handed out, and
                                         nothing of an answer came */
    NGX_HTTP_KTP_TRANSFER_RECEIVING   /* something of it came */
} ngx_http_ktp_transfer_state_t;

/*
 * An easy handle, and the call that it works for.  It outlives an aborted
 * call until its look-up is over, so that not each leaves a thread behind.
 */
struct ngx_http_ktp_transfer_s {
    ngx_queue_t                   queue; /* among the active or spare ones */
    ngx_http_ktp_transfer_state_t state;

    /* of the handle, for the next call as well */

    CURL              *easy;
    CURLU             *url;
    ngx_uint_t         upstream; /* id of the settings; 0: of no other use */
    struct curl_slist *connect_to;

    /* of the call; zero while it is spare */

    ngx_http_ktp_call_t *call;
    ngx_http_ktp_name_t *name;    /* that it looks up at present */
    ngx_queue_t          waiting; /* among those that are queued */
    struct curl_slist   *headers;
    ngx_event_t          timer;
    ngx_msec_t           start;
    ngx_msec_t           deadline;
    off_t                sent;      /* bytes of the body handed out */
    off_t                moved;     /* that the time-out has seen go out */
    size_t               head;      /* bytes of an answer's head, so far */
    ngx_uint_t           addresses; /* that were tried for a connection */
    size_t               allocated; /* for the answer's body */
    unsigned             begun : 1; /* a request was about to go out */
    unsigned             heard : 1; /* an answer came while it was paused */
};

typedef struct ngx_http_ktp_socket_s ngx_http_ktp_socket_t;

typedef struct {
    CURLM           *multi;
    CURLSH          *share;      /* TLS sessions, of all easy handles */
    ngx_event_t      answered;   /* of a call that waits for its body */
    ngx_event_t      trim;       /* gives back what handshakes took */
    ngx_uint_t       handshakes; /* since it did */
    ngx_log_t       *log;
    ngx_event_t      timer; /* libcurl's own; only one is asked for */
    ngx_connection_t dummy; /* what debug messages of timers look at */
    ngx_queue_t      active;
    ngx_queue_t      spare;
    ngx_uint_t       nspare;
    ngx_uint_t       ncalls;
    ngx_uint_t       reads;      /* pieces of bodies handed out so far */
    ngx_uint_t       keepalive;  /* idle connections, at most */
    unsigned         inside : 1; /* in curl_multi_socket_action() */

    /* sockets */

    ngx_http_ktp_socket_t **sockets; /* by descriptor */
    ngx_uint_t              nsockets;
    ngx_queue_t             idle;
    ngx_event_t             reaper;
    CURL                   *prune;
    unsigned                pruning : 1;

    /* look-ups of names */

    ngx_queue_t names;
    ngx_uint_t  nnames;
    ngx_queue_t queued; /* calls for which there is no place */
    ngx_event_t wake;
} ngx_http_ktp_transport_t;


extern ngx_http_ktp_transport_t ngx_http_ktp_transport;

/* Where lines of a transfer go; the worker's log once its call is gone. */
#define ngx_http_ktp_transport_log(t)                                         \
    ((t)->call ? (t)->call->log : ngx_http_ktp_transport.log)


/* ngx_http_ktp_transport.c */

/* Lets libcurl go on, and tells the callers of calls that are done. */
void ngx_http_ktp_transport_action(curl_socket_t fd, int mask);

/*
 * A TLS connection was made.  What the handshakes of many have left in the
 * heap goes back to the system when there were none for a while.
 */
void ngx_http_ktp_transport_trim(void);

/* Sets the state, and logs its change. */
void ngx_http_ktp_transport_state(ngx_http_ktp_transfer_t      *t,
                                  ngx_http_ktp_transfer_state_t state);

/*
 * Why the transport ends a call that libcurl would go on with; the first
 * reason holds.  The caller then has libcurl fail it.
 */
void ngx_http_ktp_transport_stop(ngx_http_ktp_transfer_t   *t,
                                 ngx_http_ktp_call_result_t result,
                                 const char                *error);

/* Adds the transfer to the multi handle. */
ngx_int_t ngx_http_ktp_transport_add(ngx_http_ktp_transfer_t *t);

/*
 * Ends a call whose transfer is neither with libcurl nor in a queue; not from
 * a callback of libcurl's.
 */
void ngx_http_ktp_transport_end(ngx_http_ktp_transfer_t *t, CURLcode rc);


/* ngx_http_ktp_transport_transfer.c */

/* A transfer made ready for a call; NULL: no memory. */
ngx_http_ktp_transfer_t *
ngx_http_ktp_transport_transfer_create(ngx_http_ktp_call_t *call);

/* Gives it back; it is neither with libcurl nor in another queue any more. */
void ngx_http_ktp_transport_transfer_free(ngx_http_ktp_transfer_t *t);

/* Frees one that is in no queue, wholly. */
void ngx_http_ktp_transport_transfer_destroy(ngx_http_ktp_transfer_t *t);


/* ngx_http_ktp_transport_callback.c */

/* Gives the transfer's handle the functions that libcurl calls. */
void ngx_http_ktp_transport_callback_set(ngx_http_ktp_transfer_t *t);

/* A byte moved: the time-out between two of them starts anew. */
void ngx_http_ktp_transport_callback_progress(ngx_http_ktp_transfer_t *t);

/* How it ended, and what is known of it while libcurl still has it. */
void ngx_http_ktp_transport_callback_result(ngx_http_ktp_transfer_t *t,
                                            CURLcode                 rc);


/* ngx_http_ktp_transport_memory.c */

/*
 * curl_global_init() with memory of our own for libcurl; the transport's log
 * is set before.  Exit is called after curl_global_cleanup().
 */
CURLcode ngx_http_ktp_transport_memory_init(void);
void     ngx_http_ktp_transport_memory_exit(void);


/* ngx_http_ktp_transport_socket.c */

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

/* CURLOPT_RESOLVER_START_FUNCTION; data is the transfer. */
int ngx_http_ktp_transport_name_start(void *resolver, void *reserved,
                                      void *data);

/* The transfer's look-up is over, well or not. */
void ngx_http_ktp_transport_name_end(ngx_http_ktp_transfer_t *t, CURLcode rc);

/* Lets a call wait for the look-up that it came upon. */
void ngx_http_ktp_transport_name_wait(ngx_http_ktp_transfer_t *t);


#endif /* NGX_HTTP_KTP_TRANSPORT_CURL_H */
