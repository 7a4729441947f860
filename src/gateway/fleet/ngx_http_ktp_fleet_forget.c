#include "ngx_http_ktp_fleet_forget.h"
#include "ngx_http_ktp_fleet_keys.h"
#include "ngx_http_ktp_fleet_script.h"
#include "ngx_http_ktp_flights.h"

/* generated from forget.lua by a rule of config.make */
#include <ngx_http_ktp_fleet_forget_lua.h>


/* What hosts are told: a byte, 1 for $ktp_image_hmac, and the digest. */
#define NGX_HTTP_KTP_FLEET_FORGET_TEXT (1 + NGX_HTTP_KTP_VAULT_KEY)
#define NGX_HTTP_KTP_FLEET_FORGET_SEALED                                      \
    (NGX_HTTP_KTP_FLEET_FORGET_TEXT + NGX_HTTP_KTP_VAULT_EXTRA)

struct ngx_http_ktp_fleet_forget_s {
    ngx_http_ktp_fleet_forget_pt handler; /* NULL: nobody waits */
    void                        *data;
    u_char   digest[NGX_HTTP_KTP_FLEET_KEYS][NGX_HTTP_KTP_VAULT_KEY];
    u_char   sealed[NGX_HTTP_KTP_FLEET_FORGET_SEALED];
    unsigned hmac : 1;

    ngx_http_ktp_fleet_script_run_t run;
};


static ngx_uint_t
            ngx_http_ktp_fleet_forget_args(void                             *data,
                                           ngx_http_ktp_fleet_script_args_t *args);
static void ngx_http_ktp_fleet_forget_done(void                       *data,
                                           ngx_http_ktp_redis_reply_t *reply);
static void ngx_http_ktp_fleet_forget_told(ngx_str_t *text);


/* What is sealed is a message, and for no flight. */
static const u_char ngx_http_ktp_fleet_forget_label[NGX_HTTP_KTP_VAULT_KEY] =
    "forget";

static ngx_http_ktp_redis_t   *ngx_http_ktp_fleet_forget_redis;
static ngx_http_ktp_flights_t *ngx_http_ktp_fleet_forget_flights;
static ngx_str_t               ngx_http_ktp_fleet_forget_channel;

static ngx_http_ktp_fleet_script_t ngx_http_ktp_fleet_forget_script = {
    ngx_string(ngx_http_ktp_fleet_forget_lua),
    ngx_http_ktp_fleet_forget_args,
    ngx_http_ktp_fleet_forget_done,
    {0}};


void
ngx_http_ktp_fleet_forget_init(ngx_http_ktp_main_conf_t *kmcf)
{
    ngx_str_t *channel;

    static u_char text[NGX_HTTP_KTP_REDIS_NAME + sizeof(":forget")];

    if (ngx_http_ktp_fleet_keys_n() == 0) {
        return;
    }

    ngx_http_ktp_fleet_forget_redis = kmcf->redis;
    ngx_http_ktp_fleet_forget_flights = kmcf->flights;

    channel = &ngx_http_ktp_fleet_forget_channel;
    channel->data = text;
    channel->len = ngx_sprintf(text, "%V:forget", &kmcf->redis->prefix) - text;

    ngx_http_ktp_fleet_script_init(&ngx_http_ktp_fleet_forget_script);
    ngx_http_ktp_redis_subscribe(channel, ngx_http_ktp_fleet_forget_told);
}


