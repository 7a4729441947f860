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
 * With "fleet", openings are numbered by the fleet:
 *
 * any       | another host has opened its own     | open until then
 * open,     | another host's trial has succeeded  | closed, no failures
 * half-open |                                     |
 * open,     | a call is asked for within a second | the same; the right to the
 * half-open | of the time or after it             | trial is asked for
 *           | this right is another host's        | open for a second more
 *
 * and a call becomes the trial only with this right.  Without an answer of the
 * fleet the host has it, and all is as above.
 *
 * The state changes under the mutex of the zone, which nginx unlocks if the
 * process that holds it dies.
 */

#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_process.h"
#include <time.h>


/* Milliseconds that a trial may take beyond the timeout of its call. */
#define NGX_HTTP_KTP_BREAKER_MARGIN 1000

/*
 * Milliseconds to wait for a trial in progress, whose end is not known, and
 * for that of another host, before the right to it is asked for again.
 */
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

    uint64_t  opening; /* of the fleet, the last one known */
    ngx_pid_t asking;  /* process that asks for the right to the trial, or 0 */
    unsigned  granted : 1; /* the host has it */
    unsigned  agreed : 1;  /* the fleet's opening is why this is not closed */

    uint64_t nfailures;                               /* since it was closed */
    uint64_t failures[NGX_HTTP_KTP_BREAKER_FAILURES]; /* times of the last */

    size_t len;
    u_char name[];
};


static ngx_http_ktp_circuit_t *
ngx_http_ktp_breaker_circuit(ngx_http_ktp_zone_t *zone, ngx_str_t *name);
static void       ngx_http_ktp_breaker_set(ngx_http_ktp_circuit_t      *circuit,
                                           ngx_http_ktp_breaker_state_t state);
static uint64_t   ngx_http_ktp_breaker_due(ngx_http_ktp_breaker_t *breaker);
static ngx_uint_t ngx_http_ktp_breaker_asks(ngx_http_ktp_breaker_t *breaker);
static uint64_t   ngx_http_ktp_breaker_left(ngx_http_ktp_circuit_t *circuit);
static void
ngx_http_ktp_breaker_failed(const ngx_http_ktp_breaker_conf_t *conf,
                            ktp_code_t reason, ngx_log_t *log);
static void ngx_http_ktp_breaker_tried(ngx_http_ktp_breaker_call_t *call,
                                       ngx_http_ktp_breaker_event_t event,
                                       ktp_code_t reason, ngx_log_t *log);
static uint64_t
ngx_http_ktp_breaker_open(const ngx_http_ktp_breaker_conf_t *conf);
static ngx_int_t ngx_http_ktp_breaker_tell(ngx_http_ktp_breaker_t    *breaker,
                                           ngx_http_ktp_breaker_say_t say,
                                           uint64_t opening, uint64_t time,
                                           uint64_t again);
static ngx_uint_t
                ngx_http_ktp_breaker_apply(ngx_http_ktp_circuit_t            *circuit,
                                           const ngx_http_ktp_breaker_news_t *news);
static uint64_t ngx_http_ktp_breaker_now(void);


static ngx_http_ktp_breaker_tell_pt ngx_http_ktp_breaker_teller;


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
    uint64_t                wait, opening, again;
    ngx_uint_t              asks;
    ngx_http_ktp_breaker_t *breaker;

    if (ngx_http_ktp_breaker_closed(conf)) {
        return 0;
    }

    breaker = conf->breaker;

    ngx_shmtx_lock(&breaker->pool->mutex);

    asks = ngx_http_ktp_breaker_asks(breaker);
    opening = breaker->circuit->opening;
    again = breaker->circuit->again;
    wait = ngx_http_ktp_breaker_due(breaker);

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (asks
        && ngx_http_ktp_breaker_tell(breaker, NGX_HTTP_KTP_BREAKER_SAY_TRY,
                                     opening, NGX_HTTP_KTP_BREAKER_TRIAL,
                                     again)
               != NGX_OK) {
        ngx_shmtx_lock(&breaker->pool->mutex);
        wait = ngx_http_ktp_breaker_due(breaker);
        ngx_shmtx_unlock(&breaker->pool->mutex);
    }

    return wait;
}


