#include "ngx_http_ktp_redis_conf.h"
#include "ngx_http_ktp_secret.h"
#include "ngx_http_ktp_value.h"


#define NGX_HTTP_KTP_REDIS_CONF_PORT 6379

/* Milliseconds. */
#define NGX_HTTP_KTP_REDIS_CONF_TIMEOUT     1000
#define NGX_HTTP_KTP_REDIS_CONF_MAX_TIMEOUT (60 * 1000)

#define NGX_HTTP_KTP_REDIS_CONF_MAX_DATABASE 65535

/* Certificates in a chain between the trusted one and the server's. */
#define NGX_HTTP_KTP_REDIS_CONF_DEPTH 9

/* Characters of a key of the fleet, at least. */
#define NGX_HTTP_KTP_REDIS_CONF_KEY 32

/* What the address and the parameters must be. */
#define NGX_HTTP_KTP_REDIS_CONF_ADDRESS                                       \
    "HOST[:PORT] or unix:PATH, without variables"
#define NGX_HTTP_KTP_REDIS_CONF_FORM                                          \
    "\"user=NAME\", \"password=file:PATH\", \"database=NUMBER\" from 0 to "   \
    "65535, \"prefix=TEXT\" or \"host=NAME\" of 1 to 64 letters, digits, "    \
    "\"-\", \".\", \"_\", and \":\", \"timeout=TIME\" from 1ms to 1m, "       \
    "\"tls\" if nginx was built with SSL, \"tls_ca=FILE\", or "               \
    "\"tls_name=NAME\", "                                                     \
    "each at most once"


static char *ngx_http_ktp_redis_conf_address(ngx_conf_t *cf, ngx_str_t *value,
                                             ngx_http_ktp_redis_t *redis);
static char *ngx_http_ktp_redis_conf_parameter(ngx_conf_t           *cf,
                                               ngx_str_t            *value,
                                               ngx_http_ktp_redis_t *redis);
static char *ngx_http_ktp_redis_conf_password(ngx_conf_t *cf, ngx_str_t *value,
                                              ngx_http_ktp_redis_t *redis);
#if (NGX_SSL)
static char *ngx_http_ktp_redis_conf_tls(ngx_conf_t           *cf,
                                         ngx_http_ktp_redis_t *redis);
#endif
static ngx_int_t ngx_http_ktp_redis_conf_text(ngx_str_t  *value,
                                              const char *name,
                                              ngx_str_t  *text);
static ngx_int_t ngx_http_ktp_redis_conf_number(ngx_str_t  *value,
                                                ngx_uint_t *number);


char *
ngx_http_ktp_redis_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    ngx_str_t            *value;
    ngx_uint_t            i;
    ngx_http_ktp_redis_t *redis;

#if (NGX_SSL)
    char *rv;
#endif

#if !(NGX_HTTP_KTP_HIREDIS)

    return "is not supported, the module was built without hiredis";

