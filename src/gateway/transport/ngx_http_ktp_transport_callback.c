#include "ngx_http_ktp_transport_curl.h"
#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <openssl/ssl.h>


/* Initial buffer for a response body, which usually has about 1 KB; bytes. */
#define NGX_HTTP_KTP_ANSWER_SIZE 4096


/*
 * The beginning of the kernel's structure: that of linux/tcp.h, which cannot
 * be included beside netinet/tcp.h.
 */
typedef struct {
    u_char   other[128];
    uint64_t bytes_received;
} ngx_http_ktp_tcp_info_t;


static size_t ngx_http_ktp_callback_read(char *buf, size_t size, size_t n,
                                         void *data);
static int    ngx_http_ktp_callback_seek(void *data, curl_off_t offset,
                                         int origin);
static int    ngx_http_ktp_callback_begin(void *data, char *ip, char *local_ip,
                                          int port, int local_port);
static void   ngx_http_ktp_callback_connected(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_callback_rewind(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_callback_guard_ip(ngx_http_ktp_call_t *call,
                                                char *ip, int port);
static size_t    ngx_http_ktp_callback_write(char *p, size_t size, size_t n,
                                             void *data);
static size_t    ngx_http_ktp_callback_header(char *p, size_t size, size_t n,
                                              void *data);
static void      ngx_http_ktp_callback_heard(ngx_http_ktp_transfer_t *t);
static void      ngx_http_ktp_callback_head(ngx_http_ktp_transfer_t *t,
                                            const char *p, size_t len);
static curl_socket_t ngx_http_ktp_callback_open(void                 *data,
                                                curlsocktype          purpose,
                                                struct curl_sockaddr *addr);
static SSL          *ngx_http_ktp_callback_ssl(ngx_http_ktp_transfer_t *t);
static uint64_t      ngx_http_ktp_callback_received(ngx_http_ktp_transfer_t *t,
                                                    curl_socket_t            fd,
                                                    ngx_uint_t               start);
static ngx_http_ktp_cause_t
ngx_http_ktp_callback_cause(ngx_http_ktp_transfer_t *t, CURLcode rc);
static void ngx_http_ktp_callback_detail(ngx_http_ktp_transfer_t *t);
static void ngx_http_ktp_callback_facts(ngx_http_ktp_transfer_t *t);
static void ngx_http_ktp_callback_addr(ngx_http_ktp_transfer_t *t);


void
ngx_http_ktp_transport_callback_set(ngx_http_ktp_transfer_t *t)
{
    CURL *easy;

    easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_READFUNCTION, ngx_http_ktp_callback_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, t);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, ngx_http_ktp_callback_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION,
                     ngx_http_ktp_callback_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ngx_http_ktp_callback_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
                     ngx_http_ktp_callback_begin);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION,
                     ngx_http_ktp_callback_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION,
                     ngx_http_ktp_transport_socket_close);
}


/*
 * The last byte of the body is passed in a call of its own.  libcurl makes it
 * when the kernel has accepted all others, so a connection that turns out to
 * be dead before that has not carried the whole request, and a retry is safe.
 */

static size_t
ngx_http_ktp_callback_read(char *buf, size_t size, size_t n, void *data)
{
    ngx_http_ktp_transfer_t *t = data;

    off_t                left;
    size_t               len;
    ngx_http_ktp_call_t *call;

    call = t->call;
    len = ngx_min(size * n, call->part);

    if (call->body_length >= 0) {
        left = call->body_length - t->sent;

        if (left > 1 && (off_t) len >= left) {
            len = left - 1;
        }

    } else {
        left = 0;
    }

    len = call->read(call->data, (u_char *) buf, len);

    if (len == NGX_HTTP_KTP_READ_AGAIN) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call body: paused after %O bytes", t->sent);

        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_PAUSED);
        return CURL_READFUNC_PAUSE;
    }

    if (len == NGX_HTTP_KTP_READ_ERROR || (len == 0 && left)) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_STOPPED,
                                    "request body cannot be read");
        return CURL_READFUNC_ABORT;
    }

    if (t->sent == 0) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call body: first %uz bytes", len);
    }

    t->sent += len;
    ngx_http_ktp_transport.reads++;

    if (call->body_length < 0 ? len == 0 : t->sent == call->body_length) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, call->log, 0,
                       "ktp call body: whole, %O bytes", t->sent);

        call->handed_out = 1;
        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_WAITING);

    } else {
        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_SENDING);
    }

    ngx_http_ktp_transport_callback_progress(t);

    return len;
}


