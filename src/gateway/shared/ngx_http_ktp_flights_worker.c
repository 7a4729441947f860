#include "ngx_http_ktp_flights_worker.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_flights_table.h"
#include "ngx_http_ktp_process.h"


/* Milliseconds between two looks for killed workers and expired answers. */
#define NGX_HTTP_KTP_FLIGHTS_SWEEP 500

/* Expired entries that are freed under one lock, and milliseconds until more
   are, if there are more. */
#define NGX_HTTP_KTP_FLIGHTS_BATCH 64
#define NGX_HTTP_KTP_FLIGHTS_HASTE 10


static void ngx_http_ktp_flights_worker_timer(ngx_event_t *ev);
static ngx_uint_t
ngx_http_ktp_flights_worker_expire(ngx_http_ktp_flights_t *flights);
static void
ngx_http_ktp_flights_worker_take_place(ngx_http_ktp_flights_t *flights,
                                       ngx_cycle_t            *cycle);
static ngx_uint_t
ngx_http_ktp_flights_worker_sweep(ngx_http_ktp_flights_t *flights);
static ngx_pid_t
ngx_http_ktp_flights_worker_dead(ngx_http_ktp_flights_t *flights);
static void
ngx_http_ktp_flights_worker_reclaim(ngx_http_ktp_flights_t *flights,
                                    ngx_pid_t pid, ngx_log_t *log);


static ngx_event_t      ngx_http_ktp_flights_worker_event;
static ngx_connection_t ngx_http_ktp_flights_worker_dummy;
static void (*ngx_http_ktp_flights_worker_landed)(void);


ngx_int_t
ngx_http_ktp_flights_worker_init(ngx_cycle_t *cycle, void (*landed)(void))
{
    ngx_event_t              *ev;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_ktp_module);

    if (kmcf == NULL || kmcf->flights == NULL
        || !ngx_http_ktp_process_is_worker()) {
        return NGX_OK;
    }

    ngx_http_ktp_flights_worker_landed = landed;

    ngx_http_ktp_flights_worker_take_place(kmcf->flights, cycle);

    ev = &ngx_http_ktp_flights_worker_event;

    ngx_http_ktp_flights_worker_dummy.fd = (ngx_socket_t) -1;

    ev->handler = ngx_http_ktp_flights_worker_timer;
    ev->data = &ngx_http_ktp_flights_worker_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_KTP_FLIGHTS_SWEEP);

    return NGX_OK;
}


/* Without a place, the timer is what wakes. */

static void
ngx_http_ktp_flights_worker_take_place(ngx_http_ktp_flights_t *flights,
                                       ngx_cycle_t            *cycle)
{
    ngx_uint_t                     i, n;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    /* a former worker may have had this process id */

    ngx_http_ktp_flights_worker_reclaim(flights, ngx_pid, cycle->log);
    (void) ngx_http_ktp_flights_worker_sweep(flights);

    n = ngx_http_ktp_wake_places();

    for (i = 0; i < n; i++) {

        if (sh->places[i] == 0
            && ngx_atomic_cmp_set(&sh->places[i], 0, ngx_pid)) {
            break;
        }
    }

    if (i == n
        || ngx_http_ktp_wake_init(i, ngx_http_ktp_flights_worker_landed,
                                  cycle->log)
               != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "no place in \"ktp_answer_zone\" for this worker, "
                      "joined calls are looked at every %d ms",
                      NGX_HTTP_KTP_FLIGHTS_SWEEP);

        if (i < n) {
            sh->places[i] = 0;
        }

        sh->crowded = 1;

        return;
    }

    ngx_http_ktp_flights_place = i;
}


void
ngx_http_ktp_flights_worker_exit(void)
{
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ktp_module);

    if (kmcf == NULL || kmcf->flights == NULL
        || ngx_http_ktp_flights_worker_landed == NULL) {
        return;
    }

    ngx_http_ktp_flights_worker_reclaim(kmcf->flights, ngx_pid,
                                        ngx_cycle->log);
    ngx_http_ktp_wake_exit();

    if (ngx_http_ktp_flights_worker_event.timer_set) {
        ngx_del_timer(&ngx_http_ktp_flights_worker_event);
    }
}


static void
ngx_http_ktp_flights_worker_timer(ngx_event_t *ev)
{
    ngx_uint_t                more;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_ktp_module);

    more = ngx_http_ktp_flights_worker_sweep(kmcf->flights);
    ngx_http_ktp_flights_worker_landed();

    /* also in a worker that leaves: its requests may wait */

    ngx_add_timer(ev, more ? NGX_HTTP_KTP_FLIGHTS_HASTE
                           : NGX_HTTP_KTP_FLIGHTS_SWEEP);
}


/*
 * One worker at a time looks for those that are dead, and for what is over;
 * 1: there is more of it.
 */

static ngx_uint_t
ngx_http_ktp_flights_worker_sweep(ngx_http_ktp_flights_t *flights)
{
    ngx_uint_t                     i;
    ngx_pid_t                      pid;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    if (sh->crowded) {
        pid = ngx_http_ktp_flights_worker_dead(flights);

        if (pid) {
            ngx_http_ktp_flights_worker_reclaim(flights, pid, ngx_cycle->log);
        }
    }

    for (i = 0; i < ngx_http_ktp_wake_places(); i++) {
        pid = sh->places[i];

        if (pid && !ngx_http_ktp_process_alive(pid)) {
            ngx_http_ktp_flights_worker_reclaim(flights, pid, ngx_cycle->log);
        }
    }

    return ngx_http_ktp_flights_worker_expire(flights);
}


