#include "ngx_http_ktp_transport_curl.h"


/*
 * Name look-ups.  For each call that finds no address in its cache, libcurl
 * starts a thread, which it cannot stop.  Here only the first call that needs
 * a name resolves it; others are queued, and started again when the address
 * is in the cache.
 *
 * libcurl 8.20 and newer looks up IPv4 and IPv6 at the same time, connects to
 * the first address that is found, and once connected discards the look-up if
 * the other answer is still missing.  The address of that connection is cached
 * then.
 */

struct ngx_http_ktp_name_s {
    ngx_queue_t              queue;
    ngx_http_ktp_transfer_t *leader; /* NULL: the look-up has ended */
    CURLcode                 result;
    ngx_queue_t              waiting; /* transfers */
    size_t                   len;
    u_char                   text[1];
};


static ngx_http_ktp_name_t *ngx_http_ktp_name_find(const ngx_str_t *text);
static ngx_http_ktp_name_t *ngx_http_ktp_name_create(const ngx_str_t *text);
static ngx_uint_t ngx_http_ktp_name_full(const ngx_http_ktp_upstream_t *up);
static curl_off_t ngx_http_ktp_name_time(const ngx_http_ktp_transfer_t *t);
static ngx_uint_t ngx_http_ktp_name_cache(ngx_http_ktp_transfer_t *t,
                                          const char *change, const char *ip);
static void       ngx_http_ktp_name_wake(ngx_event_t *ev);
static void       ngx_http_ktp_name_go(ngx_queue_t *waiting, CURLcode rc);


void
ngx_http_ktp_transport_name_init(ngx_cycle_t *cycle)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    ngx_queue_init(&tr->names);
    ngx_queue_init(&tr->queued);

    tr->wake.handler = ngx_http_ktp_name_wake;
    tr->wake.data = &tr->dummy;
    tr->wake.log = cycle->log;
}


void
ngx_http_ktp_transport_name_exit(void)
{
    ngx_queue_t              *q;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    while (!ngx_queue_empty(&tr->names)) {
        q = ngx_queue_head(&tr->names);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_http_ktp_name_t, queue));
    }

    curl_slist_free_all(tr->hosts);
}


/* libcurl is about to start a thread; a non-zero result prevents it. */

int
ngx_http_ktp_transport_name_start(void *resolver, void *reserved, void *data)
{
    ngx_http_ktp_transfer_t *t = data;

    ngx_http_ktp_name_t *name;

    name = ngx_http_ktp_name_find(&t->call->upstream->lookup);

    if (name ? name->leader != NULL
             : ngx_http_ktp_name_full(t->call->upstream)) {
        ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_DEFERRED);
        return 1;
    }

    if (name == NULL) {
        name = ngx_http_ktp_name_create(&t->call->upstream->lookup);
        if (name == NULL) {
            return 1;
        }
    }

    name->leader = t;
    t->name = name;
    t->lookup_time = ngx_http_ktp_name_time(t);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                   "ktp call look-up: started, %ui in progress",
                   ngx_http_ktp_transport.nnames);

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_RESOLVING);

    return 0;
}


void
ngx_http_ktp_transport_name_end(ngx_http_ktp_transfer_t *t, CURLcode rc)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, ngx_http_ktp_transport_log(t), 0,
                   "ktp call look-up: done, curl code %d", (int) rc);

    t->name->leader = NULL;
    t->name->result = rc;
    t->name = NULL;

    ngx_post_event(&ngx_http_ktp_transport.wake, &ngx_posted_events);
}


void
ngx_http_ktp_transport_name_keep(ngx_http_ktp_transfer_t *t)
{
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, 0x7fffffffL);

    /* it is set again with the others */
    t->upstream = 0;
}


/*
 * The transport's own timer expires first, unless the worker is late: libcurl
 * has a clock of its own.
 */

void
ngx_http_ktp_transport_name_keep_all(void)
{
    ngx_msec_t                timeout;
    ngx_queue_t              *q;
    ngx_msec_int_t            left;
    ngx_http_ktp_name_t      *name;
    ngx_http_ktp_transfer_t  *t;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (ngx_queue_empty(&tr->names)) {
        return;
    }

    ngx_time_update();

    for (q = ngx_queue_head(&tr->names); q != ngx_queue_sentinel(&tr->names);
         q = ngx_queue_next(q)) {

        name = ngx_queue_data(q, ngx_http_ktp_name_t, queue);
        t = name->leader;

        if (t == NULL || t->state != NGX_HTTP_KTP_TRANSFER_RESOLVING) {
            continue;
        }

        timeout = t->call->upstream->connect_timeout;
        left = (ngx_msec_int_t) (t->attempt + timeout - ngx_current_msec);

        if (left <= (ngx_msec_int_t) (timeout / 8)) {
            ngx_http_ktp_transport_name_keep(t);
        }
    }
}


