#include "ngx_http_ktp_fleet_flight.h"
#include "ngx_http_ktp_fleet_script.h"
#include "ngx_http_ktp_zone.h"

/* generated from flight.lua by a rule of config.make */
#include <ngx_http_ktp_fleet_flight_lua.h>


/* A message that was lost is replaced by a look, milliseconds. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_POLL 1000

/* Until a command for which there was no room is sent again, milliseconds. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_RETRY 100

/*
 * Milliseconds that a host has to report the end of its call, after which
 * other hosts take the flight for that of a dead one.
 */
#define NGX_HTTP_KTP_FLEET_FLIGHT_LATE 2000

/*
 * Milliseconds for which the end of a call is kept for hosts that wait, when
 * it is for nobody else: some looks.
 */
#define NGX_HTTP_KTP_FLEET_FLIGHT_LINGER 10000

/*
 * Bytes of a sealed record, at most: half of what a connection keeps to be
 * sent.  An answer of the contract has about 900 bytes.
 */
#define NGX_HTTP_KTP_FLEET_FLIGHT_RECORD 32768

/* Ends of calls that a worker keeps for Redis, at most. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_KEPT 256

/* A token: id, hyphen, number of the call. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_TOKEN                                       \
    (NGX_HTTP_KTP_FLIGHTS_ID + 1 + NGX_INT_T_LEN)

/* The channel of a worker. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_CHANNEL                                     \
    (2 * NGX_HTTP_KTP_REDIS_NAME + sizeof(":wake:::") + 3 * NGX_INT64_LEN)

/* Values of a reply. */
#define NGX_HTTP_KTP_FLEET_FLIGHT_VALUES 5

typedef enum {
    NGX_HTTP_KTP_FLEET_FLIGHT_ASKING = 0, /* the claim is being sent */
    NGX_HTTP_KTP_FLEET_FLIGHT_WAITING,    /* for the call of another host */
    NGX_HTTP_KTP_FLEET_FLIGHT_CALLING,    /* this host makes the call */
    NGX_HTTP_KTP_FLEET_FLIGHT_LANDING     /* its end is being sent */
} ngx_http_ktp_fleet_flight_state_t;

struct ngx_http_ktp_fleet_flight_s {
    ngx_queue_t                       queue; /* of this worker */
    ngx_http_ktp_fleet_flight_state_t state;
    ngx_http_ktp_fleet_claim_t        claim;
    ngx_event_t                       event; /* next attempt or look */
    ngx_connection_t                  dummy;

    u_char     waited[NGX_HTTP_KTP_FLEET_FLIGHT_TOKEN]; /* for whose call */
    size_t     waited_len;
    ngx_msec_t declined; /* when a command could not be sent */

    const char *how; /* of the end */
    ngx_str_t   sealed;

    unsigned claimed : 1; /* Redis may hold it for this host */
    unsigned on_way : 1;  /* a command has no reply yet */
    unsigned landing : 1; /* that command is the end */
    unsigned late : 1;    /* declined is set */
    unsigned again : 1;   /* the reply on its way may be too old */

    ngx_http_ktp_fleet_script_run_t run;
};

typedef struct {
    ngx_http_ktp_redis_t  *redis;
    ngx_http_ktp_shared_t *shared;
    ngx_uint_t             nkeys; /* of the fleet */
    ngx_queue_t            flights;
    ngx_uint_t             nlanding;
    ngx_str_t              channel; /* of this worker */
    ngx_uint_t             heard;   /* it has been subscribed to */
    ngx_uint_t             up;
    ngx_msec_t             lost; /* since when it is not */
} ngx_http_ktp_fleet_flight_worker_t;


static void ngx_http_ktp_fleet_flight_wake(ngx_str_t *name);
static ngx_uint_t
            ngx_http_ktp_fleet_flight_away(ngx_http_ktp_fleet_flight_t *f);
static void ngx_http_ktp_fleet_flight_send(ngx_http_ktp_fleet_flight_t *f);
static ngx_uint_t
            ngx_http_ktp_fleet_flight_args(void                             *data,
                                           ngx_http_ktp_fleet_script_args_t *args);
static void ngx_http_ktp_fleet_flight_done(void                       *data,
                                           ngx_http_ktp_redis_reply_t *reply);
static void
ngx_http_ktp_fleet_flight_landed(ngx_http_ktp_fleet_flight_t *f,
                                 ngx_http_ktp_redis_reply_t  *reply);
