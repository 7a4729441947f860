#include "ngx_http_ktp_flight.h"
#include "ktp_idempotency.h"
#include "ngx_http_ktp_answerer_conf.h"
#include "ngx_http_ktp_fleet_flight.h"
#include "ngx_http_ktp_flights_worker.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_heap.h"
#include "ngx_http_ktp_record.h"
#include "ngx_http_ktp_secret.h"


struct ngx_http_ktp_flight_s {
    ngx_queue_t            queue; /* of this worker */
    ngx_http_request_t    *request;
    ngx_http_ktp_ticket_t  ticket;
    ktp_value_t            key; /* of idempotency, or empty */
    ngx_msec_t             until;
    ngx_event_t            timer;
    ngx_http_ktp_flight_pt handler; /* NULL: it does not wait */

    ngx_http_ktp_fleet_name_t    name;    /* if fleet is set */
    ngx_http_ktp_fleet_flight_t *claim;   /* NULL: none of the fleet */
    ngx_http_ktp_flight_pt       claimed; /* NULL: it does not wait for that */

    unsigned listed : 1;
    unsigned held : 1; /* the client of the leader may have left */
    unsigned fleet : 1;
    unsigned sent : 1; /* the leader's call may be billed */
};

static ktp_code_t ngx_http_ktp_flight_key(ngx_http_request_t    *r,
                                          ngx_http_ktp_flight_t *flight);
static ktp_code_t ngx_http_ktp_flight_ticket(ngx_http_request_t    *r,
                                             ngx_http_ktp_flight_t *flight);
static ktp_code_t ngx_http_ktp_flight_keys(ngx_http_ktp_ctx_t *ctx);
static ngx_int_t  ngx_http_ktp_flight_replayed(ngx_http_request_t *r);
static void       ngx_http_ktp_flight_list(ngx_http_ktp_flight_t *flight);
static void       ngx_http_ktp_flight_unlist(ngx_http_ktp_flight_t *flight);
static void       ngx_http_ktp_flight_cleanup(void *data);
static void       ngx_http_ktp_flight_landed(void);
static void       ngx_http_ktp_flight_look(ngx_http_ktp_flight_t *flight);
static void       ngx_http_ktp_flight_timeout(ngx_event_t *ev);
static void       ngx_http_ktp_flight_end_wait(ngx_http_ktp_flight_t    *flight,
                                               ngx_http_ktp_flights_rc_t rc);
static void
ngx_http_ktp_flight_claim_end(void                                  *data,
                              const ngx_http_ktp_fleet_flight_end_t *end);
static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flight_adopt(ngx_http_ktp_flight_t                 *flight,
                          const ngx_http_ktp_fleet_flight_end_t *end);
static ngx_uint_t
            ngx_http_ktp_flight_awaited(const ngx_http_ktp_flight_t *flight);
static void ngx_http_ktp_flight_claim_timeout(ngx_event_t *ev);

/* Requests of this worker that lead or wait. */
static ngx_queue_t ngx_http_ktp_flight_queue;
static ngx_int_t   ngx_http_ktp_flight_nwaiting;


ngx_int_t
ngx_http_ktp_flight_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_http_ktp_flight_queue);

    return ngx_http_ktp_flights_worker_init(cycle, ngx_http_ktp_flight_landed);
}


