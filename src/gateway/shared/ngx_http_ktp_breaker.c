/*
 * state     | event                                   | next
 * ----------+-----------------------------------------+---------------------
 * closed    | a call fails, fewer than "failures=" in | closed
 *           | "window="                               |
 * closed    | a call fails, it is the last of these   | open for "open="
 * closed    | a call succeeds or says nothing         | closed
 * open      | a call is asked for, before the time    | open; it is refused
 * open      | a call is asked for, after the time     | half-open; it is the
 *           |                                         | trial
 * open      | a call ends that began earlier          | open
 * half-open | a call is asked for                     | half-open; it is
 *           |                                         | refused
 * half-open | a call is asked for, and there is no    | half-open; it is the
 *           | trial, its process has died, or its     | trial
 *           | time has passed                         |
 * half-open | the trial succeeds                      | closed, no failures
 * half-open | the trial fails                         | open for twice as
 *           |                                         | long, up to "max="
 * half-open | the trial says nothing: it was not      | half-open, no trial
 *           | sent, or its client has left            |
 * half-open | another call ends                       | half-open
 *
 * The state changes under the mutex of the zone, which nginx unlocks if the
 * process that holds it dies.
 */

#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_process.h"
#include <time.h>


/* Milliseconds that a trial may take beyond the timeout of its call. */
#define NGX_HTTP_KTP_BREAKER_MARGIN 1000

/* Milliseconds to wait for a trial in progress, whose end is not known. */
#define NGX_HTTP_KTP_BREAKER_TRIAL 1000

/*
 * The time that a breaker is open is shorter by up to this share of it, at
 * random, so that hosts do not try at the same moment.
 */
#define NGX_HTTP_KTP_BREAKER_JITTER 5


/* Shared by all workers; times are milliseconds of the monotonic clock. */
struct ngx_http_ktp_circuit_s {
    ngx_http_ktp_circuit_t *next; /* of all */

    ngx_uint_t   state;  /* ngx_http_ktp_breaker_state_t */
    uint64_t     until;  /* open: its end; half-open: the end of the trial */
    uint64_t     trials; /* so far; the number of the last one */
    ngx_pid_t    pid;    /* of the trial's process; 0: there is no trial */
    ngx_uint_t   again;  /* how often it was opened since it was closed */
    ngx_atomic_t opened; /* since the start */

    uint64_t nfailures;                               /* since it was closed */
    uint64_t failures[NGX_HTTP_KTP_BREAKER_FAILURES]; /* times of the last */

    size_t len;
    u_char name[];
};


static ngx_http_ktp_circuit_t *
ngx_http_ktp_breaker_circuit(ngx_http_ktp_zone_t *zone, ngx_str_t *name);
static uint64_t ngx_http_ktp_breaker_left(ngx_http_ktp_circuit_t *circuit);
static void
ngx_http_ktp_breaker_failed(const ngx_http_ktp_breaker_conf_t *conf,
                            ktp_code_t reason, ngx_log_t *log);
static void ngx_http_ktp_breaker_tried(ngx_http_ktp_breaker_call_t *call,
                                       ngx_http_ktp_breaker_event_t event,
                                       ktp_code_t reason, ngx_log_t *log);
static uint64_t
ngx_http_ktp_breaker_open(const ngx_http_ktp_breaker_conf_t *conf);
static uint64_t ngx_http_ktp_breaker_now(void);


