/*
 * CPU time that the counters add to a request: the module's own log handler,
 * called for a request that was answered by the upstream.  What it needs of
 * nginx stands here in the simplest form.  With two threads, both count for
 * the same client, as workers do in shared memory.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_variables.h"


#define CALLS   5000000
#define THREADS 2

ngx_module_t                   ngx_http_ktp_module;
ngx_module_t                   ngx_http_core_module;
ngx_module_t                   ngx_http_module;
ngx_http_ktp_transport_stat_t  stat0;
ngx_http_ktp_transport_stat_t *ngx_http_ktp_transport_stat = &stat0;
ngx_pid_t                      ngx_pid;
ngx_uint_t                     ngx_process;
volatile ngx_time_t           *ngx_cached_time;

static ngx_time_t                clock0 = {1000, 5, 0};
static ngx_http_handler_pt       handler;
static ngx_http_ktp_zone_t       zone;
static ngx_http_ktp_shared_t     shared;
static ngx_http_ktp_slot_t       slot;
static ngx_http_ktp_main_conf_t  kmcf;
static ngx_http_ktp_loc_conf_t   klcf;
static ngx_http_core_main_conf_t cmcf;
static void                     *confs[2] = {&kmcf, &cmcf};
static void                     *loc_confs[1] = {&klcf};
static ngx_http_ktp_ctx_t        context;


void *
ngx_array_push(ngx_array_t *array)
{
    (void) array;

    return &handler;
}


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


ngx_http_ktp_ctx_t *
ngx_http_ktp_get_ctx(ngx_http_request_t *r)
{
    (void) r;

    return &context;
}


ngx_http_ktp_outcome_t
ngx_http_ktp_outcome(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    (void) r;

    return ctx->outcome;
}


const char *
ngx_http_ktp_error_code(ngx_http_request_t *r, ngx_http_ktp_ctx_t *ctx)
{
    (void) r;

    return ctx->answer.error_code;
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
    double             start;
    ngx_uint_t         i;
    ngx_connection_t   c;
    ngx_http_request_t r;

    ngx_memzero(&r, sizeof(r));
    ngx_memzero(&c, sizeof(c));

    c.sent = 600;
    r.main = &r;
    r.connection = &c;
    r.main_conf = confs;
    r.loc_conf = loc_confs;
    r.request_length = 400000;
    r.start_sec = 999;

    start = now(CLOCK_THREAD_CPUTIME_ID);

    for (i = 0; i < CALLS; i++) {
        (void) handler(&r);
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
    ngx_conf_t cf;

    static ngx_http_conf_ctx_t ctx;

    ctx.main_conf = confs;
    cf.ctx = &ctx;
    ngx_http_core_module.ctx_index = 1;
    ngx_cached_time = &clock0;

    shared.metrics = ngx_http_ktp_metrics_create(NULL, 1024 * 1024);
    zone.shared = &shared;
    zone.nobody = &slot;
    kmcf.zone = &zone;

    if (shared.metrics == NULL || ngx_http_ktp_metrics_init(&cf) != NGX_OK) {
        return 1;
    }

    /* a call that was answered with one of the last codes of the table */

    context.outcome = NGX_HTTP_KTP_OUTCOME_OK;
    context.called = 1;
    context.billed = NGX_HTTP_KTP_BILLED_YES;
    context.image_size = 300000;
    context.call.response_time = 800;
    ngx_memcpy(context.answer.error_code, "UNSUPPORTED_MEDIA_TYPE", 23);

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

    if (slot.counters->billed != (THREADS + 1) * CALLS) {
        fprintf(stderr, "counters_bench: counted %lu\n",
                (unsigned long) slot.counters->billed);
        return 1;
    }

    return 0;
}