/*
 * libcurl resends a request by itself when a kept-alive connection turns out
 * to be dead, even a POST, which could be billed twice.  It must rewind the
 * body for that, which is allowed only while the last byte has not been
 * passed, or if the upstream may process a request twice.  Without this
 * callback it would fail with CURLE_SEND_FAIL_REWIND. offset is always 0:
 * transfers are not resumed.
 */

static int
ngx_http_ktp_callback_seek(void *data, curl_off_t offset, int origin)
{
    ngx_http_ktp_transfer_t *t = data;

    return ngx_http_ktp_callback_rewind(t) == NGX_OK ? CURL_SEEKFUNC_OK
                                                     : CURL_SEEKFUNC_FAIL;
}


static ngx_int_t
ngx_http_ktp_callback_rewind(ngx_http_ktp_transfer_t *t)
{
    ngx_http_ktp_call_t *call;

    call = t->call;

    /*
     * libcurl 8.14 rewinds a body of which it has read nothing, if the call
     * before with this handle ended with a rewind that was refused.
     */

    if (!t->begun && t->sent == 0) {
        return NGX_OK;
    }

    if ((call->handed_out && !call->upstream->repeats)
        || call->retries >= call->upstream->retries
        || (t->sent
            && (call->rewind == NULL || call->rewind(call->data) != NGX_OK))) {
        call->cause = NGX_HTTP_KTP_CAUSE_RESET;
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_FAILED,
                                    "kept-alive connection was closed");
        return NGX_DECLINED;
    }

    call->handed_out = 0;

    t->sent = 0;
    t->moved = 0;

    return NGX_OK;
}


/*
 * CURLOPT_PREREQFUNCTION: a connection is ready, the request will be sent.  A
 * second call for the same transfer is libcurl's own retry.  libcurl does not
 * rewind the body when it had read some but sent nothing, so it is done here.
 */

static int
ngx_http_ktp_callback_begin(void *data, char *ip, char *local_ip, int port,
                            int local_port)
{
    ngx_http_ktp_transfer_t *t = data;

    ngx_http_ktp_call_t *call;

    call = t->call;

    /* for a reused connection ngx_http_ktp_callback_open() is not called */

    if (call->guard
        && ngx_http_ktp_callback_guard_ip(call, ip, port) != NGX_OK) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_STOPPED,
                                    "address is not allowed");
        return CURL_PREREQFUNC_ABORT;
    }

    if (t->begun) {
        if (ngx_http_ktp_callback_rewind(t) != NGX_OK) {
            return CURL_PREREQFUNC_ABORT;
        }

        call->retries++;

        ngx_log_error(NGX_LOG_WARN, call->log, 0,
                      "retrying upstream call, retry %ui of %ui: kept-alive "
                      "connection was closed, upstream: \"%V\"",
                      call->retries, call->upstream->retries,
                      &call->upstream->name);
    }

    t->begun = 1;

    ngx_http_ktp_transport_name_connected(t, ip);
    ngx_http_ktp_callback_connected(t);

    ngx_http_ktp_transport_state(t, call->read
                                        ? NGX_HTTP_KTP_TRANSFER_SENDING
                                        : NGX_HTTP_KTP_TRANSFER_WAITING);

    /* deleted first: nginx ignores a change of less than 300 ms */

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    ngx_http_ktp_transport_callback_progress(t);

    return CURL_PREREQFUNC_OK;
}


/*
 * The size of TLS records is set to that of the pieces of the body: OpenSSL
 * keeps an unsent record in a buffer of its maximum size.  It is set for
 * reused connections as well, as the previous call may have had another size.
 */

