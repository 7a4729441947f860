#include "ngx_http_ktp_transport_curl.h"


/*
 * Lifetime of a cached address and of a connection, in seconds: connections
 * in constant use would otherwise never follow a change of the address.
 */
#define NGX_HTTP_KTP_NAME_AGE       60L
#define NGX_HTTP_KTP_CONNECTION_AGE 300L

/* By how much libcurl's connect timeout is later; milliseconds. */
#define NGX_HTTP_KTP_CONNECT_SLACK 50

/*
 * Sizes of libcurl's receive buffer, in bytes.  A response has about 1 KB:
 * with the headers of libcurl and of the allocator its buffer fits in 4 KB.
 * An image is larger.
 */
#define NGX_HTTP_KTP_RECEIVE_ANSWER 4000
#define NGX_HTTP_KTP_RECEIVE_IMAGE  16384


static ngx_http_ktp_transfer_t *
ngx_http_ktp_transfer_spare(const ngx_http_ktp_upstream_t *up);
static ngx_int_t ngx_http_ktp_transfer_setup(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_transfer_upstream(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_transfer_url(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_transfer_connect_to(ngx_http_ktp_transfer_t *t,
                                                  const ngx_str_t         *to);
static ngx_int_t ngx_http_ktp_transfer_headers(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_transfer_tls(ngx_http_ktp_transfer_t *t);
static ngx_int_t ngx_http_ktp_transfer_body(ngx_http_ktp_transfer_t *t);


ngx_http_ktp_transfer_t *
ngx_http_ktp_transport_transfer_create(ngx_http_ktp_call_t *call)
{
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    t = ngx_http_ktp_transfer_spare(call->upstream);

    if (t == NULL) {
        t = ngx_calloc(sizeof(ngx_http_ktp_transfer_t), tr->log);
        if (t == NULL) {
            return NULL;
        }

        t->easy = curl_easy_init();
        t->url = curl_url();

        if (t->easy == NULL || t->url == NULL) {
            ngx_http_ktp_transport_transfer_destroy(t);
            return NULL;
        }

        curl_easy_setopt(t->easy, CURLOPT_SHARE, tr->share);
    }

    ngx_queue_insert_tail(&tr->active, &t->queue);
    t->call = call;

    if (ngx_http_ktp_transfer_setup(t) != NGX_OK) {
        ngx_http_ktp_transport_transfer_free(t);
        return NULL;
    }

    return t;
}


/*
 * A spare transfer that has the settings of the upstream, or else the one
 * that has been unused for longest.  NULL: there is none.
 */

static ngx_http_ktp_transfer_t *
ngx_http_ktp_transfer_spare(const ngx_http_ktp_upstream_t *up)
{
    ngx_queue_t              *q;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    t = NULL;
    tr = &ngx_http_ktp_transport;

    for (q = ngx_queue_head(&tr->spare); q != ngx_queue_sentinel(&tr->spare);
         q = ngx_queue_next(q)) {

        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, queue);

        if (t->upstream == up->id) {
            break;
        }
    }

    if (t) {
        ngx_queue_remove(&t->queue);
        tr->nspare--;
    }

    return t;
}


void
ngx_http_ktp_transport_transfer_free(ngx_http_ktp_transfer_t *t)
{
    ngx_uint_t                reuse;
    struct curl_slist        *s;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    /*
     * After a call without a connection libcurl 7.88 keeps the receive buffer
     * in the handle, and ignores a change of its size, but not a reset: the
     * next call would be read beyond its end.
     */
    reuse = t->begun && t->beside <= NGX_HTTP_KTP_HEAD_SPARE;

    /* headers contain the credentials */

    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
    ngx_http_ktp_transport_name_hosts_clear(t);

    for (s = t->headers; s; s = s->next) {
        ngx_explicit_memzero(s->data, ngx_strlen(s->data));
    }

    curl_slist_free_all(t->headers);

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_SPARE);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ngx_http_ktp_transport_log(t), 0,
                   "ktp call freed: %ui spare handles", tr->nspare);

    ngx_queue_remove(&t->queue);

    ngx_memzero(&t->call, sizeof(ngx_http_ktp_transfer_t)
                              - offsetof(ngx_http_ktp_transfer_t, call));

    if (!reuse || tr->nspare == NGX_HTTP_KTP_SPARE_TRANSFERS) {
        ngx_http_ktp_transport_transfer_destroy(t);
        return;
    }

    ngx_queue_insert_head(&tr->spare, &t->queue);
    tr->nspare++;
}


void
ngx_http_ktp_transport_transfer_destroy(ngx_http_ktp_transfer_t *t)
{
    curl_easy_cleanup(t->easy);
    curl_url_cleanup(t->url);
    curl_slist_free_all(t->connect_to);

    ngx_free(t);
}


/*
 * The upstream's settings are kept in the handle: setting them takes a good
 * part of libcurl's CPU time per call.  Those of the call are set each time.
 */

static ngx_int_t
ngx_http_ktp_transfer_setup(ngx_http_ktp_transfer_t *t)
{
    long                           fresh;
    ngx_http_ktp_transport_t      *tr;
    const ngx_http_ktp_upstream_t *up;

    up = t->call->upstream;

    if (up->id == 0 || t->upstream != up->id) {
        t->upstream = 0;

        if (ngx_http_ktp_transfer_upstream(t) != NGX_OK) {
            return NGX_ERROR;
        }

        t->upstream = up->id;
    }

    if (t->call->peer && ngx_http_ktp_transport_transfer_peer(t) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a retry of the previous call may have changed it */

    tr = &ngx_http_ktp_transport;
    fresh = up->keepalive == 0 || (tr->reuses_dead && tr->ndead);
    curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, fresh);

    if (ngx_http_ktp_transfer_headers(t) != NGX_OK
        || ngx_http_ktp_transfer_body(t) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_transfer_upstream(ngx_http_ktp_transfer_t *t)
{
    CURL                          *easy;
    long                           idle;
    const ngx_http_ktp_upstream_t *up;

    easy = t->easy;
    up = t->call->upstream;

    curl_easy_reset(easy);

    if (ngx_http_ktp_transfer_url(t) != NGX_OK
        || ngx_http_ktp_transfer_tls(t) != NGX_OK) {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->errors);
    /* decodes what is coded anyway; limits apply to what is decoded */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    ngx_http_ktp_transport_callback_set(t);

    if (up->lookup.len) {
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION,
                         ngx_http_ktp_transport_name_start);
        curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, t);
    }

    /*
     * HTTP/2 uploads take up to 2.4 times the CPU time, and libcurl can loop
     * while flow control blocks them.
     */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    /* a redirect would take App-ID and API-Key to another host */
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* otherwise SIGPIPE is masked and restored, by 30 syscalls per call */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    /* otherwise removing a handle joins the thread of its look-up */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* later than the transport's own, which leaves a look-up alone */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long) up->connect_timeout + NGX_HTTP_KTP_CONNECT_SLACK);

    if (up->user_agent.len
        && curl_easy_setopt(easy, CURLOPT_USERAGENT, up->user_agent.data)
               != CURLE_OK) {
        return NGX_ERROR;
    }

    /* headers, and with them the credentials, are not sent to the proxy */
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long) CURLHEADER_SEPARATE);

    /* in seconds, rounded up; ngx_http_ktp_socket_reap() is exact */

    idle = (up->keepalive_timeout + 999) / 1000;
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, idle);

    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT,
                     ngx_min(idle, NGX_HTTP_KTP_NAME_AGE));
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN,
                     NGX_HTTP_KTP_CONNECTION_AGE);

    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, up->keepalive ? 0L : 1L);

    return NGX_OK;
}


