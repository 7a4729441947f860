#include "ngx_http_ktp_redis_connection.h"
#include "ngx_http_ktp_secret.h"
#include <poll.h>


/* Commands that have not been sent, in bytes. */
#define NGX_HTTP_KTP_REDIS_OUTPUT 65536

/* Memory of a connection with TLS. */
#define NGX_HTTP_KTP_REDIS_POOL 256

/* Bytes that are received at once. */
#define NGX_HTTP_KTP_REDIS_INPUT 4096

/*
 * Intervals between attempts to connect, milliseconds; each is twice the one
 * before, less up to a half of it, so that hosts do not come all at once.
 */
#define NGX_HTTP_KTP_REDIS_RETRY_MIN 100
#define NGX_HTTP_KTP_REDIS_RETRY_MAX 2000


static void ngx_http_ktp_redis_connect(ngx_http_ktp_redis_connection_t *c);
static ngx_int_t  ngx_http_ktp_redis_greet(ngx_http_ktp_redis_connection_t *c);
static ngx_int_t  ngx_http_ktp_redis_push(ngx_http_ktp_redis_connection_t *c,
                                          ngx_str_t *args, ngx_uint_t n,
                                          ngx_http_ktp_redis_pt handler,
                                          void                 *data);
static void       ngx_http_ktp_redis_greeted(void                       *data,
                                             ngx_http_ktp_redis_reply_t *reply);
static void       ngx_http_ktp_redis_ready(void                       *data,
                                           ngx_http_ktp_redis_reply_t *reply);
static ngx_uint_t ngx_http_ktp_redis_is(ngx_http_ktp_redis_reply_t *reply,
                                        const char                 *text);
static void       ngx_http_ktp_redis_write(ngx_event_t *ev);
static ngx_int_t ngx_http_ktp_redis_usable(ngx_http_ktp_redis_connection_t *c);
static ngx_int_t
ngx_http_ktp_redis_connected(ngx_http_ktp_redis_connection_t *c);
#if (NGX_SSL)
static ngx_int_t
            ngx_http_ktp_redis_handshake(ngx_http_ktp_redis_connection_t *c);
static void ngx_http_ktp_redis_handshaken(ngx_connection_t *connection);
#endif
static void ngx_http_ktp_redis_send(ngx_http_ktp_redis_connection_t *c);
static void ngx_http_ktp_redis_read(ngx_event_t *ev);
static ngx_int_t
            ngx_http_ktp_redis_replies(ngx_http_ktp_redis_connection_t *c);
static void ngx_http_ktp_redis_timer(ngx_event_t *ev);
static void ngx_http_ktp_redis_deadline(ngx_http_ktp_redis_connection_t *c);
static void ngx_http_ktp_redis_lost(ngx_http_ktp_redis_connection_t *c,
                                    ngx_err_t err, const char *reason);
static void ngx_http_ktp_redis_close(ngx_http_ktp_redis_connection_t *c);


ngx_int_t
ngx_http_ktp_redis_connection_open(ngx_http_ktp_redis_connection_t *c)
{
    c->output = ngx_alloc(NGX_HTTP_KTP_REDIS_OUTPUT, c->log);
    if (c->output == NULL) {
        return NGX_ERROR;
    }

    c->silent = *c->log;
    c->silent.log_level = 0;
    c->retry = NGX_HTTP_KTP_REDIS_RETRY_MIN;

    /* workers begin with different addresses */
    c->addr = ngx_random() % c->conf->naddrs;

    c->dummy.fd = (ngx_socket_t) -1;
    c->dummy.data = c;
    c->timer.data = &c->dummy;
    c->timer.handler = ngx_http_ktp_redis_timer;
    c->timer.log = c->log;
    c->timer.cancelable = 1;

    ngx_http_ktp_redis_connect(c);

    return NGX_OK;
}


static void
ngx_http_ktp_redis_connect(ngx_http_ktp_redis_connection_t *c)
{
    ngx_int_t             rc;
    ngx_addr_t           *addr;
    ngx_connection_t     *connection;
    ngx_peer_connection_t pc;

    addr = &c->conf->addrs[c->addr++ % c->conf->naddrs];

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = addr->sockaddr;
    pc.socklen = addr->socklen;
    pc.name = &addr->name;
    pc.get = ngx_event_get_peer;
    pc.log = &c->silent;
    pc.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&pc);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_http_ktp_redis_lost(c, ngx_socket_errno, "connect() failed");
        return;
    }

    connection = pc.connection;
    connection->data = c;
    connection->read->handler = ngx_http_ktp_redis_read;
    connection->write->handler = ngx_http_ktp_redis_write;

    c->connection = connection;
    c->state = NGX_HTTP_KTP_REDIS_CONNECTING;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0, "ktp redis connecting: %V",
                   &addr->name);

    c->reader = ngx_http_ktp_redis_reader_create();

    if (c->reader == NULL || ngx_http_ktp_redis_greet(c) != NGX_OK) {
        ngx_http_ktp_redis_lost(c, 0, "there is no memory");
        return;
    }

    c->greeting = c->written;

    if (rc == NGX_OK) {
        ngx_post_event(connection->write, &ngx_posted_events);
    }
}