static void
ngx_http_ktp_callback_connected(ngx_http_ktp_transfer_t *t)
{
    SSL *ssl;
    long connects;

    connects = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                   "ktp call connected: %s connection",
                   connects ? "new" : "kept-alive");

    t->unseen = 0;

    ssl = ngx_http_ktp_callback_ssl(t);
    if (ssl == NULL) {
        return;
    }

    t->received = BIO_number_read(SSL_get_rbio(ssl));

    (void) SSL_set_max_send_fragment(
        ssl, ngx_min(t->call->part, SSL3_RT_MAX_PLAIN_LENGTH));

    if (connects) {
        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                       "ktp call connected: %s, %s session",
                       SSL_get_version(ssl),
                       SSL_session_reused(ssl) ? "resumed" : "new");

        ngx_http_ktp_transport_memory_trim();
    }
}


/* NULL: the connection does not use TLS. */

static SSL *
ngx_http_ktp_callback_ssl(ngx_http_ktp_transfer_t *t)
{
    struct curl_tlssessioninfo *tls;

    tls = NULL;
    (void) curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &tls);

    if (tls == NULL || tls->backend != CURLSSLBACKEND_OPENSSL) {
        return NULL;
    }

    return tls->internals;
}


static ngx_int_t
ngx_http_ktp_callback_guard_ip(ngx_http_ktp_call_t *call, char *ip, int port)
{
    struct sockaddr_in  sin;
    struct sockaddr_in6 sin6;

    ngx_memzero(&sin, sizeof(struct sockaddr_in));
    ngx_memzero(&sin6, sizeof(struct sockaddr_in6));

    if (inet_pton(AF_INET, ip, &sin.sin_addr) == 1) {
        sin.sin_family = AF_INET;
        sin.sin_port = htons(port);
        return call->guard(call->data, (struct sockaddr *) &sin);
    }

    if (inet_pton(AF_INET6, ip, &sin6.sin6_addr) == 1) {
        sin6.sin6_family = AF_INET6;
        sin6.sin6_port = htons(port);
        return call->guard(call->data, (struct sockaddr *) &sin6);
    }

    return NGX_DECLINED;
}


static curl_socket_t
ngx_http_ktp_callback_open(void *data, curlsocktype purpose,
                           struct curl_sockaddr *addr)
{
    ngx_http_ktp_transfer_t *t = data;

    ngx_http_ktp_call_t *call;

    call = t->call;

    ngx_http_ktp_transport_name_check(t);

    /* without a socket none of the callbacks that use the call is called */

    if (t->state == NGX_HTTP_KTP_TRANSFER_ABANDONED) {
        return CURL_SOCKET_BAD;
    }

    if (t->state != NGX_HTTP_KTP_TRANSFER_CONNECTING) {
        t->addresses = 0;
        t->cached = t->state != NGX_HTTP_KTP_TRANSFER_RESOLVING
                    && call->upstream->lookup.len;

        if (t->cached) {
            ngx_log_debug0(NGX_LOG_DEBUG_HTTP, call->log, 0,
                           "ktp call look-up: cached");
        }
    }

    t->port = ngx_inet_get_port(&addr->addr);

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_CONNECTING);

    t->peer_len = ngx_sock_ntop(&addr->addr, addr->addrlen, t->peer,
                                NGX_SOCKADDR_STRLEN, 1);

    /* the next address may be allowed, whatever their order */

    if (call->guard && call->guard(call->data, &addr->addr) != NGX_OK) {
        t->declined = 1;
        return CURL_SOCKET_BAD;
    }

    return ngx_http_ktp_transport_socket_open(t, addr);
}


static size_t
ngx_http_ktp_callback_header(char *p, size_t size, size_t n, void *data)
{
    ngx_http_ktp_transfer_t *t = data;

    size_t len;

    len = size * n;

    if (t->state == NGX_HTTP_KTP_TRANSFER_WAITING) {
        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_RECEIVING);
    }

    ngx_http_ktp_callback_heard(t);
    ngx_http_ktp_callback_head(t, p, len);

    t->unseen -= len;
    t->beside += len + NGX_HTTP_KTP_HEAD_LINE;

    if (t->beside > NGX_HTTP_KTP_HEAD_MAX) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_HEAD_TOO_LARGE,
                                    "response head is too large");
        return 0;
    }

    return len;
}