/* With the mutex locked: 1 if this process is to ask for the right to try. */

static ngx_uint_t
ngx_http_ktp_breaker_asks(ngx_http_ktp_breaker_t *breaker)
{
    uint64_t                left;
    ngx_http_ktp_circuit_t *circuit;

    circuit = breaker->circuit;
    left = ngx_http_ktp_breaker_left(circuit);

    if (!breaker->fleet || circuit->state == NGX_HTTP_KTP_BREAKER_CLOSED
        || circuit->granted || left > NGX_HTTP_KTP_BREAKER_TRIAL
        || (circuit->state == NGX_HTTP_KTP_BREAKER_HALF_OPEN && left)
        || (circuit->asking && ngx_http_ktp_process_alive(circuit->asking))) {
        return 0;
    }

    circuit->asking = ngx_pid;

    return 1;
}


/* With the mutex locked: milliseconds until a call may be made, as known. */

static uint64_t
ngx_http_ktp_breaker_due(ngx_http_ktp_breaker_t *breaker)
{
    uint64_t                left;
    ngx_http_ktp_circuit_t *circuit;

    circuit = breaker->circuit;
    left = ngx_http_ktp_breaker_left(circuit);

    return left == 0 && breaker->fleet && !circuit->granted
                   && circuit->state != NGX_HTTP_KTP_BREAKER_CLOSED
               ? NGX_HTTP_KTP_BREAKER_TRIAL
               : left;
}


uint64_t
ngx_http_ktp_breaker_enter(const ngx_http_ktp_breaker_conf_t *conf,
                           ngx_http_ktp_breaker_call_t       *call,
                           ngx_msec_t timeout, ngx_log_t *log)
{
    uint64_t                wait, time, opening, again;
    ngx_uint_t              opens;
    ngx_http_ktp_breaker_t *breaker;
    ngx_http_ktp_circuit_t *circuit;

    call->trial = 0;
    call->conf = NULL;

    wait = ngx_http_ktp_breaker_wait(conf);

    if (wait) {
        return wait;
    }

    call->conf = conf->breaker ? conf : NULL;

    if (ngx_http_ktp_breaker_closed(conf)) {
        return 0;
    }

    breaker = conf->breaker;
    circuit = breaker->circuit;
    time = timeout + NGX_HTTP_KTP_BREAKER_MARGIN;
    opens = 0;

    ngx_shmtx_lock(&breaker->pool->mutex);

    wait = ngx_http_ktp_breaker_due(breaker);

    if (wait == 0 && circuit->state != NGX_HTTP_KTP_BREAKER_CLOSED) {
        opens = circuit->state == NGX_HTTP_KTP_BREAKER_OPEN;

        circuit->until = ngx_http_ktp_breaker_now() + time;
        circuit->pid = ngx_pid;
        call->trial = ++circuit->trials;
        ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_HALF_OPEN);
    }

    opening = circuit->opening;
    again = circuit->again;

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (call->trial && breaker->fleet) {
        (void) ngx_http_ktp_breaker_tell(breaker, NGX_HTTP_KTP_BREAKER_SAY_TRY,
                                         opening, time, again);
    }

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


/* The only place where the state changes; with the mutex locked. */

static void
ngx_http_ktp_breaker_set(ngx_http_ktp_circuit_t      *circuit,
                         ngx_http_ktp_breaker_state_t state)
{
    if (state != NGX_HTTP_KTP_BREAKER_HALF_OPEN) {
        circuit->pid = 0;
        circuit->asking = 0;
        circuit->granted = 0;
    }

    if (state == NGX_HTTP_KTP_BREAKER_CLOSED) {
        circuit->again = 0;
        circuit->nfailures = 0;
        circuit->agreed = 0;
    }

    circuit->state = state;
}


