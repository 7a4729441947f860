#include "ngx_http_ktp_transport_curl.h"
#include <openssl/err.h>


/* The version that loops during calls, CURL_VERSION_BITS(8, 20, 0). */
#define NGX_HTTP_KTP_CURL_SPINS 0x081400

/* The first that looks at kept-alive connections once a second, if at all. */
#define NGX_HTTP_KTP_CURL_CHECKS_LATE 0x081500


static ngx_uint_t
            ngx_http_ktp_transport_grows(ngx_http_ktp_transfer_state_t state);
static void ngx_http_ktp_transport_count(ngx_http_ktp_call_t *call,
                                         ngx_int_t            n);
static void ngx_http_ktp_transport_remove(ngx_http_ktp_transfer_t *t);
static void ngx_http_ktp_transport_finish(ngx_http_ktp_transfer_t *t,
                                          CURLcode                 rc);
static void ngx_http_ktp_transport_deadline(ngx_event_t *ev);
static ngx_uint_t ngx_http_ktp_transport_again(ngx_http_ktp_transfer_t *t,
                                               CURLcode                 rc);
static ngx_uint_t ngx_http_ktp_transport_stale(ngx_http_ktp_transfer_t *t);
static void       ngx_http_ktp_transport_answered(ngx_event_t *ev);


ngx_http_ktp_transport_t ngx_http_ktp_transport;

static ngx_http_ktp_transport_stat_t ngx_http_ktp_transport_stat0;
ngx_http_ktp_transport_stat_t       *ngx_http_ktp_transport_stat =
    &ngx_http_ktp_transport_stat0;


ngx_int_t
ngx_http_ktp_transport_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_transport_t *tr;
    curl_version_info_data   *info;

    if (ngx_process != NGX_PROCESS_WORKER
        && ngx_process != NGX_PROCESS_SINGLE) {
        return NGX_OK;
    }

    tr = &ngx_http_ktp_transport;
    ngx_memzero(tr, sizeof(ngx_http_ktp_transport_t));
    ngx_queue_init(&tr->active);
    ngx_queue_init(&tr->spare);

    /* libcurl would log TLS session keys to the file that it names */
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
                      "curl_multi_init() or curl_share_init() failed");
        return NGX_ERROR;
    }

    /* otherwise TLS sessions could be resumed only by the same handle */
    curl_share_setopt(tr->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);

    tr->dummy.fd = (ngx_socket_t) -1;
    tr->answered.handler = ngx_http_ktp_transport_answered;
    tr->answered.data = &tr->dummy;
    tr->answered.log = cycle->log;

    ngx_http_ktp_transport_loop_init();

    curl_multi_setopt(tr->multi, CURLMOPT_SOCKETFUNCTION,
                      ngx_http_ktp_transport_socket_handler);
    curl_multi_setopt(tr->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);

    /*
     * IPv4 and IPv6 take a thread each; otherwise 20 would be left for all.
     * Older versions do not know the option, and have no limit.
     */
    (void) curl_multi_setopt(tr->multi, CURLMOPT_RESOLVE_THREADS_MAX,
                             2L * NGX_HTTP_KTP_LOOKUPS);

    info = curl_version_info(CURLVERSION_NOW);

    if (info->version_num == NGX_HTTP_KTP_CURL_SPINS && ngx_worker == 0) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "libcurl %s takes a whole CPU core during calls after a "
                      "failed name lookup, use another version",
                      info->version);
    }

    tr->reuses_dead = info->version_num >= NGX_HTTP_KTP_CURL_CHECKS_LATE;

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

    ngx_http_ktp_transport_loop_exit();

    while (!ngx_queue_empty(&tr->active)) {
        q = ngx_queue_head(&tr->active);
        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);

        if (t->timer.timer_set) {
            ngx_del_timer(&t->timer);
        }

        if (t->state >= NGX_HTTP_KTP_TRANSFER_STARTED) {
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
    static const char *const kinds[] = {"upstream calls", "streamed calls",
                                        "image downloads"};

    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (call->share && call->share->calls[call->kind] >= call->share->max) {
        ngx_log_error(NGX_LOG_INFO, call->log, 0,
                      "limit of %ui concurrent %s of \"%V\" reached",
                      call->share->max, kinds[call->kind], &call->share->name);
        return NGX_AGAIN;
    }

    if (tr->nkind[call->kind] >= call->upstream->max_inflight) {
        ngx_log_error(NGX_LOG_WARN, call->log, 0,
                      "limit of %ui concurrent %s reached",
                      call->upstream->max_inflight, kinds[call->kind]);
        return NGX_BUSY;
    }

    if (ngx_http_ktp_transport_memory_reserve() != NGX_OK) {
        return NGX_ERROR;
    }

    call->connect_time = -1;
    call->header_time = -1;

    t = ngx_http_ktp_transport_transfer_create(call);
    if (t == NULL) {
        return call->result == NGX_HTTP_KTP_CALL_STOPPED ? NGX_DECLINED
                                                         : NGX_ERROR;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                   "ktp call started: body of %O bytes",
                   call->read ? call->body_length : 0);

    call->transfer = t;

    t->start = ngx_current_msec;
    t->attempt = ngx_current_msec;
    t->deadline = ngx_current_msec
                  + (call->timeout ? call->timeout : call->upstream->timeout);

    /* not cancelable: on a graceful shutdown the worker waits for its calls */

    t->timer.handler = ngx_http_ktp_transport_deadline;
    t->timer.data = &tr->dummy;
    t->timer.log = call->log;

    tr->keepalive = ngx_max(tr->keepalive, call->upstream->keepalive);
    ngx_http_ktp_transport_count(call, 1);

    if (ngx_http_ktp_transport_add(t) != NGX_OK) {
        ngx_http_ktp_transport_abort(call);
        return NGX_ERROR;
    }

    ngx_http_ktp_transport_callback_progress(t);

    return NGX_OK;
}


