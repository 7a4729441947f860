#include "ngx_http_ktp_transport_curl.h"
#include <openssl/err.h>


/*
 * libcurl looks for dead connections when a call needs one, and at most once
 * in this time; milliseconds.
 */
#define NGX_HTTP_KTP_PRUNE_INTERVAL 1000

/* What is read of a connection that ends, and how often at most. */
#define NGX_HTTP_KTP_DRAIN_SIZE  4096
#define NGX_HTTP_KTP_DRAIN_READS 64


/*
 * A descriptor of libcurl's as nginx's event loop sees it.  Those of the
 * calls are ours to open and close; one of a look-up is only watched.
 */
struct ngx_http_ktp_socket_s {
    ngx_queue_t       queue; /* among the idle ones, while it is one */
    ngx_connection_t *connection;
    ngx_msec_t        idle_since;
    ngx_msec_t        idle_timeout;
    int               wanted; /* what libcurl waits for */
    unsigned          opened : 1;
    unsigned          tcp : 1;
    unsigned          corked : 1;
    unsigned          used : 1; /* by a call, so that it was connected */
    unsigned          idle : 1;
    unsigned          dead : 1;
};


static ngx_http_ktp_socket_t *ngx_http_ktp_socket_create(curl_socket_t fd);
static ngx_int_t              ngx_http_ktp_socket_grow(ngx_uint_t n);
static void ngx_http_ktp_socket_events(ngx_http_ktp_socket_t *s, int what);
static void ngx_http_ktp_socket_cork(ngx_http_ktp_socket_t *s, ngx_uint_t on);
static void ngx_http_ktp_socket_written(ngx_http_ktp_socket_t *s,
                                        ngx_uint_t             more);
static void ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_event(ngx_event_t *ev);
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

    /* a call that never opens a socket, but has libcurl look for dead ones */

    tr->prune = curl_easy_init();
    if (tr->prune == NULL) {
        return NGX_ERROR;
    }

    curl_easy_setopt(tr->prune, CURLOPT_URL, "http://127.0.0.1/");
    curl_easy_setopt(tr->prune, CURLOPT_PROXY, "");
    curl_easy_setopt(tr->prune, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(tr->prune, CURLOPT_FRESH_CONNECT, 1L);
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

    /* closes what it has, by our callback */
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
    ngx_http_ktp_socket_t *s;

    fd = socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, t->call->log, ngx_socket_errno,
                      ngx_socket_n " for the upstream failed");
        return CURL_SOCKET_BAD;
    }

    s = ngx_http_ktp_socket_create(fd);
    if (s == NULL) {
        ngx_close_socket(fd);
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


/* Always returns 0: -1 would fail every call of the worker. */

int
ngx_http_ktp_transport_socket_handler(CURL *easy, curl_socket_t fd, int what,
                                      void *data, void *socket)
{
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    s = (ngx_uint_t) fd < tr->nsockets ? tr->sockets[fd] : NULL;

    if (what == CURL_POLL_REMOVE) {

        /* one that never connected was closed without the callback */

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
            /* the call's timer ends it */
            return 0;
        }
    }

    if (s->idle) {
        s->idle = 0;
        ngx_queue_remove(&s->queue);
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

    /* both, whichever is asked for: nginx calls them when it shuts down */

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
 * Level-triggered: libcurl sends one buffer an event and does not go on until
 * the socket blocks, as edge-triggered events would need.  A socket is taken
 * to be writable until it turns out not to be: a body that fits into its
 * buffer is sent with no call of epoll_ctl().
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
                      "events of an upstream socket could not be set");
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

    /* the request is out, or its next bytes are not there yet */

    ngx_http_ktp_socket_cork(s, 0);
}


/*
 * libcurl sends the head of a request by itself, and each record of TLS:
 * each would be a segment of its own, and wake the upstream.
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
 * libcurl was told that the socket is writable.  While it asks for more of
 * the body, its last buffer went out at once.
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
                      "events of an upstream socket could not be set");
    }
}


/* The descriptor is open, or was closed by libcurl behind our back. */

static void
ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s)
{
    ngx_connection_t *c;

    c = s->connection;

    ngx_http_ktp_transport.sockets[c->fd] = NULL;

    if (s->idle) {
        ngx_queue_remove(&s->queue);
    }

    if (!s->opened && fcntl(c->fd, F_GETFD) == -1) {

        /* the kernel has forgotten it */

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

        /* its end, or an answer that nobody asked for */

        ngx_http_ktp_socket_end(s);
        return;
    }

    /* the connection may be gone afterwards */

    if (!ev->write) {
        ngx_http_ktp_transport_action(c->fd, CURL_CSELECT_IN);
        return;
    }

    fd = c->fd;
    reads = tr->reads;

    ngx_http_ktp_transport_action(fd, CURL_CSELECT_OUT);

    if (tr->sockets[fd]) {
        ngx_http_ktp_socket_written(tr->sockets[fd], tr->reads != reads);
    }
}


/*
 * No call uses the socket at present.  It stays registered for reading, so
 * that the upstream's closing it is noticed when it happens.
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

    /* for the head of the next request; TLS has been agreed upon */
    ngx_http_ktp_socket_cork(s, 1);

    s->used = 1;
    s->idle = 1;
    s->idle_since = ngx_current_msec;
    ngx_queue_insert_tail(&tr->idle, &s->queue);

    if (!tr->reaper.timer_set) {
        ngx_add_timer(&tr->reaper,
                      ngx_max(s->idle_timeout, NGX_HTTP_KTP_PRUNE_INTERVAL));
    }
}


/*
 * libcurl has no call to close a connection that it keeps.  Shut down, it is
 * dead for libcurl as for the upstream, and its descriptor goes when libcurl
 * looks for such ones.  To libcurl it lives while there is something to read:
 * the alert before the end of TLS, or a 408 that nobody waits for.
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

    s->dead = 1;

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


/* Ends what has been idle for too long, and closes what has ended. */

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

        if (!s->dead && left <= 0) {
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
        /* until libcurl has closed them */
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