/* Milliseconds until the trial may be made, or is over; 0: now. */

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
    uint64_t                now, first, time, opening, again;
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

    opening = circuit->opening;
    again = circuit->again;

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (time) {
        (void) ngx_http_ktp_breaker_tell(
            breaker, NGX_HTTP_KTP_BREAKER_SAY_OPEN, opening, time, again);

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
    uint64_t                   time, opening, again;
    ngx_uint_t                 ours;
    ngx_http_ktp_breaker_t    *breaker;
    ngx_http_ktp_circuit_t    *circuit;
    ngx_http_ktp_breaker_say_t say;

    breaker = call->conf->breaker;
    circuit = breaker->circuit;
    time = 0;
    say = NGX_HTTP_KTP_BREAKER_SAY_READ;

    ngx_shmtx_lock(&breaker->pool->mutex);

    ours = circuit->state == NGX_HTTP_KTP_BREAKER_HALF_OPEN
           && circuit->trials == call->trial;

    if (ours) {
        circuit->pid = 0;

        if (event == NGX_HTTP_KTP_BREAKER_SUCCESS) {
            say = circuit->agreed ? NGX_HTTP_KTP_BREAKER_SAY_CLOSE
                                  : NGX_HTTP_KTP_BREAKER_SAY_READ;
            ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_CLOSED);

        } else if (event == NGX_HTTP_KTP_BREAKER_FAILURE) {
            say = NGX_HTTP_KTP_BREAKER_SAY_OPEN;
            time = ngx_http_ktp_breaker_open(call->conf);

        } else if (breaker->fleet) {
            say = NGX_HTTP_KTP_BREAKER_SAY_TRY;
            circuit->granted = 0;
            circuit->asking = ngx_pid;
        }
    }

    opening = circuit->opening;
    again = circuit->again;

    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (say != NGX_HTTP_KTP_BREAKER_SAY_READ) {
        (void) ngx_http_ktp_breaker_tell(
            breaker, say, opening, time ? time : NGX_HTTP_KTP_BREAKER_TRIAL,
            again);
    }

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
    circuit->agreed = 0;
    ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_OPEN);

    return time;
}


void
ngx_http_ktp_breaker_fleet(ngx_http_ktp_breaker_tell_pt tell)
{
    ngx_http_ktp_breaker_teller = tell;
}


/* NGX_DECLINED: the fleet is not reachable, and the host goes on by itself. */

static ngx_int_t
ngx_http_ktp_breaker_tell(ngx_http_ktp_breaker_t    *breaker,
                          ngx_http_ktp_breaker_say_t say, uint64_t opening,
                          uint64_t time, uint64_t again)
{
    ngx_http_ktp_breaker_report_t report;

    if (!breaker->fleet) {
        return NGX_OK;
    }

    report.say = say;
    report.opening = opening;
    report.time = ngx_min(time, NGX_HTTP_KTP_BREAKER_LONGEST);
    report.again = again;

    if (ngx_http_ktp_breaker_teller
        && ngx_http_ktp_breaker_teller(breaker, &report) == NGX_OK) {
        return NGX_OK;
    }

    ngx_http_ktp_breaker_told(breaker, say, NULL, ngx_cycle->log);

    return NGX_DECLINED;
}


void
ngx_http_ktp_breaker_sync(ngx_http_ktp_breaker_t *breaker)
{
    uint64_t                left, opening, again;
    ngx_uint_t              own;
    ngx_http_ktp_circuit_t *circuit;

    circuit = breaker->circuit;

    ngx_shmtx_lock(&breaker->pool->mutex);

    own = circuit->state == NGX_HTTP_KTP_BREAKER_OPEN && !circuit->agreed;
    left = own ? ngx_http_ktp_breaker_left(circuit) : 0;
    opening = circuit->opening;
    again = circuit->again;

    ngx_shmtx_unlock(&breaker->pool->mutex);

    (void) ngx_http_ktp_breaker_tell(breaker,
                                     left ? NGX_HTTP_KTP_BREAKER_SAY_OPEN
                                          : NGX_HTTP_KTP_BREAKER_SAY_READ,
                                     opening, left, again);
}


