#include "ngx_http_ktp_transport_curl.h"
#include <malloc.h>
#include <openssl/err.h>


/*
 * TLS handshakes after which the heap is trimmed, when there were none for so
 * many milliseconds.  That takes some microseconds for each of them.
 */
#define NGX_HTTP_KTP_TRIM_HANDSHAKES 64
#define NGX_HTTP_KTP_TRIM_DELAY      1000


static ngx_uint_t ngx_http_ktp_transport_again(ngx_http_ktp_call_t *call,
                                               CURLcode             rc);
static void       ngx_http_ktp_transport_count(ngx_int_t n);
static void       ngx_http_ktp_transport_remove(ngx_http_ktp_call_t *call);
static void       ngx_http_ktp_transport_finish(ngx_http_ktp_call_t *call,
                                                CURLcode             rc);
static void       ngx_http_ktp_transport_deadline(ngx_event_t *ev);
static void       ngx_http_ktp_transport_ended(CURL *easy, CURLcode rc);
static void       ngx_http_ktp_transport_answered(ngx_event_t *ev);
static int  ngx_http_ktp_transport_timer(CURLM *multi, long ms, void *data);
static void ngx_http_ktp_transport_timer_event(ngx_event_t *ev);
static void ngx_http_ktp_transport_trim_event(ngx_event_t *ev);


ngx_http_ktp_transport_t ngx_http_ktp_transport;

static ngx_http_ktp_transport_stat_t ngx_http_ktp_transport_stat0;
ngx_http_ktp_transport_stat_t       *ngx_http_ktp_transport_stat =
    &ngx_http_ktp_transport_stat0;


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
    ngx_queue_init(&tr->active);
    ngx_queue_init(&tr->spare);

    /* libcurl would write the keys of TLS connections there */
    (void) unsetenv("SSLKEYLOGFILE");

    tr->log = cycle->log;

    if (ngx_http_ktp_transport_memory_init() != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_global_init_mem() failed");
        return NGX_ERROR;
    }

    tr->multi = curl_multi_init();
    tr->share = curl_share_init();

    if (tr->multi == NULL || tr->share == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "curl_multi_init() failed");
        return NGX_ERROR;
    }

    curl_share_setopt(tr->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);

    tr->dummy.fd = (ngx_socket_t) -1;
    tr->timer.handler = ngx_http_ktp_transport_timer_event;
    tr->timer.data = &tr->dummy;
    tr->timer.log = cycle->log;
    tr->timer.cancelable = 1;
    tr->trim.handler = ngx_http_ktp_transport_trim_event;
    tr->trim.data = &tr->dummy;
    tr->trim.log = cycle->log;
    tr->trim.cancelable = 1;
    tr->answered.handler = ngx_http_ktp_transport_answered;
    tr->answered.data = &tr->dummy;
    tr->answered.log = cycle->log;

    curl_multi_setopt(tr->multi, CURLMOPT_SOCKETFUNCTION,
                      ngx_http_ktp_transport_socket_handler);
    curl_multi_setopt(tr->multi, CURLMOPT_TIMERFUNCTION,
                      ngx_http_ktp_transport_timer);
    curl_multi_setopt(tr->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);

    ngx_http_ktp_transport_name_init(cycle);

    return ngx_http_ktp_transport_socket_init(cycle);
}


void
ngx_http_ktp_transport_exit(ngx_cycle_t *cycle)
{
    ngx_queue_t              *q;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->multi == NULL) {
        return;
    }

    curl_multi_setopt(tr->multi, CURLMOPT_TIMERFUNCTION, NULL);

    while (!ngx_queue_empty(&tr->active)) {
        q = ngx_queue_head(&tr->active);
        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);

        if (t->added) {
            (void) curl_multi_remove_handle(tr->multi, t->easy);
        }

        ngx_http_ktp_transport_transfer_free(t);
    }

    while (!ngx_queue_empty(&tr->spare)) {
        q = ngx_queue_head(&tr->spare);
        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);
        ngx_queue_remove(q);
        ngx_http_ktp_transport_transfer_destroy(t);
    }

    if (tr->timer.timer_set) {
        ngx_del_timer(&tr->timer);
    }

    if (tr->trim.timer_set) {
        ngx_del_timer(&tr->trim);
    }

    ngx_http_ktp_transport_name_exit();
    ngx_http_ktp_transport_socket_exit();

    (void) curl_share_cleanup(tr->share);
    tr->multi = NULL;

    curl_global_cleanup();
    ngx_http_ktp_transport_memory_exit();
    ERR_clear_error();
}


