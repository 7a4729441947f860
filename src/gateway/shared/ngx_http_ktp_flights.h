/*
 * Flights and stored answers, in the shared memory of "ktp_answer_zone".
 *
 * A flight is one upstream call for identical uploads, found by its key.  Who
 * enters first leads: it makes the call.  Others join, and wait until it has
 * landed.  An entry is in one of these states:
 *
 *   state   meaning                                 next
 *   ------  --------------------------------------  ------------------------
 *   FLYING  its leader makes the call               STORED, FAILED, IDLE
 *   IDLE    the leader has left, or its call has    FLYING, when a waiter or
 *           failed, and it is surely not billed     a new request leads;
 *                                                   FAILED, if none can
 *   STORED  the answer may be given to others       (expires, is evicted)
 *   FAILED  the answer, if there is one, is for     (freed)
 *           those who wait; it is not found any more
 *
 * A leader that is killed is noticed by its process id, and one that does not
 * come back by the deadline.  Nothing in the zone can be read without the keys
 * of the vault: keys are keyed digests, answers are sealed.
 */

#ifndef NGX_HTTP_KTP_FLIGHTS_H
#define NGX_HTTP_KTP_FLIGHTS_H

#include "ngx_http_ktp.h"
#include "ngx_http_ktp_vault.h"


typedef struct ngx_http_ktp_entry_s  ngx_http_ktp_entry_t;
typedef struct ngx_http_ktp_waiter_s ngx_http_ktp_waiter_t;

/* Characters of the id of a flight, in hexadecimal. */
#define NGX_HTTP_KTP_FLIGHTS_ID 16

typedef enum {
    NGX_HTTP_KTP_FLIGHTS_LEAD = 0, /* make the call, and land */
    NGX_HTTP_KTP_FLIGHTS_JOIN,     /* wait */
    NGX_HTTP_KTP_FLIGHTS_REPLAY,   /* record is the answer */
    NGX_HTTP_KTP_FLIGHTS_REUSED,   /* the idempotency key is of another
                                      request */
    NGX_HTTP_KTP_FLIGHTS_FULL,     /* no room: make a call of its own */
    NGX_HTTP_KTP_FLIGHTS_LOST,     /* it may be billed, and has no answer */
    NGX_HTTP_KTP_FLIGHTS_UNSENT,   /* it was given up, and is not billed */
    NGX_HTTP_KTP_FLIGHTS_WAIT      /* the flight has not landed */
} ngx_http_ktp_flights_rc_t;

/* A request's ticket; set by the caller but for the members behind "set". */
typedef struct {
    u_char     key[NGX_HTTP_KTP_VAULT_KEY];   /* of the flight */
    u_char     image[NGX_HTTP_KTP_VAULT_KEY]; /* tag of the image */
    u_char     hmac[NGX_HTTP_KTP_VAULT_KEY];  /* $ktp_image_hmac, or zeroes */
    ngx_msec_t timeout; /* until the call of a leader has ended */
    ngx_msec_t age;     /* of a stored answer, at most */
    ngx_msec_t keep;    /* for which the answer is stored */

    /* of an idempotency key */
    u_char     name[NGX_HTTP_KTP_VAULT_KEY];
    u_char     digest[NGX_HTTP_KTP_VAULT_KEY]; /* of the request */
    ngx_msec_t bound; /* for which the key is bound to it; 0: no key */

    unsigned able : 1; /* the image is here: it can lead after it has joined */

    /* set */

    ngx_http_ktp_entry_t  *entry;  /* NULL: not in a flight */
    ngx_http_ktp_waiter_t *waiter; /* NULL: leads */
    ngx_uint_t             leads;  /* calls of the flight, with its own */
    u_char                 id[NGX_HTTP_KTP_FLIGHTS_ID];
    ngx_str_t              record; /* in the pool; wiped by its owner */
} ngx_http_ktp_ticket_t;

typedef struct {
    ngx_uint_t flights; /* in the air */
    ngx_uint_t waiting; /* requests */
    ngx_uint_t stored;  /* answers */
    ngx_uint_t bonds;   /* idempotency keys */
    ngx_uint_t evicted; /* before they expired, since the start */
    ngx_uint_t full;    /* calls for which there was no room */
    size_t     size;    /* bytes of the zone */
    size_t     free;    /* bytes in free pages */
} ngx_http_ktp_flights_stat_t;


/*
 * Enters the flight of a ticket: LEAD, JOIN, REPLAY, REUSED, or FULL.  record
 * is allocated from the pool.
 */
ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_enter(ngx_http_ktp_flights_t *flights,
                           ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool);

/*
 * Looks how a flight that was joined goes on: WAIT; REPLAY with the record,
 * LOST, UNSENT, or FULL, with which the ticket has left the flight; or LEAD,
 * if it is able and it is its turn.
 */
ngx_http_ktp_flights_rc_t
ngx_http_ktp_flights_look(ngx_http_ktp_flights_t *flights,
                          ngx_http_ktp_ticket_t *ticket, ngx_pool_t *pool);

/* The leader's call may be billed from now on. */
void ngx_http_ktp_flights_sent(ngx_http_ktp_ticket_t *ticket);

/*
 * The leader's call has ended with a result of len bytes, which is for all who
 * wait; with store, for later requests as well.  With repeat, the call has
 * failed and is surely not billed: one of them makes it again, once.  If the
 * result is that of another host, id of the ticket is the id of the call
 * there, and since its age in milliseconds; otherwise since is 0.
 */
void ngx_http_ktp_flights_land(ngx_http_ktp_flights_t *flights,
                               ngx_http_ktp_ticket_t  *ticket,
                               const u_char *record, size_t len,
                               ngx_msec_t since, ngx_uint_t store,
                               ngx_uint_t repeat);

/*
 * Leaves a flight without an answer: a waiter by itself; a leader gives up its
 * call, which a waiter makes again unless it was sent.  Does nothing for a
 * ticket in no flight.
 */
void ngx_http_ktp_flights_leave(ngx_http_ktp_flights_t *flights,
                                ngx_http_ktp_ticket_t  *ticket);

/* 1 if somebody waits for the call that the ticket leads. */
ngx_uint_t ngx_http_ktp_flights_awaited(const ngx_http_ktp_ticket_t *ticket);

/* Sets the tag of an image by its digest. */
ngx_int_t ngx_http_ktp_flights_tag(const u_char digest[KTP_FLIGHT_DIGEST],
                                   u_char       tag[NGX_HTTP_KTP_VAULT_KEY]);

/*
 * Erases stored answers by the tag of an image, or by its $ktp_image_hmac if
 * hmac is 1; what is in the air is not stored.  Returns the number of answers.
 */
ngx_uint_t ngx_http_ktp_flights_forget(ngx_http_ktp_flights_t *flights,
                                       const u_char *tag, ngx_uint_t hmac);

void ngx_http_ktp_flights_stat(ngx_http_ktp_flights_t      *flights,
                               ngx_http_ktp_flights_stat_t *stat);


#endif /* NGX_HTTP_KTP_FLIGHTS_H */