/* libcurl does not tell the socket of a connection that it reuses before. */

void
ngx_http_ktp_transport_callback_start(ngx_http_ktp_transfer_t *t,
                                      curl_socket_t            fd)
{
    t->received = 0;
    t->received = ngx_http_ktp_callback_received(t, fd, 1);
}


/*
 * Chunk extensions, and a header line before its end, reach no callback.  The
 * kernel does not count what a Unix socket has received: there libcurl has
 * read at least a buffer, or what the socket had before and has no longer.
 */

ngx_int_t
ngx_http_ktp_transport_callback_unseen(ngx_http_ktp_transfer_t *t,
                                       curl_socket_t fd, int before)
{
    int      after;
    uint64_t received;

    if (!t->begun) {
        return NGX_OK;
    }

    if (!t->call->upstream->unix_socket.len) {
        received = ngx_http_ktp_callback_received(t, fd, 0);
        t->unseen += (int64_t) (received - t->received);
        t->received = received;

    } else if (ioctl(fd, FIONREAD, &after) == 0) {
        t->unseen += ngx_max(ngx_min(before, t->receive), before - after);
    }

    t->unseen = ngx_max(t->unseen, 0);

    return t->beside + t->unseen > NGX_HTTP_KTP_HEAD_MAX ? NGX_ERROR : NGX_OK;
}


/*
 * Bytes that were read from a TCP connection so far, TLS records included; at
 * the start of a response all that are there by now, and later those that were
 * there before.  What arrives while they are counted is not counted as read.
 */

static uint64_t
ngx_http_ktp_callback_received(ngx_http_ktp_transfer_t *t, curl_socket_t fd,
                               ngx_uint_t start)
{
    int                     before, after;
    SSL                    *ssl;
    uint64_t                received;
    socklen_t               len;
    ngx_http_ktp_tcp_info_t info;

    ssl = ngx_http_ktp_callback_ssl(t);

    if (ssl) {
        return BIO_number_read(SSL_get_rbio(ssl));
    }

    len = sizeof(ngx_http_ktp_tcp_info_t);

    if (ioctl(fd, FIONREAD, &before) == -1
        || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1
        || len < sizeof(ngx_http_ktp_tcp_info_t)
        || ioctl(fd, FIONREAD, &after) == -1) {
        return t->received;
    }

    if (start) {
        return info.bytes_received - before;
    }

    /* never less than before: it would be counted twice */

    received = info.bytes_received - after;

    return (int64_t) (received - t->received) > 0 ? received : t->received;
}


static void
ngx_http_ktp_callback_head(ngx_http_ktp_transfer_t *t, const char *p,
                           size_t len)
{
    long       status;
    ngx_uint_t proxy;

    t->head += len;

    if (*p != '\r' && *p != '\n') {
        return;
    }

    status = 0;
    proxy = t->state == NGX_HTTP_KTP_TRANSFER_CONNECTING;
    (void) curl_easy_getinfo(
        t->easy, proxy ? CURLINFO_HTTP_CONNECTCODE : CURLINFO_RESPONSE_CODE,
        &status);

    ngx_log_debug4(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                   "ktp call %sanswer: head, status %l, %uz bytes%s",
                   proxy ? "proxy " : "", status, t->head,
                   t->state == NGX_HTTP_KTP_TRANSFER_SENDING
                           || t->state == NGX_HTTP_KTP_TRANSFER_PAUSED
                       ? ", before the request was whole"
                       : "");

    t->head = 0;
}


/* A transfer is not resumed from a callback of libcurl, but by an event. */

static void
ngx_http_ktp_callback_heard(ngx_http_ktp_transfer_t *t)
{
    if (t->state == NGX_HTTP_KTP_TRANSFER_PAUSED) {
        t->heard = 1;
        ngx_post_event(&ngx_http_ktp_transport.answered, &ngx_posted_events);
    }
}