static ngx_int_t
ngx_http_ktp_fleet_flight_reply(ngx_http_ktp_fleet_flight_t *f,
                                ngx_http_ktp_redis_reply_t  *reply);
static ngx_uint_t
ngx_http_ktp_fleet_flight_find(const ngx_http_ktp_redis_value_t *value,
                               const ngx_str_t *names, ngx_uint_t n);
static ngx_int_t
            ngx_http_ktp_fleet_flight_open(ngx_http_ktp_fleet_flight_t     *f,
                                           ngx_http_ktp_redis_value_t      *v,
                                           ngx_http_ktp_fleet_flight_end_t *end);
static void ngx_http_ktp_fleet_flight_call(ngx_http_ktp_fleet_flight_t *f);
static void ngx_http_ktp_fleet_flight_end(ngx_http_ktp_fleet_flight_t *f,
                                          const char                  *how);
static void ngx_http_ktp_fleet_flight_free(ngx_http_ktp_fleet_flight_t *f);
static void ngx_http_ktp_fleet_flight_event(ngx_event_t *ev);


static ngx_http_ktp_fleet_flight_worker_t ngx_http_ktp_fleet_flight_worker;

static ngx_http_ktp_fleet_script_t ngx_http_ktp_fleet_flight_script = {
    ngx_string(ngx_http_ktp_fleet_flight_lua),
    ngx_http_ktp_fleet_flight_args,
    ngx_http_ktp_fleet_flight_done,
    {0}};


void
ngx_http_ktp_fleet_flight_init(ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_http_ktp_fleet_flight_worker_t *w;

    static u_char channel[NGX_HTTP_KTP_FLEET_FLIGHT_CHANNEL];

    w = &ngx_http_ktp_fleet_flight_worker;

    w->redis = kmcf->redis;
    w->shared = kmcf->zone->shared;
    w->lost = ngx_current_msec;

    ngx_queue_init(&w->flights);

    ngx_http_ktp_fleet_script_init(&ngx_http_ktp_fleet_flight_script);

    w->nkeys = ngx_http_ktp_fleet_keys_n();

    if (w->nkeys == 0) {
        return;
    }

    w->channel.data = channel;
    w->channel.len =
        ngx_sprintf(channel, "%V:wake:%V:%P:%xi", &w->redis->prefix,
                    &w->redis->host, ngx_pid, (ngx_int_t) ngx_random())
        - channel;

    ngx_http_ktp_redis_subscribe(&w->channel, ngx_http_ktp_fleet_flight_wake);
}


/* The call of a flight has ended; NULL: perhaps of any. */

static void
ngx_http_ktp_fleet_flight_wake(ngx_str_t *name)
{
    u_char                              hex[2 * NGX_HTTP_KTP_VAULT_KEY];
    ngx_uint_t                          i;
    ngx_queue_t                        *q;
    ngx_http_ktp_fleet_flight_t        *f;
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;
    w->heard = 1;

    for (q = ngx_queue_head(&w->flights); q != ngx_queue_sentinel(&w->flights);
         q = ngx_queue_next(q)) {
        f = ngx_queue_data(q, ngx_http_ktp_fleet_flight_t, queue);

        if (f->state > NGX_HTTP_KTP_FLEET_FLIGHT_WAITING) {
            continue;
        }

        for (i = 0; i < w->nkeys; i++) {
            (void) ngx_hex_dump(hex, f->claim.name.key[i],
                                NGX_HTTP_KTP_VAULT_KEY);

            if (name == NULL
                || (name->len == sizeof(hex)
                    && ngx_memcmp(name->data, hex, sizeof(hex)) == 0)) {

                if (f->on_way) {
                    f->again = 1;

                } else {
                    ngx_post_event(&f->event, &ngx_posted_events);
                }

                break;
            }
        }
    }
}


void
ngx_http_ktp_fleet_flight_state(ngx_uint_t up)
{
    ngx_queue_t                        *q;
    ngx_http_ktp_fleet_flight_t        *f;
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;

    if (w->up == up) {
        return;
    }

    w->up = up;
    w->lost = ngx_current_msec;

    if (!up) {
        return;
    }

    for (q = ngx_queue_head(&w->flights); q != ngx_queue_sentinel(&w->flights);
         q = ngx_queue_next(q)) {
        f = ngx_queue_data(q, ngx_http_ktp_fleet_flight_t, queue);

        if (!f->on_way && f->event.timer_set) {
            ngx_post_event(&f->event, &ngx_posted_events);
        }
    }
}