ktp_code_t
ngx_http_ktp_flight_begin(ngx_http_request_t *r)
{
    ktp_code_t               code;
    ngx_http_cleanup_t      *cln;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_flight_t   *flight;
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    if (!klcf->dedupe.on && !klcf->idempotency.on) {
        return KTP_OK;
    }

    flight = ngx_pcalloc(r->pool, sizeof(ngx_http_ktp_flight_t));
    if (flight == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    if (klcf->idempotency.on) {
        code = ngx_http_ktp_flight_key(r, flight);

        if (code != KTP_OK) {
            return code;
        }

        if (flight->key.len == 0 && !klcf->dedupe.on) {
            return KTP_OK;
        }
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ngx_http_ktp_digest_image(&ctx->digest) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_ktp_flight_cleanup;
    cln->data = flight;

    flight->request = r;
    ctx->flight = flight;

    return KTP_OK;
}


/* Saves the value of "Idempotency-Key". */

static ktp_code_t
ngx_http_ktp_flight_key(ngx_http_request_t *r, ngx_http_ktp_flight_t *flight)
{
    char                    *key;
    ngx_str_t               *value;
    ngx_uint_t               n;
    ngx_http_ktp_loc_conf_t *klcf;

    static ngx_str_t name = ngx_string("Idempotency-Key");

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    n = ngx_http_ktp_headers_find(r, (char *) name.data, name.len, &value);

    if (n == 0) {
        return klcf->idempotency.on == NGX_HTTP_KTP_IDEMPOTENCY_REQUIRED
                   ? KTP_IDEMPOTENCY_KEY_MISSING
                   : KTP_OK;
    }

    if (n > 1) {
        return KTP_IDEMPOTENCY_KEY_INVALID;
    }

    key = ngx_pnalloc(r->pool, KTP_IDEMPOTENCY_MAX);
    if (key == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    flight->key.p = key;
    flight->key.len =
        ktp_idempotency_key((char *) value->data, value->len, key);

    return flight->key.len ? KTP_OK : KTP_IDEMPOTENCY_KEY_INVALID;
}


ktp_code_t
ngx_http_ktp_flight_enter(ngx_http_request_t *r, ngx_http_ktp_flights_rc_t *rc)
{
    ktp_code_t                code;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_flight_t    *flight;
    ngx_http_ktp_main_conf_t *kmcf;

#if (NGX_DEBUG)
    static const char *const names[] = {"leads",  "joined", "replayed",
                                        "reused", "full",   "lost"};
#endif

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);
    flight = ctx->flight;

    *rc = NGX_HTTP_KTP_FLIGHTS_LEAD;

    if (flight == NULL) {
        return KTP_OK;
    }

    code = ngx_http_ktp_flight_ticket(r, flight);

    if (code != KTP_OK) {
        return code;
    }

    *rc = ngx_http_ktp_flights_enter(kmcf->flights, &flight->ticket, r->pool);

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp flight: %s %*s", names[*rc],
                   (size_t) NGX_HTTP_KTP_FLIGHTS_ID, flight->ticket.id);

    switch (*rc) {

    case NGX_HTTP_KTP_FLIGHTS_LEAD:
        ngx_http_ktp_flight_list(flight);
        return KTP_OK;

    case NGX_HTTP_KTP_FLIGHTS_JOIN:
        return KTP_OK;

    case NGX_HTTP_KTP_FLIGHTS_REPLAY:
        ctx->source = NGX_HTTP_KTP_SOURCE_REPLAYED;
        return flight->key.len && ngx_http_ktp_flight_replayed(r) != NGX_OK
                   ? KTP_INTERNAL_SERVER_ERROR
                   : KTP_OK;

    case NGX_HTTP_KTP_FLIGHTS_REUSED:
        return KTP_IDEMPOTENCY_KEY_REUSED;

    case NGX_HTTP_KTP_FLIGHTS_FULL:
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "\"ktp_answer_zone\" is full, a call is made for this "
                      "request alone");
        *rc = NGX_HTTP_KTP_FLIGHTS_LEAD;
        return KTP_OK;

    default:
        return KTP_INTERNAL_SERVER_ERROR;
    }
}


/* Computes all keys. */

static ktp_code_t
ngx_http_ktp_flight_ticket(ngx_http_request_t    *r,
                           ngx_http_ktp_flight_t *flight)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_ticket_t   *ticket;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ticket = &flight->ticket;

    ticket->timeout = ngx_http_ktp_answerer_conf_time(klcf);
    flight->until = ngx_current_msec + ticket->timeout;

    ticket->bound = flight->key.len ? klcf->idempotency.ttl : 0;
    ticket->age = klcf->dedupe.on ? klcf->dedupe.ttl : ticket->bound;
    ticket->keep = ngx_max(ticket->age, ticket->bound);
    ticket->able = !ctx->streaming;
    flight->fleet = klcf->dedupe.fleet && !klcf->sandbox;
    ngx_memcpy(ticket->hmac, ctx->image_digest, NGX_HTTP_KTP_VAULT_KEY);

    return ngx_http_ktp_flight_keys(ctx);
}