/* AUTH and SELECT, as configured; PING is always last. */

static ngx_int_t
ngx_http_ktp_redis_greet(ngx_http_ktp_redis_connection_t *c)
{
    u_char                buf[NGX_INT_T_LEN];
    ngx_str_t             args[3];
    ngx_uint_t            n;
    ngx_http_ktp_redis_t *conf;

    conf = c->conf;

    if (conf->password) {
        n = 1;
        ngx_str_set(&args[0], "AUTH");

        if (conf->user.len) {
            args[n++] = conf->user;
        }

        args[n++] = *ngx_http_ktp_secret_value(conf->password);

        if (ngx_http_ktp_redis_push(c, args, n, ngx_http_ktp_redis_greeted, c)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (conf->database) {
        ngx_str_set(&args[0], "SELECT");
        args[1].data = buf;
        args[1].len = ngx_sprintf(buf, "%ui", conf->database) - buf;

        if (ngx_http_ktp_redis_push(c, args, 2, ngx_http_ktp_redis_greeted, c)
            != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_str_set(&args[0], "PING");

    return ngx_http_ktp_redis_push(c, args, 1, ngx_http_ktp_redis_ready, c);
}


ngx_int_t
ngx_http_ktp_redis_connection_ask(ngx_http_ktp_redis_connection_t *c,
                                  ngx_str_t *args, ngx_uint_t n,
                                  ngx_http_ktp_redis_pt handler, void *data)
{
    ngx_event_t *wev;

    if (c->state < NGX_HTTP_KTP_REDIS_CONNECTING
        || ngx_http_ktp_redis_push(c, args, n, handler, data) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (c->state == NGX_HTTP_KTP_REDIS_UP) {
        wev = c->connection->write;

        /* commands of the same turn of the event loop go together */

        if (wev->ready) {
            ngx_post_event(wev, &ngx_posted_events);
        }
    }

    return NGX_OK;
}


void
ngx_http_ktp_redis_connection_reopen(ngx_http_ktp_redis_connection_t *c)
{
    if (c->state == NGX_HTTP_KTP_REDIS_WAITING) {
        ngx_del_timer(&c->timer);
        ngx_http_ktp_redis_connect(c);
    }
}


static ngx_int_t
ngx_http_ktp_redis_push(ngx_http_ktp_redis_connection_t *c, ngx_str_t *args,
                        ngx_uint_t n, ngx_http_ktp_redis_pt handler,
                        void *data)
{
    ngx_http_ktp_redis_pending_t *pending;

    if (c->npending == NGX_HTTP_KTP_REDIS_PENDING
        || ngx_http_ktp_redis_reader_size(args, n)
               > NGX_HTTP_KTP_REDIS_OUTPUT - c->written) {
        return NGX_DECLINED;
    }

    c->written =
        ngx_http_ktp_redis_reader_write(c->output + c->written, args, n)
        - c->output;

    pending =
        &c->pending[(c->first + c->npending++) % NGX_HTTP_KTP_REDIS_PENDING];

    pending->handler = handler;
    pending->data = data;
    pending->deadline = ngx_current_msec + c->conf->timeout;

    if (c->npending == 1) {
        ngx_http_ktp_redis_deadline(c);
    }

    return NGX_OK;
}


/* The end of AUTH and of SELECT. */

static void
ngx_http_ktp_redis_greeted(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_redis_connection_t *c = data;

    if (reply && ngx_http_ktp_redis_is(reply, "OK") == 0) {
        ngx_http_ktp_redis_connection_refused(c, reply);
    }
}


/* The end of PING: commands may be sent. */

static void
ngx_http_ktp_redis_ready(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_redis_connection_t *c = data;

    if (reply == NULL) {
        return;
    }

    if (ngx_http_ktp_redis_is(reply, "PONG") == 0) {
        ngx_http_ktp_redis_connection_refused(c, reply);
        return;
    }

    c->state = NGX_HTTP_KTP_REDIS_UP;
    c->since = ngx_current_msec;
    c->told = 0;

    ngx_log_error(ngx_max(c->level, NGX_LOG_NOTICE), c->log, 0,
                  "connected to redis \"%V\"", &c->conf->name);

    ngx_post_event(c->connection->write, &ngx_posted_events);

    c->handler(1);
}


static ngx_uint_t
ngx_http_ktp_redis_is(ngx_http_ktp_redis_reply_t *reply, const char *text)
{
    ngx_str_t *said;

    said = &reply->values[0].text;

    return !reply->error && reply->n == 1 && said->len == ngx_strlen(text)
           && ngx_strncmp(said->data, text, said->len) == 0;
}


static void
ngx_http_ktp_redis_write(ngx_event_t *ev)
{
    ngx_connection_t                *connection;
    ngx_http_ktp_redis_connection_t *c;

    connection = ev->data;
    c = connection->data;

    if (ngx_http_ktp_redis_usable(c) != NGX_OK) {
        return;
    }

    ngx_http_ktp_redis_send(c);
}


/*
 * At an event of the connection: NGX_OK if data may be moved, otherwise it is
 * closed, or the handshake is in progress.
 */

static ngx_int_t
ngx_http_ktp_redis_usable(ngx_http_ktp_redis_connection_t *c)
{
    if (c->connection->close) {
        ngx_http_ktp_redis_lost(c, 0, "the worker is shutting down");
        return NGX_ERROR;
    }

    return c->state == NGX_HTTP_KTP_REDIS_CONNECTING
               ? ngx_http_ktp_redis_connected(c)
               : NGX_OK;
}


/* NGX_AGAIN: the handshake is in progress. */

static ngx_int_t
ngx_http_ktp_redis_connected(ngx_http_ktp_redis_connection_t *c)
{
    int       err;
    socklen_t len;

    err = 0;
    len = sizeof(err);

    if (getsockopt(c->connection->fd, SOL_SOCKET, SO_ERROR, &err, &len)
        == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_http_ktp_redis_lost(c, err, "connect() failed");
        return NGX_ERROR;
    }

    if (c->conf->addrs[0].sockaddr->sa_family != AF_UNIX) {
        (void) ngx_tcp_nodelay(c->connection);
    }

#if (NGX_SSL)

    if (c->conf->ssl) {
        return ngx_http_ktp_redis_handshake(c);
    }

#endif

    c->state = NGX_HTTP_KTP_REDIS_GREETING;

    return NGX_OK;
}


#if (NGX_SSL)

static ngx_int_t
ngx_http_ktp_redis_handshake(ngx_http_ktp_redis_connection_t *c)
{
    ngx_connection_t *connection;

    connection = c->connection;
    c->state = NGX_HTTP_KTP_REDIS_HANDSHAKE;

    connection->pool = ngx_create_pool(NGX_HTTP_KTP_REDIS_POOL, c->log);

    if (connection->pool == NULL
        || ngx_ssl_create_connection(c->conf->ssl, connection,
                                     NGX_SSL_BUFFER | NGX_SSL_CLIENT)
               != NGX_OK
        || SSL_set_tlsext_host_name(connection->ssl->connection,
                                    (char *) c->conf->tls_name.data)
               == 0) {
        ngx_http_ktp_redis_lost(c, 0, "there is no memory");
        return NGX_ERROR;
    }

    if (ngx_ssl_handshake(connection) == NGX_AGAIN) {
        connection->ssl->handler = ngx_http_ktp_redis_handshaken;

    } else {
        ngx_http_ktp_redis_handshaken(connection);
    }

    return NGX_AGAIN;
}


static void
ngx_http_ktp_redis_handshaken(ngx_connection_t *connection)
{
    long                             rc;
    ngx_http_ktp_redis_connection_t *c;

    c = connection->data;

    if (!connection->ssl->handshaked) {
        ngx_http_ktp_redis_lost(c, 0, "TLS handshake failed");
        return;
    }

    rc = SSL_get_verify_result(connection->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_http_ktp_redis_lost(c, 0, X509_verify_cert_error_string(rc));
        return;
    }

    if (ngx_ssl_check_host(connection, &c->conf->tls_name) != NGX_OK) {
        ngx_http_ktp_redis_lost(c, 0, "certificate is for another name");
        return;
    }

    connection->read->handler = ngx_http_ktp_redis_read;
    connection->write->handler = ngx_http_ktp_redis_write;

    c->state = NGX_HTTP_KTP_REDIS_GREETING;

    ngx_post_event(connection->write, &ngx_posted_events);
}

#endif


static void
ngx_http_ktp_redis_send(ngx_http_ktp_redis_connection_t *c)
{
    size_t       last;
    ssize_t      n;
    ngx_event_t *wev;

    wev = c->connection->write;

    last = c->state == NGX_HTTP_KTP_REDIS_UP ? c->written : c->greeting;

    while (c->sent < last) {
        n = c->connection->send(c->connection, c->output + c->sent,
                                last - c->sent);

        if (n == NGX_ERROR || n == 0) {
            ngx_http_ktp_redis_lost(c, ngx_socket_errno, "send() failed");
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        c->sent += n;
    }

    if (c->sent) {

        c->written -= c->sent;
        ngx_memmove(c->output, c->output + c->sent, c->written);

        /* what was sent may be the password */

        ngx_explicit_memzero(c->output + c->written, c->sent);
        c->greeting -= ngx_min(c->greeting, c->sent);
        c->sent = 0;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_http_ktp_redis_lost(c, 0, "an event cannot be added");
    }
}


static void
ngx_http_ktp_redis_read(ngx_event_t *ev)
{
    u_char                           buf[NGX_HTTP_KTP_REDIS_INPUT];
    ssize_t                          n;
    ngx_connection_t                *connection;
    ngx_http_ktp_redis_connection_t *c;

    connection = ev->data;
    c = connection->data;

    if (ngx_http_ktp_redis_usable(c) != NGX_OK) {
        return;
    }

    for (;;) {
        n = connection->recv(connection, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0) {
            ngx_http_ktp_redis_lost(c, 0, "connection was closed");
            return;
        }

        if (n == NGX_ERROR) {
            ngx_http_ktp_redis_lost(c, ngx_socket_errno, "recv() failed");
            return;
        }

        if (ngx_http_ktp_redis_reader_feed(c->reader, buf, n) != NGX_OK) {
            ngx_http_ktp_redis_lost(c, 0, "there is no memory");
            return;
        }

        if (ngx_http_ktp_redis_replies(c) != NGX_OK) {
            return;
        }
    }

    if (ngx_handle_read_event(ev, 0) != NGX_OK) {
        ngx_http_ktp_redis_lost(c, 0, "an event cannot be added");
    }
}


/* NGX_ERROR: the connection is closed. */

static ngx_int_t
ngx_http_ktp_redis_replies(ngx_http_ktp_redis_connection_t *c)
{
    ngx_int_t                    rc;
    ngx_connection_t            *connection;
    ngx_http_ktp_redis_reply_t   reply;
    ngx_http_ktp_redis_pending_t pending;

    connection = c->connection;

    for (;;) {
        rc = ngx_http_ktp_redis_reader_next(c->reader, &reply);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            ngx_http_ktp_redis_lost(c, 0, "invalid or too large reply");
            return NGX_ERROR;
        }

        if (c->message && c->message(&reply) == NGX_OK) {

            /* the handler may have sent something, and lost the connection */

            if (c->connection != connection) {
                return NGX_ERROR;
            }

            continue;
        }

        if (c->npending == 0) {
            ngx_http_ktp_redis_lost(c, 0, "unexpected reply");
            return NGX_ERROR;
        }

        pending = c->pending[c->first];
        c->first = (c->first + 1) % NGX_HTTP_KTP_REDIS_PENDING;
        c->npending--;

        ngx_http_ktp_redis_deadline(c);

        pending.handler(pending.data, &reply);

        /* the handler may have found the connection to be of no use */

        if (c->connection != connection) {
            return NGX_ERROR;
        }
    }
}


static void
ngx_http_ktp_redis_timer(ngx_event_t *ev)
{
    ngx_connection_t                *dummy;
    ngx_http_ktp_redis_connection_t *c;

    dummy = ev->data;
    c = dummy->data;

    if (c->state == NGX_HTTP_KTP_REDIS_WAITING) {
        ngx_http_ktp_redis_connect(c);
        return;
    }

    ngx_http_ktp_redis_lost(c, NGX_ETIMEDOUT,
                            c->state == NGX_HTTP_KTP_REDIS_CONNECTING
                                ? "connect() failed"
                                : "no reply");
}


/* Sets the timer to the deadline of the oldest command. */

static void
ngx_http_ktp_redis_deadline(ngx_http_ktp_redis_connection_t *c)
{
    ngx_msec_int_t left;

    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    if (c->npending) {
        left = c->pending[c->first].deadline - ngx_current_msec;
        ngx_add_timer(&c->timer, (ngx_msec_t) ngx_max(left, 1));
    }
}


void
ngx_http_ktp_redis_connection_refused(ngx_http_ktp_redis_connection_t *c,
                                      ngx_http_ktp_redis_reply_t      *reply)
{
    u_char text[sizeof("error \"\"") + NGX_HTTP_KTP_REDIS_READER_CODE];
    u_char code[NGX_HTTP_KTP_REDIS_READER_CODE];
    size_t n;

    if (!reply->error) {
        ngx_http_ktp_redis_lost(c, 0, "unexpected reply");
        return;
    }

    n = ngx_http_ktp_redis_reader_code(reply, code);
    (void) ngx_sprintf(text, "error \"%*s\"%Z", n, code);

    ngx_http_ktp_redis_lost(c, 0, (char *) text);
}


/* Closes the connection, ends all commands, and sets the next attempt. */

static void
ngx_http_ktp_redis_lost(ngx_http_ktp_redis_connection_t *c, ngx_err_t err,
                        const char *reason)
{
    ngx_uint_t                   n, up;
    ngx_msec_t                   wait;
    ngx_http_ktp_redis_pending_t pending;

    up = c->state == NGX_HTTP_KTP_REDIS_UP;

    ngx_http_ktp_redis_close(c);

    if (!c->told && !ngx_exiting) {
        ngx_log_error(c->level, c->log, err, "redis \"%V\": %s",
                      &c->conf->name, reason);
        c->told = 1;
    }

    /* a connection that lasts a moment only is as good as none */

    if (up && ngx_current_msec - c->since > NGX_HTTP_KTP_REDIS_RETRY_MAX) {
        c->retry = NGX_HTTP_KTP_REDIS_RETRY_MIN;
    }

    wait = c->retry - ngx_random() % (c->retry / 2);
    c->retry = ngx_min(2 * c->retry, NGX_HTTP_KTP_REDIS_RETRY_MAX);
    c->state = NGX_HTTP_KTP_REDIS_WAITING;

    ngx_add_timer(&c->timer, wait);

    /* handlers cannot send: the state is WAITING */

    for (n = c->npending; n; n--) {
        pending = c->pending[c->first];
        c->first = (c->first + 1) % NGX_HTTP_KTP_REDIS_PENDING;
        c->npending--;

        pending.handler(pending.data, NULL);
    }

    if (up) {
        c->handler(0);
    }
}


static void
ngx_http_ktp_redis_close(ngx_http_ktp_redis_connection_t *c)
{
    ngx_pool_t *pool;

    if (c->timer.timer_set) {
        ngx_del_timer(&c->timer);
    }

    if (c->connection) {
        pool = c->connection->pool;

#if (NGX_SSL)

        if (c->connection->ssl) {
            c->connection->ssl->no_wait_shutdown = 1;
            (void) ngx_ssl_shutdown(c->connection);
        }

#endif

        ngx_close_connection(c->connection);
        c->connection = NULL;

        if (pool) {
            ngx_destroy_pool(pool);
        }
    }

    if (c->reader) {
        ngx_http_ktp_redis_reader_destroy(c->reader);
        c->reader = NULL;
    }

    if (c->output) {
        ngx_explicit_memzero(c->output, c->written);
    }

    c->sent = 0;
    c->greeting = 0;
    c->written = 0;
}


void
ngx_http_ktp_redis_connection_drain(ngx_http_ktp_redis_connection_t *c)
{
    struct pollfd  pfd;
    ngx_msec_int_t left;

    while (c->state == NGX_HTTP_KTP_REDIS_UP && c->npending) {
        ngx_http_ktp_redis_send(c);

        if (c->state != NGX_HTTP_KTP_REDIS_UP) {
            return;
        }

        ngx_time_update();
        left = c->pending[c->first].deadline - ngx_current_msec;

        pfd.fd = c->connection->fd;
        pfd.events = POLLIN | (c->written ? POLLOUT : 0);

        if (left <= 0 || poll(&pfd, 1, left) <= 0) {
            return;
        }

        c->connection->read->ready = 1;
        c->connection->write->ready = 1;
        ngx_http_ktp_redis_read(c->connection->read);
    }
}


void
ngx_http_ktp_redis_connection_shut(ngx_http_ktp_redis_connection_t *c)
{
    ngx_http_ktp_redis_close(c);

    c->state = NGX_HTTP_KTP_REDIS_OFF;
    c->npending = 0;

    ngx_free(c->output);
    c->output = NULL;
}