ngx_uint_t
ngx_http_ktp_fleet_flight_landing(void)
{
    return ngx_http_ktp_fleet_flight_worker.nlanding != 0;
}


ngx_int_t
ngx_http_ktp_fleet_flight_name(const ktp_flight_t *flight, const u_char *hmac,
                               ngx_http_ktp_fleet_name_t *name)
{
    ngx_uint_t                          i;
    ngx_http_ktp_fleet_flight_worker_t *w;

    static const u_char none[NGX_HTTP_KTP_VAULT_KEY];

    w = &ngx_http_ktp_fleet_flight_worker;

    for (i = 0; i < w->nkeys; i++) {
        if (ngx_http_ktp_vault_flight(ngx_http_ktp_fleet_keys(i), "flight",
                                      flight, name->key[i])
            != NGX_OK) {
            return NGX_ERROR;
        }
    }

    name->marked = ngx_memcmp(hmac, none, NGX_HTTP_KTP_VAULT_KEY) != 0;

    if (name->marked
        && ngx_http_ktp_vault_key(ngx_http_ktp_fleet_keys(0), "hmac", hmac,
                                  NGX_HTTP_KTP_VAULT_KEY, name->hmac)
               != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_vault_key(ngx_http_ktp_fleet_keys(0), "image",
                                  flight->digest, KTP_FLIGHT_DIGEST,
                                  name->image);
}


ngx_http_ktp_fleet_flight_t *
ngx_http_ktp_fleet_flight_claim(const ngx_http_ktp_fleet_claim_t *claim)
{
    ngx_http_ktp_fleet_flight_t        *f;
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;

    f = ngx_calloc(sizeof(ngx_http_ktp_fleet_flight_t), ngx_cycle->log);

    if (f == NULL) {
        return NULL;
    }

    f->claim = *claim;
    f->dummy.fd = (ngx_socket_t) -1;
    f->dummy.data = f;
    f->event.data = &f->dummy;
    f->event.handler = ngx_http_ktp_fleet_flight_event;
    f->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&w->flights, &f->queue);

    if (ngx_http_ktp_fleet_flight_away(f)) {
        ngx_http_ktp_fleet_flight_free(f);
        return NULL;
    }

    ngx_http_ktp_fleet_flight_send(f);

    return f;
}


/*
 * 1 if commands have not been sent for as long as a reply is waited for: since
 * the connection was lost, or for want of room.
 */

static ngx_uint_t
ngx_http_ktp_fleet_flight_away(ngx_http_ktp_fleet_flight_t *f)
{
    ngx_msec_t                          since;
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;

    if (w->up && !f->late) {
        return 0;
    }

    since = w->up ? f->declined : w->lost;

    return ngx_current_msec - since >= w->redis->timeout;
}


/* The claim, or the end of the call. */

static void
ngx_http_ktp_fleet_flight_send(ngx_http_ktp_fleet_flight_t *f)
{
    /* other workers have a connection */

    if (ngx_http_ktp_fleet_flight_worker.shared->fleet_up) {
        ngx_http_ktp_redis_hurry();
    }

    if (ngx_http_ktp_fleet_script_run(&ngx_http_ktp_fleet_flight_script,
                                      &f->run, f)
        == NGX_OK) {
        f->on_way = 1;
        f->claimed = 1;
        f->late = 0;
        return;
    }

    if (!f->late) {
        f->late = 1;
        f->declined = ngx_current_msec;
    }

    ngx_add_timer(&f->event, NGX_HTTP_KTP_FLEET_FLIGHT_RETRY);
}


/* The order is that of flight.lua. */