/*
 * The URL is parsed once per handle, not for every call.  One that libcurl
 * does not accept sets the call's result.
 */

static ngx_int_t
ngx_http_ktp_transfer_url(ngx_http_ktp_transfer_t *t)
{
    CURL                          *easy;
    CURLUcode                      rc;
    const ngx_http_ktp_upstream_t *up;

    easy = t->easy;
    up = t->call->upstream;

    rc = curl_url_set(t->url, CURLUPART_URL, (char *) up->url.data, 0);

    if (rc != CURLUE_OK) {
        if (rc != CURLUE_OUT_OF_MEMORY) {
            t->call->result = NGX_HTTP_KTP_CALL_STOPPED;
        }

        return NGX_ERROR;
    }

    if (curl_easy_setopt(easy, CURLOPT_CURLU, t->url) != CURLE_OK
        || (up->unix_socket.len
            && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH,
                                up->unix_socket.data)
                   != CURLE_OK)
        /* always set, so that *_proxy in the environment has no effect */
        || curl_easy_setopt(easy, CURLOPT_PROXY,
                            up->proxy.len ? (char *) up->proxy.data : "")
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NOPROXY, "") != CURLE_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_transfer_connect_to(t, &up->connect_to);
}


ngx_int_t
ngx_http_ktp_transport_transfer_peer(ngx_http_ktp_transfer_t *t)
{
    ngx_http_ktp_call_peer_t peer;

    if (t->call->peer(t->call->peer_data, &peer) != NGX_OK) {
        return NGX_ERROR;
    }

    if (curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH,
                         peer.unix_socket.len ? peer.unix_socket.data : NULL)
        != CURLE_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_transfer_connect_to(t, &peer.connect_to);
}


