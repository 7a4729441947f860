/*
 * What the HTTP process tells about itself: GET /health and GET /metrics,
 * which need no credentials.  Nothing of a request is kept but its result and
 * its time.
 */

#ifndef KTPD_STATS_H
#define KTPD_STATS_H

#include <stddef.h>
#include <stdint.h>
#include "ktp_error.h"
#include "ktpd_jobs.h"


/* Buckets of the histogram, without that of all that is slower. */
#define KTPD_STATS_BUCKETS 10

typedef enum {
    KTPD_STATS_NONE = 0,
    KTPD_STATS_HEALTH,
    KTPD_STATS_METRICS
} ktpd_stats_page_t;

typedef struct {
    uint64_t responses[KTP_CODES]; /* by code; KTP_OK: with status 200 */
    uint64_t times[KTPD_STATS_BUCKETS + 1]; /* of readings; not cumulative */
    uint64_t sum;                           /* of these times, milliseconds */
} ktpd_stats_t;


/* The page of a path, NONE if it is none. */
ktpd_stats_page_t ktpd_stats_page(const char *path);

/* Counts a response. */
void ktpd_stats_response(ktpd_stats_t *stats, ktp_code_t code);

/* Counts a reading or a check: milliseconds from its header to its result. */
void ktpd_stats_reading(ktpd_stats_t *stats, uint64_t ms);

/*
 * Writes a page to a string of *len bytes, to be freed by the caller, and sets
 * *status to its HTTP status; NULL without memory.  stopping: the daemon is
 * shutting down.
 */
char *ktpd_stats_write(const ktpd_stats_t *stats, ktpd_stats_page_t page,
                       const ktpd_jobs_t *jobs, int stopping, size_t *len,
                       unsigned *status);

/* The "Content-Type" of a page. */
const char *ktpd_stats_type(ktpd_stats_page_t page);


#endif /* KTPD_STATS_H */