ngx_int_t
ngx_http_ktp_transport_start(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->ncalls >= call->upstream->max_inflight) {
        ngx_log_error(NGX_LOG_WARN, call->log, 0,
                      "%ui calls are in flight, which is the limit",
                      tr->ncalls);
        return NGX_BUSY;
    }

    call->start = ngx_current_msec;
    call->deadline = ngx_current_msec + call->upstream->timeout;
    call->connect_time = -1;
    call->header_time = -1;

    t = ngx_http_ktp_transport_transfer_create(call);
    if (t == NULL) {
        return NGX_ERROR;
    }

    call->transfer = t;

    tr->keepalive = ngx_max(tr->keepalive, call->upstream->keepalive);
    ngx_http_ktp_transport_count(1);

    /* not cancelable: a worker that exits waits for its calls */

    call->timer.handler = ngx_http_ktp_transport_deadline;
    call->timer.data = &tr->dummy;
    call->timer.log = call->log;

    if (ngx_http_ktp_transport_add(call) != NGX_OK) {
        ngx_http_ktp_transport_abort(call);
        return NGX_ERROR;
    }

    ngx_http_ktp_transport_callback_progress(call);

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_transport_add(ngx_http_ktp_call_t *call)
{
    CURLMcode                 rc;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    t = call->transfer;
    tr = &ngx_http_ktp_transport;

    rc = curl_multi_add_handle(tr->multi, t->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, call->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        return NGX_ERROR;
    }

    t->added = 1;

    return NGX_OK;
}


void
ngx_http_ktp_transport_resume(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_transfer_t *t;

    t = call->transfer;

    if (t && t->added && call->starved) {
        call->starved = 0;
        (void) curl_easy_pause(t->easy, CURLPAUSE_CONT);
        ERR_clear_error();
    }
}


void
ngx_http_ktp_transport_abort(ngx_http_ktp_call_t *call)
{
    curl_off_t               sent;
    ngx_http_ktp_transfer_t *t;

    t = call->transfer;

    call->response_time = ngx_current_msec - call->start;

    /* the handle may still have that of the call before */

    if (call->begun
        && curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent)
               == CURLE_OK) {
        call->bytes_sent = sent;
    }

    ngx_http_ktp_transport_remove(call);
}


/*
 * libcurl's limit is of all connections when a call gives one back, those of
 * the other calls with it.
 */

static void
ngx_http_ktp_transport_count(ngx_int_t n)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    tr->ncalls += n;
    ngx_http_ktp_transport_stat->calls = tr->ncalls;

    curl_multi_setopt(tr->multi, CURLMOPT_MAXCONNECTS,
                      (long) ngx_max(tr->ncalls + tr->keepalive, 2) - 1);
}


/* Takes the transfer from the call, and the call out of all queues. */

static void
ngx_http_ktp_transport_remove(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    t = call->transfer;
    tr = &ngx_http_ktp_transport;

    call->transfer = NULL;
    ngx_http_ktp_transport_count(-1);

    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }

    if (call->waiting) {
        call->waiting = 0;
        ngx_queue_remove(&call->queue);
    }

    if (t->name) {

        /* others wait for the look-up, and its thread cannot be stopped */

        t->call = NULL;
        return;
    }

    if (t->added) {
        (void) curl_multi_remove_handle(tr->multi, t->easy);
        ERR_clear_error();
    }

    ngx_http_ktp_transport_transfer_free(t);
}


void
ngx_http_ktp_transport_fail(ngx_http_ktp_call_t *call, CURLcode rc)
{
    ngx_http_ktp_transport_finish(call, rc);
}


static void
ngx_http_ktp_transport_finish(ngx_http_ktp_call_t *call, CURLcode rc)
{
    ngx_http_ktp_transport_callback_result(call, rc);
    ngx_http_ktp_transport_remove(call);

    call->done(call->data, call);
}