static size_t
ngx_http_ktp_callback_write(char *p, size_t size, size_t n, void *data)
{
    ngx_http_ktp_transfer_t *t = data;

    long                 status;
    u_char              *body;
    size_t               len, need;
    ngx_http_ktp_call_t *call;

    call = t->call;
    len = size * n;

    ngx_http_ktp_transport_callback_progress(t);
    ngx_http_ktp_callback_heard(t);

    /* TLS records and chunks may add as much as the body has */
    t->unseen -= 2 * (off_t) len;

    /* CURLINFO_STARTTRANSFER_TIME is that of the upload's first byte */

    if (call->header_time == -1) {
        call->header_time = ngx_current_msec - t->start;
    }

    if (call->write) {
        status = 0;
        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);

        if (status != 200
            || call->write(call->data, (u_char *) p, len) != NGX_OK) {
            ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_STOPPED,
                                        "response body is not accepted");
            return 0;
        }

        return len;
    }

    if (len > call->upstream->max_response - call->body.len) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_TOO_LARGE,
                                    "response body is too large");
        return 0;
    }

    need = call->body.len + len;

    if (need > t->allocated) {
        need = ngx_max(need, 2 * t->allocated);
        need = ngx_max(need, NGX_HTTP_KTP_ANSWER_SIZE);

        body = ngx_pnalloc(call->pool, need);
        if (body == NULL) {
            return 0;
        }

        if (call->body.len) {
            ngx_memcpy(body, call->body.data, call->body.len);
            ngx_explicit_memzero(call->body.data, call->body.len);
            (void) ngx_pfree(call->pool, call->body.data);
        }

        call->body.data = body;
        t->allocated = need;
    }

    ngx_memcpy(call->body.data + call->body.len, p, len);
    call->body.len += len;

    /* since 8.7 libcurl keeps this buffer for all transfers of the worker */

    ngx_explicit_memzero(p, len);

    return len;
}


void
ngx_http_ktp_transport_callback_progress(ngx_http_ktp_transfer_t *t)
{
    ngx_msec_t     timer;
    ngx_msec_int_t left;

    left = (ngx_msec_int_t) (t->deadline - ngx_current_msec);
    left = ngx_max(left, 1);

    timer = ngx_min(t->call->upstream->read_timeout, (ngx_msec_t) left);

    if (!t->begun) {
        left =
            (ngx_msec_int_t) (t->attempt + t->call->upstream->connect_timeout
                              - ngx_current_msec);
        timer = ngx_min(timer, (ngx_msec_t) ngx_max(left, 1));
    }

    ngx_add_timer(&t->timer, timer);
}


void
ngx_http_ktp_transport_callback_result(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    ngx_http_ktp_call_t *call;

    call = t->call;

    ngx_http_ktp_callback_facts(t);

    if (rc == CURLE_TOO_LARGE
        || (rc == CURLE_OUT_OF_MEMORY && ngx_http_ktp_transport.long_line)) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_HEAD_TOO_LARGE,
                                    "response head is too large");
    }

    ngx_http_ktp_transport.long_line = 0;

    if (rc == CURLE_COULDNT_CONNECT && t->declined) {
        ngx_http_ktp_transport_stop(t, NGX_HTTP_KTP_CALL_STOPPED,
                                    "address is not allowed");
    }

    if (rc != CURLE_OK && call->result == NGX_HTTP_KTP_CALL_OK) {
        call->result = rc == CURLE_OPERATION_TIMEDOUT
                           ? NGX_HTTP_KTP_CALL_TIMEOUT
                           : NGX_HTTP_KTP_CALL_FAILED;
        call->cause = ngx_http_ktp_callback_cause(t, rc);
        call->error = curl_easy_strerror(rc);
        ngx_http_ktp_callback_detail(t);
    }
}


