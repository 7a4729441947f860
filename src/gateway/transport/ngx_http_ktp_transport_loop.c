#include "ngx_http_ktp_transport_curl.h"
#include "ngx_http_ktp_registers.h"
#include <openssl/err.h>


static int  ngx_http_ktp_loop_timer(CURLM *multi, long ms, void *data);
static void ngx_http_ktp_loop_timeout(ngx_event_t *ev);


static ngx_event_t ngx_http_ktp_loop_event;  /* libcurl's timer */
static ngx_uint_t  ngx_http_ktp_loop_inside; /* libcurl's function is called */


void
ngx_http_ktp_transport_loop_init(void)
{
    ngx_event_t *ev;

    ev = &ngx_http_ktp_loop_event;
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_http_ktp_loop_timeout;
    ev->data = &ngx_http_ktp_transport.dummy;
    ev->log = ngx_http_ktp_transport.log;
    ev->cancelable = 1; /* libcurl's timers do not delay an exit */

    curl_multi_setopt(ngx_http_ktp_transport.multi, CURLMOPT_TIMERFUNCTION,
                      ngx_http_ktp_loop_timer);
}


void
ngx_http_ktp_transport_loop_exit(void)
{
    curl_multi_setopt(ngx_http_ktp_transport.multi, CURLMOPT_TIMERFUNCTION,
                      NULL);

    if (ngx_http_ktp_loop_event.timer_set) {
        ngx_del_timer(&ngx_http_ktp_loop_event);
    }
}


void
ngx_http_ktp_transport_loop_action(curl_socket_t fd, int mask)
{
    int                       n;
    CURL                     *easy;
    CURLMsg                  *msg;
    CURLcode                  rc;
    CURLMcode                 mrc;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    ngx_http_ktp_transport_name_keep_all();

    ngx_http_ktp_loop_inside = 1;
    mrc = curl_multi_socket_action(tr->multi, fd, mask, &n);
    ngx_http_ktp_loop_inside = 0;

    /*
     * Errors that are left in OpenSSL's queue would be reported by the next
     * TLS operation of nginx, on a client's connection.
     */
    ERR_clear_error();

    if (mrc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, tr->log, 0,
                      "curl_multi_socket_action() failed: %s",
                      curl_multi_strerror(mrc));
    }

    ngx_http_ktp_transport_name_check_all();

    for (;;) {
        msg = curl_multi_info_read(tr->multi, &n);
        if (msg == NULL) {
            break;
        }

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        /* removing the handle frees the message */

        easy = msg->easy_handle;
        rc = msg->data.result;

        (void) curl_multi_remove_handle(tr->multi, easy);
        ERR_clear_error();

        ngx_http_ktp_transport_ended(easy, rc);
    }

    /* libcurl has copied headers, and with them the credentials */
    ngx_http_ktp_registers_wipe();
}


static int
ngx_http_ktp_loop_timer(CURLM *multi, long ms, void *data)
{
    ngx_event_t *ev;

    ev = &ngx_http_ktp_loop_event;

    /*
     * ngx_add_timer() ignores a change of less than 300 ms, with which libcurl
     * would be called late.
     */

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ms > 0) {
        ngx_add_timer(ev, (ngx_msec_t) ms);

    } else if (ms == 0) {
        /* within libcurl: after the next poll, or it could loop for ever */

        if (ngx_http_ktp_loop_inside) {
            ngx_post_event(ev, &ngx_posted_next_events);

        } else {
            ngx_post_event(ev, &ngx_posted_events);
        }

    } else if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    return 0;
}


static void
ngx_http_ktp_loop_timeout(ngx_event_t *ev)
{
    ngx_http_ktp_transport_loop_action(CURL_SOCKET_TIMEOUT, 0);
}
