#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <fcntl.h>
#include <curl/curl.h>
#include <openssl/err.h>
#include "ngx_http_ktp_transport.h"


/* Handles kept for use again; each remembers its TLS sessions. */
#define NGX_HTTP_KTP_EASIES 64

/* libcurl takes upload buffers from 16 KB to 2 MB. */
#define NGX_HTTP_KTP_UPLOAD_MIN 16384
#define NGX_HTTP_KTP_UPLOAD_MAX (512 * 1024)

/* The first buffer of an answer; they have about 1 KB. */
#define NGX_HTTP_KTP_ANSWER_SIZE 4096


typedef struct {
    CURLM           *multi;
    ngx_log_t       *log;
    ngx_event_t      timer; /* libcurl's own; only one is asked for */
    ngx_connection_t dummy; /* what debug messages of timers look at */
    ngx_queue_t      sockets;
    CURL            *easies[NGX_HTTP_KTP_EASIES];
    ngx_uint_t       neasies;
    unsigned         inside : 1; /* in curl_multi_socket_action() */
} ngx_http_ktp_transport_t;

/* A socket of libcurl's as nginx's event loop sees it. */
typedef struct {
    ngx_queue_t       queue;
    ngx_connection_t *connection;
} ngx_http_ktp_socket_t;


static CURL     *ngx_http_ktp_easy_get(void);
static void      ngx_http_ktp_easy_put(CURL *easy);
static ngx_int_t ngx_http_ktp_call_setup(ngx_http_ktp_call_t *call);
static size_t    ngx_http_ktp_call_read(char *buf, size_t size, size_t n,
                                        void *data);
static int ngx_http_ktp_call_seek(void *data, curl_off_t offset, int origin);
static size_t ngx_http_ktp_call_write(char *p, size_t size, size_t n,
                                      void *data);
static void   ngx_http_ktp_call_progress(ngx_http_ktp_call_t *call);
static void   ngx_http_ktp_call_timeout(ngx_event_t *ev);
static void   ngx_http_ktp_call_result(ngx_http_ktp_call_t *call, CURLcode rc);
static void   ngx_http_ktp_call_facts(ngx_http_ktp_call_t *call);
static void   ngx_http_ktp_call_release(ngx_http_ktp_call_t *call);
static int ngx_http_ktp_socket_handler(CURL *easy, curl_socket_t fd, int what,
                                       void *data, void *socket);
static ngx_http_ktp_socket_t *ngx_http_ktp_socket_create(curl_socket_t fd);
static void ngx_http_ktp_socket_events(ngx_connection_t *c, int what);
static void ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s);
static void ngx_http_ktp_socket_event(ngx_event_t *ev);
static int  ngx_http_ktp_timer_handler(CURLM *multi, long ms, void *data);
static void ngx_http_ktp_timer_event(ngx_event_t *ev);
static void ngx_http_ktp_action(curl_socket_t fd, int mask);


static ngx_http_ktp_transport_t ngx_http_ktp_transport;


ngx_int_t
ngx_http_ktp_transport_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_transport_t *tr;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE) {
        return NGX_OK;
    }

    tr = &ngx_http_ktp_transport;
    ngx_memzero(tr, sizeof(ngx_http_ktp_transport_t));
    ngx_queue_init(&tr->sockets);

    /* libcurl would write the keys of TLS connections there */
    (void) unsetenv("SSLKEYLOGFILE");

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init() failed");
        return NGX_ERROR;
    }

    tr->multi = curl_multi_init();
    if (tr->multi == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_multi_init() failed");
        return NGX_ERROR;
    }

    tr->log = cycle->log;
    tr->dummy.fd = (ngx_socket_t) -1;
    tr->timer.handler = ngx_http_ktp_timer_event;
    tr->timer.data = &tr->dummy;
    tr->timer.log = cycle->log;
    tr->timer.cancelable = 1;

    curl_multi_setopt(tr->multi, CURLMOPT_SOCKETFUNCTION,
                      ngx_http_ktp_socket_handler);
    curl_multi_setopt(tr->multi, CURLMOPT_TIMERFUNCTION,
                      ngx_http_ktp_timer_handler);
    curl_multi_setopt(tr->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);

    return NGX_OK;
}


