#include "ngx_http_ktp_transport_curl.h"
#include <openssl/err.h>
#include <sys/ioctl.h>


/*
 * libcurl looks for dead connections when a call needs one, and not more often
 * than this; milliseconds.
 */
#define NGX_HTTP_KTP_PRUNE_INTERVAL 1000

/* Buffer in bytes, and reads at most, to drain a connection that ends. */
#define NGX_HTTP_KTP_DRAIN_SIZE  4096
#define NGX_HTTP_KTP_DRAIN_READS 64


/*
 * A descriptor of libcurl with its nginx connection.  Sockets of calls are
 * opened and closed by this file; that of a name look-up is only polled.
 */
struct ngx_http_ktp_socket_s {
    ngx_queue_t              queue; /* tr->idle, if idle is set */
    ngx_connection_t        *connection;
    ngx_http_ktp_transfer_t *transfer; /* NULL: none, or not a call's */
    ngx_msec_t               idle_since;
    ngx_msec_t               idle_timeout;
    int                      wanted; /* CURL_POLL_* that libcurl waits for */
    unsigned                 opened : 1; /* by this file, not by libcurl */
    unsigned                 tcp : 1;
    unsigned                 corked : 1;
    unsigned                 used : 1; /* a call has released it before */
    unsigned                 idle : 1; /* no call uses it */
    unsigned                 dead : 1; /* shut down, libcurl will close it */
};


static ngx_http_ktp_socket_t *ngx_http_ktp_socket_create(curl_socket_t fd);
static ngx_int_t              ngx_http_ktp_socket_grow(ngx_uint_t n);
static void ngx_http_ktp_socket_events(ngx_http_ktp_socket_t *s, int what);
static void ngx_http_ktp_socket_cork(ngx_http_ktp_socket_t *s, ngx_uint_t on);
static void ngx_http_ktp_socket_written(ngx_http_ktp_socket_t *s,
                                        ngx_uint_t             more);
static void ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_event(ngx_event_t *ev);
static void ngx_http_ktp_socket_read(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_rest(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_end(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_reap(ngx_event_t *ev);
static curl_socket_t ngx_http_ktp_socket_none(void *data, curlsocktype purpose,
                                              struct curl_sockaddr *addr);


ngx_int_t
ngx_http_ktp_transport_socket_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    ngx_queue_init(&tr->idle);

    tr->reaper.handler = ngx_http_ktp_socket_reap;
    tr->reaper.data = &tr->dummy;
    tr->reaper.log = cycle->log;
    tr->reaper.cancelable = 1;

    /*
     * Never opens a socket.  While it looks for a kept-alive connection, which
     * no call can have left, libcurl closes dead ones; newer versions do not
     * if CURLOPT_FRESH_CONNECT is set.
     */

    tr->prune = curl_easy_init();
    if (tr->prune == NULL) {
        return NGX_ERROR;
    }

    curl_easy_setopt(tr->prune, CURLOPT_URL, "http://127.0.0.1/");
    curl_easy_setopt(tr->prune, CURLOPT_PROXY, "");
    curl_easy_setopt(tr->prune, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(tr->prune, CURLOPT_UNIX_SOCKET_PATH, "/");
    curl_easy_setopt(tr->prune, CURLOPT_MAXAGE_CONN, (long) 0x7fffffff);
    curl_easy_setopt(tr->prune, CURLOPT_OPENSOCKETFUNCTION,
                     ngx_http_ktp_socket_none);

    return NGX_OK;
}


void
ngx_http_ktp_transport_socket_exit(void)
{
    ngx_uint_t                i;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->reaper.timer_set) {
        ngx_del_timer(&tr->reaper);
    }

    if (tr->pruning) {
        (void) curl_multi_remove_handle(tr->multi, tr->prune);
    }

    curl_easy_cleanup(tr->prune);

    /* closes connections by ngx_http_ktp_transport_socket_close() */
    (void) curl_multi_cleanup(tr->multi);

    for (i = 0; i < tr->nsockets; i++) {
        if (tr->sockets[i]) {
            ngx_http_ktp_socket_free(tr->sockets[i]);
        }
    }

    if (tr->sockets) {
        ngx_free(tr->sockets);
    }
}


curl_socket_t
ngx_http_ktp_transport_socket_open(ngx_http_ktp_transfer_t *t,
                                   struct curl_sockaddr    *addr)
{
    int                    fd;
    ngx_err_t              err;
    ngx_http_ktp_socket_t *s;

    fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);

    if (fd == -1) {
        err = ngx_socket_errno;
        ngx_log_error(NGX_LOG_ALERT, t->call->log, err,
                      ngx_socket_n " failed");

        if (err == NGX_EMFILE || err == NGX_ENFILE) {
            ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_BUSY,
                                        "no free descriptor");
        }

        return CURL_SOCKET_BAD;
    }

    s = ngx_http_ktp_socket_create(fd);
    if (s == NULL) {
        ngx_close_socket(fd);
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_BUSY,
                                    "no free connection");
        return CURL_SOCKET_BAD;
    }

    t->addresses++;

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                   "ktp call connect: %s, address %ui, fd:%d",
                   addr->family == AF_UNIX    ? "unix"
                   : addr->family == AF_INET6 ? "IPv6"
                                              : "IPv4",
                   t->addresses, fd);

    s->opened = 1;
    s->tcp = addr->family != AF_UNIX;
    s->idle_timeout = t->call->upstream->keepalive_timeout;

    ngx_http_ktp_transport_stat->connections++;
    ngx_http_ktp_transport_stat->opened++;

    return fd;
}


