#include "ngx_http_ktp_upload_ticket.h"
#include "ngx_http_ktp_answer.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_request.h"
#include "ngx_http_ktp_uses.h"
#include "ngx_http_ktp_value.h"
#include "ngx_http_ktp_vault.h"
#include <openssl/crypto.h>


/* Milliseconds for which a ticket is valid: default, least and most. */
#define NGX_HTTP_KTP_TICKET_TTL     (5 * 60 * 1000)
#define NGX_HTTP_KTP_TICKET_TTL_MIN 1000
#define NGX_HTTP_KTP_TICKET_TTL_MAX (60 * 60 * 1000)

/* What the key of a signature is named in the vault. */
#define NGX_HTTP_KTP_TICKET_KEY "upload ticket"


static ngx_int_t  ngx_http_ktp_upload_ticket_handler(ngx_http_request_t *r);
static ktp_code_t ngx_http_ktp_upload_ticket_issue(ngx_http_request_t *r);


char *
ngx_http_ktp_upload_ticket(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_int_t                 n;
    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_ktp_main_conf_t *kmcf;

    if (klcf->ticket_ttl) {
        return "is duplicate";
    }

    klcf->ticket_ttl = NGX_HTTP_KTP_TICKET_TTL;
    klcf->ticket_uses = 1;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_ktp_value_time(&value[i],
                                    "ttl=", NGX_HTTP_KTP_TICKET_TTL_MAX,
                                    &klcf->ticket_ttl)
                == NGX_OK
            && klcf->ticket_ttl >= NGX_HTTP_KTP_TICKET_TTL_MIN) {
            continue;
        }

        n = ngx_strncmp(value[i].data, "uses=", 5) == 0
                ? ngx_atoi(value[i].data + 5, value[i].len - 5)
                : NGX_ERROR;

        if (n < 1 || n > KTP_TICKET_USES) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i],
                "\"ttl=TIME\", such as \"ttl=5m\", from 1s to 1h, or "
                "\"uses=NUMBER\", from 1 to 1000");
        }

        klcf->ticket_uses = n;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_ktp_upload_ticket_handler;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->locations++;
    kmcf->tickets++;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_upload_ticket_merge(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *prev,
                                 ngx_http_ktp_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->ticket_ttl == 0 && clcf->noname && prev->ticket_ttl) {

        /* "if" and "limit_except" blocks are those of their location */

        conf->ticket_ttl = prev->ticket_ttl;
        conf->ticket_uses = prev->ticket_uses;
        clcf->handler = ngx_http_ktp_upload_ticket_handler;
    }

    if (conf->ticket_ttl && conf->upstream) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_ticket\" and \"ktp_pass\" cannot be in the "
                           "same location \"%V\"",
                           &clcf->name);
        return NGX_CONF_ERROR;
    }

    if (conf->ticket_ttl && conf->auth != NGX_HTTP_KTP_AUTH_KEY
        && conf->auth != NGX_HTTP_KTP_AUTH_NAME) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_ticket\" in location \"%V\" requires "
                           "\"ktp_auth on\", or \"ktp_auth\" with a variable",
                           &clcf->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ktp_upload_ticket_handler(ngx_http_request_t *r)
{
    ngx_int_t           rc;
    ktp_code_t          code;
    ngx_http_ktp_ctx_t *ctx;

    if (r != r->main) {
        return NGX_HTTP_NOT_FOUND;
    }

    ctx = ngx_http_ktp_ctx_create(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_ktp_ctx_let_in(ctx);
    ctx->aside = 1;

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_ktp_request_refuse(r, KTP_METHOD_NOT_ALLOWED);
    }

    if (ctx->client_conf == NULL) {

        /* "satisfy any" has let in somebody else */

        return ngx_http_ktp_request_refuse(r, KTP_FORBIDDEN);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    r->main->count++;
    code = ngx_http_ktp_upload_ticket_issue(r);

    if (code != KTP_OK) {
        ngx_http_ktp_answer_error(r, code);
    }

    return NGX_DONE;
}


static ktp_code_t
ngx_http_ktp_upload_ticket_issue(ngx_http_request_t *r)
{
    char                     text[KTP_TICKET_TEXT];
    size_t                   len;
    u_char                   data[KTP_TICKET_DATA], mac[KTP_TICKET_MAC];
    ngx_str_t                body, name;
    ktp_ticket_t             ticket;
    ngx_http_ktp_ctx_t      *ctx;
    ngx_http_ktp_loc_conf_t *klcf;

    static const char form[] = "{\"message\":\"ticket is issued\","
                               "\"ticket\":\"%V\",\"expires_in\":%ui,"
                               "\"uses\":%ui}";

    ctx = ngx_http_get_module_ctx(r, ngx_http_ktp_module);
    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);

    name = ctx->client_conf->sn.str;

    ticket.expires = ngx_time() + (klcf->ticket_ttl + 999) / 1000;
    ticket.uses = klcf->ticket_uses;
    ticket.name_len = name.len;
    ngx_memcpy(ticket.name, name.data, name.len);

    if (ngx_http_ktp_vault_random(ticket.nonce, KTP_TICKET_NONCE) != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    len = ktp_ticket_data(&ticket, data);

    if (ngx_http_ktp_vault_key(NULL, NGX_HTTP_KTP_TICKET_KEY, data, len, mac)
        != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    name.data = (u_char *) text;
    name.len = ktp_ticket_text(data, len, mac, text);

    body.data =
        ngx_pnalloc(r->pool, sizeof(form) + name.len + 2 * NGX_INT_T_LEN);
    if (body.data == NULL) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    body.len = ngx_sprintf(body.data, form, &name,
                           (ngx_uint_t) (klcf->ticket_ttl + 999) / 1000,
                           klcf->ticket_uses)
               - body.data;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "ktp ticket: issued for client \"%V\"", &ctx->client);

    ngx_http_ktp_answer_text(r, NGX_HTTP_OK, &body);

    return KTP_OK;
}


ktp_code_t
ngx_http_ktp_upload_ticket_read(ngx_http_request_t *r, ktp_ticket_t *ticket)
{
    u_char           *p, *last, mac[KTP_TICKET_MAC];
    ngx_str_t        *value;
    ktp_ticket_read_t read;

    static const char scheme[] = "Bearer ";

    value = ngx_http_ktp_headers_once(r, "Authorization",
                                      sizeof("Authorization") - 1);

    if (value == NULL || value->len < sizeof(scheme) - 1
        || ngx_strncasecmp(value->data, (u_char *) scheme, sizeof(scheme) - 1)
               != 0) {
        return KTP_TICKET_INVALID;
    }

    p = value->data + sizeof(scheme) - 1;
    last = value->data + value->len;

    while (p < last && *p == ' ') {
        p++;
    }

    if (!ktp_ticket_read((char *) p, last - p, &read)) {
        return KTP_TICKET_INVALID;
    }

    if (ngx_http_ktp_vault_key(NULL, NGX_HTTP_KTP_TICKET_KEY, read.data,
                               read.len, mac)
        != NGX_OK) {
        return KTP_INTERNAL_SERVER_ERROR;
    }

    if (CRYPTO_memcmp(mac, read.mac, KTP_TICKET_MAC) != 0) {
        return KTP_TICKET_INVALID;
    }

    *ticket = read.ticket;

    return ticket->expires > (uint64_t) ngx_time() ? KTP_OK
                                                   : KTP_TICKET_EXPIRED;
}


ktp_code_t
ngx_http_ktp_upload_ticket_take(ngx_http_request_t *r,
                                const ktp_ticket_t *ticket)
{
    ngx_int_t                 rc;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_get_module_main_conf(r, ngx_http_ktp_module);

    rc = ngx_http_ktp_uses_take(kmcf->zone, ticket);

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "ktp_zone \"%V\" has no room for another ticket",
                      &kmcf->zone->shm_zone->shm.name);
        return KTP_SERVICE_UNAVAILABLE;
    }

    return rc == NGX_OK ? KTP_OK : KTP_TICKET_USED;
}