void
ngx_http_ktp_transport_exit(ngx_cycle_t *cycle)
{
    ngx_queue_t              *q;
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->multi == NULL) {
        return;
    }

    curl_multi_setopt(tr->multi, CURLMOPT_SOCKETFUNCTION, NULL);
    curl_multi_setopt(tr->multi, CURLMOPT_TIMERFUNCTION, NULL);

    while (!ngx_queue_empty(&tr->sockets)) {
        q = ngx_queue_head(&tr->sockets);
        s = ngx_queue_data(q, ngx_http_ktp_socket_t, queue);
        ngx_http_ktp_socket_free(s);
    }

    if (tr->timer.timer_set) {
        ngx_del_timer(&tr->timer);
    }

    while (tr->neasies) {
        curl_easy_cleanup(tr->easies[--tr->neasies]);
    }

    (void) curl_multi_cleanup(tr->multi);
    tr->multi = NULL;

    curl_global_cleanup();
    ERR_clear_error();
}


ngx_int_t
ngx_http_ktp_call_start(ngx_http_ktp_call_t *call)
{
    CURLMcode                 rc;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    call->easy = ngx_http_ktp_easy_get();
    if (call->easy == NULL) {
        return NGX_ERROR;
    }

    call->start = ngx_current_msec;
    call->deadline = ngx_current_msec + call->upstream->timeout;
    call->connect_time = -1;
    call->header_time = -1;

    if (ngx_http_ktp_call_setup(call) != NGX_OK) {
        ngx_http_ktp_call_release(call);
        return NGX_ERROR;
    }

    rc = curl_multi_add_handle(tr->multi, call->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, call->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        ngx_http_ktp_call_release(call);
        return NGX_ERROR;
    }

    /* not cancelable: a worker that exits waits for its calls */

    call->timer.handler = ngx_http_ktp_call_timeout;
    call->timer.data = &tr->dummy;
    call->timer.log = call->log;
    ngx_http_ktp_call_progress(call);

    return NGX_OK;
}


void
ngx_http_ktp_call_abort(ngx_http_ktp_call_t *call)
{
    (void) curl_multi_remove_handle(ngx_http_ktp_transport.multi, call->easy);
    ERR_clear_error();

    ngx_http_ktp_call_release(call);
}


static CURL *
ngx_http_ktp_easy_get(void)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->neasies) {
        return tr->easies[--tr->neasies];
    }

    return curl_easy_init();
}


static void
ngx_http_ktp_easy_put(CURL *easy)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->neasies == NGX_HTTP_KTP_EASIES) {
        curl_easy_cleanup(easy);
        return;
    }

    /* keeps the TLS sessions, and lets go of pointers into the call */

    curl_easy_reset(easy);
    tr->easies[tr->neasies++] = easy;
}


