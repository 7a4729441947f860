#include "ngx_http_ktp_uses.h"
#include "ngx_http_ktp_vault.h"


/* Entries that are freed for each one that is made, if they have expired. */
#define NGX_HTTP_KTP_USES_FREED 8

/* Share of a zone for tickets, at most: a quarter. */
#define NGX_HTTP_KTP_USES_SHARE 4

struct ngx_http_ktp_uses_s {
    ngx_rbtree_t      nonces;
    ngx_rbtree_node_t nonces_sentinel;
    ngx_rbtree_t      times;
    ngx_rbtree_node_t times_sentinel;
    ngx_uint_t        n; /* of entries */
};

typedef struct {
    ngx_str_node_t    sn;   /* its text is nonce */
    ngx_rbtree_node_t time; /* its key are seconds */
    u_char            nonce[KTP_TICKET_NONCE];
    ngx_uint_t        used;
} ngx_http_ktp_use_t;


static ngx_http_ktp_use_t *ngx_http_ktp_uses_entry(ngx_http_ktp_zone_t *zone,
                                                   const ktp_ticket_t *ticket);
static void                ngx_http_ktp_uses_expire(ngx_http_ktp_zone_t *zone);


ngx_int_t
ngx_http_ktp_uses_init(ngx_http_ktp_zone_t *zone, ngx_log_t *log)
{
    ngx_http_ktp_uses_t *uses;

    if (ngx_http_ktp_vault_create(log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (zone->shared->uses) {
        return NGX_OK;
    }

    uses = ngx_slab_calloc(zone->pool, sizeof(ngx_http_ktp_uses_t));
    if (uses == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "ktp_zone \"%V\" is too small for tickets",
                      &zone->shm_zone->shm.name);
        return NGX_ERROR;
    }

    ngx_rbtree_init(&uses->nonces, &uses->nonces_sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_rbtree_init(&uses->times, &uses->times_sentinel,
                    ngx_rbtree_insert_value);

    zone->shared->uses = uses;

    return NGX_OK;
}


ngx_int_t
ngx_http_ktp_uses_take(ngx_http_ktp_zone_t *zone, const ktp_ticket_t *ticket)
{
    ngx_int_t           rc;
    ngx_http_ktp_use_t *use;

    ngx_shmtx_lock(&zone->pool->mutex);

    use = ngx_http_ktp_uses_entry(zone, ticket);

    if (use == NULL) {
        rc = NGX_ERROR;

    } else if (use->used < ticket->uses) {
        use->used++;
        rc = NGX_OK;

    } else {
        rc = NGX_DECLINED;
    }

    ngx_shmtx_unlock(&zone->pool->mutex);

    return rc;
}


/* Finds or makes the entry of a ticket; NULL if there is no room. */

static ngx_http_ktp_use_t *
ngx_http_ktp_uses_entry(ngx_http_ktp_zone_t *zone, const ktp_ticket_t *ticket)
{
    uint32_t             hash;
    ngx_str_t            nonce;
    ngx_uint_t           max;
    ngx_http_ktp_use_t  *use;
    ngx_http_ktp_uses_t *uses;

    uses = zone->shared->uses;

    nonce.data = (u_char *) ticket->nonce;
    nonce.len = KTP_TICKET_NONCE;
    hash = ngx_crc32_short(nonce.data, nonce.len);

    use = (ngx_http_ktp_use_t *) ngx_str_rbtree_lookup(&uses->nonces, &nonce,
                                                       hash);
    if (use) {
        return use;
    }

    ngx_http_ktp_uses_expire(zone);

    max = zone->shm_zone->shm.size / NGX_HTTP_KTP_USES_SHARE
          / sizeof(ngx_http_ktp_use_t);

    if (uses->n >= max) {
        return NULL;
    }

    use = ngx_slab_calloc_locked(zone->pool, sizeof(ngx_http_ktp_use_t));
    if (use == NULL) {
        return NULL;
    }

    uses->n++;

    ngx_memcpy(use->nonce, ticket->nonce, KTP_TICKET_NONCE);

    use->sn.str.data = use->nonce;
    use->sn.str.len = KTP_TICKET_NONCE;
    use->sn.node.key = hash;
    use->time.key = (ngx_rbtree_key_t) ticket->expires;

    ngx_rbtree_insert(&uses->nonces, &use->sn.node);
    ngx_rbtree_insert(&uses->times, &use->time);

    return use;
}


static void
ngx_http_ktp_uses_expire(ngx_http_ktp_zone_t *zone)
{
    ngx_uint_t           i;
    ngx_rbtree_node_t   *node;
    ngx_http_ktp_use_t  *use;
    ngx_http_ktp_uses_t *uses;

    uses = zone->shared->uses;

    for (i = 0; i < NGX_HTTP_KTP_USES_FREED; i++) {

        if (uses->times.root == uses->times.sentinel) {
            return;
        }

        node = ngx_rbtree_min(uses->times.root, uses->times.sentinel);

        /* a second more: the clocks of workers differ by a moment */

        if (node->key + 1 >= (ngx_rbtree_key_t) ngx_time()) {
            return;
        }

        use = ngx_rbtree_data(node, ngx_http_ktp_use_t, time);

        ngx_rbtree_delete(&uses->times, &use->time);
        ngx_rbtree_delete(&uses->nonces, &use->sn.node);
        ngx_slab_free_locked(zone->pool, use);
        uses->n--;
    }
}
