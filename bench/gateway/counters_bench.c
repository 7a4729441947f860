/*
 * CPU time that the counters add to a request that the upstream answered:
 * ngx_http_ktp_metrics_count(), with the least of nginx around it.  With two
 * threads, both count for the same client, as workers do in shared memory.
 */

#include "ngx_http_ktp_metrics.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>


#define CALLS   5000000
#define THREADS 2

ngx_module_t                   ngx_http_ktp_module;
ngx_module_t                   ngx_http_module;
ngx_http_ktp_transport_stat_t  stat0;
ngx_http_ktp_transport_stat_t *ngx_http_ktp_transport_stat = &stat0;
ngx_pid_t                      ngx_pid;
ngx_uint_t                     ngx_process;

static ngx_time_t    start;
volatile ngx_time_t *ngx_cached_time = &start;
volatile ngx_msec_t  ngx_current_msec;

static ngx_http_ktp_zone_t   zone;
static ngx_http_ktp_shared_t shared;
static ngx_http_ktp_slot_t   slot;


void *
ngx_slab_calloc(ngx_slab_pool_t *pool, size_t size)
{
    (void) pool;

    return calloc(1, size);
}


void *
ngx_slab_calloc_locked(ngx_slab_pool_t *pool, size_t size)
{
    return ngx_slab_calloc(pool, size);
}


void
ngx_shmtx_lock(ngx_shmtx_t *mtx)
{
    (void) mtx;
}


void
ngx_shmtx_unlock(ngx_shmtx_t *mtx)
{
    (void) mtx;
}


static double
now(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec * 1e-9;
}


static void *
count(void *took)
{
    double                         start;
    ngx_uint_t                     i;
    ngx_http_ktp_call_t            call;
    ngx_http_ktp_metrics_request_t request;

    ngx_memzero(&call, sizeof(call));
    ngx_memzero(&request, sizeof(request));

    call.response_time = 800;
    call.bytes_sent = 400000;

    /* one of the last codes of the table */

    request.outcome = NGX_HTTP_KTP_OUTCOME_OK;
    request.call_outcome = NGX_HTTP_KTP_OUTCOME_OK;
    request.code = "UNSUPPORTED_MEDIA_TYPE";
    request.time = 1000;
    request.received = 400000;
    request.sent = 600;
    request.image_size = 300000;
    request.call = &call;
    request.billed = NGX_HTTP_KTP_BILLED_YES;
    request.answer_size = 900;
    request.saved = NGX_HTTP_KTP_SAVED_REPLAYED;

    start = now(CLOCK_THREAD_CPUTIME_ID);

    for (i = 0; i < CALLS; i++) {
        ngx_http_ktp_metrics_count(&zone, &slot, &request);
    }

    *(double *) took = now(CLOCK_THREAD_CPUTIME_ID) - start;

    return NULL;
}


int
main(void)
{
    double     took[THREADS];
    pthread_t  threads[THREADS];
    ngx_uint_t i;

    shared.metrics = ngx_http_ktp_metrics_create(NULL, 1024 * 1024);
    zone.shared = &shared;

    if (shared.metrics == NULL || ngx_http_ktp_metrics_init() != NGX_OK) {
        return 1;
    }

    (void) count(&took[0]);
    printf("one worker:  %.3f us a request\n", took[0] / CALLS * 1e6);

    for (i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, count, &took[i]) != 0) {
            return 1;
        }
    }

    for (i = 0; i < THREADS; i++) {
        (void) pthread_join(threads[i], NULL);
    }

    printf("two at once: %.3f us a request\n",
           (took[0] + took[1]) / THREADS / CALLS * 1e6);

    if (slot.counters->billed[NGX_HTTP_KTP_OUTCOME_OK - 1]
            != (THREADS + 1) * CALLS
        || slot.counters->saved[NGX_HTTP_KTP_SAVED_REPLAYED - 1]
               != (THREADS + 1) * CALLS) {
        fprintf(
            stderr, "counters_bench: counted %lu, saved %lu\n",
            (unsigned long) slot.counters->billed[NGX_HTTP_KTP_OUTCOME_OK - 1],
            (unsigned long)
                slot.counters->saved[NGX_HTTP_KTP_SAVED_REPLAYED - 1]);
        return 1;
    }

    return 0;
}