#endif

    if (kmcf->redis) {
        return "is duplicate";
    }

    redis = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_redis_t));
    if (redis == NULL) {
        return NGX_CONF_ERROR;
    }

    redis->database = NGX_CONF_UNSET_UINT;
    redis->timeout = NGX_CONF_UNSET_MSEC;

    value = cf->args->elts;

    if (ngx_http_ktp_redis_conf_address(cf, &value[1], redis) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_ktp_redis_conf_parameter(cf, &value[i], redis)
            != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (redis->user.len && redis->password == NULL) {
        return "has \"user\" without \"password\"";
    }

    if (!redis->tls && (redis->tls_ca.len || redis->tls_name.len)) {
        return "has \"tls_ca\" or \"tls_name\" without \"tls\"";
    }

#if (NGX_SSL)

    if (redis->tls) {
        rv = ngx_http_ktp_redis_conf_tls(cf, redis);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

#endif

    ngx_conf_init_uint_value(redis->database, 0);
    ngx_conf_init_msec_value(redis->timeout, NGX_HTTP_KTP_REDIS_CONF_TIMEOUT);

    if (redis->prefix.len == 0) {
        ngx_str_set(&redis->prefix, "ktp");
    }

    if (redis->host.len == 0) {
        redis->host = cf->cycle->hostname;
        redis->host.len = ngx_min(redis->host.len, NGX_HTTP_KTP_REDIS_NAME);
    }

    kmcf->redis = redis;

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_redis_conf_address(ngx_conf_t *cf, ngx_str_t *value,
                                ngx_http_ktp_redis_t *redis)
{
    ngx_url_t u;

    if (ngx_strlchr(value->data, value->data + value->len, '$')) {
        return ngx_http_ktp_value_invalid(cf, "invalid address", value,
                                          NGX_HTTP_KTP_REDIS_CONF_ADDRESS);
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *value;
    u.default_port = NGX_HTTP_KTP_REDIS_CONF_PORT;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\" in \"ktp_redis\" directive, it must "
                           "be " NGX_HTTP_KTP_REDIS_CONF_ADDRESS,
                           u.err ? u.err : "invalid address", value);
        return NGX_CONF_ERROR;
    }

    /* the certificate of the server is for a name, if the address is one */

    if (u.family != AF_UNIX && u.host.data[0] != '['
        && ngx_inet_addr(u.host.data, u.host.len) == INADDR_NONE) {
        redis->tls_host = u.host;
    }

    redis->name = *value;
    redis->addrs = u.addrs;
    redis->naddrs = u.naddrs;

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_redis_conf_parameter(ngx_conf_t *cf, ngx_str_t *value,
                                  ngx_http_ktp_redis_t *redis)
{
    if (ngx_strncmp(value->data, "password=", 9) == 0) {
        return ngx_http_ktp_redis_conf_password(cf, value, redis);
    }

    if ((redis->database == NGX_CONF_UNSET_UINT
         && ngx_http_ktp_redis_conf_number(value, &redis->database) == NGX_OK)
        || (redis->timeout == NGX_CONF_UNSET_MSEC
            && ngx_http_ktp_value_time(
                   value, "timeout=", NGX_HTTP_KTP_REDIS_CONF_MAX_TIMEOUT,
                   &redis->timeout)
                   == NGX_OK)
        || ngx_http_ktp_redis_conf_text(value, "user=", &redis->user) == NGX_OK
        || ngx_http_ktp_redis_conf_text(value, "prefix=", &redis->prefix)
               == NGX_OK
        || ngx_http_ktp_redis_conf_text(value, "host=", &redis->host)
               == NGX_OK) {
        return NGX_CONF_OK;
    }

#if (NGX_SSL)

    if (ngx_strcmp(value->data, "tls") == 0 && !redis->tls) {
        redis->tls = 1;
        return NGX_CONF_OK;
    }

    if (ngx_http_ktp_redis_conf_text(value, "tls_name=", &redis->tls_name)
        == NGX_OK) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "tls_ca=", 7) == 0 && value->len > 7
        && redis->tls_ca.len == 0) {
        redis->tls_ca.data = value->data + 7;
        redis->tls_ca.len = value->len - 7;
        return NGX_CONF_OK;
    }

#endif

    return ngx_http_ktp_value_invalid(cf, "invalid parameter", value,
                                      NGX_HTTP_KTP_REDIS_CONF_FORM);
}