ngx_int_t
ngx_http_ktp_breaker_init(ngx_http_ktp_zone_t     *zone,
                          ngx_http_ktp_breaker_t **breaker, ngx_uint_t n)
{
    ngx_uint_t i;

    for (i = 0; i < n; i++) {
        breaker[i]->pool = zone->pool;
        breaker[i]->circuit =
            ngx_http_ktp_breaker_circuit(zone, &breaker[i]->name);

        if (breaker[i]->circuit == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_ktp_circuit_t *
ngx_http_ktp_breaker_circuit(ngx_http_ktp_zone_t *zone, ngx_str_t *name)
{
    ngx_http_ktp_circuit_t *circuit;

    for (circuit = zone->shared->circuits; circuit; circuit = circuit->next) {
        if (circuit->len == name->len
            && ngx_memcmp(circuit->name, name->data, name->len) == 0) {
            return circuit;
        }
    }

    circuit = ngx_slab_calloc(zone->pool,
                              sizeof(ngx_http_ktp_circuit_t) + name->len);
    if (circuit == NULL) {
        return NULL;
    }

    circuit->len = name->len;
    ngx_memcpy(circuit->name, name->data, name->len);

    circuit->next = zone->shared->circuits;
    zone->shared->circuits = circuit;

    return circuit;
}


uint64_t
ngx_http_ktp_breaker_wait(const ngx_http_ktp_breaker_conf_t *conf)
{
    uint64_t                wait;
    ngx_http_ktp_breaker_t *breaker;

    if (ngx_http_ktp_breaker_closed(conf)) {
        return 0;
    }

    breaker = conf->breaker;

    ngx_shmtx_lock(&breaker->pool->mutex);
    wait = ngx_http_ktp_breaker_left(breaker->circuit);
    ngx_shmtx_unlock(&breaker->pool->mutex);

    return wait;
}


uint64_t
ngx_http_ktp_breaker_enter(const ngx_http_ktp_breaker_conf_t *conf,
                           ngx_http_ktp_breaker_call_t       *call,
                           ngx_msec_t timeout, ngx_log_t *log)
{
    uint64_t                wait;
    ngx_uint_t              opens;
    ngx_http_ktp_breaker_t *breaker;
    ngx_http_ktp_circuit_t *circuit;

    call->trial = 0;
    call->conf = conf->breaker ? conf : NULL;

    if (ngx_http_ktp_breaker_closed(conf)) {
        return 0;
    }

    breaker = conf->breaker;
    circuit = breaker->circuit;
    opens = 0;

    ngx_shmtx_lock(&breaker->pool->mutex);

    wait = ngx_http_ktp_breaker_left(circuit);

    if (wait == 0 && circuit->state != NGX_HTTP_KTP_BREAKER_CLOSED) {
        opens = circuit->state == NGX_HTTP_KTP_BREAKER_OPEN;

        circuit->until =
            ngx_http_ktp_breaker_now() + timeout + NGX_HTTP_KTP_BREAKER_MARGIN;
        circuit->pid = ngx_pid;
        circuit->state = NGX_HTTP_KTP_BREAKER_HALF_OPEN;
        call->trial = ++circuit->trials;
    }

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (opens) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "breaker of upstream \"%V\" is half-open, one call is "
                      "made",
                      &breaker->name);
    }

    if (wait) {
        call->conf = NULL;
    }

    return wait;
}


/* Milliseconds until a call may be made; 0: now. */

static uint64_t
ngx_http_ktp_breaker_left(ngx_http_ktp_circuit_t *circuit)
{
    uint64_t now;

    now = ngx_http_ktp_breaker_now();

    switch (circuit->state) {

    case NGX_HTTP_KTP_BREAKER_OPEN:
        return circuit->until > now ? circuit->until - now : 0;

    case NGX_HTTP_KTP_BREAKER_HALF_OPEN:
        return circuit->pid && circuit->until > now
                       && ngx_http_ktp_process_alive(circuit->pid)
                   ? NGX_HTTP_KTP_BREAKER_TRIAL
                   : 0;

    default: /* NGX_HTTP_KTP_BREAKER_CLOSED */
        return 0;
    }
}


void
ngx_http_ktp_breaker_leave(ngx_http_ktp_breaker_call_t *call,
                           ngx_http_ktp_breaker_event_t event,
                           ktp_code_t reason, ngx_log_t *log)
{
    if (call->conf == NULL) {
        return;
    }

    if (call->trial) {
        ngx_http_ktp_breaker_tried(call, event, reason, log);

    } else if (event == NGX_HTTP_KTP_BREAKER_FAILURE) {
        ngx_http_ktp_breaker_failed(call->conf, reason, log);
    }

    call->conf = NULL;
}


/* A call that is no trial has failed. */

static void
ngx_http_ktp_breaker_failed(const ngx_http_ktp_breaker_conf_t *conf,
                            ktp_code_t reason, ngx_log_t *log)
{
    uint64_t                now, first, time;
    ngx_http_ktp_breaker_t *breaker;
    ngx_http_ktp_circuit_t *circuit;

    breaker = conf->breaker;
    circuit = breaker->circuit;
    time = 0;

    ngx_shmtx_lock(&breaker->pool->mutex);

    if (circuit->state == NGX_HTTP_KTP_BREAKER_CLOSED) {
        now = ngx_http_ktp_breaker_now();

        circuit->failures[circuit->nfailures % NGX_HTTP_KTP_BREAKER_FAILURES] =
            now;
        circuit->nfailures++;

        if (circuit->nfailures >= conf->failures) {
            first = circuit->nfailures - conf->failures;

            if (now - circuit->failures[first % NGX_HTTP_KTP_BREAKER_FAILURES]
                <= conf->window) {
                time = ngx_http_ktp_breaker_open(conf);
            }
        }
    }

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (time) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "breaker of upstream \"%V\" is open for %uLms, %ui "
                      "calls failed within %Mms, the last one: %s",
                      &breaker->name, time, conf->failures, conf->window,
                      ktp_error(reason)->reason);
    }
}


