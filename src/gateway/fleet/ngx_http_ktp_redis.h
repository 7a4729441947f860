/*
 * What a worker has of Redis: a connection for commands, which are pipelined,
 * and one for messages.  Replies and messages come in callbacks, which know
 * nothing of the connection.
 */

#ifndef NGX_HTTP_KTP_REDIS_H
#define NGX_HTTP_KTP_REDIS_H

#include "ngx_http_ktp_redis_conf.h"
#include "ngx_http_ktp_redis_reader.h"


/* Channels that a worker subscribes to, at most. */
#define NGX_HTTP_KTP_REDIS_CHANNELS 4

/*
 * The end of a command, called once.  reply is NULL if there is none: the
 * connection was lost, or the time is over; whether Redis has run the command
 * is then unknown.  The reply is valid during the call, which may send other
 * commands.
 */
typedef void (*ngx_http_ktp_redis_pt)(void                       *data,
                                      ngx_http_ktp_redis_reply_t *reply);

/* The connection was established (1) or lost (0); not called at exit. */
typedef void (*ngx_http_ktp_redis_state_pt)(ngx_uint_t up);

/*
 * A message of a channel, valid during the call, which may send commands; or
 * NULL: the subscription has begun, also anew, and what was published before
 * may have been missed.
 */
typedef void (*ngx_http_ktp_redis_message_pt)(ngx_str_t *text);


/*
 * Has the messages of a channel received.  For init_process, before
 * ngx_http_ktp_redis_init(), at most NGX_HTTP_KTP_REDIS_CHANNELS times; the
 * name must outlive the worker.
 */
void ngx_http_ktp_redis_subscribe(ngx_str_t                    *name,
                                  ngx_http_ktp_redis_message_pt handler);

/*
 * Starts to connect, and does so again, with growing intervals, whenever the
 * connection is lost.  For init_process; conf must outlive the worker.
 */
ngx_int_t ngx_http_ktp_redis_init(ngx_http_ktp_redis_t       *conf,
                                  ngx_http_ktp_redis_state_pt state,
                                  ngx_log_t                  *log);

/*
 * Sends a command of n arguments, which are copied.  While the connection is
 * being established, the command waits for it.  NGX_DECLINED: there is no
 * connection, or there is no room for the command; the handler is not called.
 */
ngx_int_t ngx_http_ktp_redis_command(ngx_str_t *args, ngx_uint_t n,
                                     ngx_http_ktp_redis_pt handler,
                                     void                 *data);

/*
 * Has the connection for messages closed unless the server answers: one whose
 * other end has disappeared says nothing.  To be called now and then.
 */
void ngx_http_ktp_redis_probe(void);

/* Connects at once if the next attempt is waited for: the server is there. */
void ngx_http_ktp_redis_hurry(void);

/*
 * Waits for the replies to all commands, without the event loop, at most as
 * long as the time limit of a command.  For exit_process.
 */
void ngx_http_ktp_redis_finish(void);

/* Closes the connection, without calling handlers.  For exit_process. */
void ngx_http_ktp_redis_exit(void);


#endif /* NGX_HTTP_KTP_REDIS_H */