void
ngx_http_ktp_transport_name_check(ngx_http_ktp_transfer_t *t)
{
    if (t->name && ngx_http_ktp_name_time(t) != t->lookup_time) {
        ngx_http_ktp_transport_name_end(t, CURLE_OK);
    }
}


void
ngx_http_ktp_transport_name_check_all(void)
{
    ngx_queue_t              *q;
    ngx_http_ktp_name_t      *name;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    for (q = ngx_queue_head(&tr->names); q != ngx_queue_sentinel(&tr->names);
         q = ngx_queue_next(q)) {

        name = ngx_queue_data(q, ngx_http_ktp_name_t, queue);

        if (name->leader
            && name->leader->state == NGX_HTTP_KTP_TRANSFER_CONNECTING) {
            ngx_http_ktp_transport_name_check(name->leader);
        }
    }
}


void
ngx_http_ktp_transport_name_connected(ngx_http_ktp_transfer_t *t,
                                      const char              *ip)
{
    ngx_http_ktp_transport_name_check(t);

    if (t->name == NULL) {
        return;
    }

    if (ngx_http_ktp_name_cache(t, "+", ip)) {
        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                       "ktp call look-up: address of the connection cached");
    }

    ngx_http_ktp_transport_name_end(t, CURLE_OK);
}


/* Changes when libcurl has all answers, which are in its cache then. */

static curl_off_t
ngx_http_ktp_name_time(const ngx_http_ktp_transfer_t *t)
{
    curl_off_t us;

    us = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_NAMELOOKUP_TIME_T, &us);

    return us;
}


/*
 * The name may have another address by now.  One that this call has looked up
 * itself stays: while an upstream is down, a call makes one look-up at most.
 */

void
ngx_http_ktp_transport_name_failed(ngx_http_ktp_transfer_t *t)
{
    if (t->state != NGX_HTTP_KTP_TRANSFER_CONNECTING || !t->cached) {
        return;
    }

    t->cached = 0;

    if (ngx_http_ktp_name_cache(t, "-", NULL)) {
        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, t->call->log, 0,
                       "ktp call look-up: cached address dropped");
    }
}


/* Adds an entry of CURLOPT_RESOLVE for the next transfer. */

static ngx_uint_t
ngx_http_ktp_name_cache(ngx_http_ktp_transfer_t *t, const char *change,
                        const char *ip)
{
    u_char            *p, entry[NGX_MAXHOSTNAMELEN + NGX_SOCKADDR_STRLEN + 16];
    const ngx_str_t   *name;
    struct curl_slist *slist;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;
    name = &t->call->upstream->lookup;

    if (name->len > NGX_MAXHOSTNAMELEN) {
        return 0;
    }

    p = ngx_sprintf(entry, "%s%V:%ui", change, name, (ngx_uint_t) t->port);

    if (ip) {
        p = ngx_slprintf(p, entry + sizeof(entry) - 1,
                         ngx_strchr(ip, ':') ? ":[%s]" : ":%s", ip);
    }

    *p = '\0';

    slist = curl_slist_append(tr->hosts, (char *) entry);
    if (slist == NULL) {
        return 0;
    }

    tr->hosts = slist;

    return 1;
}


void
ngx_http_ktp_transport_name_hosts(ngx_http_ktp_transfer_t *t)
{
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    if (tr->hosts
        && curl_easy_setopt(t->easy, CURLOPT_RESOLVE, tr->hosts) == CURLE_OK) {
        t->hosts = tr->hosts;
        tr->hosts = NULL;
    }
}


/* Otherwise libcurl would do it again with each start of the handle. */

void
ngx_http_ktp_transport_name_hosts_clear(ngx_http_ktp_transfer_t *t)
{
    if (t->hosts) {
        curl_easy_setopt(t->easy, CURLOPT_RESOLVE, NULL);
        curl_slist_free_all(t->hosts);
        t->hosts = NULL;
    }
}