/* The trial has ended, unless another one has taken its place. */

static void
ngx_http_ktp_breaker_tried(ngx_http_ktp_breaker_call_t *call,
                           ngx_http_ktp_breaker_event_t event,
                           ktp_code_t reason, ngx_log_t *log)
{
    uint64_t                time;
    ngx_uint_t              ours;
    ngx_http_ktp_breaker_t *breaker;
    ngx_http_ktp_circuit_t *circuit;

    breaker = call->conf->breaker;
    circuit = breaker->circuit;
    time = 0;

    ngx_shmtx_lock(&breaker->pool->mutex);

    ours = circuit->state == NGX_HTTP_KTP_BREAKER_HALF_OPEN
           && circuit->trials == call->trial;

    if (ours) {
        circuit->pid = 0;

        if (event == NGX_HTTP_KTP_BREAKER_SUCCESS) {
            circuit->again = 0;
            circuit->nfailures = 0;
            circuit->state = NGX_HTTP_KTP_BREAKER_CLOSED;

        } else if (event == NGX_HTTP_KTP_BREAKER_FAILURE) {
            time = ngx_http_ktp_breaker_open(call->conf);
        }
    }

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (time) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "breaker of upstream \"%V\" is open again for %uLms, "
                      "the call failed: %s",
                      &breaker->name, time, ktp_error(reason)->reason);

    } else if (ours && event == NGX_HTTP_KTP_BREAKER_SUCCESS) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "breaker of upstream \"%V\" is closed, the call was "
                      "answered",
                      &breaker->name);

    } else if (ours) {
        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "breaker of upstream \"%V\" stays half-open, the call "
                      "ended without a result",
                      &breaker->name);
    }
}


/* Opens it, with the mutex locked; returns for how long. */

static uint64_t
ngx_http_ktp_breaker_open(const ngx_http_ktp_breaker_conf_t *conf)
{
    uint64_t                time;
    ngx_uint_t              i;
    ngx_http_ktp_circuit_t *circuit;

    circuit = conf->breaker->circuit;
    time = conf->open;

    for (i = 0; i < circuit->again && time < conf->max; i++) {
        time *= 2;
    }

    time = ngx_min(time, conf->max);
    time -= (uint64_t) ngx_random() % (time / NGX_HTTP_KTP_BREAKER_JITTER + 1);

    circuit->until = ngx_http_ktp_breaker_now() + time;
    circuit->again++;
    circuit->opened++;
    circuit->state = NGX_HTTP_KTP_BREAKER_OPEN;

    return time;
}


ngx_uint_t
ngx_http_ktp_breaker_closed(const ngx_http_ktp_breaker_conf_t *conf)
{
    return conf->breaker == NULL
           || __atomic_load_n(&conf->breaker->circuit->state, __ATOMIC_RELAXED)
                  == NGX_HTTP_KTP_BREAKER_CLOSED;
}


ngx_http_ktp_breaker_state_t
ngx_http_ktp_breaker_state(ngx_http_ktp_breaker_t *breaker)
{
    ngx_uint_t state;

    ngx_shmtx_lock(&breaker->pool->mutex);

    state = breaker->circuit->state;

    if (state == NGX_HTTP_KTP_BREAKER_OPEN
        && ngx_http_ktp_breaker_left(breaker->circuit) == 0) {
        state = NGX_HTTP_KTP_BREAKER_HALF_OPEN;
    }

    ngx_shmtx_unlock(&breaker->pool->mutex);

    return state;
}


const char *
ngx_http_ktp_breaker_name(ngx_http_ktp_breaker_state_t state)
{
    static const char *const names[] = {"closed", "half-open", "open"};

    return names[state];
}


ngx_uint_t
ngx_http_ktp_breaker_opened(ngx_http_ktp_breaker_t *breaker)
{
    return breaker->circuit->opened;
}


/* The cached time of nginx may lag by milliseconds, in each worker its own. */

static uint64_t
ngx_http_ktp_breaker_now(void)
{
    struct timespec ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
