/* Definitions common to all files of the gateway. */

#ifndef NGX_HTTP_KTP_H
#define NGX_HTTP_KTP_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* The version of the module, as in CHANGES. */
#define NGX_HTTP_KTP_VERSION "0.1.0"

typedef struct ngx_http_ktp_ask_s     ngx_http_ktp_ask_t;
typedef struct ngx_http_ktp_breaker_s ngx_http_ktp_breaker_t;
typedef struct ngx_http_ktp_circuit_s ngx_http_ktp_circuit_t;
typedef struct ngx_http_ktp_client_s  ngx_http_ktp_client_t;
typedef struct ngx_http_ktp_console_s ngx_http_ktp_console_t;
typedef struct ngx_http_ktp_ctx_s     ngx_http_ktp_ctx_t;
typedef struct ngx_http_ktp_fetch_s   ngx_http_ktp_fetch_t;
typedef struct ngx_http_ktp_price_s   ngx_http_ktp_price_t;
typedef struct ngx_http_ktp_flight_s  ngx_http_ktp_flight_t;
typedef struct ngx_http_ktp_flights_s ngx_http_ktp_flights_t;
typedef struct ngx_http_ktp_redis_s   ngx_http_ktp_redis_t;
typedef struct ngx_http_ktp_secret_s  ngx_http_ktp_secret_t;
typedef struct ngx_http_ktp_slot_s    ngx_http_ktp_slot_t;
typedef struct ngx_http_ktp_uses_s    ngx_http_ktp_uses_t;
typedef struct ngx_http_ktp_zone_s    ngx_http_ktp_zone_t;

/* The outcome of a request, for logs and metrics. */
typedef enum {
    NGX_HTTP_KTP_OUTCOME_NONE = 0, /* it has not ended */
    NGX_HTTP_KTP_OUTCOME_OK,
    NGX_HTTP_KTP_OUTCOME_BAD_QUALITY, /* status 200, and no fields */
    NGX_HTTP_KTP_OUTCOME_REJECTED,
    NGX_HTTP_KTP_OUTCOME_UNAUTHORIZED,
    NGX_HTTP_KTP_OUTCOME_QUOTA,
    NGX_HTTP_KTP_OUTCOME_NOT_ACCEPTED,     /* by the vendor: a bad photo */
    NGX_HTTP_KTP_OUTCOME_UPSTREAM_REFUSED, /* our keys, quota or balance */
    NGX_HTTP_KTP_OUTCOME_UPSTREAM_LIMITED, /* our rate */
    NGX_HTTP_KTP_OUTCOME_UPSTREAM_ERROR,
    NGX_HTTP_KTP_OUTCOME_TIMEOUT,
    NGX_HTTP_KTP_OUTCOME_ABORTED
} ngx_http_ktp_outcome_t;

/* Whether the vendor may bill the call. */
typedef enum {
    NGX_HTTP_KTP_BILLED_NO = 0, /* it did not accept the request */
    NGX_HTTP_KTP_BILLED_YES,    /* it responded with a result */
    NGX_HTTP_KTP_BILLED_UNKNOWN /* it received the whole request */
} ngx_http_ktp_billed_t;

/* Who answered a request that this module let through. */
typedef enum {
    NGX_HTTP_KTP_SOURCE_NONE = 0, /* nobody: rejected, or not yet */
    NGX_HTTP_KTP_SOURCE_UPSTREAM, /* a call of its own */
    NGX_HTTP_KTP_SOURCE_JOINED,   /* the call of another request */
    NGX_HTTP_KTP_SOURCE_REPLAYED, /* a stored answer */
    NGX_HTTP_KTP_SOURCE_PRECHECK, /* the check before the call */
    NGX_HTTP_KTP_SOURCE_FIRST,    /* the reader that is asked first */
    NGX_HTTP_KTP_SOURCE_FALLBACK, /* who is asked when the upstream failed */
    NGX_HTTP_KTP_SOURCE_SANDBOX   /* nobody: the answer is a rehearsal's */
} ngx_http_ktp_source_t;

/* Number of sources, without NGX_HTTP_KTP_SOURCE_NONE. */
#define NGX_HTTP_KTP_SOURCES NGX_HTTP_KTP_SOURCE_SANDBOX

/* What a check said before the call. */
typedef enum {
    NGX_HTTP_KTP_CHECK_NONE = 0, /* there was none */
    NGX_HTTP_KTP_CHECK_PASSED,
    NGX_HTTP_KTP_CHECK_REFUSED,
    NGX_HTTP_KTP_CHECK_UNSURE, /* neither a card nor surely none */
    NGX_HTTP_KTP_CHECK_FAILED  /* it said nothing */
} ngx_http_ktp_checked_t;

extern ngx_module_t ngx_http_ktp_module;


#endif /* NGX_HTTP_KTP_H */
