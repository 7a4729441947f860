/*
 * The flight of a request: one upstream call for identical uploads.  The
 * request leads, joins, or gets a stored answer.  A leader's call belongs to
 * all who wait for it: while there are any, it goes on after the leader's
 * client has left.
 */

#ifndef NGX_HTTP_KTP_FLIGHT_H
#define NGX_HTTP_KTP_FLIGHT_H

#include "ngx_http_ktp_ctx.h"
#include "ktp_flight.h"
#include "ngx_http_ktp_flights.h"


/*
 * Called when the wait has ended: LEAD or FULL, make a call; REPLAY, the call
 * has ended, see ngx_http_ktp_flight_call(); LOST; UNSENT; or WAIT,
 * ktp_timeout has passed.
 */
typedef void (*ngx_http_ktp_flight_pt)(ngx_http_request_t       *r,
                                       ngx_http_ktp_flights_rc_t rc);


/*
 * Prepares a flight before the body is read, if the location has one, and
 * checks the field "Idempotency-Key": KTP_OK, or its error.
 */
ktp_code_t ngx_http_ktp_flight_begin(ngx_http_request_t *r);

/*
 * The image is complete: enters the flight.  KTP_OK and *rc: LEAD, also
 * without a flight, JOIN, or REPLAY.  Or an error.
 */
ktp_code_t ngx_http_ktp_flight_enter(ngx_http_request_t        *r,
                                     ngx_http_ktp_flights_rc_t *rc);

/*
 * Waits after JOIN, for as long as ktp_timeout since the flight was entered;
 * handler is called from an event.  KTP_OK, or an error.
 */
ktp_code_t ngx_http_ktp_flight_wait(ngx_http_request_t    *r,
                                    ngx_http_ktp_flight_pt handler);

/*
 * After LEAD, asks the fleet for the call if "ktp_dedupe" has it: LEAD, make
 * the call; or WAIT, the handler will be called from an event, with LEAD, or
 * as above with what another host's call has come to.
 */
ngx_http_ktp_flights_rc_t
ngx_http_ktp_flight_claim(ngx_http_request_t    *r,
                          ngx_http_ktp_flight_pt handler);

/*
 * Sets the results of ctx->call to those of the record, after REPLAY; they
 * live as long as the request.
 */
ngx_int_t ngx_http_ktp_flight_call(ngx_http_request_t *r);

/*
 * Sets what a request, with its options in effect, is, but for the digest of
 * its image.  The values live as long as request, at most until control
 * returns to the event loop.
 */
ngx_int_t ngx_http_ktp_flight_text(ngx_http_ktp_ctx_t  *ctx,
                                   const ktp_request_t *request,
                                   ktp_flight_t        *text);

/* Reduces that to what the directives of the location compare. */
void ngx_http_ktp_flight_narrow(ngx_http_ktp_ctx_t *ctx, ktp_flight_t *text);

/* Milliseconds that a call may take; 0: that of the upstream. */
ngx_msec_t ngx_http_ktp_flight_time(ngx_http_ktp_ctx_t *ctx);

/* The leader's call may be billed from now on. */
void ngx_http_ktp_flight_sent(ngx_http_ktp_ctx_t *ctx);

/*
 * The leader's call has ended, with this response body; store: the answer may
 * be given to later requests.  Nothing happens if the request leads no flight,
 * here and below.
 */
void ngx_http_ktp_flight_land(ngx_http_ktp_ctx_t  *ctx,
                              ngx_http_ktp_call_t *call, ngx_str_t *body,
                              ngx_uint_t store);

/* The leader has no result. */
void ngx_http_ktp_flight_leave(ngx_http_ktp_ctx_t *ctx);

/*
 * The read handler while a call is made: the request ends if its client
 * leaves, unless others wait for the call.
 */
void ngx_http_ktp_flight_reading(ngx_http_request_t *r);

/* The digest of the image of a whole store. */
ngx_int_t ngx_http_ktp_flight_digest(ngx_http_ktp_digest_t *digest,
                                     const ktp_store_t     *store,
                                     u_char image[KTP_FLIGHT_DIGEST]);

/* The id of the flight in hexadecimal; empty if there is none. */
void ngx_http_ktp_flight_id(ngx_http_ktp_ctx_t *ctx, ngx_str_t *id);

ngx_int_t ngx_http_ktp_flight_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_FLIGHT_H */
