#include "ngx_http_ktp_wake.h"
#include <sys/eventfd.h>


static void ngx_http_ktp_wake_event(ngx_event_t *ev);


static ngx_fd_t             ngx_http_ktp_wake_fds[NGX_HTTP_KTP_WAKE_MAX];
static ngx_uint_t           ngx_http_ktp_wake_n;
static ngx_connection_t    *ngx_http_ktp_wake_connection;
static ngx_http_ktp_wake_pt ngx_http_ktp_wake_handler;


ngx_int_t
ngx_http_ktp_wake_create(ngx_uint_t n, ngx_log_t *log)
{
    ngx_fd_t fd;

    n = ngx_min(n, NGX_HTTP_KTP_WAKE_MAX);

    while (ngx_http_ktp_wake_n < n) {
        fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "eventfd() failed");
            return NGX_ERROR;
        }

        ngx_http_ktp_wake_fds[ngx_http_ktp_wake_n++] = fd;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_ktp_wake_places(void)
{
    return ngx_http_ktp_wake_n;
}


ngx_int_t
ngx_http_ktp_wake_init(ngx_uint_t place, ngx_http_ktp_wake_pt handler,
                       ngx_log_t *log)
{
    ngx_connection_t *c;

    c = ngx_get_connection(ngx_http_ktp_wake_fds[place], log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->read->handler = ngx_http_ktp_wake_event;

    /* as that of the master's channel, it is open as long as the worker */

    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    ngx_http_ktp_wake_connection = c;
    ngx_http_ktp_wake_handler = handler;

    return NGX_OK;
}


static void
ngx_http_ktp_wake_event(ngx_event_t *ev)
{
    uint64_t          count;
    ngx_connection_t *c;

    c = ev->data;

    if (read(c->fd, &count, sizeof(count)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                      "read() from an event descriptor failed");
    }

    ngx_http_ktp_wake_handler();
}


void
ngx_http_ktp_wake(ngx_uint_t place)
{
    uint64_t one;

    one = 1;

    /* EAGAIN: it has been woken very often, and not read yet */

    if (place < ngx_http_ktp_wake_n) {
        (void) !write(ngx_http_ktp_wake_fds[place], &one, sizeof(one));
    }
}


/* The descriptor itself is that of the master. */

void
ngx_http_ktp_wake_exit(void)
{
    ngx_connection_t *c;

    c = ngx_http_ktp_wake_connection;

    if (c) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        ngx_http_ktp_wake_connection = NULL;
    }
}