static ngx_uint_t
ngx_http_ktp_fleet_flight_args(void                             *data,
                               ngx_http_ktp_fleet_script_args_t *args)
{
    ngx_http_ktp_fleet_flight_t *f = data;

    ngx_uint_t                          i;
    ngx_msec_int_t                      left;
    ngx_http_ktp_fleet_name_t          *name;
    ngx_http_ktp_fleet_claim_t         *claim;
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;
    claim = &f->claim;
    name = &claim->name;

    f->landing = f->state == NGX_HTTP_KTP_FLEET_FLIGHT_LANDING;

    if (f->landing) {
        ngx_http_ktp_fleet_keys_add(args, "", name->key[0]);

        ngx_http_ktp_fleet_script_format(args, "land");
        ngx_http_ktp_fleet_script_format(args, "%*s-%ui",
                                         (size_t) NGX_HTTP_KTP_FLIGHTS_ID,
                                         claim->id, claim->lead);
        ngx_http_ktp_fleet_script_format(args, "%s", f->how);
        ngx_http_ktp_fleet_script_number(args, claim->keep);
        ngx_http_ktp_fleet_script_number(args,
                                         NGX_HTTP_KTP_FLEET_FLIGHT_LINGER);
        ngx_http_ktp_fleet_script_text(args, f->sealed.data, f->sealed.len);

        return 1;
    }

    for (i = 0; i < w->nkeys; i++) {
        ngx_http_ktp_fleet_keys_add(args, "", name->key[i]);
    }

    ngx_http_ktp_fleet_keys_add(args, "image:", name->image);

    if (name->marked) {
        ngx_http_ktp_fleet_keys_add(args, "hmac:", name->hmac);
    }

    left = (ngx_msec_int_t) (claim->until - ngx_current_msec);
    left = ngx_max(left, 0) + NGX_HTTP_KTP_FLEET_FLIGHT_LATE;

    ngx_http_ktp_fleet_script_format(args, "claim");
    ngx_http_ktp_fleet_script_number(args, w->nkeys);
    ngx_http_ktp_fleet_script_format(args, "%*s-%ui",
                                     (size_t) NGX_HTTP_KTP_FLIGHTS_ID,
                                     claim->id, claim->lead);
    ngx_http_ktp_fleet_script_number(args, left);
    ngx_http_ktp_fleet_script_number(args, claim->age);
    ngx_http_ktp_fleet_script_number(args, claim->keep);
    ngx_http_ktp_fleet_script_text(args, f->waited, f->waited_len);
    ngx_http_ktp_fleet_script_text(args, w->channel.data,
                                   w->heard ? w->channel.len : 0);

    return w->nkeys + 1 + name->marked;
}


static void
ngx_http_ktp_fleet_flight_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_flight_t *f = data;

    f->on_way = 0;

    if (f->state == NGX_HTTP_KTP_FLEET_FLIGHT_LANDING && !f->landing) {

        /* the request has left meanwhile */

        ngx_http_ktp_fleet_flight_send(f);
        return;
    }

    if (reply == NULL) {
        ngx_add_timer(&f->event, 1);
        return;
    }

    if (f->state == NGX_HTTP_KTP_FLEET_FLIGHT_LANDING) {
        ngx_http_ktp_fleet_flight_landed(f, reply);
        return;
    }

    if (ngx_http_ktp_fleet_flight_reply(f, reply) != NGX_OK) {
        ngx_http_ktp_fleet_script_complain(
            ngx_http_ktp_fleet_flight_worker.redis, "flight", NULL, reply);
        ngx_http_ktp_fleet_flight_call(f);
    }
}


static void
ngx_http_ktp_fleet_flight_landed(ngx_http_ktp_fleet_flight_t *f,
                                 ngx_http_ktp_redis_reply_t  *reply)
{
    static const ngx_str_t known[] = {ngx_string("ok"), ngx_string("late")};

    if (reply->error || reply->n != NGX_HTTP_KTP_FLEET_FLIGHT_VALUES
        || ngx_http_ktp_fleet_flight_find(&reply->values[0], known, 2) == 2) {
        ngx_http_ktp_fleet_script_complain(
            ngx_http_ktp_fleet_flight_worker.redis, "flight", NULL, reply);
    }

    ngx_http_ktp_fleet_flight_free(f);
}


/* NGX_ERROR: it is an error, or not a reply of the script. */