int
ngx_http_ktp_transport_socket_close(void *data, curl_socket_t fd)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, tr->log, 0,
                   "ktp call connection: closed, fd:%d", fd);

    if ((ngx_uint_t) fd < tr->nsockets && tr->sockets[fd]) {
        ngx_http_ktp_socket_free(tr->sockets[fd]);
    }

    ngx_http_ktp_transport_stat->connections--;

    return ngx_close_socket(fd);
}


/*
 * CURLMOPT_SOCKETFUNCTION.  Always returns 0: on -1 libcurl fails all
 * transfers of the multi handle.
 */

int
ngx_http_ktp_transport_socket_handler(CURL *easy, curl_socket_t fd, int what,
                                      void *data, void *socket)
{
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    s = (ngx_uint_t) fd < tr->nsockets ? tr->sockets[fd] : NULL;

    if (what == CURL_POLL_REMOVE) {

        /* libcurl closes one that did not connect without the callback */

        if (s && s->opened && !s->used && fcntl(fd, F_GETFD) == -1) {
            s->opened = 0;
            ngx_http_ktp_transport_stat->connections--;
        }

        if (s && s->opened) {
            ngx_http_ktp_socket_rest(s);

        } else if (s) {
            ngx_http_ktp_socket_free(s);
        }

        return 0;
    }

    if (s == NULL) {
        s = ngx_http_ktp_socket_create(fd);
        if (s == NULL) {
            t = NULL;
            (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

            if (t) {
                t->unwatched = 1;
                ngx_post_event(&tr->answered, &ngx_posted_events);
            }

            return 0;
        }
    }

    if (s->idle) {
        s->idle = 0;
        ngx_queue_remove(&s->queue);
        ngx_http_ktp_transport.nidle--;
    }

    if (s->opened) {
        t = s->transfer;

        (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE,
                                 (char **) &s->transfer);

        if (s->transfer && s->transfer != t) {
            ngx_http_ktp_transport_callback_start(s->transfer, fd);
        }
    }

    ngx_http_ktp_socket_events(s, what);

    return 0;
}


static ngx_http_ktp_socket_t *
ngx_http_ktp_socket_create(curl_socket_t fd)
{
    ngx_connection_t         *c;
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if ((ngx_uint_t) fd >= tr->nsockets
        && ngx_http_ktp_socket_grow(fd + 1) != NGX_OK) {
        return NULL;
    }

    s = ngx_calloc(sizeof(ngx_http_ktp_socket_t), tr->log);
    if (s == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, tr->log);
    if (c == NULL) {
        ngx_free(s);
        return NULL;
    }

    s->connection = c;
    tr->sockets[fd] = s;

    c->data = s;
    c->log = tr->log;
    c->read->log = tr->log;
    c->write->log = tr->log;

    /*
     * Both are set, whatever libcurl waits for: on worker_shutdown_timeout
     * nginx calls the read handlers of all open connections.
     */

    c->read->handler = ngx_http_ktp_socket_event;
    c->write->handler = ngx_http_ktp_socket_event;

    return s;
}


static ngx_int_t
ngx_http_ktp_socket_grow(ngx_uint_t n)
{
    ngx_http_ktp_socket_t   **sockets;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    n = ngx_max(n, 2 * tr->nsockets);
    n = ngx_max(n, 64);

    sockets = ngx_calloc(n * sizeof(ngx_http_ktp_socket_t *), tr->log);
    if (sockets == NULL) {
        return NGX_ERROR;
    }

    if (tr->sockets) {
        ngx_memcpy(sockets, tr->sockets,
                   tr->nsockets * sizeof(ngx_http_ktp_socket_t *));
        ngx_free(tr->sockets);
    }

    tr->sockets = sockets;
    tr->nsockets = n;

    return NGX_OK;
}


/*
 * Level-triggered: libcurl sends one buffer per event and not until EAGAIN,
 * so with edge-triggered events uploads of more than a buffer would stall.
 * A socket is assumed to be writable until it turns out not to be: a body that
 * fits into the socket's buffer is sent without epoll_ctl().
 */

static void
ngx_http_ktp_socket_events(ngx_http_ktp_socket_t *s, int what)
{
    ngx_int_t         rc;
    ngx_connection_t *c;

    c = s->connection;
    rc = NGX_OK;

    s->wanted = what;

    if (what & CURL_POLL_IN) {
        if (!c->read->active) {
            rc = ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
        }

    } else if (c->read->active) {
        rc = ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, c->log, 0,
                      "cannot change events of an upstream connection");
    }

    if (what & CURL_POLL_OUT) {
        if (!c->write->active) {
            ngx_post_event(c->write, &ngx_posted_next_events);
        }

        return;
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    /* the request is sent, or paused */

    ngx_http_ktp_socket_cork(s, 0);
}


/*
 * libcurl sends the head of a request and each TLS record by a call of its
 * own.  Without TCP_CORK each would be a segment, and wake up the upstream.
 */

static void
ngx_http_ktp_socket_cork(ngx_http_ktp_socket_t *s, ngx_uint_t on)
{
    int               rc;
    ngx_connection_t *c;

    if (!s->tcp || s->corked == on) {
        return;
    }

    c = s->connection;
    s->corked = on;

    rc = on ? ngx_tcp_nopush(c->fd) : ngx_tcp_push(c->fd);

    if (rc == -1) {
        ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                      "setsockopt(TCP_CORK) failed");
    }
}