void
ngx_http_ktp_transport_state(ngx_http_ktp_transfer_t      *t,
                             ngx_http_ktp_transfer_state_t state)
{
#if (NGX_DEBUG)
    static const char *const names[] = {
        [NGX_HTTP_KTP_TRANSFER_SPARE] = "SPARE",
        [NGX_HTTP_KTP_TRANSFER_QUEUED] = "QUEUED",
        [NGX_HTTP_KTP_TRANSFER_ENDED] = "ENDED",
        [NGX_HTTP_KTP_TRANSFER_STARTED] = "STARTED",
        [NGX_HTTP_KTP_TRANSFER_DEFERRED] = "DEFERRED",
        [NGX_HTTP_KTP_TRANSFER_RESOLVING] = "RESOLVING",
        [NGX_HTTP_KTP_TRANSFER_ABANDONED] = "ABANDONED",
        [NGX_HTTP_KTP_TRANSFER_CONNECTING] = "CONNECTING",
        [NGX_HTTP_KTP_TRANSFER_SENDING] = "SENDING",
        [NGX_HTTP_KTP_TRANSFER_PAUSED] = "PAUSED",
        [NGX_HTTP_KTP_TRANSFER_WAITING] = "WAITING",
        [NGX_HTTP_KTP_TRANSFER_RECEIVING] = "RECEIVING",
    };

    if (t->state != state) {
        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, ngx_http_ktp_transport_log(t), 0,
                       "ktp call state: %s -> %s", names[t->state],
                       names[state]);
    }
#endif

    ngx_http_ktp_transport.ngrowing +=
        ngx_http_ktp_transport_grows(state)
        - ngx_http_ktp_transport_grows(t->state);

    t->state = state;
}


/* 1 if libcurl may still have to allocate most of what a call takes. */

static ngx_uint_t
ngx_http_ktp_transport_grows(ngx_http_ktp_transfer_state_t state)
{
    return state == NGX_HTTP_KTP_TRANSFER_QUEUED
           || (state >= NGX_HTTP_KTP_TRANSFER_STARTED
               && state <= NGX_HTTP_KTP_TRANSFER_SENDING);
}


void
ngx_http_ktp_transport_stop(ngx_http_ktp_transfer_t   *t,
                            ngx_http_ktp_call_result_t result,
                            const char                *error)
{
    ngx_http_ktp_call_t *call;

    call = t->call;

    if (call->result == NGX_HTTP_KTP_CALL_OK) {
        call->result = result;
        call->error = error;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0, "ktp call stopped: %s",
                   error);
}


void
ngx_http_ktp_transport_fail(ngx_http_ktp_transfer_t   *t,
                            ngx_http_ktp_call_result_t result,
                            const char                *error)
{
    ngx_http_ktp_transport_stop(t, result, error);
    ngx_http_ktp_transport_finish(t, CURLE_ABORTED_BY_CALLBACK);
}


ngx_int_t
ngx_http_ktp_transport_add(ngx_http_ktp_transfer_t *t)
{
    CURLMcode rc;

    ngx_http_ktp_transport_name_hosts(t);

    rc = curl_multi_add_handle(ngx_http_ktp_transport.multi, t->easy);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, t->call->log, 0,
                      "curl_multi_add_handle() failed: %s",
                      curl_multi_strerror(rc));
        return NGX_ERROR;
    }

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_STARTED);

    return NGX_OK;
}