static ktp_code_t
ngx_http_ktp_flight_keys(ngx_http_ktp_ctx_t *ctx)
{
    u_char                 digest[KTP_FLIGHT_DIGEST];
    ngx_int_t              rc;
    ktp_flight_t           text, name;
    ktp_request_t          request;
    ngx_http_ktp_ticket_t *ticket;

    static const u_char none[KTP_FLIGHT_DIGEST];

    ticket = &ctx->flight->ticket;

    if (ngx_http_ktp_digest_image_final(&ctx->digest, digest) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_ktp_ctx_request(ctx, &request);

    if (ngx_http_ktp_flight_text(ctx, &request, &text) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    text.digest = digest;

    rc = ngx_http_ktp_flights_tag(digest, ticket->image);

    if (rc == NGX_OK && ctx->flight->key.len) {
        rc = ngx_http_ktp_vault_flight(NULL, "request", &text, ticket->digest);

        ngx_memzero(&name, sizeof(ktp_flight_t));
        name.digest = none;
        name.client = text.client;
        name.key = ctx->flight->key;

        if (rc == NGX_OK) {
            rc = ngx_http_ktp_vault_flight(NULL, "name", &name, ticket->name);
        }
    }

    ngx_http_ktp_flight_narrow(ctx, &text);

    if (rc == NGX_OK) {
        rc = ngx_http_ktp_vault_flight(NULL, "flight", &text, ticket->key);
    }

    if (rc == NGX_OK && ctx->flight->fleet) {
        rc = ngx_http_ktp_fleet_flight_name(&text, ticket->hmac,
                                            &ctx->flight->name);
    }

    ngx_explicit_memzero(digest, KTP_FLIGHT_DIGEST);

    return rc == NGX_OK ? KTP_OK : KTP_INTERNAL_SERVER_ERROR;
}


ngx_int_t
ngx_http_ktp_flight_text(ngx_http_ktp_ctx_t *ctx, const ktp_request_t *request,
                         ktp_flight_t *text)
{
    ngx_str_t                app_id;
    ngx_http_request_t      *r;
    ngx_http_ktp_loc_conf_t *klcf;

    r = ctx->request;
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    ngx_str_null(&app_id);

    if (klcf->app_id && !klcf->sandbox
        && ngx_http_ktp_secret(r, klcf->app_id, &app_id) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(text, sizeof(ktp_flight_t));

    text->is_quality = request->is_quality != KTP_FLAG_FALSE;
    text->validate_quality = request->validate_quality == KTP_FLAG_TRUE;
    text->upstream.p = (char *) klcf->upstream->url.data;
    text->upstream.len = klcf->upstream->url.len;

    if (klcf->sandbox) {

        /* its answers are no other location's; this is no URL */

        text->upstream.p = "sandbox";
        text->upstream.len = sizeof("sandbox") - 1;
    }

    text->app_id.p = (char *) app_id.data;
    text->app_id.len = app_id.len;
    text->client.p = (char *) ctx->client.data;
    text->client.len = ctx->client.len;
    text->reference_id.p = request->reference_id;
    text->reference_id.len = ngx_strlen(request->reference_id);

    return NGX_OK;
}


void
ngx_http_ktp_flight_narrow(ngx_http_ktp_ctx_t *ctx, ktp_flight_t *text)
{
    ngx_http_ktp_loc_conf_t *klcf;

    klcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_ktp_module);

    if (klcf->dedupe.on) {
        text->client.len = klcf->dedupe.all ? 0 : text->client.len;
        text->reference_id.len =
            klcf->dedupe.ignore && !klcf->sandbox ? 0 : text->reference_id.len;

    } else if (ctx->flight) {
        text->key = ctx->flight->key;
    }
}


ngx_int_t
ngx_http_ktp_flight_digest(ngx_http_ktp_digest_t *digest,
                           const ktp_store_t     *store,
                           u_char                 image[KTP_FLIGHT_DIGEST])
{
    ngx_http_ktp_digest_update(digest, store);

    return ngx_http_ktp_digest_image_final(digest, image);
}


static ngx_int_t
ngx_http_ktp_flight_replayed(ngx_http_request_t *r)
{
    static ngx_str_t value = ngx_string("true");

    return ngx_http_ktp_headers_push(r, "Idempotency-Replayed", &value)
               ? NGX_OK
               : NGX_ERROR;
}


ktp_code_t
ngx_http_ktp_flight_wait(ngx_http_request_t *r, ngx_http_ktp_flight_pt handler)
{
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_flight_t   *flight;
    ngx_http_ktp_loc_conf_t *klcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    flight = ctx->flight;

    if (ngx_http_ktp_flight_nwaiting >= klcf->max_inflight) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "limit of %i joined requests reached",
                      klcf->max_inflight);
        return KTP_TOO_MANY_WAITING;
    }

    flight->handler = handler;
    flight->timer.handler = ngx_http_ktp_flight_timeout;
    flight->timer.data = r->connection;
    flight->timer.log = r->connection->log;

    ngx_http_ktp_flight_list(flight);
    ngx_http_ktp_flight_nwaiting++;

    ngx_add_timer(&flight->timer, flight->ticket.timeout);

    ctx->source = NGX_HTTP_KTP_SOURCE_JOINED;
    r->connection->log->action = "waiting for the ktp upstream call of "
                                 "another request";

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return ngx_handle_read_event(r->connection->read, 0) == NGX_OK
               ? KTP_OK
               : KTP_INTERNAL_SERVER_ERROR;
}