static ngx_int_t
ngx_http_ktp_call_setup(ngx_http_ktp_call_t *call)
{
    CURL                          *easy;
    long                           buffer;
    ngx_str_t                     *h;
    ngx_uint_t                     i;
    struct curl_slist             *slist;
    const ngx_http_ktp_upstream_t *up;

    easy = call->easy;
    up = call->upstream;

    /*
     * "Expect: 100-continue" would cost a round trip; an empty value keeps
     * libcurl from adding the header.
     */

    call->slist = curl_slist_append(NULL, "Expect:");
    if (call->slist == NULL) {
        return NGX_ERROR;
    }

    h = call->headers->elts;

    for (i = 0; i < call->headers->nelts; i++) {
        slist = curl_slist_append(call->slist, (char *) h[i].data);
        if (slist == NULL) {
            return NGX_ERROR;
        }
    }

    buffer = ngx_max(call->body_length, NGX_HTTP_KTP_UPLOAD_MIN);
    buffer = ngx_min(buffer, NGX_HTTP_KTP_UPLOAD_MAX);

    if (curl_easy_setopt(easy, CURLOPT_URL, up->url.data) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->slist) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer)
               != CURLE_OK
        || (up->unix_socket.len
            && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                                up->unix_socket.data)
                   != CURLE_OK)
        || (up->ca_file.len
            && curl_easy_setopt(easy, CURLOPT_CAINFO, up->ca_file.data)
                   != CURLE_OK)) {
        return NGX_ERROR;
    }

    /* Debian's default folder of certificates switches the CA cache off */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t) call->body_length);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, ngx_http_ktp_call_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, ngx_http_ktp_call_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ngx_http_ktp_call_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);

    /* HTTP/2 uploads cost more, and can spin while flow control blocks */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* App-ID and API-Key would go along */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* whatever the environment says */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    /* an abort during a name look-up must not wait for the look-up */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) up->connect_timeout);

    return NGX_OK;
}


static size_t
ngx_http_ktp_call_read(char *buf, size_t size, size_t n, void *data)
{
    ngx_http_ktp_call_t *call = data;

    size_t len;

    len = call->read(call->data, (u_char *) buf, size * n);

    call->sent += len;

    if (call->sent == call->body_length) {
        call->handed_out = 1;
    }

    ngx_http_ktp_call_progress(call);

    return len;
}


/*
 * libcurl repeats a request by itself when a kept connection turns out to be
 * dead.  It may, while the request was never whole.
 */

static int
ngx_http_ktp_call_seek(void *data, curl_off_t offset, int origin)
{
    ngx_http_ktp_call_t *call = data;

    if (call->handed_out || offset != 0 || origin != SEEK_SET) {
        return CURL_SEEKFUNC_FAIL;
    }

    call->rewind(call->data);
    call->sent = 0;

    return CURL_SEEKFUNC_OK;
}


static size_t
ngx_http_ktp_call_write(char *p, size_t size, size_t n, void *data)
{
    ngx_http_ktp_call_t *call = data;

    u_char *body;
    size_t  len, need;

    len = size * n;

    if (len > call->upstream->max_response - call->body.len) {
        call->too_large = 1;
        return 0;
    }

    need = call->body.len + len;

    if (need > call->allocated) {
        need = ngx_max(need, 2 * call->allocated);
        need = ngx_max(need, NGX_HTTP_KTP_ANSWER_SIZE);

        body = ngx_pnalloc(call->pool, need);
        if (body == NULL) {
            return 0;
        }

        if (call->body.len) {
            ngx_memcpy(body, call->body.data, call->body.len);
            (void) ngx_pfree(call->pool, call->body.data);
        }

        call->body.data = body;
        call->allocated = need;
    }

    ngx_memcpy(call->body.data + call->body.len, p, len);
    call->body.len += len;

    ngx_http_ktp_call_progress(call);

    return len;
}


/* A byte moved: the time-out between two of them starts anew. */

static void
ngx_http_ktp_call_progress(ngx_http_ktp_call_t *call)
{
    ngx_msec_t     timer;
    ngx_msec_int_t left;

    left = (ngx_msec_int_t) (call->deadline - ngx_current_msec);
    left = ngx_max(left, 1);

    timer = ngx_min(call->upstream->read_timeout, (ngx_msec_t) left);

    ngx_add_timer(&call->timer, timer);
}


static void
ngx_http_ktp_call_timeout(ngx_event_t *ev)
{
    ngx_http_ktp_call_t *call;

    call = (ngx_http_ktp_call_t *) ((u_char *) ev
                                    - offsetof(ngx_http_ktp_call_t, timer));

    ngx_http_ktp_call_result(call, CURLE_OPERATION_TIMEDOUT);
    ngx_http_ktp_call_facts(call);
    ngx_http_ktp_call_abort(call);

    call->done(call->data, call);
}


