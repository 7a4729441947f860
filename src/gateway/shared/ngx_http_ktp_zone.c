#include "ngx_http_ktp_zone.h"
#include "ngx_http_ktp_breaker.h"
#include "ngx_http_ktp_client.h"
#include "ngx_http_ktp_lease.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_rate.h"
#include "ngx_http_ktp_state.h"
#include "ngx_http_ktp_uses.h"
#include "ngx_http_ktp_value.h"


/* To be incremented when the layout or meaning of shared data changes. */
#define NGX_HTTP_KTP_ZONE_VERSION 11

/* What the parameter of ktp_zone must be. */
#define NGX_HTTP_KTP_ZONE_FORM "NAME:SIZE, such as \"ktp:1m\""

/* Pages of a zone, at least. */
#define NGX_HTTP_KTP_ZONE_PAGES 8

/* Share of a zone for marks of calls not yet sent: 1/16. */
#define NGX_HTTP_KTP_UNSENT_SHARE 16

/* Minimum size of a slot in the zone. */
#define NGX_HTTP_KTP_ZONE_SLOT 128


static ngx_int_t ngx_http_ktp_zone_same(ngx_conf_t *cf, ngx_str_t *name,
                                        size_t size);
static ngx_int_t ngx_http_ktp_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_http_ktp_zone_create(ngx_http_ktp_zone_t *zone);
static ngx_int_t ngx_http_ktp_zone_ledger(ngx_http_ktp_zone_t *zone,
                                          ngx_log_t           *log);
static ngx_int_t ngx_http_ktp_zone_currencies(ngx_http_ktp_zone_t *zone,
                                              ngx_log_t           *log);
static ngx_int_t ngx_http_ktp_zone_breakers(ngx_http_ktp_zone_t *zone,
                                            ngx_log_t           *log);
static ngx_int_t ngx_http_ktp_zone_clients(ngx_http_ktp_zone_t *zone,
                                           ngx_log_t           *log);


