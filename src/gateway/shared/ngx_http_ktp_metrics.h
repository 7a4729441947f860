/*
 * Counters of requests in ktp_zone: totals over all workers, kept during the
 * life of the master process.  They are modified by atomic operations only, so
 * that a killed worker leaves them consistent.
 */

#ifndef NGX_HTTP_KTP_METRICS_H
#define NGX_HTTP_KTP_METRICS_H

#include "ngx_http_ktp.h"
#include "ktp_error.h"
#include "ktp_local.h"
#include "ngx_http_ktp_billing.h"
#include "ngx_http_ktp_transport.h"
#include "ngx_http_ktp_zone.h"


/* Number of outcomes, without NGX_HTTP_KTP_OUTCOME_NONE. */
#define NGX_HTTP_KTP_METRICS_OUTCOMES NGX_HTTP_KTP_OUTCOME_ABORTED

/*
 * Number of distinct error codes: those of the contract, "" for none, and
 * "other" for codes of an upstream, which are unbounded.
 */
#define NGX_HTTP_KTP_METRICS_CODES 27

#define NGX_HTTP_KTP_METRICS_BUCKETS 12

/* Why a request cost no call of its own, although it was answered. */
typedef enum {
    NGX_HTTP_KTP_SAVED_NONE = 0,
    NGX_HTTP_KTP_SAVED_JOINED,
    NGX_HTTP_KTP_SAVED_REPLAYED,
    NGX_HTTP_KTP_SAVED_PRECHECK,
    NGX_HTTP_KTP_SAVED_FIRST
} ngx_http_ktp_saved_t;

/* Number of these reasons, without NGX_HTTP_KTP_SAVED_NONE. */
#define NGX_HTTP_KTP_METRICS_SAVED NGX_HTTP_KTP_SAVED_FIRST

/* What became of an answer that was to be compared. */
typedef enum {
    NGX_HTTP_KTP_SHADOW_COMPARED = 0,
    NGX_HTTP_KTP_SHADOW_DROPPED, /* there was no place */
    NGX_HTTP_KTP_SHADOW_FAILED,  /* the reader did not answer */
    NGX_HTTP_KTP_SHADOW_RESULTS
} ngx_http_ktp_shadow_result_t;

/* Counters of comparisons, by the bin of a confidence: differs, agrees. */
typedef ngx_atomic_t ngx_http_ktp_matches_t[KTP_LOCAL_BINS][2];

/*
 * Maximum size of the counters of a client, above which the slab takes a whole
 * page for them.
 */
#define NGX_HTTP_KTP_METRICS_CLIENT 2048

/*
 * Counters of a client; clients for which there is no room share one.  Those
 * of the table have 32 bits to save room: a counter that has wrapped looks as
 * after a restart, which rate() and increase() of Prometheus allow for.
 */
struct ngx_http_ktp_counters_s {
    uint32_t requests[NGX_HTTP_KTP_METRICS_OUTCOMES]
                     [NGX_HTTP_KTP_METRICS_CODES];
    ngx_atomic_t billed[NGX_HTTP_KTP_METRICS_OUTCOMES];
    ngx_atomic_t maybe; /* calls that may have been billed */
    ngx_atomic_t saved[NGX_HTTP_KTP_METRICS_SAVED];
    uint64_t     cost[NGX_HTTP_KTP_CURRENCIES]; /* see ktp_money.h */
};

typedef struct {
    ngx_atomic_t count[NGX_HTTP_KTP_METRICS_BUCKETS + 1]; /* not cumulative */
    ngx_atomic_t sum; /* milliseconds, or bytes */
} ngx_http_ktp_histogram_t;

/* Upper bounds of buckets, in the unit of the sum. */
typedef struct {
    ngx_uint_t n;
    uint64_t   bound[NGX_HTTP_KTP_METRICS_BUCKETS];
} ngx_http_ktp_buckets_t;

/* Gauges of a worker. */
typedef struct {
    ngx_atomic_t                  pid; /* 0: free */
    ngx_http_ktp_transport_stat_t transport;
} ngx_http_ktp_worker_t;

struct ngx_http_ktp_metrics_s {
    ngx_http_ktp_counters_t other; /* of clients for which there is no room */

    ngx_http_ktp_histogram_t request_time;
    ngx_http_ktp_histogram_t upstream_time;
    ngx_http_ktp_histogram_t image_size;

    ngx_atomic_t errors[KTP_CODES];                    /* by reason */
    ngx_atomic_t calls[NGX_HTTP_KTP_METRICS_OUTCOMES]; /* of the upstream */

    ngx_atomic_t answers[NGX_HTTP_KTP_SOURCES]; /* by who gave them */

    /* by what the check said, and the outcome of the upstream's call */
    ngx_atomic_t checks[NGX_HTTP_KTP_CHECK_FAILED];
    ngx_atomic_t checked[NGX_HTTP_KTP_CHECK_FAILED]
                        [NGX_HTTP_KTP_METRICS_OUTCOMES];

