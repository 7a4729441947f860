#include "ngx_http_ktp_flights_zone.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_flights_table.h"
#include "ngx_http_ktp_value.h"
#include <sys/mman.h>


/* What the parameter of ktp_answer_zone must be. */
#define NGX_HTTP_KTP_FLIGHTS_FORM "NAME:SIZE, such as \"answers:4m\""

/* Pages of the zone, at least. */
#define NGX_HTTP_KTP_FLIGHTS_PAGES 32


static ngx_int_t ngx_http_ktp_flights_zone_init(ngx_shm_zone_t *shm_zone,
                                                void           *data);
static ngx_int_t
ngx_http_ktp_flights_zone_create(ngx_http_ktp_flights_t *flights);


/* Its address tells the zone from others. */
static u_char ngx_http_ktp_flights_zone_tag;


char *
ngx_http_ktp_flights_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    ssize_t                 size;
    ngx_str_t               name;
    ngx_http_ktp_flights_t *flights;

    if (kmcf->flights) {
        return "is duplicate";
    }

    if (ngx_http_ktp_value_zone(cf, NGX_HTTP_KTP_FLIGHTS_FORM,
                                NGX_HTTP_KTP_FLIGHTS_PAGES, &name, &size)
        != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    flights = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_flights_t));
    if (flights == NULL) {
        return NGX_CONF_ERROR;
    }

    flights->shm_zone =
        ngx_shared_memory_add(cf, &name, size, &ngx_http_ktp_flights_zone_tag);
    if (flights->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    flights->cycle = cf->cycle;
    flights->shm_zone->init = ngx_http_ktp_flights_zone_init;
    flights->shm_zone->data = flights;
    kmcf->flights = flights;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ktp_flights_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_ktp_flights_t *old = data;

    ngx_log_t              *log;
    ngx_core_conf_t        *ccf;
    ngx_http_ktp_flights_t *flights;

    flights = shm_zone->data;
    flights->pool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    log = shm_zone->shm.log;

    /* two generations of workers, and as many more after another reload */

    ccf = (ngx_core_conf_t *) ngx_get_conf(flights->cycle->conf_ctx,
                                           ngx_core_module);

    if (ngx_http_ktp_vault_create(log) != NGX_OK
        || ngx_http_ktp_wake_create(4 * ngx_max(ccf->worker_processes, 4), log)
               != NGX_OK) {
        return NGX_ERROR;
    }

    if (old) {
        flights->shared = old->shared;
        return NGX_OK;
    }

    return ngx_http_ktp_flights_zone_create(flights);
}


static ngx_int_t
ngx_http_ktp_flights_zone_create(ngx_http_ktp_flights_t *flights)
{
    ngx_shm_t                     *shm;
    ngx_http_ktp_flights_shared_t *sh;

    shm = &flights->shm_zone->shm;

    /* a full zone is no error */
    flights->pool->log_nomem = 0;

    sh = ngx_slab_calloc(flights->pool, sizeof(ngx_http_ktp_flights_shared_t));
    if (sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm->log, 0,
                      "ktp_answer_zone \"%V\" is too small", &shm->name);
        return NGX_ERROR;
    }

    ngx_rbtree_init(&sh->keys, &sh->keys_sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_rbtree_init(&sh->times, &sh->times_sentinel,
                    ngx_rbtree_insert_timer_value);
    ngx_queue_init(&sh->active);
    ngx_queue_init(&sh->idle);

    flights->pool->data = sh;
    flights->shared = sh;

    if (madvise(shm->addr, shm->size, MADV_DONTDUMP) == -1) {
        ngx_log_error(NGX_LOG_WARN, shm->log, ngx_errno,
                      "madvise(MADV_DONTDUMP) failed");
    }

    return NGX_OK;
}
