#include "ngx_http_ktp_shadow.h"
#include "ktp_local.h"
#include "ngx_http_ktp_ask.h"
#include "ngx_http_ktp_metrics.h"
#include "ngx_http_ktp_verdict.h"


/* Bytes of a pool for one call. */
#define NGX_HTTP_KTP_SHADOW_POOL 4096


struct ngx_http_ktp_shadow_s {
    ngx_pool_t          *pool;
    ngx_http_ktp_zone_t *zone; /* NULL: nothing is counted */
    ngx_http_ktp_ask_t  *ask;
    ktp_store_t          store;
    ngx_str_t            body; /* of the upstream's response */
};


static void ngx_http_ktp_shadow_done(ngx_http_ktp_ask_t *ask);
static void ngx_http_ktp_shadow_free(ngx_http_ktp_shadow_t *shadow);


/* Calls of this worker in progress. */
static ngx_uint_t ngx_http_ktp_shadow_calls;


ngx_http_ktp_shadow_t *
ngx_http_ktp_shadow_create(ngx_http_request_t            *r,
                           const ngx_http_ktp_answerer_t *answerer,
                           const ngx_str_t               *body)
{
    ngx_pool_t               *pool;
    ngx_http_ktp_ctx_t       *ctx;
    ngx_http_ktp_shadow_t    *shadow;
    ngx_http_ktp_main_conf_t *kmcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    pool = NULL;

    if (ngx_http_ktp_shadow_calls == NGX_HTTP_KTP_SHADOW_CALLS) {
        goto dropped;
    }

    pool = ngx_create_pool(NGX_HTTP_KTP_SHADOW_POOL, ngx_cycle->log);
    if (pool == NULL) {
        goto dropped;
    }

    shadow = ngx_pcalloc(pool, sizeof(ngx_http_ktp_shadow_t));
    if (shadow == NULL) {
        goto dropped;
    }

    shadow->pool = pool;
    shadow->zone = kmcf->zone;
    shadow->body.len = body->len;
    shadow->body.data = ngx_pnalloc(pool, body->len);
    shadow->ask = ngx_http_ktp_ask_create(r, answerer, pool, ngx_cycle->log);

    if (shadow->body.data == NULL || shadow->ask == NULL) {
        goto dropped;
    }

    ngx_memcpy(shadow->body.data, body->data, body->len);

    shadow->ask->request = NULL;
    shadow->ask->call.share = NULL;
    shadow->ask->call.timeout = 0;
    shadow->ask->done = ngx_http_ktp_shadow_done;
    shadow->ask->data = shadow;

    shadow->store = ctx->store;
    ktp_store_init(&ctx->store, shadow->store.chunks, shadow->store.max);

    ngx_http_ktp_shadow_calls++;

    return shadow;

dropped:

    if (pool) {
        ngx_destroy_pool(pool);
    }

    ngx_http_ktp_metrics_shadow(kmcf->zone, NGX_HTTP_KTP_SHADOW_DROPPED, NULL);

    return NULL;
}


void
ngx_http_ktp_shadow_start(ngx_http_ktp_shadow_t *shadow)
{
    if (ngx_http_ktp_ask_start(shadow->ask, &shadow->store) != KTP_OK) {
        ngx_http_ktp_metrics_shadow(shadow->zone, NGX_HTTP_KTP_SHADOW_FAILED,
                                    NULL);
        ngx_http_ktp_shadow_free(shadow);
    }
}


static void
ngx_http_ktp_shadow_done(ngx_http_ktp_ask_t *ask)
{
    ktp_local_compare_t    compare;
    ngx_http_ktp_call_t   *call;
    ngx_http_ktp_shadow_t *shadow;

    shadow = ask->data;
    call = &ask->call;

    if (ngx_http_ktp_verdict_local(call) == KTP_OK
        && ktp_local_compare(&compare, (char *) shadow->body.data,
                             shadow->body.len, (char *) call->body.data,
                             call->body.len)
               == 0) {
        ngx_http_ktp_metrics_shadow(shadow->zone, NGX_HTTP_KTP_SHADOW_COMPARED,
                                    &compare);

    } else {
        ngx_http_ktp_metrics_shadow(shadow->zone, NGX_HTTP_KTP_SHADOW_FAILED,
                                    NULL);
    }

    ngx_http_ktp_shadow_free(shadow);
}


static void
ngx_http_ktp_shadow_free(ngx_http_ktp_shadow_t *shadow)
{
    ngx_str_t *body;

    body = &shadow->ask->call.body;

    ngx_explicit_memzero(body->data, body->len);
    ngx_explicit_memzero(shadow->body.data, shadow->body.len);
    ktp_store_free(&shadow->store);

    ngx_http_ktp_shadow_calls--;
    ngx_destroy_pool(shadow->pool);
}