void
ngx_http_ktp_transport_resume(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_transfer_t *t;

    t = call->transfer;

    if (t->state == NGX_HTTP_KTP_TRANSFER_PAUSED) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call body: resumed after %O bytes", t->sent);

        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_SENDING);
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

    call->response_time = ngx_current_msec - t->start;

    /* before that, the handle may still have the previous call's figure */

    if (t->begun
        && curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent)
               == CURLE_OK) {
        call->bytes_sent = sent;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                   "ktp call aborted: %O bytes of the body sent",
                   call->bytes_sent);

    ngx_http_ktp_transport_remove(t);
}


/*
 * CURLMOPT_MAXCONNECTS limits all connections, those in use included, and is
 * applied when a call returns its connection: the limit of idle ones is
 * raised by the number of calls.
 */

static void
ngx_http_ktp_transport_count(ngx_http_ktp_call_t *call, ngx_int_t n)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    tr->ncalls += n;
    tr->nkind[call->kind] += n;

    if (call->share) {
        call->share->calls[call->kind] += n;
    }

    ngx_http_ktp_transport_stat->calls = tr->ncalls;

    curl_multi_setopt(tr->multi, CURLMOPT_MAXCONNECTS,
                      (long) ngx_max(tr->ncalls + tr->keepalive, 2) - 1);
}


/* Detaches the transfer from its call, and frees it if it can be. */

static void
ngx_http_ktp_transport_remove(ngx_http_ktp_transfer_t *t)
{
    t->call->transfer = NULL;
    ngx_http_ktp_transport_count(t->call, -1);

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    if (t->state == NGX_HTTP_KTP_TRANSFER_RESOLVING) {

        /*
         * Other calls wait for this look-up.  Removing the handle would not
         * stop its thread, and each aborted call would leave one behind; nor
         * may libcurl do so when its connect timeout expires.
         */

        ngx_http_ktp_transport_name_keep(t);

        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_ABANDONED);
        t->call = NULL;
        return;
    }

    if (t->state == NGX_HTTP_KTP_TRANSFER_QUEUED) {
        ngx_queue_remove(&t->waiting);

    } else if (t->state >= NGX_HTTP_KTP_TRANSFER_STARTED) {
        (void) curl_multi_remove_handle(ngx_http_ktp_transport.multi, t->easy);
        ERR_clear_error();

        if (t->name) {
            ngx_http_ktp_transport_name_end(t, CURLE_ABORTED_BY_CALLBACK);
        }
    }

    ngx_http_ktp_transport_transfer_free(t);
}


void
ngx_http_ktp_transport_end(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_ENDED);
    ngx_http_ktp_transport_finish(t, rc);
}


static void
ngx_http_ktp_transport_finish(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    ngx_http_ktp_call_t *call;

    call = t->call;

    ngx_http_ktp_transport_callback_result(t, rc);

    if (rc == CURLE_OK) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call answer: whole, body of %uz bytes",
                       call->body.len);

    } else {
        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call failed: curl code %d, %s", (int) rc,
                       call->error);
    }

    ngx_http_ktp_transport_remove(t);

    call->done(call->data, call);
}


static void
ngx_http_ktp_transport_deadline(ngx_event_t *ev)
{
    curl_off_t               moved;
    ngx_http_ktp_transfer_t *t;

    t = (ngx_http_ktp_transfer_t *) ((u_char *) ev
                                     - offsetof(ngx_http_ktp_transfer_t,
                                                timer));
    moved = 0;

    if ((t->state == NGX_HTTP_KTP_TRANSFER_SENDING
         || t->state == NGX_HTTP_KTP_TRANSFER_PAUSED)
        && (ngx_msec_int_t) (t->deadline - ngx_current_msec) > 0) {

        /*
         * No callback is called while libcurl sends what it has buffered, so
         * progress is measured here.
         */

        (void) curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &moved);

        if (moved > t->moved || t->state == NGX_HTTP_KTP_TRANSFER_PAUSED) {
            t->moved = moved;
            ngx_http_ktp_transport_callback_progress(t);
            return;
        }
    }

    if (t->state == NGX_HTTP_KTP_TRANSFER_QUEUED && t->no_slot) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_BUSY,
                                    "no free look-up");
    }

    ngx_http_ktp_transport_name_failed(t);

    if (t->call->peer && t->state >= NGX_HTTP_KTP_TRANSFER_STARTED
        && (!t->begun || t->call->upstream->repeats)
        && (ngx_msec_int_t) (t->deadline - ngx_current_msec) > 0) {
        (void) curl_multi_remove_handle(ngx_http_ktp_transport.multi, t->easy);
        ERR_clear_error();
        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_ENDED);

        if (ngx_http_ktp_transport_again(t, CURLE_OPERATION_TIMEDOUT)) {
            return;
        }
    }

    ngx_http_ktp_transport_finish(t, CURLE_OPERATION_TIMEDOUT);
}


