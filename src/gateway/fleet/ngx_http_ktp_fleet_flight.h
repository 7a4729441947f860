/*
 * Flights of a fleet.  The request that leads a flight of its host claims it
 * in Redis before it calls; if another host makes the call, it waits for that,
 * and gets its result.  When Redis is away, the flight is that of the host.
 */

#ifndef NGX_HTTP_KTP_FLEET_FLIGHT_H
#define NGX_HTTP_KTP_FLEET_FLIGHT_H

#include "ngx_http_ktp_fleet_keys.h"
#include "ngx_http_ktp_flights.h"


typedef struct ngx_http_ktp_fleet_flight_s ngx_http_ktp_fleet_flight_t;

/* Names of a flight and its image in Redis, digests under keys of the fleet.
 */
typedef struct {
    u_char   key[NGX_HTTP_KTP_FLEET_KEYS][NGX_HTTP_KTP_VAULT_KEY];
    u_char   image[NGX_HTTP_KTP_VAULT_KEY];
    u_char   hmac[NGX_HTTP_KTP_VAULT_KEY];
    unsigned marked : 1; /* hmac is set */
} ngx_http_ktp_fleet_name_t;

typedef enum {
    NGX_HTTP_KTP_FLEET_FLIGHT_CALL = 0, /* make the call, and land */
    NGX_HTTP_KTP_FLEET_FLIGHT_STORED,   /* the record is an answer for all */
    NGX_HTTP_KTP_FLEET_FLIGHT_ENDED     /* it is for those who wait; if it is
                                           empty, the call may be billed */
} ngx_http_ktp_fleet_flight_rc_t;

typedef struct {
    ngx_http_ktp_fleet_flight_rc_t rc;
    ngx_str_t  record; /* valid during the call of the handler */
    ngx_msec_t age;    /* of a stored answer */
    u_char    *id;     /* of the flight on the host that called, [..._ID] */
    unsigned   waited : 1; /* the call was in the air */
} ngx_http_ktp_fleet_flight_end_t;

/*
 * The end of a claim, called once from an event.  After CALL the flight must
 * be landed or left, otherwise it is gone.
 */
typedef void (*ngx_http_ktp_fleet_flight_pt)(
    void *data, const ngx_http_ktp_fleet_flight_end_t *end);

/* Of a claim; copied. */
typedef struct {
    ngx_http_ktp_fleet_name_t    name;
    u_char                       id[NGX_HTTP_KTP_FLIGHTS_ID];
    ngx_uint_t                   lead;  /* number of the call on this host */
    ngx_msec_t                   until; /* when it will have ended */
    ngx_msec_t                   age;   /* of a stored answer, at most */
    ngx_msec_t                   keep;  /* for which the answer is stored */
    ngx_http_ktp_fleet_flight_pt handler;
    void                        *data;
} ngx_http_ktp_fleet_claim_t;


/* For init_process, when there are keys of the fleet. */
void ngx_http_ktp_fleet_flight_init(ngx_http_ktp_main_conf_t *kmcf);

/* The connection was established (1) or lost (0). */
void ngx_http_ktp_fleet_flight_state(ngx_uint_t up);

/* 1 if Redis is still to be told how calls have ended. */
ngx_uint_t ngx_http_ktp_fleet_flight_landing(void);

/*
 * Sets the names of a flight and of its image; hmac is its $ktp_image_hmac, or
 * zeroes.
 */
ngx_int_t ngx_http_ktp_fleet_flight_name(const ktp_flight_t        *flight,
                                         const u_char              *hmac,
                                         ngx_http_ktp_fleet_name_t *name);

/* Claims a flight.  NULL: Redis is away, or there is no memory. */
ngx_http_ktp_fleet_flight_t *
ngx_http_ktp_fleet_flight_claim(const ngx_http_ktp_fleet_claim_t *claim);

/*
 * The call has ended with a result of len bytes; store and repeat are as in
 * ngx_http_ktp_flights_land().  The handler is not called any more, here and
 * below; flight may be NULL.
 */
void ngx_http_ktp_fleet_flight_land(ngx_http_ktp_fleet_flight_t *flight,
                                    const u_char *record, size_t len,
                                    ngx_uint_t store, ngx_uint_t repeat);

/* There is no result; sent: the call may be billed. */
void ngx_http_ktp_fleet_flight_leave(ngx_http_ktp_fleet_flight_t *flight,
                                     ngx_uint_t                   sent);


#endif /* NGX_HTTP_KTP_FLEET_FLIGHT_H */
