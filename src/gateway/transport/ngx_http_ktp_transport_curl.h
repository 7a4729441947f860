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
 * An easy handle at work for a call.  Without a call it only finishes its
 * look-up, so that aborted calls do not leave a thread each behind.
 */
typedef struct {
    ngx_queue_t          queue; /* among the active or the spare ones */
    CURL                *easy;
    CURLU               *url;
    ngx_uint_t           upstream; /* id of the settings; 0: of no other use */
    ngx_http_ktp_call_t *call;
    ngx_http_ktp_name_t *name; /* that it looks up at present */
    struct curl_slist   *headers;
    struct curl_slist   *connect_to;
    unsigned             added : 1;     /* to the multi handle */
    unsigned             heard : 1;     /* an answer, while read had nothing */
    unsigned             must_wait : 1; /* another one looks the name up */
} ngx_http_ktp_transfer_t;

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


/* ngx_http_ktp_transport.c */

/* Lets libcurl go on, and tells the callers of calls that are done. */
void ngx_http_ktp_transport_action(curl_socket_t fd, int mask);

/*
 * A TLS connection was made.  What the handshakes of many have left in the
 * heap goes back to the system when there were none for a while.
 */
void ngx_http_ktp_transport_trim(void);

/* Adds the call's transfer to the multi handle. */
ngx_int_t ngx_http_ktp_transport_add(ngx_http_ktp_call_t *call);

/* Ends a call that failed outside libcurl; not from a callback of it. */
void ngx_http_ktp_transport_fail(ngx_http_ktp_call_t *call, CURLcode rc);


/* ngx_http_ktp_transport_transfer.c */

/* A transfer made ready for a call; NULL: no memory. */
ngx_http_ktp_transfer_t *
ngx_http_ktp_transport_transfer_create(ngx_http_ktp_call_t *call);

/* Gives it back; it is not in the multi handle any more. */
void ngx_http_ktp_transport_transfer_free(ngx_http_ktp_transfer_t *t);

/* Frees one that is in no queue, wholly. */
void ngx_http_ktp_transport_transfer_destroy(ngx_http_ktp_transfer_t *t);


/* ngx_http_ktp_transport_callback.c */

/* Gives the transfer's handle the functions that libcurl calls. */
void ngx_http_ktp_transport_callback_set(ngx_http_ktp_transfer_t *t);

/* A byte moved: the time-out between two of them starts anew. */
void ngx_http_ktp_transport_callback_progress(ngx_http_ktp_call_t *call);

/* How it ended, and what is known of it while libcurl still has it. */
void ngx_http_ktp_transport_callback_result(ngx_http_ktp_call_t *call,
                                            CURLcode             rc);


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
void ngx_http_ktp_transport_name_wait(ngx_http_ktp_call_t *call);


#endif /* NGX_HTTP_KTP_TRANSPORT_CURL_H */