static ngx_int_t
ngx_http_ktp_fleet_flight_reply(ngx_http_ktp_fleet_flight_t *f,
                                ngx_http_ktp_redis_reply_t  *reply)
{
    ngx_uint_t                          i, status;
    ngx_http_ktp_redis_value_t         *v;
    ngx_http_ktp_fleet_flight_end_t     end;
    ngx_http_ktp_fleet_flight_worker_t *w;

    enum {
        CLAIMED = 0,
        BUSY,
        STORED,
        ENDED,
        FULL,
        STATUSES
    };

    static const ngx_str_t statuses[] = {
        ngx_string("claimed"), ngx_string("busy"), ngx_string("stored"),
        ngx_string("ended"), ngx_string("full")};

    v = reply->values;
    w = &ngx_http_ktp_fleet_flight_worker;

    if (reply->error || reply->n != NGX_HTTP_KTP_FLEET_FLIGHT_VALUES) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLEET_FLIGHT_VALUES; i++) {
        if (v[i].is_text != (i < 2 || i == 4)) {
            return NGX_ERROR;
        }
    }

    status = ngx_http_ktp_fleet_flight_find(&v[0], statuses, STATUSES);

    if (status == STATUSES || v[1].text.len <= NGX_HTTP_KTP_FLIGHTS_ID
        || v[1].text.len > NGX_HTTP_KTP_FLEET_FLIGHT_TOKEN || v[2].number < 1
        || v[2].number > (int64_t) w->nkeys || v[3].number < 0) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HTTP_KTP_FLIGHTS_ID; i++) {
        if (ngx_hextoi(&v[1].text.data[i], 1) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    ngx_log_debug3(
        NGX_LOG_DEBUG_HTTP, ngx_cycle->log, 0, "ktp fleet flight: %*s is %V",
        (size_t) NGX_HTTP_KTP_FLIGHTS_ID, f->claim.id, &statuses[status]);

    f->claimed = status == CLAIMED;

    switch (status) {

    case CLAIMED:
    case FULL:
        ngx_http_ktp_fleet_flight_call(f);
        return NGX_OK;

    case BUSY:
        f->state = NGX_HTTP_KTP_FLEET_FLIGHT_WAITING;
        f->waited_len = v[1].text.len;
        ngx_memcpy(f->waited, v[1].text.data, f->waited_len);
        ngx_add_timer(&f->event,
                      f->again ? 1 : NGX_HTTP_KTP_FLEET_FLIGHT_POLL);
        f->again = 0;
        return NGX_OK;

    default: /* STORED, ENDED */
        ngx_memzero(&end, sizeof(ngx_http_ktp_fleet_flight_end_t));
        end.rc = status == STORED ? NGX_HTTP_KTP_FLEET_FLIGHT_STORED
                                  : NGX_HTTP_KTP_FLEET_FLIGHT_ENDED;
        end.id = v[1].text.data;
        end.age = v[3].number;
        end.waited = f->waited_len != 0;

        return ngx_http_ktp_fleet_flight_open(f, v, &end);
    }
}


/* Index of the text of a value among n names; n: it is none of them. */

static ngx_uint_t
ngx_http_ktp_fleet_flight_find(const ngx_http_ktp_redis_value_t *value,
                               const ngx_str_t *names, ngx_uint_t n)
{
    ngx_uint_t i;

    for (i = 0; i < n; i++) {
        if (value->text.len == names[i].len
            && ngx_memcmp(value->text.data, names[i].data, names[i].len)
                   == 0) {
            break;
        }
    }

    return i;
}


/* Opens the record of an answer, and ends the claim with it. */

static ngx_int_t
ngx_http_ktp_fleet_flight_open(ngx_http_ktp_fleet_flight_t     *f,
                               ngx_http_ktp_redis_value_t      *v,
                               ngx_http_ktp_fleet_flight_end_t *end)
{
    u_char                    *record;
    ngx_str_t                 *sealed;
    ngx_uint_t                 key;
    ngx_http_ktp_fleet_claim_t claim;

    sealed = &v[4].text;
    key = v[2].number - 1;
    record = NULL;

    if (sealed->len || end->rc == NGX_HTTP_KTP_FLEET_FLIGHT_STORED) {

        if (sealed->len <= NGX_HTTP_KTP_VAULT_EXTRA) {
            return NGX_ERROR;
        }

        end->record.len = sealed->len - NGX_HTTP_KTP_VAULT_EXTRA;

        record = ngx_alloc(end->record.len, ngx_cycle->log);
        if (record == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_ktp_vault_open(ngx_http_ktp_fleet_keys(key),
                                    f->claim.name.key[key], sealed->data,
                                    sealed->len, record)
            != NGX_OK) {
            ngx_free(record);
            return NGX_ERROR;
        }

        end->record.data = record;
    }

    claim = f->claim;
    ngx_http_ktp_fleet_flight_free(f);

    claim.handler(claim.data, end);

    if (record) {
        ngx_explicit_memzero(record, end->record.len);
        ngx_free(record);
    }

    return NGX_OK;
}


static void
ngx_http_ktp_fleet_flight_call(ngx_http_ktp_fleet_flight_t *f)
{
    ngx_http_ktp_fleet_flight_end_t end;

    f->state = NGX_HTTP_KTP_FLEET_FLIGHT_CALLING;

    ngx_memzero(&end, sizeof(ngx_http_ktp_fleet_flight_end_t));
    end.rc = NGX_HTTP_KTP_FLEET_FLIGHT_CALL;

    f->claim.handler(f->claim.data, &end);
}


void
ngx_http_ktp_fleet_flight_land(ngx_http_ktp_fleet_flight_t *f,
                               const u_char *record, size_t len,
                               ngx_uint_t store, ngx_uint_t repeat)
{
    size_t size;

    if (f == NULL) {
        return;
    }

    size = len + NGX_HTTP_KTP_VAULT_EXTRA;

    if (f->claimed && size <= NGX_HTTP_KTP_FLEET_FLIGHT_RECORD) {
        f->sealed.data = ngx_alloc(size, ngx_cycle->log);
    }

    if (f->sealed.data
        && ngx_http_ktp_vault_seal(ngx_http_ktp_fleet_keys(0),
                                   f->claim.name.key[0], record, len,
                                   f->sealed.data)
               == NGX_OK) {
        f->sealed.len = size;
    }

    ngx_http_ktp_fleet_flight_end(f, repeat          ? "repeat"
                                     : !store        ? "ended"
                                     : f->sealed.len ? "stored"
                                                     : "full");
}


void
ngx_http_ktp_fleet_flight_leave(ngx_http_ktp_fleet_flight_t *f,
                                ngx_uint_t                   sent)
{
    if (f) {
        ngx_http_ktp_fleet_flight_end(f, sent ? "ended" : "idle");
    }
}


static void
ngx_http_ktp_fleet_flight_end(ngx_http_ktp_fleet_flight_t *f, const char *how)
{
    ngx_http_ktp_fleet_flight_worker_t *w;

    w = &ngx_http_ktp_fleet_flight_worker;

    if (!f->on_way
        && (!f->claimed || w->nlanding == NGX_HTTP_KTP_FLEET_FLIGHT_KEPT)) {
        ngx_http_ktp_fleet_flight_free(f);
        return;
    }

    f->state = NGX_HTTP_KTP_FLEET_FLIGHT_LANDING;
    f->how = how;
    w->nlanding++;

    if (!f->on_way) {
        ngx_http_ktp_fleet_flight_send(f);
    }
}


static void
ngx_http_ktp_fleet_flight_free(ngx_http_ktp_fleet_flight_t *f)
{
    if (f->state == NGX_HTTP_KTP_FLEET_FLIGHT_LANDING) {
        ngx_http_ktp_fleet_flight_worker.nlanding--;
    }

    ngx_queue_remove(&f->queue);

    if (f->event.timer_set) {
        ngx_del_timer(&f->event);
    }

    if (f->event.posted) {
        ngx_delete_posted_event(&f->event);
    }

    ngx_free(f->sealed.data);
    ngx_free(f);
}


/* A command is to be sent again, or the call of another host looked at. */

static void
ngx_http_ktp_fleet_flight_event(ngx_event_t *ev)
{
    ngx_connection_t            *dummy;
    ngx_http_ktp_fleet_flight_t *f;

    dummy = ev->data;
    f = dummy->data;

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (f->on_way || f->state == NGX_HTTP_KTP_FLEET_FLIGHT_CALLING) {
        return;
    }

    if (f->state == NGX_HTTP_KTP_FLEET_FLIGHT_LANDING) {

        /* other hosts do not wait for it any longer */

        if ((ngx_msec_int_t) (f->claim.until + NGX_HTTP_KTP_FLEET_FLIGHT_LATE
                              - ngx_current_msec)
            <= 0) {
            ngx_http_ktp_fleet_flight_free(f);
            return;
        }

    } else if (ngx_http_ktp_fleet_flight_away(f)) {
        ngx_http_ktp_fleet_flight_call(f);
        return;
    }

    ngx_http_ktp_fleet_flight_send(f);
}
