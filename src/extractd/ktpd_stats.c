/*
 * reason      | condition                                       | status
 * ------------+-------------------------------------------------+---------
 * stopping    | the daemon shuts down                           | failing
 * no_worker   | there has been no worker for KTPD_STATS_WORKER  | failing
 *             | milliseconds                                    |
 * queue_full  | the next request would be answered with 503     | degraded
 *
 * "failing" is 503.  A full queue is empty within seconds.
 */

#include "ktpd_stats.h"
#include "ktp_json_writer.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/*
 * Between a card and the next, a place is without a worker for some
 * milliseconds.
 */
#define KTPD_STATS_WORKER 5000


static void ktpd_stats_health(FILE *out, const ktpd_jobs_stat_t *jobs,
                              int stopping, unsigned *status);
static void ktpd_stats_metrics(FILE *out, const ktpd_stats_t *stats,
                               const ktpd_jobs_stat_t *jobs);
static void ktpd_stats_family(FILE *out, const char *name, const char *type,
                              const char *help);
static void ktpd_stats_gauge(FILE *out, const char *name, const char *help,
                             uint64_t value);
static void ktpd_stats_print(void *ctx, const char *p, size_t len);
static void ktpd_stats_string(ktp_json_writer_t *json, const char *p);
static void ktpd_stats_number(ktp_json_writer_t *json, const char *name,
                              uint64_t value);


/* milliseconds */
static const uint64_t ktpd_stats_bounds[KTPD_STATS_BUCKETS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 20000, 60000};


ktpd_stats_page_t
ktpd_stats_page(const char *path)
{
    return strcmp(path, "/health") == 0    ? KTPD_STATS_HEALTH
           : strcmp(path, "/metrics") == 0 ? KTPD_STATS_METRICS
                                           : KTPD_STATS_NONE;
}


const char *
ktpd_stats_type(ktpd_stats_page_t page)
{
    return page == KTPD_STATS_METRICS
               ? "text/plain; version=0.0.4; charset=utf-8"
               : "application/json";
}


void
ktpd_stats_response(ktpd_stats_t *stats, ktp_code_t code)
{
    stats->responses[code]++;
}


void
ktpd_stats_reading(ktpd_stats_t *stats, uint64_t ms)
{
    unsigned i;

    for (i = 0; i < KTPD_STATS_BUCKETS && ms > ktpd_stats_bounds[i]; i++) {
        /* void */
    }

    stats->times[i]++;
    stats->sum += ms;
}


char *
ktpd_stats_write(const ktpd_stats_t *stats, ktpd_stats_page_t page,
                 const ktpd_jobs_t *jobs, int stopping, size_t *len,
                 unsigned *status)
{
    int              failed;
    FILE            *out;
    char            *text;
    ktpd_jobs_stat_t stat;

    text = NULL;
    out = open_memstream(&text, len);

    if (out == NULL) {
        return NULL;
    }

    ktpd_jobs_stat(jobs, &stat);
    *status = 200;

    if (page == KTPD_STATS_HEALTH) {
        ktpd_stats_health(out, &stat, stopping, status);

    } else {
        ktpd_stats_metrics(out, stats, &stat);
    }

    failed = ferror(out);

    if (fclose(out) != 0 || failed || *len == 0) {
        free(text);
        return NULL;
    }

    return text;
}