static ngx_http_ktp_cause_t
ngx_http_ktp_callback_cause(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    long verified;

    switch (rc) {

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return NGX_HTTP_KTP_CAUSE_DNS;

    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return NGX_HTTP_KTP_CAUSE_CONNECT;

    case CURLE_SSL_CACERT_BADFILE:
        return NGX_HTTP_KTP_CAUSE_CA_FILE;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return NGX_HTTP_KTP_CAUSE_TLS;

    case CURLE_PEER_FAILED_VERIFICATION:
        break;

    case CURLE_RECV_ERROR:

        /* libcurl has the same code for an invalid chunk or header */

        if (t->begun && t->errors[0] && !ngx_strstr(t->errors, "Recv failure")
            && !ngx_strstr(t->errors, "SSL_read")) {
            return NGX_HTTP_KTP_CAUSE_PROTOCOL;
        }

        /* fall through */

    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
        /* a proxy that rejects CONNECT gives no connection either */
        return t->begun ? NGX_HTTP_KTP_CAUSE_RESET
                        : NGX_HTTP_KTP_CAUSE_CONNECT;

    case CURLE_BAD_CONTENT_ENCODING:
        return NGX_HTTP_KTP_CAUSE_CODING;

    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_OUT_OF_MEMORY:
        return NGX_HTTP_KTP_CAUSE_NONE;

    default:
        return NGX_HTTP_KTP_CAUSE_PROTOCOL;
    }

    /* OpenSSL verifies the chain, libcurl the name */

    verified = X509_V_OK;
    (void) curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verified);

    switch (verified) {

    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: /* libcurl has not asked OpenSSL yet */
        return NGX_HTTP_KTP_CAUSE_TLS_NAME;

    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return NGX_HTTP_KTP_CAUSE_TLS_EXPIRED;

    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return NGX_HTTP_KTP_CAUSE_TLS_ISSUER;

    default:
        return NGX_HTTP_KTP_CAUSE_TLS;
    }
}


/* The text may quote the other side, such as the name in a certificate. */

static void
ngx_http_ktp_callback_detail(ngx_http_ktp_transfer_t *t)
{
    size_t     i, len;
    ngx_str_t *detail;

    detail = &t->call->detail;
    len = ngx_strlen(t->errors);

    if (len == 0) {
        return;
    }

    detail->data = ngx_pnalloc(t->call->pool, len);
    if (detail->data == NULL) {
        return;
    }

    detail->len = len;

    for (i = 0; i < len; i++) {
        detail->data[i] =
            t->errors[i] < 0x20 || t->errors[i] > 0x7e ? ' ' : t->errors[i];
    }
}


static void
ngx_http_ktp_callback_facts(ngx_http_ktp_transfer_t *t)
{
    char                *s;
    CURL                *easy;
    long                 n;
    u_char              *p;
    size_t               len;
    curl_off_t           us;
    ngx_http_ktp_call_t *call;

    call = t->call;
    easy = t->easy;

    call->response_time = ngx_current_msec - t->start;

    if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &n) == CURLE_OK) {
        call->status = n;
    }

    if (curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &us) == CURLE_OK
        && us) {
        call->connect_time = us / 1000;
    }

    if (call->header_time == -1 && call->status) {
        call->header_time = call->response_time;
    }

    /* negative for a date in the past */

    if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &us) == CURLE_OK
        && us > 0) {
        call->retry_after = us;
    }

    if (curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &us) == CURLE_OK) {
        call->bytes_sent = us;
    }

    s = NULL;

    if (curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &s) == CURLE_OK && s) {
        len = ngx_strlen(s);
        p = ngx_pnalloc(call->pool, len);

        if (p) {
            ngx_memcpy(p, s, len);
            call->content_type.data = p;
            call->content_type.len = len;
        }
    }

    ngx_http_ktp_callback_addr(t);
}


static void
ngx_http_ktp_callback_addr(ngx_http_ktp_transfer_t *t)
{
    char                *s;
    CURL                *easy;
    long                 port;
    u_char              *p;
    ngx_http_ktp_call_t *call;

    call = t->call;
    easy = t->easy;

    if (call->upstream->unix_socket.len) {
        call->addr = call->upstream->unix_socket;
        return;
    }

    s = NULL;
    port = 0;

    (void) curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
    (void) curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &s);

    p = ngx_pnalloc(call->pool, NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return;
    }

    if (s == NULL || *s == '\0') {

        /* not connected: the address that was tried last, if any */

        call->addr.data = p;
        call->addr.len = t->peer_len;
        ngx_memcpy(p, t->peer, t->peer_len);
        return;
    }

    call->addr.data = p;
    call->addr.len =
        ngx_snprintf(p, NGX_SOCKADDR_STRLEN,
                     ngx_strchr(s, ':') ? "[%s]:%l" : "%s:%l", s, port)
        - p;
}