static void
ngx_http_ktp_call_result(ngx_http_ktp_call_t *call, CURLcode rc)
{
    if (rc == CURLE_OK) {
        call->result = NGX_HTTP_KTP_CALL_OK;
        return;
    }

    if (call->too_large) {
        call->result = NGX_HTTP_KTP_CALL_TOO_LARGE;
        call->error = "too large answer";
        return;
    }

    call->result = rc == CURLE_OPERATION_TIMEDOUT ? NGX_HTTP_KTP_CALL_TIMEOUT
                                                  : NGX_HTTP_KTP_CALL_FAILED;
    call->error = curl_easy_strerror(rc);
}


/* What is known of the call, while libcurl still has it. */

static void
ngx_http_ktp_call_facts(ngx_http_ktp_call_t *call)
{
    char      *s;
    long       n;
    u_char    *p;
    size_t     len;
    curl_off_t t;

    call->response_time = ngx_current_msec - call->start;

    if (curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &n)
        == CURLE_OK) {
        call->status = n;
    }

    if (curl_easy_getinfo(call->easy, CURLINFO_CONNECT_TIME_T, &t) == CURLE_OK
        && t) {
        call->connect_time = t / 1000;
    }

    if (curl_easy_getinfo(call->easy, CURLINFO_STARTTRANSFER_TIME_T, &t)
            == CURLE_OK
        && call->status) {
        call->header_time = t / 1000;
    }

    if (curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &t)
        == CURLE_OK) {
        call->bytes_sent = t;
    }

    s = NULL;

    if (curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &s) == CURLE_OK
        && s) {
        len = ngx_strlen(s);
        p = ngx_pnalloc(call->pool, len);

        if (p) {
            ngx_memcpy(p, s, len);
            call->content_type.data = p;
            call->content_type.len = len;
        }
    }

    if (call->upstream->unix_socket.len) {
        call->addr = call->upstream->unix_socket;
        return;
    }

    s = NULL;
    n = 0;

    (void) curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_PORT, &n);

    if (curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &s) == CURLE_OK && s
        && *s) {
        p = ngx_pnalloc(call->pool, NGX_SOCKADDR_STRLEN);

        if (p) {
            call->addr.data = p;
            call->addr.len =
                ngx_snprintf(p, NGX_SOCKADDR_STRLEN,
                             ngx_strchr(s, ':') ? "[%s]:%l" : "%s:%l", s, n)
                - p;
        }
    }
}


static void
ngx_http_ktp_call_release(ngx_http_ktp_call_t *call)
{
    struct curl_slist *s;

    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }

    ngx_http_ktp_easy_put(call->easy);
    call->easy = NULL;

    /* the headers have the credentials */

    for (s = call->slist; s; s = s->next) {
        ngx_explicit_memzero(s->data, ngx_strlen(s->data));
    }

    curl_slist_free_all(call->slist);
    call->slist = NULL;
}


/* Always returns 0: -1 would fail every call of the worker. */