static ngx_int_t
ngx_http_ktp_transfer_connect_to(ngx_http_ktp_transfer_t *t,
                                 const ngx_str_t         *to)
{
    struct curl_slist *old;

    old = t->connect_to;
    t->connect_to = NULL;

    if (to->len) {
        t->connect_to = curl_slist_append(NULL, (char *) to->data);
        if (t->connect_to == NULL) {
            t->connect_to = old;
            return NGX_ERROR;
        }
    }

    (void) curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    curl_slist_free_all(old);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_transfer_headers(ngx_http_ktp_transfer_t *t)
{
    ngx_str_t                     *h;
    ngx_uint_t                     i;
    struct curl_slist             *slist;
    const ngx_http_ktp_upstream_t *up;

    up = t->call->upstream;

    /*
     * For bodies over 1 MB libcurl would send "Expect: 100-continue", and
     * wait up to a second for the response.  An empty value disables that.
     */

    t->headers = curl_slist_append(NULL, "Expect:");

    /* no field would allow any coding (RFC 9110, 12.5.3) */

    if (t->headers == NULL
        || curl_slist_append(t->headers, "Accept-Encoding: identity")
               == NULL) {
        return NGX_ERROR;
    }

    h = t->call->headers->elts;

    for (i = 0; i < t->call->headers->nelts; i++) {
        slist = curl_slist_append(t->headers, (char *) h[i].data);
        if (slist == NULL) {
            return NGX_ERROR;
        }
    }

    if (up->host_header.len
        && curl_slist_append(t->headers, (char *) up->host_header.data)
               == NULL) {
        return NGX_ERROR;
    }

    if (t->call->read && t->call->body_length < 0
        && curl_slist_append(t->headers, "Transfer-Encoding: chunked")
               == NULL) {
        return NGX_ERROR;
    }

    return curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers)
                   == CURLE_OK
               ? NGX_OK
               : NGX_ERROR;
}


static ngx_int_t
ngx_http_ktp_transfer_tls(ngx_http_ktp_transfer_t *t)
{
    CURL                          *easy;
    struct curl_blob               blob;
    const ngx_http_ktp_upstream_t *up;

    easy = t->easy;
    up = t->call->upstream;

    /*
     * libcurl does not cache the CA store while CAPATH is set, as it is by
     * default on Debian: each new connection would take 30 ms of CPU time.
     */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

    if (!up->ssl_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }

    if (up->ca_file.len
        && curl_easy_setopt(easy, CURLOPT_CAINFO, up->ca_file.data)
               != CURLE_OK) {
        return NGX_ERROR;
    }

    if (up->certificate.len) {
        blob.flags = CURL_BLOB_NOCOPY;
        blob.data = up->certificate.data;
        blob.len = up->certificate.len;

        if (curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob) != CURLE_OK) {
            return NGX_ERROR;
        }

        blob.data = up->certificate_key.data;
        blob.len = up->certificate_key.len;

        if (curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob) != CURLE_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_transfer_body(ngx_http_ktp_transfer_t *t)
{
    off_t                buffer, most;
    CURL                *easy;
    ngx_uint_t           n;
    ngx_http_ktp_call_t *call;

    easy = t->easy;
    call = t->call;

    t->receive =
        call->write ? NGX_HTTP_KTP_RECEIVE_IMAGE : NGX_HTTP_KTP_RECEIVE_ANSWER;
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long) t->receive);

    if (call->read == NULL) {
        call->part = NGX_HTTP_KTP_UPLOAD_MIN;
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return NGX_OK;
    }

    /* see NGX_HTTP_KTP_UPLOAD_CALLS */

    n = ngx_max(ngx_http_ktp_transport.ncalls + 1, NGX_HTTP_KTP_UPLOAD_CALLS);
    most = NGX_HTTP_KTP_UPLOAD_MAX * NGX_HTTP_KTP_UPLOAD_CALLS / n
           * NGX_HTTP_KTP_UPLOAD_CALLS / n;

    buffer = ngx_min(call->body_length, most);
    buffer = ngx_max(buffer, NGX_HTTP_KTP_UPLOAD_MIN);
    call->part = buffer;

    if (call->buffer) {
        buffer = call->buffer;

        /* pages of the buffer that are not written to take no memory */

        call->part = ngx_min(most, buffer);
        call->part = ngx_max(call->part, NGX_HTTP_KTP_PART_MIN);
    }

    if (curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long) buffer)
        != CURLE_OK) {
        return NGX_ERROR;
    }

    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t) call->body_length);

    return NGX_OK;
}