char *
ngx_http_ktp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    ssize_t              size;
    ngx_str_t           *value, name;
    ngx_http_ktp_zone_t *zone;

    if (kmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_ktp_value_zone(cf, NGX_HTTP_KTP_ZONE_FORM,
                                NGX_HTTP_KTP_ZONE_PAGES, &name, &size)
        != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {
        if (ngx_strncmp(value[2].data, "state=", 6) != 0 || value[2].len == 6
            || ngx_strlchr(value[2].data, value[2].data + value[2].len, '$')) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[2],
                "\"state=FILE\" without variables");
        }

        zone->state.data = value[2].data + 6;
        zone->state.len = value[2].len - 6;

        if (ngx_conf_full_name(cf->cycle, &zone->state, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_ktp_zone_same(cf, &name, size) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    zone->shm_zone =
        ngx_shared_memory_add(cf, &name, size, &ngx_http_ktp_module);
    if (zone->shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    kmcf->state = zone->state.len ? &zone->state : NULL;
    zone->clients = &kmcf->clients;
    zone->currencies = &kmcf->currencies;
    zone->breakers = &kmcf->breakers;
    zone->tickets = &kmcf->tickets;
    zone->shm_zone->init = ngx_http_ktp_zone_init;
    zone->shm_zone->data = zone;
    kmcf->zone = zone;

    return NGX_CONF_OK;
}


/*
 * A different zone would count from zero or from the state file, in parallel
 * with the running workers.
 */

static ngx_int_t
ngx_http_ktp_zone_same(ngx_conf_t *cf, ngx_str_t *name, size_t size)
{
    ngx_uint_t       i;
    ngx_cycle_t     *old;
    ngx_list_part_t *part;
    ngx_shm_zone_t  *shm_zone;

    old = cf->cycle->old_cycle;

    if (old == NULL || ngx_is_init_cycle(old)) {
        return NGX_OK;
    }

    part = &old->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0;; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        if (shm_zone[i].tag != &ngx_http_ktp_module) {
            continue;
        }

        if (shm_zone[i].shm.size != size
            || shm_zone[i].shm.name.len != name->len
            || ngx_strncmp(shm_zone[i].shm.name.data, name->data, name->len)
                   != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "name and size of \"ktp_zone\" cannot be "
                               "changed by reload, since workers shutting "
                               "down still use \"%V\"",
                               &shm_zone[i].shm.name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_ktp_zone_t *ozone = data;

    ngx_int_t            rc;
    ngx_log_t           *log;
    ngx_http_ktp_zone_t *zone;

    zone = shm_zone->data;
    zone->pool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    log = shm_zone->shm.log;

    if (ozone) {
        zone->shared = ozone->shared;

        if (zone->shared->version != NGX_HTTP_KTP_ZONE_VERSION
            || zone->shared->slot_size != sizeof(ngx_http_ktp_slot_t)) {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "ktp_zone \"%V\" was created by another "
                          "version of the module, restart is required",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        if (ngx_http_ktp_ledger_lock(zone->shared->fd, log) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (ngx_http_ktp_zone_create(zone) != NGX_OK
               || ngx_http_ktp_zone_ledger(zone, log) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_ktp_zone_currencies(zone, log);

    if (rc == NGX_OK) {
        rc = ngx_http_ktp_zone_breakers(zone, log);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_ktp_zone_clients(zone, log);
    }

    if (rc == NGX_OK && *zone->tickets) {
        rc = ngx_http_ktp_uses_init(zone, log);
    }

    ngx_http_ktp_ledger_unlock(zone->shared->fd, log);

    return rc;
}


/* Opens or creates the ledger and leaves it locked. */

static ngx_int_t
ngx_http_ktp_zone_ledger(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    ngx_str_t             *name;
    ngx_uint_t             inherited;
    ngx_http_ktp_shared_t *sh;

    sh = zone->shared;
    name = &zone->shm_zone->shm.name;

    sh->max = zone->shm_zone->shm.size / NGX_HTTP_KTP_ZONE_SLOT;
    sh->ledger = ngx_http_ktp_ledger(name, sh->max, &sh->fd, &inherited, log);

    if (sh->ledger == NULL
        || ngx_http_ktp_ledger_lock(sh->fd, log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (inherited) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "ktp_zone \"%V\" is inherited from the "
                      "previous binary",
                      name);
        return NGX_OK;
    }

    if (ngx_inherited) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "ktp_zone \"%V\" cannot be inherited from the "
                      "previous binary, quotas are counted "
                      "separately until it exits",
                      name);
    }

    return ngx_http_ktp_state_load(zone, log);
}


static ngx_int_t
ngx_http_ktp_zone_currencies(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    if (ngx_http_ktp_metrics_currencies(zone->shared->metrics,
                                        zone->currencies->elts,
                                        zone->currencies->nelts)
        != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" has room for %d currencies of "
                      "\"ktp_price\"; those removed by reload keep their "
                      "room until restart",
                      &zone->shm_zone->shm.name, NGX_HTTP_KTP_CURRENCIES);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_zone_breakers(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    if (ngx_http_ktp_breaker_init(zone, zone->breakers->elts,
                                  zone->breakers->nelts)
        != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" is too small for %ui breakers; those "
                      "removed by reload keep their room until restart",
                      &zone->shm_zone->shm.name, zone->breakers->nelts);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A configuration with too many clients leaves the zone unchanged, so that a
 * corrected one finds room.
 */

static ngx_int_t
ngx_http_ktp_zone_clients(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    ngx_str_t               nobody, **names;
    ngx_uint_t              i, n, room;
    ngx_http_ktp_client_t **client;

    client = zone->clients->elts;
    n = zone->clients->nelts;

    names = ngx_alloc((n + 1) * sizeof(ngx_str_t *), log);
    if (names == NULL) {
        return NGX_ERROR;
    }

    ngx_str_set(&nobody, "");
    names[0] = &nobody;

    for (i = 0; i < n; i++) {
        names[i + 1] = &client[i]->sn.str;
    }

    room = ngx_http_ktp_slot_reserve(zone, names, n + 1);
    ngx_free(names);

    if (room < n + 1) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" is too small for %ui clients, has "
                      "room for %ui; clients removed by reload keep their "
                      "room until restart",
                      &zone->shm_zone->shm.name, n, room ? room - 1 : 0);
        return NGX_ERROR;
    }

    zone->nobody = ngx_http_ktp_slot(zone, &nobody);

    for (i = 0; i < n; i++) {
        client[i]->slot = ngx_http_ktp_slot(zone, &client[i]->sn.str);
    }

    if (ngx_http_ktp_lease_init(zone) != NGX_OK
        || ngx_http_ktp_rate_init(zone) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" is too small for quotas and rates of "
                      "the fleet",
                      &zone->shm_zone->shm.name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_zone_create(ngx_http_ktp_zone_t *zone)
{
    size_t                 size;
    ngx_http_ktp_shared_t *sh;

    /* the module logs the error itself */
    zone->pool->log_nomem = 0;

    size = zone->shm_zone->shm.size / NGX_HTTP_KTP_UNSENT_SHARE;

    sh = ngx_slab_calloc(zone->pool, sizeof(ngx_http_ktp_shared_t));
    if (sh == NULL) {
        goto failed;
    }

    sh->nunsent = size / sizeof(ngx_http_ktp_unsent_t);
    sh->unsent = ngx_slab_calloc(zone->pool, size);
    if (sh->unsent == NULL) {
        goto failed;
    }

    sh->metrics =
        ngx_http_ktp_metrics_create(zone->pool, zone->shm_zone->shm.size);
    if (sh->metrics == NULL) {
        goto failed;
    }

    sh->pool = zone->pool;
    sh->version = NGX_HTTP_KTP_ZONE_VERSION;
    sh->slot_size = sizeof(ngx_http_ktp_slot_t);
    ngx_rbtree_init(&sh->names, &sh->sentinel, ngx_str_rbtree_insert_value);

    zone->pool->data = sh;
    zone->shared = sh;

    return NGX_OK;

failed:

    ngx_log_error(NGX_LOG_EMERG, zone->shm_zone->shm.log, 0,
                  "ktp_zone \"%V\" is too small", &zone->shm_zone->shm.name);

    return NGX_ERROR;
}