/*
 * To be called after libcurl was told that the socket is writable.  If it read
 * more of the body, the kernel had accepted all of the previous buffer.
 */

static void
ngx_http_ktp_socket_written(ngx_http_ktp_socket_t *s, ngx_uint_t more)
{
    ngx_connection_t *c;

    c = s->connection;

    if (!(s->wanted & CURL_POLL_OUT) || s->idle || c->write->active
        || c->write->posted) {
        return;
    }

    if (more) {
        ngx_post_event(c->write, &ngx_posted_next_events);
        return;
    }

    if (ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, c->log, 0,
                      "cannot change events of an upstream connection");
    }
}


/* The descriptor may be open, or closed by libcurl. */

static void
ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s)
{
    ngx_connection_t *c;

    c = s->connection;

    ngx_http_ktp_transport.sockets[c->fd] = NULL;

    if (s->dead) {
        ngx_http_ktp_transport.ndead--;
    }

    if (s->idle) {
        ngx_queue_remove(&s->queue);
        ngx_http_ktp_transport.nidle--;
    }

    if (!s->opened && fcntl(c->fd, F_GETFD) == -1) {

        /* closing it has removed it from epoll */

        c->read->active = 0;
        c->write->active = 0;

    } else if (ngx_del_conn && (c->read->active || c->write->active)) {
        (void) ngx_del_conn(c, s->opened ? NGX_CLOSE_EVENT : 0);

    } else {
        if (c->read->active) {
            (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
        }

        if (c->write->active) {
            (void) ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
        }
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    /* nginx would report a connection with a descriptor as left open */

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    ngx_free(s);
}


static void
ngx_http_ktp_socket_event(ngx_event_t *ev)
{
    ngx_uint_t                reads;
    ngx_socket_t              fd;
    ngx_connection_t         *c;
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    c = ev->data;
    s = c->data;
    tr = &ngx_http_ktp_transport;

    if (s->idle) {

        /* closed by the upstream, or an unexpected response */

        ngx_http_ktp_socket_end(s);
        return;
    }

    /* only the direction that is ready; the connection may be freed */

    if (!ev->write) {
        ngx_http_ktp_socket_read(s);
        return;
    }

    fd = c->fd;
    reads = tr->reads;

    ngx_http_ktp_transport_loop_action(fd, CURL_CSELECT_OUT);

    if (tr->sockets[fd]) {
        ngx_http_ktp_socket_written(tr->sockets[fd], tr->reads != reads);
    }
}


static void
ngx_http_ktp_socket_read(ngx_http_ktp_socket_t *s)
{
    int                       n;
    ngx_socket_t              fd;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;
    fd = s->connection->fd;
    t = s->transfer;

    if (t == NULL || s->tcp || ioctl(fd, FIONREAD, &n) == -1) {
        n = 0;
    }

    ngx_http_ktp_transport_loop_action(fd, CURL_CSELECT_IN);

    /* the call may have ended, and the socket been closed */

    s = tr->sockets[fd];

    if (t && s && s->transfer == t
        && ngx_http_ktp_transport_callback_unseen(t, fd, n) != NGX_OK) {
        ngx_http_ktp_transport_fail(t, NGX_HTTP_KTP_CALL_HEAD_TOO_LARGE,
                                    "response head is too large");
    }
}


/*
 * The call has released the socket.  It stays registered for reading, so that
 * a close by the upstream is noticed at once: libcurl would leave it in
 * CLOSE_WAIT until the next call.
 */

static void
ngx_http_ktp_socket_rest(ngx_http_ktp_socket_t *s)
{
    ngx_connection_t         *c;
    ngx_http_ktp_transport_t *tr;

    c = s->connection;
    tr = &ngx_http_ktp_transport;

    if (s->idle) {
        return;
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "ktp call connection: released, fd:%d", c->fd);

    /* for the head of the next request; the TLS handshake is over */
    ngx_http_ktp_socket_cork(s, 1);

    s->transfer = NULL;
    s->used = 1;
    s->idle = 1;
    s->idle_since = ngx_current_msec;
    ngx_queue_insert_tail(&tr->idle, &s->queue);
    tr->nidle++;

    if (tr->nidle > tr->keepalive) {

        /*
         * libcurl may close it at once, or not at all: several calls can end
         * before the number that is left is known to it
         */

        ngx_add_timer(&tr->reaper, NGX_HTTP_KTP_PRUNE_INTERVAL);

    } else if (!tr->reaper.timer_set) {
        ngx_add_timer(&tr->reaper,
                      ngx_max(s->idle_timeout, NGX_HTTP_KTP_PRUNE_INTERVAL));
    }
}


/*
 * libcurl has no function that closes an idle connection.  It is shut down
 * here, and libcurl closes it when it looks for dead connections.  Input is
 * drained, a TLS alert or a 408 response for example: libcurl regards a
 * connection with unread input as alive.
 */

static void
ngx_http_ktp_socket_end(ngx_http_ktp_socket_t *s)
{
    u_char                    buf[NGX_HTTP_KTP_DRAIN_SIZE];
    ngx_uint_t                n;
    ngx_connection_t         *c;
    ngx_http_ktp_transport_t *tr;

    c = s->connection;
    tr = &ngx_http_ktp_transport;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "ktp call connection: ended, fd:%d", c->fd);

    if (!s->dead) {
        s->dead = 1;
        tr->ndead++;
    }

    (void) shutdown(c->fd, SHUT_RDWR);

    for (n = 0; n < NGX_HTTP_KTP_DRAIN_READS; n++) {
        if (recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT) <= 0) {
            break;
        }
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (tr->reaper.timer_set) {
        ngx_del_timer(&tr->reaper);
    }

    ngx_add_timer(&tr->reaper, NGX_HTTP_KTP_PRUNE_INTERVAL);
}


/*
 * Ends connections that have been idle for keepalive_timeout, or are more than
 * keepalive, and makes libcurl close those that have ended.
 */

static void
ngx_http_ktp_socket_reap(ngx_event_t *ev)
{
    ngx_msec_t                next, due;
    ngx_uint_t                dead;
    ngx_queue_t              *q;
    ngx_msec_int_t            left;
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;
    next = (ngx_msec_t) -1;
    dead = 0;

    for (q = ngx_queue_head(&tr->idle); q != ngx_queue_sentinel(&tr->idle);
         q = ngx_queue_next(q)) {

        s = ngx_queue_data(q, ngx_http_ktp_socket_t, queue);
        due = s->idle_since + s->idle_timeout;
        left = (ngx_msec_int_t) (due - ngx_current_msec);

        /* the oldest ones are first */

        if (!s->dead && (left <= 0 || tr->nidle - tr->ndead > tr->keepalive)) {
            ngx_http_ktp_socket_end(s);
        }

        if (s->dead) {
            dead++;

        } else {
            next = ngx_min(next, (ngx_msec_t) left);
        }
    }

    if (dead && !tr->pruning
        && curl_multi_add_handle(tr->multi, tr->prune) == CURLM_OK) {
        tr->pruning = 1;
    }

    if (tr->reaper.timer_set) {
        ngx_del_timer(&tr->reaper);
    }

    if (dead) {
        /* again, until libcurl has closed them */
        next = 0;
    }

    if (next != (ngx_msec_t) -1) {
        ngx_add_timer(&tr->reaper, ngx_max(next, NGX_HTTP_KTP_PRUNE_INTERVAL));
    }
}


static curl_socket_t
ngx_http_ktp_socket_none(void *data, curlsocktype purpose,
                         struct curl_sockaddr *addr)
{
    return CURL_SOCKET_BAD;
}
