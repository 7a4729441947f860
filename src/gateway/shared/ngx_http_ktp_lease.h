/*
 * Leases: units of a quota that this host got from the fleet, in shared
 * memory.  They are spent without asking.  One worker at a time asks for more;
 * its operation has a number, so that an answer that comes late has no effect.
 */

#ifndef NGX_HTTP_KTP_LEASE_H
#define NGX_HTTP_KTP_LEASE_H

#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_zone.h"


/* Length of an incarnation, hexadecimal, and of a period, "YYYY-MM-DD". */
#define NGX_HTTP_KTP_LEASE_ID     16
#define NGX_HTTP_KTP_LEASE_PERIOD 10

/* How long Redis regards a lease as held, milliseconds. */
#define NGX_HTTP_KTP_LEASE_TIME 60000

/* Units of a lease at most. */
#define NGX_HTTP_KTP_LEASE_MAX 1000

/* Why there may be something to report. */
typedef enum {
    NGX_HTTP_KTP_LEASE_TAKE = 0, /* a unit was taken, or is to be */
    NGX_HTTP_KTP_LEASE_TIMER,    /* what is not used is given back */
    NGX_HTTP_KTP_LEASE_LAST      /* the host stops */
} ngx_http_ktp_lease_why_t;

/* What the host reports, and asks for. */
typedef struct {
    u_char     incarnation[NGX_HTTP_KTP_LEASE_ID];
    u_char     period[NGX_HTTP_KTP_LEASE_PERIOD];
    size_t     period_len; /* 0: none yet */
    uint64_t   seq;
    uint64_t   spent;
    uint64_t   held;
    uint64_t   want;
    ngx_msec_t time; /* when the report was made */
} ngx_http_ktp_lease_report_t;

/* The answer. */
typedef struct {
    enum {
        NGX_HTTP_KTP_LEASE_OK = 0,
        NGX_HTTP_KTP_LEASE_STALE,
        NGX_HTTP_KTP_LEASE_EXHAUSTED
    } status;

    ngx_str_t  period;
    uint64_t   granted;
    uint64_t   spent; /* of the fleet */
    ngx_uint_t endless;
    ngx_msec_t left; /* until the end of the period, unless it is endless */
} ngx_http_ktp_lease_answer_t;

struct ngx_http_ktp_lease_s {
    ngx_http_ktp_lease_report_t now;    /* seq: of the last report */
    ngx_uint_t                  serial; /* of the period, in this zone */
    ngx_msec_t                  asked;  /* until when an answer is awaited */
    ngx_msec_t                  ends;   /* of the period */
    ngx_msec_t                  answered;
    uint64_t                    fleet;    /* spent by the fleet, as answered */
    uint64_t                    reported; /* of which by this host */
    uint64_t                    target;   /* units to be held */
    uint64_t                    local;    /* spent without a lease */

    unsigned asking : 1;
    unsigned endless : 1;
    unsigned exhausted : 1; /* as answered */
    unsigned failed : 1;    /* there was no answer */
};


/*
 * Allocates leases for clients with a quota of the fleet.  For the master.
 * NGX_ERROR: the zone is full.
 */
ngx_int_t ngx_http_ktp_lease_init(ngx_http_ktp_zone_t *zone);

/*
 * Spends a unit: NGX_OK and *serial, for ngx_http_ktp_lease_give();
 * NGX_DECLINED, the fleet's quota is exhausted; NGX_AGAIN, there is none left
 * and more are to be asked for; NGX_BUSY, there is none, and nobody answers.
 */
ngx_int_t ngx_http_ktp_lease_take(ngx_http_ktp_shared_t *sh,
                                  ngx_http_ktp_lease_t  *lease,
                                  ngx_uint_t            *serial);

/*
 * Spends a unit that was not leased, of limit until the server answers again.
 * NGX_BUSY: that many are spent.
 */
ngx_int_t ngx_http_ktp_lease_local(ngx_http_ktp_shared_t *sh,
                                   ngx_http_ktp_lease_t *lease, uint64_t limit,
                                   ngx_uint_t *serial);

/* Takes a unit back, unless its period is over. */
void ngx_http_ktp_lease_give(ngx_http_ktp_shared_t *sh,
                             ngx_http_ktp_lease_t *lease, ngx_uint_t serial);

/* 1 if the fleet's quota was exhausted a moment ago. */
ngx_uint_t ngx_http_ktp_lease_exhausted(ngx_http_ktp_lease_t *lease);

/* Units that this host holds. */
uint64_t ngx_http_ktp_lease_held(ngx_http_ktp_lease_t *lease);

/* Calls that the fleet has counted in the period, as far as it is known. */
uint64_t ngx_http_ktp_lease_used(ngx_http_ktp_lease_t *lease);

/*
 * Begins a report if there is need for one; its answer is awaited for that
 * time.  NGX_DECLINED: there is no need, or another worker is about it.
 */
ngx_int_t ngx_http_ktp_lease_begin(ngx_http_ktp_shared_t *sh,
                                   ngx_http_ktp_lease_t *lease, uint64_t limit,
                                   ngx_msec_t                   timeout,
                                   ngx_http_ktp_lease_why_t     why,
                                   ngx_http_ktp_lease_report_t *report);

/*
 * Ends it with its answer, or with NULL if there is none.  NGX_DECLINED: the
 * server knows a later report of this host; another one begins anew.
 */
ngx_int_t ngx_http_ktp_lease_end(ngx_http_ktp_shared_t             *sh,
                                 ngx_http_ktp_lease_t              *lease,
                                 const ngx_http_ktp_lease_report_t *report,
                                 const ngx_http_ktp_lease_answer_t *answer);


#endif /* NGX_HTTP_KTP_LEASE_H */