static void
ngx_http_ktp_transport_deadline(ngx_event_t *ev)
{
    curl_off_t               moved;
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_transfer_t *t;

    call = (ngx_http_ktp_call_t *) ((u_char *) ev
                                    - offsetof(ngx_http_ktp_call_t, timer));
    t = call->transfer;
    moved = 0;

    if (!call->handed_out && !call->waiting
        && (ngx_msec_int_t) (call->deadline - ngx_current_msec) > 0) {

        /* what libcurl has in its buffer goes out without our being told */

        (void) curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &moved);

        if (moved > call->moved || call->starved) {
            call->moved = moved;
            ngx_http_ktp_transport_callback_progress(call);
            return;
        }
    }

    ngx_http_ktp_transport_finish(call, CURLE_OPERATION_TIMEDOUT);
}


/*
 * Whether a call that failed is sent once more: the one rule for that.  The
 * connection broke, nothing of an answer came, and the last byte was not
 * handed out, so that the upstream cannot have taken the request.
 */

static ngx_uint_t
ngx_http_ktp_transport_again(ngx_http_ktp_call_t *call, CURLcode rc)
{
    long                     status, proxy;
    ngx_http_ktp_transfer_t *t;

    t = call->transfer;

    switch (rc) {

    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        break;

    default:
        return 0;
    }

    status = 0;
    proxy = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);

    if (call->handed_out || call->unrepeatable || call->stopped || status
        || proxy >= 300 || call->retries >= call->upstream->retries) {
        return 0;
    }

    if (call->sent
        && (call->rewind == NULL || call->rewind(call->data) != NGX_OK)) {
        return 0;
    }

    ngx_log_error(NGX_LOG_WARN, call->log, 0,
                  "upstream call is sent again: %s", curl_easy_strerror(rc));

    call->retries++;
    call->sent = 0;
    call->moved = 0;
    call->begun = 0;

    /* another kept connection may be as dead as this one */
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);

    if (ngx_http_ktp_transport_add(call) != NGX_OK) {
        return 0;
    }

    ngx_http_ktp_transport_callback_progress(call);

    return 1;
}


void
ngx_http_ktp_transport_action(curl_socket_t fd, int mask)
{
    int                       n;
    CURL                     *easy;
    CURLMsg                  *msg;
    CURLcode                  rc;
    CURLMcode                 mrc;
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

        (void) curl_multi_remove_handle(tr->multi, easy);
        ERR_clear_error();

        ngx_http_ktp_transport_ended(easy, rc);
    }
}


static void
ngx_http_ktp_transport_ended(CURL *easy, CURLcode rc)
{
    ngx_http_ktp_call_t     *call;
    ngx_http_ktp_transfer_t *t;

    t = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

    if (t == NULL) {
        ngx_http_ktp_transport.pruning = 0;
        return;
    }

    t->added = 0;
    call = t->call;

    if (t->name) {
        ngx_http_ktp_transport_name_end(t, rc);
    }

    if (call == NULL) {
        ngx_http_ktp_transport_transfer_free(t);
        return;
    }

    if (t->must_wait) {
        t->must_wait = 0;
        ngx_http_ktp_transport_name_wait(call);
        return;
    }

    if (rc != CURLE_OK && ngx_http_ktp_transport_again(call, rc)) {
        return;
    }

    ngx_http_ktp_transport_finish(call, rc);
}


/*
 * An answer came before the request was whole.  libcurl sends no more of it
 * if it is an error, but does not end a transfer that waits for its body.
 */

static void
ngx_http_ktp_transport_answered(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    for (q = ngx_queue_head(&tr->active); q != ngx_queue_sentinel(&tr->active);
         q = ngx_queue_next(q)) {

        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);

        if (t->heard) {
            t->heard = 0;

            if (t->call) {
                ngx_http_ktp_transport_resume(t->call);
            }
        }
    }
}


static int
ngx_http_ktp_transport_timer(CURLM *multi, long ms, void *data)
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
ngx_http_ktp_transport_timer_event(ngx_event_t *ev)
{
    ngx_http_ktp_transport_action(CURL_SOCKET_TIMEOUT, 0);
}


void
ngx_http_ktp_transport_trim(void)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (++tr->handshakes >= NGX_HTTP_KTP_TRIM_HANDSHAKES) {
        ngx_add_timer(&tr->trim, NGX_HTTP_KTP_TRIM_DELAY);
    }
}


static void
ngx_http_ktp_transport_trim_event(ngx_event_t *ev)
{
    ngx_http_ktp_transport.handshakes = 0;

    (void) malloc_trim(0);
}
