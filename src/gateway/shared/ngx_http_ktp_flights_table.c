#include "ngx_http_ktp_flights_table.h"


/* Entries that may be evicted for an allocation. */
#define NGX_HTTP_KTP_FLIGHTS_EVICT 64


/* What is used makes room for others last. */

void
ngx_http_ktp_flights_table_touch(ngx_http_ktp_flights_shared_t *sh,
                                 ngx_http_ktp_item_t           *item)
{
    ngx_queue_remove(&item->queue);
    ngx_queue_insert_head(&sh->idle, &item->queue);
}


ngx_http_ktp_item_t *
ngx_http_ktp_flights_table_find(ngx_http_ktp_flights_shared_t *sh,
                                const u_char                  *key)
{
    uint32_t        hash;
    ngx_str_t       text;
    ngx_str_node_t *sn;

    /* keys are digests already */

    ngx_memcpy(&hash, key, sizeof(hash));

    text.data = (u_char *) key;
    text.len = NGX_HTTP_KTP_VAULT_KEY;

    sn = ngx_str_rbtree_lookup(&sh->keys, &text, hash);

    return sn ? ngx_queue_data(sn, ngx_http_ktp_item_t, sn) : NULL;
}


void
ngx_http_ktp_flights_table_list(ngx_http_ktp_flights_shared_t *sh,
                                ngx_http_ktp_item_t *item, const u_char *key)
{
    uint32_t hash;

    ngx_memcpy(item->key, key, NGX_HTTP_KTP_VAULT_KEY);
    ngx_memcpy(&hash, key, sizeof(hash));

    item->sn.node.key = hash;
    item->sn.str.data = item->key;
    item->sn.str.len = NGX_HTTP_KTP_VAULT_KEY;

    ngx_rbtree_insert(&sh->keys, &item->sn.node);
    item->listed = 1;
}


/* Keeps an item for that time from now, or for longer if it was so. */

void
ngx_http_ktp_flights_table_time(ngx_http_ktp_flights_shared_t *sh,
                                ngx_http_ktp_item_t *item, ngx_msec_t keep)
{
    ngx_msec_t until;

    until = ngx_current_msec + keep;

    if (item->timed) {

        if ((ngx_msec_int_t) (until - item->time.key) <= 0) {
            return;
        }

        ngx_rbtree_delete(&sh->times, &item->time);
    }

    item->time.key = until;
    ngx_rbtree_insert(&sh->times, &item->time);
    item->timed = 1;
}


/* It is not found any more. */

void
ngx_http_ktp_flights_table_unlist(ngx_http_ktp_flights_shared_t *sh,
                                  ngx_http_ktp_item_t           *item)
{
    ngx_http_ktp_entry_t *entry;

    if (!item->listed) {
        return;
    }

    item->listed = 0;
    ngx_rbtree_delete(&sh->keys, &item->sn.node);

    if (item->timed) {
        item->timed = 0;
        ngx_rbtree_delete(&sh->times, &item->time);
    }

    if (item->bond) {
        sh->bonds--;
        return;
    }

    entry = (ngx_http_ktp_entry_t *) item;

    if (entry->state == NGX_HTTP_KTP_FLIGHTS_STORED) {
        entry->state = NGX_HTTP_KTP_FLIGHTS_FAILED;
        sh->stored--;
    }
}


/* Frees an item that nobody uses. */

void
ngx_http_ktp_flights_table_free(ngx_http_ktp_flights_t *flights,
                                ngx_http_ktp_item_t    *item)
{
    ngx_http_ktp_entry_t *entry;

    ngx_http_ktp_flights_table_unlist(flights->shared, item);
    ngx_queue_remove(&item->queue);

    if (item->bond) {
        ngx_http_ktp_flights_table_drop(flights, (u_char *) item,
                                        sizeof(ngx_http_ktp_bond_t));
        return;
    }

    entry = (ngx_http_ktp_entry_t *) item;

    ngx_http_ktp_flights_table_drop(flights, entry->record, entry->room);
    ngx_http_ktp_flights_table_drop(flights, (u_char *) entry,
                                    sizeof(ngx_http_ktp_entry_t));
}


/* Zeroed memory; what was used longest ago makes room for it. */

void *
ngx_http_ktp_flights_table_alloc(ngx_http_ktp_flights_t *flights, size_t size)
{
    void                          *p;
    ngx_uint_t                     i;
    ngx_http_ktp_item_t           *item;
    ngx_http_ktp_flights_shared_t *sh;

    sh = flights->shared;

    for (i = 0;; i++) {
        p = ngx_slab_calloc_locked(flights->pool, size);

        if (p || i == NGX_HTTP_KTP_FLIGHTS_EVICT
            || ngx_queue_empty(&sh->idle)) {
            return p;
        }

        item = ngx_queue_data(ngx_queue_last(&sh->idle), ngx_http_ktp_item_t,
                              queue);

        ngx_http_ktp_flights_table_free(flights, item);
        sh->evicted++;
    }
}


void
ngx_http_ktp_flights_table_drop(ngx_http_ktp_flights_t *flights, u_char *p,
                                size_t size)
{
    ngx_explicit_memzero(p, size);
    ngx_slab_free_locked(flights->pool, p);
}