/*
 * Retries a failed call if the upstream cannot have processed the request:
 * the connection failed, no response began, and the last byte of the request
 * was not passed to libcurl.  The last does not matter if the upstream may
 * process a request twice.  Returns 1 if it is retried.
 */

static ngx_uint_t
ngx_http_ktp_transport_again(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    long                 status, proxy;
    ngx_http_ktp_call_t *call;

    call = t->call;

    switch (rc) {

    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        break;

    case CURLE_OPERATION_TIMEDOUT:

        /* another peer may be reachable */

        if (call->peer && (!t->begun || call->upstream->repeats)) {
            break;
        }

        return 0;

    default:
        return 0;
    }

    status = 0;
    proxy = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void) curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);

    if ((call->handed_out && !call->upstream->repeats)
        || call->result != NGX_HTTP_KTP_CALL_OK || status || proxy >= 300
        || call->retries >= call->upstream->retries) {
        return 0;
    }

    if (t->sent
        && (call->rewind == NULL || call->rewind(call->data) != NGX_OK)) {
        return 0;
    }

    if (call->peer
        && (rc == CURLE_OPERATION_TIMEDOUT || !ngx_http_ktp_transport_stale(t))
        && ngx_http_ktp_transport_transfer_peer(t) != NGX_OK) {
        return 0;
    }

    call->retries++;

    ngx_log_error(NGX_LOG_WARN, call->log, 0,
                  "retrying upstream call, retry %ui of %ui: %s, upstream: "
                  "\"%V\"",
                  call->retries, call->upstream->retries,
                  curl_easy_strerror(rc), &call->upstream->name);

    call->handed_out = 0;

    t->attempt = ngx_current_msec;
    t->sent = 0;
    t->moved = 0;
    t->begun = 0;

    /* other kept-alive connections may be dead as well */
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);

    if (ngx_http_ktp_transport_add(t) != NGX_OK) {
        return 0;
    }

    ngx_http_ktp_transport_callback_progress(t);

    return 1;
}


/* 1 if the attempt used a connection of an earlier call. */

static ngx_uint_t
ngx_http_ktp_transport_stale(ngx_http_ktp_transfer_t *t)
{
    long made;

    return t->begun
           && curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &made)
                  == CURLE_OK
           && made == 0;
}


void
ngx_http_ktp_transport_ended(CURL *easy, CURLcode rc)
{
    ngx_http_ktp_transfer_t *t;

    t = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &t);

    /* the handle that prunes dead connections is not a transfer */

    if (t == NULL) {
        ngx_http_ktp_transport.pruning = 0;
        return;
    }

    ngx_http_ktp_transport_name_hosts_clear(t);
    ngx_http_ktp_transport_name_check(t);

    if (t->name) {
        ngx_http_ktp_transport_name_end(t, rc);
    }

    if (t->state == NGX_HTTP_KTP_TRANSFER_ABANDONED) {
        ngx_http_ktp_transport_transfer_free(t);
        return;
    }

    if (t->state == NGX_HTTP_KTP_TRANSFER_DEFERRED) {
        ngx_http_ktp_transport_name_wait(t);
        return;
    }

    if (rc != CURLE_OK) {
        ngx_http_ktp_transport_name_failed(t);
    }

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_ENDED);

    if (rc != CURLE_OK && ngx_http_ktp_transport_again(t, rc)) {
        return;
    }

    ngx_http_ktp_transport_finish(t, rc);
}


/*
 * Resumes calls that received response data while paused.  After an error
 * status libcurl stops sending the request and completes the transfer, but
 * not while it is paused.  Ends calls with a descriptor that has no connection
 * of nginx: nothing would tell libcurl about it.
 */

static void
ngx_http_ktp_transport_answered(ngx_event_t *ev)
{
    ngx_queue_t              *q;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

again:

    for (q = ngx_queue_head(&tr->active); q != ngx_queue_sentinel(&tr->active);
         q = ngx_queue_next(q)) {

        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);

        if (t->unwatched) {
            t->unwatched = 0;

            if (t->call) {
                ngx_http_ktp_transport_fail(t, NGX_HTTP_KTP_CALL_BUSY,
                                            "no free connection");

                /* the handler of a call may end others */
                goto again;
            }
        }

        if (t->heard) {
            t->heard = 0;

            if (t->call) {
                ngx_http_ktp_transport_resume(t->call);
            }
        }
    }
}