ngx_http_ktp_flights_rc_t
ngx_http_ktp_flight_claim(ngx_http_request_t    *r,
                          ngx_http_ktp_flight_pt handler)
{
    ngx_http_ktp_ctx_t        *ctx;
    ngx_http_ktp_flight_t     *flight;
    ngx_http_ktp_ticket_t     *ticket;
    ngx_http_ktp_loc_conf_t   *klcf;
    ngx_http_ktp_fleet_claim_t claim;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    flight = ctx->flight;

    if (flight == NULL || !flight->fleet || flight->ticket.entry == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_LEAD;
    }

    ticket = &flight->ticket;

    claim.name = flight->name;
    ngx_memcpy(claim.id, ticket->id, NGX_HTTP_KTP_FLIGHTS_ID);
    claim.lead = ticket->leads;
    claim.until = flight->until;
    claim.age = klcf->dedupe.ttl;
    claim.keep = klcf->dedupe.ttl;
    claim.handler = ngx_http_ktp_flight_claim_end;
    claim.data = flight;

    flight->claim = ngx_http_ktp_fleet_flight_claim(&claim);

    if (flight->claim == NULL) {
        return NGX_HTTP_KTP_FLIGHTS_LEAD;
    }

    flight->claimed = handler;
    flight->timer.handler = ngx_http_ktp_flight_claim_timeout;
    flight->timer.data = r->connection;
    flight->timer.log = r->connection->log;

    ngx_add_timer(&flight->timer, ngx_http_ktp_flight_time(ctx));

    r->connection->log->action = "asking the fleet for a ktp upstream call";

    r->read_event_handler = klcf->ignore_client_abort
                                ? ngx_http_block_reading
                                : ngx_http_ktp_flight_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    /* without the event, only the departure of the client is missed */

    (void) ngx_handle_read_event(r->connection->read, 0);

    return NGX_HTTP_KTP_FLIGHTS_WAIT;
}


/* The call is this host's, or another host's has ended. */

static void
ngx_http_ktp_flight_claim_end(void                                  *data,
                              const ngx_http_ktp_fleet_flight_end_t *end)
{
    ngx_http_ktp_flight_t *flight = data;

    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_ktp_flight_pt    handler;
    ngx_http_ktp_flights_rc_t rc;

    r = flight->request;
    c = r->connection;
    handler = flight->claimed;
    rc = NGX_HTTP_KTP_FLIGHTS_LEAD;

    ngx_http_set_log_request(c->log, r);

    if (end->rc == NGX_HTTP_KTP_FLEET_FLIGHT_CALL) {
        flight->claimed = NULL;
        ngx_del_timer(&flight->timer);

    } else {
        flight->claim = NULL;
        ngx_http_ktp_flight_unlist(flight);
        rc = ngx_http_ktp_flight_adopt(flight, end);
    }

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0, "ktp flight: claimed, %d",
                   (int) rc);

    handler(r, rc);

    ngx_http_run_posted_requests(c);
}


/* The result of another host's call is that of this host's flight. */

