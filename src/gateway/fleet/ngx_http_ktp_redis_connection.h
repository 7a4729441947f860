/*
 * A connection to Redis: it is established again whenever it is lost, commands
 * are pipelined, and each has a deadline.  Private to ngx_http_ktp_redis.c.
 */

#ifndef NGX_HTTP_KTP_REDIS_CONNECTION_H
#define NGX_HTTP_KTP_REDIS_CONNECTION_H

#include "ngx_http_ktp_redis.h"


/* Commands that wait for their replies, at most. */
#define NGX_HTTP_KTP_REDIS_PENDING 512

typedef struct ngx_http_ktp_redis_connection_s ngx_http_ktp_redis_connection_t;

typedef enum {
    NGX_HTTP_KTP_REDIS_OFF = 0,    /* before open, and after shut */
    NGX_HTTP_KTP_REDIS_WAITING,    /* for the next attempt to connect */
    NGX_HTTP_KTP_REDIS_CONNECTING, /* connect() is in progress */
    NGX_HTTP_KTP_REDIS_HANDSHAKE,  /* that of TLS is */
    NGX_HTTP_KTP_REDIS_GREETING,   /* AUTH, SELECT and PING are sent */
    NGX_HTTP_KTP_REDIS_UP
} ngx_http_ktp_redis_state_t;

/* A command that waits for its reply. */
typedef struct {
    ngx_http_ktp_redis_pt handler;
    void                 *data;
    ngx_msec_t            deadline;
} ngx_http_ktp_redis_pending_t;

/* Zeroed before its first use. */
struct ngx_http_ktp_redis_connection_s {

    /* set by its owner */

    ngx_http_ktp_redis_t       *conf;    /* outlives the connection */
    ngx_http_ktp_redis_state_pt handler; /* it is up, or lost */
    ngx_log_t                  *log;
    ngx_uint_t                  level; /* at which a loss is logged */

    /* NGX_OK: the reply is none to a command; NULL: all are */
    ngx_int_t (*message)(ngx_http_ktp_redis_reply_t *reply);

    /* private */

    ngx_http_ktp_redis_state_t state;
    ngx_log_t                  silent;   /* for nginx's own messages */
    ngx_uint_t                 addr;     /* that is tried next */
    ngx_msec_t                 retry;    /* interval before the next attempt */
    ngx_msec_t                 since;    /* when the state became UP */
    unsigned                   told : 1; /* that it is down was logged */

    ngx_connection_t            *connection;
    ngx_http_ktp_redis_reader_t *reader;
    ngx_event_t                  timer; /* next attempt, or deadline */
    ngx_connection_t             dummy; /* of the timer */

    u_char *output;   /* commands that have not been sent */
    size_t  sent;     /* of which are sent */
    size_t  greeting; /* of which may be sent before the greeting's end */
    size_t  written;

    /* a ring, the oldest at first */
    ngx_http_ktp_redis_pending_t pending[NGX_HTTP_KTP_REDIS_PENDING];
    ngx_uint_t                   first;
    ngx_uint_t                   npending;
};


/* Starts to connect.  NGX_ERROR: no memory. */
ngx_int_t
ngx_http_ktp_redis_connection_open(ngx_http_ktp_redis_connection_t *c);

/* See ngx_http_ktp_redis_command(). */
ngx_int_t ngx_http_ktp_redis_connection_ask(ngx_http_ktp_redis_connection_t *c,
                                            ngx_str_t *args, ngx_uint_t n,
                                            ngx_http_ktp_redis_pt handler,
                                            void                 *data);

/* Connects at once if the next attempt is waited for. */
void ngx_http_ktp_redis_connection_reopen(ngx_http_ktp_redis_connection_t *c);

/* A reply is of no use: the connection is lost, for that reason. */
void ngx_http_ktp_redis_connection_refused(ngx_http_ktp_redis_connection_t *c,
                                           ngx_http_ktp_redis_reply_t *reply);

/* See ngx_http_ktp_redis_finish(). */
void ngx_http_ktp_redis_connection_drain(ngx_http_ktp_redis_connection_t *c);

/* Closes it without calling handlers, for good. */
void ngx_http_ktp_redis_connection_shut(ngx_http_ktp_redis_connection_t *c);


#endif /* NGX_HTTP_KTP_REDIS_CONNECTION_H */