void
ngx_http_ktp_breaker_learn(ngx_http_ktp_breaker_t            *breaker,
                           const ngx_http_ktp_breaker_news_t *news,
                           ngx_log_t                         *log)
{
    ngx_uint_t changed;

    ngx_shmtx_lock(&breaker->pool->mutex);
    changed = ngx_http_ktp_breaker_apply(breaker->circuit, news);
    ngx_shmtx_unlock(&breaker->pool->mutex);

    if (!changed) {
        return;
    }

    if (news->state == NGX_HTTP_KTP_BREAKER_CLOSED) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "breaker of upstream \"%V\" is closed, a call of "
                      "another host was answered",
                      &breaker->name);
        return;
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "breaker of upstream \"%V\" is open, that of another host "
                  "has opened, %uLms are left",
                  &breaker->name, news->left);
}


/* With the mutex locked; returns 1 if the state is another one now. */

static ngx_uint_t
ngx_http_ktp_breaker_apply(ngx_http_ktp_circuit_t            *circuit,
                           const ngx_http_ktp_breaker_news_t *news)
{
    ngx_uint_t closed, confirmed;

    closed = circuit->state == NGX_HTTP_KTP_BREAKER_CLOSED;

    if (news->granted) {

        if (!closed) {
            circuit->opening = ngx_max(circuit->opening, news->opening);
            circuit->agreed = 1;
        }

        return 0;
    }

    if (news->opening <= circuit->opening
        && (news->opening < circuit->opening || !circuit->agreed
            || news->state != NGX_HTTP_KTP_BREAKER_CLOSED)) {
        return 0;
    }

    circuit->opening = news->opening;

    if (news->state == NGX_HTTP_KTP_BREAKER_CLOSED) {
        ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_CLOSED);
        return !closed;
    }

    /* an opening that is over says nothing of now */

    if (closed && news->left == 0) {
        return 0;
    }

    /* its own opening has got its number */

    confirmed =
        circuit->state == NGX_HTTP_KTP_BREAKER_OPEN && !circuit->agreed;

    circuit->until = ngx_http_ktp_breaker_now()
                     + (news->state == NGX_HTTP_KTP_BREAKER_OPEN
                            ? news->left
                            : ngx_min(news->left, NGX_HTTP_KTP_BREAKER_TRIAL));
    circuit->again = news->again;
    circuit->opened += !confirmed;
    circuit->agreed = 1;
    ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_OPEN);

    return !confirmed;
}


void
ngx_http_ktp_breaker_told(ngx_http_ktp_breaker_t            *breaker,
                          ngx_http_ktp_breaker_say_t         say,
                          const ngx_http_ktp_breaker_news_t *news,
                          ngx_log_t                         *log)
{
    uint64_t                until;
    ngx_http_ktp_circuit_t *circuit;

    if (news) {
        ngx_http_ktp_breaker_learn(breaker, news, log);
    }

    if (say != NGX_HTTP_KTP_BREAKER_SAY_TRY) {
        return;
    }

    circuit = breaker->circuit;

    ngx_shmtx_lock(&breaker->pool->mutex);

    if (circuit->asking == 0) {

        /* the trial has begun, or the state has changed meanwhile */

    } else if (news && !news->granted
               && news->state == NGX_HTTP_KTP_BREAKER_HALF_OPEN) {
        until = ngx_http_ktp_breaker_now() + NGX_HTTP_KTP_BREAKER_TRIAL;
        circuit->until = ngx_max(circuit->until, until);
        ngx_http_ktp_breaker_set(circuit, NGX_HTTP_KTP_BREAKER_OPEN);

    } else {
        circuit->asking = 0;
        circuit->granted = 1;
    }

    ngx_shmtx_unlock(&breaker->pool->mutex);
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