static ngx_http_ktp_flights_rc_t
ngx_http_ktp_flight_adopt(ngx_http_ktp_flight_t                 *flight,
                          const ngx_http_ktp_fleet_flight_end_t *end)
{
    ngx_str_t                *record;
    ngx_uint_t                stored;
    ngx_http_request_t       *r;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_main_conf_t *kmcf;

    r = flight->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);
    record = &flight->ticket.record;
    stored = end->rc == NGX_HTTP_KTP_FLEET_FLIGHT_STORED;

    record->len = end->record.len;
    record->data = record->len ? ngx_pnalloc(r->pool, record->len) : NULL;

    if (record->data == NULL) {
        ngx_http_ktp_flight_sent(ctx);
        ngx_http_ktp_flights_leave(kmcf->flights, &flight->ticket);
        return NGX_HTTP_KTP_FLIGHTS_LOST;
    }

    ngx_memcpy(record->data, end->record.data, record->len);
    ngx_memcpy(flight->ticket.id, end->id, NGX_HTTP_KTP_FLIGHTS_ID);

    ngx_http_ktp_flights_land(kmcf->flights, &flight->ticket, record->data,
                              record->len, end->age, stored, 0);

    ctx->source = end->waited ? NGX_HTTP_KTP_SOURCE_JOINED
                              : NGX_HTTP_KTP_SOURCE_REPLAYED;

    return stored && !end->waited && flight->key.len
                   && ngx_http_ktp_flight_replayed(r) != NGX_OK
               ? NGX_HTTP_KTP_FLIGHTS_LOST
               : NGX_HTTP_KTP_FLIGHTS_REPLAY;
}


static void
ngx_http_ktp_flight_claim_timeout(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_ktp_flight_t *flight;
    ngx_http_ktp_flight_pt handler;

    c = ev->data;
    r = c->data;
    flight = ngx_queue_data(ev, ngx_http_ktp_flight_t, timer);
    handler = flight->claimed;

    ngx_http_set_log_request(c->log, r);

    ngx_http_ktp_flight_cleanup(flight);
    handler(r, NGX_HTTP_KTP_FLIGHTS_WAIT);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_ktp_flight_list(ngx_http_ktp_flight_t *flight)
{
    if (!flight->listed) {
        ngx_queue_insert_tail(&ngx_http_ktp_flight_queue, &flight->queue);
        flight->listed = 1;
    }
}


static void
ngx_http_ktp_flight_unlist(ngx_http_ktp_flight_t *flight)
{
    if (flight->listed) {
        ngx_queue_remove(&flight->queue);
        flight->listed = 0;
    }

    if (flight->handler) {
        flight->handler = NULL;
        ngx_http_ktp_flight_nwaiting--;
    }

    flight->claimed = NULL;

    if (flight->timer.timer_set) {
        ngx_del_timer(&flight->timer);
    }
}


static void
ngx_http_ktp_flight_cleanup(void *data)
{
    ngx_http_ktp_flight_t *flight = data;

    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_get_module_main_conf(flight->request, ngx_http_ktp_module);

    ngx_http_ktp_flight_unlist(flight);
    ngx_http_ktp_flights_leave(kmcf->flights, &flight->ticket);
    ngx_http_ktp_fleet_flight_leave(flight->claim, flight->sent);
    flight->claim = NULL;
}


void
ngx_http_ktp_flight_leave(ngx_http_ktp_ctx_t *ctx)
{
    if (ctx->flight) {
        ngx_http_ktp_flight_cleanup(ctx->flight);
    }
}


/* Something has landed, or half a second has passed. */

static void
ngx_http_ktp_flight_landed(void)
{
    ngx_queue_t *q, work;

    if (ngx_queue_empty(&ngx_http_ktp_flight_queue)) {
        return;
    }

    /* what is looked at may end, and others with it */

    ngx_queue_init(&work);
    ngx_queue_add(&work, &ngx_http_ktp_flight_queue);
    ngx_queue_init(&ngx_http_ktp_flight_queue);

    while (!ngx_queue_empty(&work)) {
        q = ngx_queue_head(&work);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_ktp_flight_queue, q);

        ngx_http_ktp_flight_look(
            ngx_queue_data(q, ngx_http_ktp_flight_t, queue));
    }
}


static void
ngx_http_ktp_flight_look(ngx_http_ktp_flight_t *flight)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_ktp_flights_rc_t rc;
    ngx_http_ktp_main_conf_t *kmcf;

    r = flight->request;
    c = r->connection;

    if (flight->handler) {
        kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

        rc =
            ngx_http_ktp_flights_look(kmcf->flights, &flight->ticket, r->pool);

        if (rc != NGX_HTTP_KTP_FLIGHTS_WAIT) {
            ngx_http_ktp_flight_end_wait(flight, rc);
        }

        return;
    }

    if (flight->held && !ngx_http_ktp_flight_awaited(flight)) {

        /* nobody waits any more: has the client left? */

        flight->held = 0;

        ngx_http_set_log_request(c->log, r);

        if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);

        } else {
            ngx_http_test_reading(r);
        }

        ngx_http_run_posted_requests(c);
    }
}