static void
ktpd_stats_health(FILE *out, const ktpd_jobs_stat_t *jobs, int stopping,
                  unsigned *status)
{
    int                failing, full;
    const char        *reason;
    ktp_json_writer_t *json;

    json = ktp_json_writer_create(ktpd_stats_print, out);

    if (json == NULL) {
        return;
    }

    failing = stopping || jobs->none >= KTPD_STATS_WORKER;
    full = jobs->waiting >= jobs->queue + jobs->workers - jobs->busy;
    reason = stopping  ? "stopping"
             : failing ? "no_worker"
             : full    ? "queue_full"
                       : NULL;

    *status = failing ? 503 : 200;

    ktp_json_writer_open(json);
    ktpd_stats_string(json, "status");
    ktpd_stats_string(json, failing ? "failing" : full ? "degraded" : "ok");
    ktpd_stats_string(json, "reasons");
    ktp_json_writer_open_array(json);

    if (reason != NULL) {
        ktpd_stats_string(json, reason);
    }

    ktp_json_writer_close_array(json);
    ktpd_stats_number(json, "workers", jobs->workers);
    ktpd_stats_number(json, "busy", jobs->busy);
    ktpd_stats_number(json, "ready", jobs->ready);
    ktpd_stats_number(json, "waiting", jobs->waiting);
    ktpd_stats_number(json, "queue", jobs->queue);
    ktp_json_writer_close(json);
    ktp_json_writer_destroy(json);
}


static void
ktpd_stats_metrics(FILE *out, const ktpd_stats_t *stats,
                   const ktpd_jobs_stat_t *jobs)
{
    unsigned           i;
    uint64_t           count;
    ktp_code_t         code;
    const ktp_error_t *e;

    ktpd_stats_family(out, "ktp_extractd_responses_total", "counter",
                      "Responses, by status, error code and reason.");
    fprintf(out,
            "ktp_extractd_responses_total{status=\"200\",error_code=\"\","
            "reason=\"\"} %" PRIu64 "\n",
            stats->responses[KTP_OK]);

    for (code = KTP_OK + 1; code < KTP_CODES; code++) {
        if (stats->responses[code] == 0) {
            continue;
        }

        e = ktp_error(code);
        fprintf(out,
                "ktp_extractd_responses_total{status=\"%u\",error_code=\"%s\","
                "reason=\"%s\"} %" PRIu64 "\n",
                (unsigned) e->status, e->name, e->reason,
                stats->responses[code]);
    }

    ktpd_stats_family(out, "ktp_extractd_duration_seconds", "histogram",
                      "Time from the header of a request to its result.");
    count = 0;

    for (i = 0; i < KTPD_STATS_BUCKETS; i++) {
        count += stats->times[i];
        fprintf(out,
                "ktp_extractd_duration_seconds_bucket{le=\"%g\"} %" PRIu64
                "\n",
                (double) ktpd_stats_bounds[i] / 1000, count);
    }

    count += stats->times[i];
    fprintf(out,
            "ktp_extractd_duration_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
            "ktp_extractd_duration_seconds_sum %" PRIu64 ".%03" PRIu64 "\n"
            "ktp_extractd_duration_seconds_count %" PRIu64 "\n",
            count, stats->sum / 1000, stats->sum % 1000, count);

    ktpd_stats_gauge(out, "ktp_extractd_workers", "Places of workers.",
                     jobs->workers);
    ktpd_stats_gauge(out, "ktp_extractd_workers_busy",
                     "Workers that read a card.", jobs->busy);
    ktpd_stats_gauge(out, "ktp_extractd_waiting_requests",
                     "Requests that wait for a worker.", jobs->waiting);
    ktpd_stats_gauge(out, "ktp_extractd_queue_size",
                     "Requests that may wait for a worker.", jobs->queue);
}


static void
ktpd_stats_family(FILE *out, const char *name, const char *type,
                  const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}


static void
ktpd_stats_gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
    ktpd_stats_family(out, name, "gauge", help);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}


static void
ktpd_stats_print(void *ctx, const char *p, size_t len)
{
    (void) fwrite(p, 1, len, ctx);
}


static void
ktpd_stats_string(ktp_json_writer_t *json, const char *p)
{
    ktp_json_writer_string(json, p, strlen(p));
}


static void
ktpd_stats_number(ktp_json_writer_t *json, const char *name, uint64_t value)
{
    int  n;
    char buf[24];

    n = snprintf(buf, sizeof(buf), "%" PRIu64, value);
    ktpd_stats_string(json, name);
    ktp_json_writer_number(json, buf, (size_t) n);
}