static char *
ngx_http_ktp_redis_conf_password(ngx_conf_t *cf, ngx_str_t *value,
                                 ngx_http_ktp_redis_t *redis)
{
    ngx_str_t file;

    file.data = value->data + 9;
    file.len = value->len - 9;

    if (redis->password || ngx_strncmp(file.data, "file:", 5) != 0) {

        /* the value is not logged: it may be the password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"password\" parameter in \"ktp_redis\" "
                           "directive, it must be \"password=file:PATH\", at "
                           "most once");
        return NGX_CONF_ERROR;
    }

    return ngx_http_ktp_secret_from_file(cf, &file, &redis->password);
}


#if (NGX_SSL)

/* The context of connections; the files are read here, by the master. */

static char *
ngx_http_ktp_redis_conf_tls(ngx_conf_t *cf, ngx_http_ktp_redis_t *redis)
{
    u_char             *p;
    ngx_ssl_t          *ssl;
    ngx_str_t          *name;
    ngx_pool_cleanup_t *cln;

    name = redis->tls_name.len ? &redis->tls_name : &redis->tls_host;

    if (name->len == 0) {
        return "has \"tls\" without \"tls_name\", and an address without a "
               "name";
    }

    p = ngx_pnalloc(cf->pool, name->len + 1);
    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (p == NULL || ssl == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    redis->tls_name.len = name->len;
    (void) ngx_cpystrn(p, name->data, name->len + 1);
    redis->tls_name.data = p;

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, NULL)
        != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (redis->tls_ca.len) {

        /* it logs the error, and sets the depth of chains */

        if (ngx_ssl_trusted_certificate(cf, ssl, &redis->tls_ca,
                                        NGX_HTTP_KTP_REDIS_CONF_DEPTH)
            != NGX_OK) {
            return NGX_CONF_ERROR;
        }

    } else if (SSL_CTX_set_default_verify_paths(ssl->ctx) == 0) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_CONF_ERROR;
    }

    redis->ssl = ssl;

    return NGX_CONF_OK;
}

#endif


/* A text of a parameter that is not set yet. */

static ngx_int_t
ngx_http_ktp_redis_conf_text(ngx_str_t *value, const char *name,
                             ngx_str_t *text)
{
    u_char   *p;
    size_t    len;
    ngx_str_t s;

    len = ngx_strlen(name);

    if (text->len || ngx_strncmp(value->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    s.data = value->data + len;
    s.len = value->len - len;

    if (s.len == 0 || s.len > NGX_HTTP_KTP_REDIS_NAME) {
        return NGX_DECLINED;
    }

    /* braces of a key would select the slot of a cluster */

    for (p = s.data; p < s.data + s.len; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || ngx_strchr("-._:", *p))) {
            return NGX_DECLINED;
        }
    }

    *text = s;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_redis_conf_number(ngx_str_t *value, ngx_uint_t *number)
{
    ngx_int_t n;

    if (ngx_strncmp(value->data, "database=", 9) != 0) {
        return NGX_DECLINED;
    }

    n = ngx_atoi(value->data + 9, value->len - 9);

    if (n == NGX_ERROR || n > NGX_HTTP_KTP_REDIS_CONF_MAX_DATABASE) {
        return NGX_DECLINED;
    }

    *number = n;

    return NGX_OK;
}


char *
ngx_http_ktp_redis_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_main_conf_t *kmcf = conf;

    ngx_str_t              *value;
    ngx_uint_t              i;
    ngx_http_ktp_secret_t **key;

    key = kmcf->fleet_keys;

    if (key[0]) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i + 1 < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i + 1].data, "file:", 5) != 0) {

            /* the value is not logged: it may be the key */

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value in \"ktp_fleet_key\" directive, "
                               "it must be \"file:PATH\"");
            return NGX_CONF_ERROR;
        }

        if (ngx_http_ktp_secret_from_file(cf, &value[i + 1], &key[i])
            != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }

        /* keys of flights in progress must not change */

        ngx_http_ktp_secret_fix(key[i]);

        if (ngx_http_ktp_secret_value(key[i])->len
            < NGX_HTTP_KTP_REDIS_CONF_KEY) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "key in \"%V\" in \"ktp_fleet_key\" directive "
                               "is too short, its first line must have 32 "
                               "characters or more",
                               &value[i + 1]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}
