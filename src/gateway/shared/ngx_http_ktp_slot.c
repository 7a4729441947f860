#include "ngx_http_ktp_slot.h"
#include "ngx_http_ktp_zone.h"


static ngx_http_ktp_slot_t *ngx_http_ktp_slot_find(ngx_http_ktp_zone_t *zone,
                                                   ngx_str_t           *name);
static ngx_int_t            ngx_http_ktp_slot_adopt(ngx_http_ktp_zone_t *zone);
static ngx_http_ktp_slot_t *
ngx_http_ktp_slot_create(ngx_http_ktp_zone_t    *zone,
                         ngx_http_ktp_account_t *account);


ngx_uint_t
ngx_http_ktp_slot_reserve(ngx_http_ktp_zone_t *zone, ngx_str_t **names,
                          ngx_uint_t n)
{
    ngx_uint_t             i, missing, reserved;
    ngx_http_ktp_slot_t   *slot;
    ngx_http_ktp_shared_t *sh;

    sh = zone->shared;

    if (ngx_http_ktp_slot_adopt(zone) != NGX_OK) {
        return 0;
    }

    missing = 0;

    for (i = 0; i < n; i++) {
        if (ngx_http_ktp_slot_find(zone, names[i]) == NULL) {
            missing++;
        }
    }

    for (reserved = 0; reserved < missing; reserved++) {
        if (sh->adopted + reserved == sh->max) {
            break;
        }

        slot = ngx_slab_calloc(zone->pool, sizeof(ngx_http_ktp_slot_t));
        if (slot == NULL) {
            break;
        }

        slot->next = zone->spare;
        zone->spare = slot;
    }

    if (reserved == missing) {
        return n;
    }

    while (zone->spare) {
        slot = zone->spare;
        zone->spare = slot->next;
        ngx_slab_free(zone->pool, slot);
    }

    return n - missing + reserved;
}


ngx_http_ktp_slot_t *
ngx_http_ktp_slot(ngx_http_ktp_zone_t *zone, ngx_str_t *name)
{
    ngx_http_ktp_slot_t    *slot;
    ngx_http_ktp_shared_t  *sh;
    ngx_http_ktp_account_t *account;

    sh = zone->shared;

    if (ngx_http_ktp_slot_adopt(zone) != NGX_OK) {
        return NULL;
    }

    slot = ngx_http_ktp_slot_find(zone, name);
    if (slot) {
        return slot;
    }

    if (sh->adopted == sh->max) {
        return NULL;
    }

    account = &sh->ledger->accounts[sh->adopted];

    ngx_memcpy(account->name, name->data, name->len);
    account->len = name->len;
    __atomic_add_fetch(&sh->ledger->naccounts, 1, __ATOMIC_RELEASE);

    if (ngx_http_ktp_slot_adopt(zone) != NGX_OK) {

        /* an account without a slot would be created again and again */

        __atomic_sub_fetch(&sh->ledger->naccounts, 1, __ATOMIC_RELEASE);
        return NULL;
    }

    return sh->slots;
}


static ngx_http_ktp_slot_t *
ngx_http_ktp_slot_find(ngx_http_ktp_zone_t *zone, ngx_str_t *name)
{
    uint32_t hash;

    hash = ngx_crc32_short(name->data, name->len);

    return (ngx_http_ktp_slot_t *) ngx_str_rbtree_lookup(&zone->shared->names,
                                                         name, hash);
}


/* Creates slots for accounts that have none: new, or of another master. */

static ngx_int_t
ngx_http_ktp_slot_adopt(ngx_http_ktp_zone_t *zone)
{
    ngx_http_ktp_shared_t  *sh;
    ngx_http_ktp_account_t *account;

    sh = zone->shared;

    while (sh->adopted < sh->ledger->naccounts) {
        account = &sh->ledger->accounts[sh->adopted];

        if (sh->adopted == sh->max || account->len > KTP_MAX_CLIENT_NAME
            || ngx_http_ktp_slot_create(zone, account) == NULL) {
            return NGX_ERROR;
        }

        sh->adopted++;
    }

    return NGX_OK;
}


static ngx_http_ktp_slot_t *
ngx_http_ktp_slot_create(ngx_http_ktp_zone_t    *zone,
                         ngx_http_ktp_account_t *account)
{
    ngx_http_ktp_slot_t   *slot;
    ngx_http_ktp_shared_t *sh;

    slot = zone->spare;

    if (slot) {
        zone->spare = slot->next;

    } else {
        slot = ngx_slab_calloc(zone->pool, sizeof(ngx_http_ktp_slot_t));
        if (slot == NULL) {
            return NULL;
        }
    }

    sh = zone->shared;

    slot->account = account;
    slot->sn.str.data = account->name;
    slot->sn.str.len = account->len;
    slot->sn.node.key = ngx_crc32_short(account->name, account->len);

    ngx_rbtree_insert(&sh->names, &slot->sn.node);

    /* workers of the previous configuration may be reading the list */

    slot->next = sh->slots;
    __atomic_store_n(&sh->slots, slot, __ATOMIC_RELEASE);
    sh->nslots++;

    return slot;
}