static int
ngx_http_ktp_socket_handler(CURL *easy, curl_socket_t fd, int what, void *data,
                            void *socket)
{
    ngx_http_ktp_socket_t *s = socket;

    if (what == CURL_POLL_REMOVE) {
        if (s) {
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

        (void) curl_multi_assign(ngx_http_ktp_transport.multi, fd, s);
    }

    ngx_http_ktp_socket_events(s->connection, what);

    return 0;
}


static ngx_http_ktp_socket_t *
ngx_http_ktp_socket_create(curl_socket_t fd)
{
    ngx_connection_t         *c;
    ngx_http_ktp_socket_t    *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    s = ngx_alloc(sizeof(ngx_http_ktp_socket_t), tr->log);
    if (s == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, tr->log);
    if (c == NULL) {
        ngx_free(s);
        return NULL;
    }

    s->connection = c;
    ngx_queue_insert_tail(&tr->sockets, &s->queue);

    c->data = s;
    c->log = tr->log;
    c->read->log = tr->log;
    c->write->log = tr->log;

    /* both, whichever is asked for: nginx calls them when it shuts down */

    c->read->handler = ngx_http_ktp_socket_event;
    c->write->handler = ngx_http_ktp_socket_event;

    return s;
}


/*
 * Level-triggered: libcurl sends one buffer an event and does not go on until
 * the socket blocks, as edge-triggered events would need.
 */

static void
ngx_http_ktp_socket_events(ngx_connection_t *c, int what)
{
    ngx_int_t rc;

    rc = NGX_OK;

    if (what & CURL_POLL_IN) {
        if (!c->read->active) {
            rc |= ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
        }

    } else if (c->read->active) {
        rc |= ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (what & CURL_POLL_OUT) {
        if (!c->write->active) {
            rc |= ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
        }

    } else if (c->write->active) {
        rc |= ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, c->log, 0,
                      "events of an upstream socket could not be set");
    }
}


static void
ngx_http_ktp_socket_free(ngx_http_ktp_socket_t *s)
{
    ngx_connection_t *c;

    c = s->connection;

    if (fcntl(c->fd, F_GETFD) == -1) {

        /* libcurl has closed it, and the kernel has forgotten it */

        c->read->active = 0;
        c->write->active = 0;

    } else if (ngx_del_conn && (c->read->active || c->write->active)) {
        (void) ngx_del_conn(c, 0);

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

    ngx_queue_remove(&s->queue);
    ngx_free(s);
}


static void
ngx_http_ktp_socket_event(ngx_event_t *ev)
{
    ngx_connection_t *c;

    c = ev->data;

    /* the connection may be gone afterwards */

    ngx_http_ktp_action(c->fd, ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
}


static int
ngx_http_ktp_timer_handler(CURLM *multi, long ms, void *data)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    /* nginx would keep a timer that changes by less than 300 ms */

    if (tr->timer.timer_set) {
        ngx_del_timer(&tr->timer);
    }

    if (ms > 0) {
        ngx_add_timer(&tr->timer, (ngx_msec_t) ms);

    } else if (ms == 0) {
        if (tr->inside) {
            ngx_post_event(&tr->timer, &ngx_posted_next_events);

        } else {
            ngx_post_event(&tr->timer, &ngx_posted_events);
        }

    } else if (tr->timer.posted) {
        ngx_delete_posted_event(&tr->timer);
    }

    return 0;
}


static void
ngx_http_ktp_timer_event(ngx_event_t *ev)
{
    ngx_http_ktp_action(CURL_SOCKET_TIMEOUT, 0);
}


/* Lets libcurl go on, and tells the callers of calls that are done. */

static void
ngx_http_ktp_action(curl_socket_t fd, int mask)
{
    int                       n;
    CURL                     *easy;
    CURLMsg                  *msg;
    CURLcode                  rc;
    CURLMcode                 mrc;
    ngx_http_ktp_call_t      *call;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    tr->inside = 1;
    mrc = curl_multi_socket_action(tr->multi, fd, mask, &n);
    tr->inside = 0;

    /* nginx's own TLS connections would take them for theirs */
    ERR_clear_error();

    if (mrc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, tr->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(mrc));
    }

    for (;;) {
        msg = curl_multi_info_read(tr->multi, &n);
        if (msg == NULL) {
            break;
        }

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* the message goes with the handle */

        easy = msg->easy_handle;
        rc = msg->data.result;

        call = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &call);

        ngx_http_ktp_call_result(call, rc);
        ngx_http_ktp_call_facts(call);
        ngx_http_ktp_call_abort(call);

        call->done(call->data, call);
    }
}