void
ngx_http_ktp_transport_name_wait(ngx_http_ktp_transfer_t *t)
{
    ngx_msec_int_t                 left;
    ngx_http_ktp_name_t           *name;
    const ngx_http_ktp_upstream_t *up;

    up = t->call->upstream;
    name = ngx_http_ktp_name_find(&up->lookup);

    /*
     * Names are freed by ngx_http_ktp_name_wake() only: the one that is being
     * resolved, or those that take all slots, still exist.
     */

    t->no_slot = name == NULL;

    ngx_queue_insert_tail(
        name ? &name->waiting : &ngx_http_ktp_transport.queued, &t->waiting);

    ngx_log_debug1(
        NGX_LOG_DEBUG_HTTP, t->call->log, 0, "ktp call look-up: queued, %s",
        name ? "in progress for another call" : "all slots are in use");

    ngx_http_ktp_transport_state(t, NGX_HTTP_KTP_TRANSFER_QUEUED);

    left =
        (ngx_msec_int_t) (t->attempt + up->connect_timeout - ngx_current_msec);
    left = ngx_max(left, 1);

    if ((ngx_msec_int_t) (t->timer.timer.key - ngx_current_msec) > left) {
        ngx_add_timer(&t->timer, (ngx_msec_t) left);
    }
}


static ngx_http_ktp_name_t *
ngx_http_ktp_name_find(const ngx_str_t *text)
{
    ngx_queue_t              *q;
    ngx_http_ktp_name_t      *name;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    for (q = ngx_queue_head(&tr->names); q != ngx_queue_sentinel(&tr->names);
         q = ngx_queue_next(q)) {

        name = ngx_queue_data(q, ngx_http_ktp_name_t, queue);

        if (name->len == text->len
            && ngx_strncasecmp(name->text, text->data, text->len) == 0) {
            return name;
        }
    }

    return NULL;
}


/* The name is copied: the look-up may outlive the call. */

static ngx_http_ktp_name_t *
ngx_http_ktp_name_create(const ngx_str_t *text)
{
    ngx_http_ktp_name_t      *name;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    name = ngx_calloc(sizeof(ngx_http_ktp_name_t) + text->len, tr->log);
    if (name == NULL) {
        return NULL;
    }

    ngx_queue_init(&name->waiting);
    ngx_queue_insert_tail(&tr->names, &name->queue);
    tr->nnames++;

    name->len = text->len;
    ngx_memcpy(name->text, text->data, text->len);

    return name;
}


static ngx_uint_t
ngx_http_ktp_name_full(const ngx_http_ktp_upstream_t *up)
{
    return ngx_http_ktp_transport.nnames
           >= (up->id ? NGX_HTTP_KTP_LOOKUPS : NGX_HTTP_KTP_LOOKUPS_ONCE);
}


static void
ngx_http_ktp_name_wake(ngx_event_t *ev)
{
    CURLcode                  rc;
    ngx_queue_t              *q, *next, waiting;
    ngx_http_ktp_name_t      *name;
    ngx_http_ktp_transport_t *tr;

    tr = &ngx_http_ktp_transport;

    for (q = ngx_queue_head(&tr->names); q != ngx_queue_sentinel(&tr->names);
         q = next) {

        next = ngx_queue_next(q);
        name = ngx_queue_data(q, ngx_http_ktp_name_t, queue);

        if (name->leader) {
            continue;
        }

        rc = name->result;

        ngx_queue_init(&waiting);
        ngx_queue_add(&waiting, &name->waiting);

        ngx_queue_remove(q);
        ngx_free(name);
        tr->nnames--;

        /* calls are only started or ended by this: no name is added */

        ngx_http_ktp_name_go(&waiting, rc);
    }

    if (tr->nnames < NGX_HTTP_KTP_LOOKUPS) {
        ngx_queue_init(&waiting);
        ngx_queue_add(&waiting, &tr->queued);
        ngx_queue_init(&tr->queued);

        ngx_http_ktp_name_go(&waiting, CURLE_OK);
    }
}


/* Starts the queued calls again, or fails them as the look-up failed. */

static void
ngx_http_ktp_name_go(ngx_queue_t *waiting, CURLcode rc)
{
    ngx_queue_t             *q;
    ngx_http_ktp_transfer_t *t;

    while (!ngx_queue_empty(waiting)) {
        q = ngx_queue_head(waiting);
        ngx_queue_remove(q);

        t = ngx_queue_data(q, ngx_http_ktp_transfer_t, waiting);

        if (rc == CURLE_COULDNT_RESOLVE_HOST
            || rc == CURLE_COULDNT_RESOLVE_PROXY) {
            ngx_http_ktp_transport_end(t, rc);

        } else if (ngx_http_ktp_transport_add(t) == NGX_OK) {
            ngx_http_ktp_transport_callback_progress(t);

        } else {
            ngx_http_ktp_transport_end(t, CURLE_OUT_OF_MEMORY);
        }
    }
}