ngx_http_ktp_fleet_forget_t *
ngx_http_ktp_fleet_forget(const u_char *digest, ngx_uint_t hmac,
                          ngx_http_ktp_fleet_forget_pt handler, void *data)
{
    u_char                       text[NGX_HTTP_KTP_FLEET_FORGET_TEXT];
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_ktp_fleet_forget_t *forget;

    forget = ngx_calloc(sizeof(ngx_http_ktp_fleet_forget_t), ngx_cycle->log);
    if (forget == NULL) {
        return NULL;
    }

    forget->handler = handler;
    forget->data = data;
    forget->hmac = hmac;

    text[0] = hmac;
    ngx_memcpy(&text[1], digest, NGX_HTTP_KTP_VAULT_KEY);

    rc = ngx_http_ktp_vault_seal(ngx_http_ktp_fleet_keys(0),
                                 ngx_http_ktp_fleet_forget_label, text,
                                 sizeof(text), forget->sealed);

    ngx_explicit_memzero(text, sizeof(text));

    for (i = 0; i < ngx_http_ktp_fleet_keys_n() && rc == NGX_OK; i++) {
        rc = ngx_http_ktp_vault_key(ngx_http_ktp_fleet_keys(i),
                                    hmac ? "hmac" : "image", digest,
                                    NGX_HTTP_KTP_VAULT_KEY, forget->digest[i]);
    }

    if (rc != NGX_OK
        || ngx_http_ktp_fleet_script_run(&ngx_http_ktp_fleet_forget_script,
                                         &forget->run, forget)
               != NGX_OK) {
        ngx_free(forget);
        return NULL;
    }

    return forget;
}


/* The order is that of forget.lua. */

static ngx_uint_t
ngx_http_ktp_fleet_forget_args(void                             *data,
                               ngx_http_ktp_fleet_script_args_t *args)
{
    ngx_http_ktp_fleet_forget_t *forget = data;

    ngx_str_t *channel;
    ngx_uint_t i, n;

    n = ngx_http_ktp_fleet_keys_n();
    channel = &ngx_http_ktp_fleet_forget_channel;

    for (i = 0; i < n; i++) {
        ngx_http_ktp_fleet_keys_add(
            args, forget->hmac ? "hmac:" : "image:", forget->digest[i]);
    }

    ngx_http_ktp_fleet_script_text(args, channel->data, channel->len);
    ngx_http_ktp_fleet_script_text(args, forget->sealed,
                                   NGX_HTTP_KTP_FLEET_FORGET_SEALED);

    return n;
}


static void
ngx_http_ktp_fleet_forget_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_forget_t *forget = data;

    ngx_int_t n;

    n = NGX_ERROR;

    if (reply && !reply->error && reply->n == 1 && !reply->values[0].is_text
        && reply->values[0].number >= 0) {
        n = reply->values[0].number;

    } else if (reply) {
        ngx_http_ktp_fleet_script_complain(ngx_http_ktp_fleet_forget_redis,
                                           "forget", NULL, reply);
    }

    if (forget->handler) {
        forget->handler(forget->data, n);
    }

    ngx_free(forget);
}


void
ngx_http_ktp_fleet_forget_leave(ngx_http_ktp_fleet_forget_t *forget)
{
    forget->handler = NULL;
}


/* A host erases answers; also what this one has said itself. */

static void
ngx_http_ktp_fleet_forget_told(ngx_str_t *text)
{
    u_char     plain[NGX_HTTP_KTP_FLEET_FORGET_TEXT];
    u_char     tag[NGX_HTTP_KTP_VAULT_KEY];
    ngx_uint_t i, n;

    if (text == NULL || text->len != NGX_HTTP_KTP_FLEET_FORGET_SEALED) {
        return;
    }

    for (i = 0; i < ngx_http_ktp_fleet_keys_n(); i++) {
        if (ngx_http_ktp_vault_open(ngx_http_ktp_fleet_keys(i),
                                    ngx_http_ktp_fleet_forget_label,
                                    text->data, text->len, plain)
            == NGX_OK) {
            break;
        }
    }

    if (i == ngx_http_ktp_fleet_keys_n()) {
        return;
    }

    n = 0;

    if (plain[0]) {
        n = ngx_http_ktp_flights_forget(ngx_http_ktp_fleet_forget_flights,
                                        &plain[1], 1);

    } else if (ngx_http_ktp_flights_tag(&plain[1], tag) == NGX_OK) {
        n = ngx_http_ktp_flights_forget(ngx_http_ktp_fleet_forget_flights, tag,
                                        0);
    }

    ngx_explicit_memzero(plain, sizeof(plain));

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "%ui stored answers of an image were erased, as another "
                      "host of the fleet did",
                      n);
    }
}