static void
ngx_http_ktp_flight_timeout(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_ktp_flight_t    *flight;
    ngx_http_ktp_main_conf_t *kmcf;

    c = ev->data;
    r = c->data;
    flight = ngx_queue_data(ev, ngx_http_ktp_flight_t, timer);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    ngx_http_ktp_flights_leave(kmcf->flights, &flight->ticket);
    ngx_http_ktp_flight_end_wait(flight, NGX_HTTP_KTP_FLIGHTS_WAIT);
}


static void
ngx_http_ktp_flight_end_wait(ngx_http_ktp_flight_t    *flight,
                             ngx_http_ktp_flights_rc_t rc)
{
    ngx_connection_t      *c;
    ngx_http_request_t    *r;
    ngx_http_ktp_flight_pt handler;

    r = flight->request;
    c = r->connection;
    handler = flight->handler;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0, "ktp flight: landed, %d",
                   (int) rc);

    ngx_http_ktp_flight_unlist(flight);

    if (rc == NGX_HTTP_KTP_FLIGHTS_LEAD) {
        ngx_http_ktp_flight_list(flight);
    }

    handler(r, rc);

    ngx_http_run_posted_requests(c);
}


ngx_msec_t
ngx_http_ktp_flight_time(ngx_http_ktp_ctx_t *ctx)
{
    ngx_msec_int_t left;

    if (ctx->flight == NULL || ctx->flight->until == 0) {
        return 0;
    }

    left = (ngx_msec_int_t) (ctx->flight->until - ngx_current_msec);

    return ngx_max(left, 1);
}


void
ngx_http_ktp_flight_sent(ngx_http_ktp_ctx_t *ctx)
{
    if (ctx->flight) {
        ctx->flight->sent = 1;
        ngx_http_ktp_flights_sent(&ctx->flight->ticket);
    }
}


void
ngx_http_ktp_flight_land(ngx_http_ktp_ctx_t *ctx, ngx_http_ktp_call_t *call,
                         ngx_str_t *body, ngx_uint_t store)
{
    ngx_str_t                 record;
    ngx_uint_t                repeat;
    ngx_http_ktp_flight_t    *flight;
    ngx_http_ktp_main_conf_t *kmcf;

    flight = ctx->flight;

    if (flight == NULL || flight->ticket.entry == NULL
        || flight->ticket.waiter) {
        return;
    }

    ngx_http_ktp_flight_unlist(flight);

    if (ngx_http_ktp_record_write(ctx, call, body, &record) != NGX_OK) {
        ngx_http_ktp_flight_leave(ctx);
        return;
    }

    kmcf = ngx_http_get_module_main_conf(ctx->request, ngx_http_ktp_module);
    repeat = call->result != NGX_HTTP_KTP_CALL_OK && !call->handed_out;

    ngx_http_ktp_flights_land(kmcf->flights, &flight->ticket, record.data,
                              record.len, 0, store, repeat);
    ngx_http_ktp_fleet_flight_land(flight->claim, record.data, record.len,
                                   store, repeat);
    flight->claim = NULL;

    ngx_explicit_memzero(record.data, record.len);
}


ngx_int_t
ngx_http_ktp_flight_call(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    return ngx_http_ktp_record_read(ctx, &ctx->flight->ticket.record);
}


/* Other hosts may wait for a call of the fleet; it may be billed anyway. */

static ngx_uint_t
ngx_http_ktp_flight_awaited(const ngx_http_ktp_flight_t *flight)
{
    return ngx_http_ktp_flights_awaited(&flight->ticket)
           || (flight->claim && flight->sent);
}


void
ngx_http_ktp_flight_reading(ngx_http_request_t *r)
{
    ngx_http_ktp_ctx_t *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);

    if (ctx->flight && ngx_http_ktp_flight_awaited(ctx->flight)) {
        ctx->flight->held = 1;
        ngx_http_block_reading(r);
        return;
    }

    ngx_http_test_reading(r);
}


void
ngx_http_ktp_flight_id(ngx_http_ktp_ctx_t *ctx, ngx_str_t *id)
{
    ngx_str_null(id);

    if (ctx->flight && ctx->flight->ticket.id[0]) {
        id->data = ctx->flight->ticket.id;
        id->len = NGX_HTTP_KTP_FLIGHTS_ID;
    }
}