    ngx_atomic_t           shadows[NGX_HTTP_KTP_SHADOW_RESULTS];
    ngx_http_ktp_matches_t fields[KTP_LOCAL_FIELDS];
    ngx_http_ktp_matches_t cards;

    ngx_atomic_t received; /* bytes, of requests */
    ngx_atomic_t sent;     /* to clients */
    ngx_atomic_t upstream_sent;
    ngx_atomic_t upstream_received;
    ngx_atomic_t retries;
    ngx_atomic_t unclear; /* calls that may be billed, and failed */
    ngx_atomic_t opened;  /* connections opened by workers that have exited */

    /*
     * When the last call ended with an answer of the vendor, and when with a
     * failure or a refusal of our keys, by ngx_current_msec; 0: none has.
     */
    uint64_t success;
    uint64_t failure;

    /* of all configurations since the start */

    u_char     currencies[NGX_HTTP_KTP_CURRENCIES][NGX_HTTP_KTP_CURRENCY];
    ngx_uint_t ncurrencies;

    time_t                started; /* seconds since the epoch */
    ngx_uint_t            nworkers;
    ngx_http_ktp_worker_t workers[];
};

/* What is counted of a request. */
typedef struct {
    ngx_http_ktp_outcome_t outcome;    /* not NONE */
    const char            *code;       /* error code, "" for none */
    ktp_code_t             reason;     /* KTP_OK for none */
    ngx_msec_t             time;       /* from its first byte to its end */
    off_t                  received;   /* bytes, from the client */
    off_t                  sent;       /* bytes, to the client */
    size_t                 image_size; /* bytes; 0: no whole image */

    ngx_http_ktp_source_t      source; /* of an answer about the image */
    ngx_http_ktp_checked_t     checked;
    ngx_http_ktp_saved_t       saved;
    ngx_http_ktp_outcome_t     call_outcome; /* not NONE, if there is a call */
    const ngx_http_ktp_call_t *call;         /* NULL: no call was made */
    ngx_http_ktp_billed_t      billed;
    ngx_http_ktp_price_t      *price;       /* NULL: unknown */
    size_t                     answer_size; /* bytes, from the upstream */
} ngx_http_ktp_metrics_request_t;


extern const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_time_buckets;
extern const ngx_http_ktp_buckets_t ngx_http_ktp_metrics_size_buckets;


/* Allocates metrics in a new zone of size bytes; NULL if there is no room. */
ngx_http_ktp_metrics_t *ngx_http_ktp_metrics_create(ngx_slab_pool_t *pool,
                                                    size_t           size);

/*
 * Assigns columns to n currencies of a configuration; NGX_ERROR if there are
 * more since the start than NGX_HTTP_KTP_CURRENCIES.  For the master, with the
 * ledger locked.
 */
ngx_int_t ngx_http_ktp_metrics_currencies(ngx_http_ktp_metrics_t   *metrics,
                                          ngx_http_ktp_currency_t **currency,
                                          ngx_uint_t                n);

/*
 * Makes the table of error codes that are told apart; NGX_ERROR if there are
 * more than NGX_HTTP_KTP_METRICS_CODES.  For postconfiguration.
 */
ngx_int_t ngx_http_ktp_metrics_init(void);

/* Allocates the gauges of this worker.  For init_process. */
void ngx_http_ktp_metrics_init_process(ngx_cycle_t *cycle);

/* 1 if this process has gauges. */
ngx_uint_t ngx_http_ktp_metrics_counting(void);

/* Releases the gauges.  For exit_process, when all connections are closed. */
void ngx_http_ktp_metrics_exit(void);

/* 1 if there is no other worker; for a worker that ends. */
ngx_uint_t ngx_http_ktp_metrics_last(ngx_http_ktp_metrics_t *metrics);

/*
 * Counts a request that has ended; slot is that of its client, NULL if it
 * has none.
 */
void ngx_http_ktp_metrics_count(ngx_http_ktp_zone_t                  *zone,
                                ngx_http_ktp_slot_t                  *slot,
                                const ngx_http_ktp_metrics_request_t *request);

/*
 * Counts a comparison, with its matches if both were compared.  zone may be
 * NULL.
 */
void ngx_http_ktp_metrics_shadow(ngx_http_ktp_zone_t         *zone,
                                 ngx_http_ktp_shadow_result_t result,
                                 const ktp_local_compare_t   *compare);

/* The "reason" label of calls saved: constant text; not for NONE. */
const char *ngx_http_ktp_metrics_saved(ngx_http_ktp_saved_t saved);

/*
 * The error code of column n, "" for none; NULL if n is out of range. Constant
 * text.
 */
const char *ngx_http_ktp_metrics_code(ngx_uint_t n);

/*
 * Sums calls and connections of running workers, and connections opened since
 * the start.
 */
void ngx_http_ktp_metrics_workers(ngx_http_ktp_metrics_t        *metrics,
                                  ngx_http_ktp_transport_stat_t *sum,
                                  ngx_uint_t                    *workers);


#endif /* NGX_HTTP_KTP_METRICS_H */