/* A worker without a place that is dead, and has left requests; 0: none. */

static ngx_pid_t
ngx_http_ktp_flights_worker_dead(ngx_http_ktp_flights_t *flights)
{
    ngx_pid_t                      dead;
    ngx_queue_t                   *q, *w;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_waiter_t         *waiter;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    dead = 0;

    ngx_shmtx_lock(&flights->pool->mutex);

    for (q = ngx_queue_head(&sh->active);
         q != ngx_queue_sentinel(&sh->active) && dead == 0;
         q = ngx_queue_next(q)) {

        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        if (entry->leader && entry->place == NGX_HTTP_KTP_WAKE_MAX
            && !ngx_http_ktp_process_alive(entry->leader)) {
            dead = entry->leader;
        }

        for (w = ngx_queue_head(&entry->waiters);
             w != ngx_queue_sentinel(&entry->waiters) && dead == 0;
             w = ngx_queue_next(w)) {

            waiter = ngx_queue_data(w, ngx_http_ktp_waiter_t, queue);

            if (waiter->place == NGX_HTTP_KTP_WAKE_MAX
                && !ngx_http_ktp_process_alive(waiter->pid)) {
                dead = waiter->pid;
            }
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    return dead;
}


static ngx_uint_t
ngx_http_ktp_flights_worker_expire(ngx_http_ktp_flights_t *flights)
{
    ngx_uint_t                     i;
    ngx_queue_t                   *q, *next;
    ngx_rbtree_node_t             *node;
    ngx_http_ktp_item_t           *item;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    if ((ngx_msec_int_t) (ngx_current_msec - sh->swept)
            < NGX_HTTP_KTP_FLIGHTS_SWEEP / 2
        || !ngx_shmtx_trylock(&flights->pool->mutex)) {
        return 0;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLIGHTS_BATCH; i++) {

        if (sh->times.root == &sh->times_sentinel) {
            break;
        }

        node = ngx_rbtree_min(sh->times.root, &sh->times_sentinel);

        if ((ngx_msec_int_t) (node->key - ngx_current_msec) > 0) {
            break;
        }

        item = ngx_queue_data(node, ngx_http_ktp_item_t, time);

        ngx_http_ktp_flights_table_unlist(sh, item);

        if (item->bond) {
            ngx_http_ktp_flights_table_free(flights, item);

        } else {
            ngx_http_ktp_flights_settle(flights,
                                        (ngx_http_ktp_entry_t *) item);
        }
    }

    if (i < NGX_HTTP_KTP_FLIGHTS_BATCH) {
        sh->swept = ngx_current_msec;
    }

    /* a leader that is late holds its entry, but nobody waits any longer */

    for (q = ngx_queue_head(&sh->active); q != ngx_queue_sentinel(&sh->active);
         q = next) {
        next = ngx_queue_next(q);
        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        if (entry->state == NGX_HTTP_KTP_FLIGHTS_FLYING
            && (ngx_msec_int_t) (entry->deadline - ngx_current_msec) <= 0) {
            entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
            ngx_http_ktp_flights_wake(entry);
            ngx_http_ktp_flights_settle(flights, entry);
        }
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    return i == NGX_HTTP_KTP_FLIGHTS_BATCH;
}


/* A worker has gone: its requests are in no flight any more. */

static void
ngx_http_ktp_flights_worker_reclaim(ngx_http_ktp_flights_t *flights,
                                    ngx_pid_t pid, ngx_log_t *log)
{
    ngx_uint_t                     i, calls;
    ngx_queue_t                   *q, *next, *w, *after;
    ngx_http_ktp_entry_t          *entry;
    ngx_http_ktp_waiter_t         *waiter;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;
    calls = 0;

    ngx_shmtx_lock(&flights->pool->mutex);

    for (q = ngx_queue_head(&sh->active); q != ngx_queue_sentinel(&sh->active);
         q = next) {
        next = ngx_queue_next(q);
        entry = (ngx_http_ktp_entry_t *) ngx_queue_data(q, ngx_http_ktp_item_t,
                                                        queue);

        for (w = ngx_queue_head(&entry->waiters);
             w != ngx_queue_sentinel(&entry->waiters); w = after) {
            after = ngx_queue_next(w);
            waiter = ngx_queue_data(w, ngx_http_ktp_waiter_t, queue);

            if (waiter->pid == pid) {
                ngx_http_ktp_flights_unwait(flights, waiter);
            }
        }

        if (entry->leader == pid) {
            ngx_http_ktp_flights_unlead(flights, entry);
            calls++;
        }

        ngx_http_ktp_flights_settle(flights, entry);
    }

    for (i = 0; i < NGX_HTTP_KTP_WAKE_MAX; i++) {
        (void) ngx_atomic_cmp_set(&sh->places[i], pid, 0);
    }

    ngx_shmtx_unlock(&flights->pool->mutex);

    if (calls) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "worker %P has ended with %ui calls in the air", pid,
                      calls);
    }
}
