#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_breaker_conf.h"
#include "ktp_address.h"
#include "ngx_http_ktp_upstream_conf.h"
#include "ngx_http_ktp_value.h"


/* What the URL of ktp_pass must be. */
#define NGX_HTTP_KTP_CONF_URL                                                 \
    "\"http://HOST[:PORT]/PATH\", \"https://HOST[:PORT]/PATH\", or "          \
    "\"unix:SOCKET:/PATH\""


static ngx_int_t ngx_http_ktp_conf_remember(ngx_conf_t              *cf,
                                            ngx_http_ktp_loc_conf_t *klcf);
static char     *ngx_http_ktp_conf_url(ngx_conf_t *cf, ngx_str_t *value,
                                       ngx_http_ktp_loc_conf_t *klcf);
static char     *ngx_http_ktp_conf_unix(ngx_conf_t *cf, ngx_str_t *value,
                                        ngx_http_ktp_upstream_t *up);
static void      ngx_http_ktp_conf_warn(ngx_conf_t              *cf,
                                        ngx_http_ktp_loc_conf_t *klcf,
                                        ngx_str_t               *name);
static ngx_uint_t
ngx_http_ktp_conf_is_local_block(ngx_http_upstream_srv_conf_t *uscf);
static ngx_int_t ngx_http_ktp_conf_uri(ngx_str_t *uri);
static u_char    ngx_http_ktp_conf_bits(const u_char *mask, size_t len);


/*
 * http://host[:port]/path, https://host[:port]/path, or
 * unix:/path/of/socket:/path
 */

char *
ngx_http_ktp_conf_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    char                     *rv;
    u_char                   *args;
    ngx_str_t                *value;
    ngx_http_ktp_upstream_t  *up;
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_ktp_main_conf_t *kmcf;

    if (klcf->upstream) {
        return "is duplicate";
    }

    value = cf->args->elts;

    up = ngx_pcalloc(cf->pool, sizeof(ngx_http_ktp_upstream_t));
    if (up == NULL) {
        return NGX_CONF_ERROR;
    }

    klcf->upstream = up;

    if (ngx_http_ktp_conf_remember(cf, klcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '$')) {
        return ngx_http_ktp_value_invalid(
            cf, "variables are not supported in URL", &value[1],
            NGX_HTTP_KTP_CONF_URL ", with \"%24\" for \"$\"");
    }

    if (ngx_strncmp(value[1].data, "unix:", 5) == 0) {
        rv = ngx_http_ktp_conf_unix(cf, &value[1], up);

    } else {
        rv = ngx_http_ktp_conf_url(cf, &value[1], klcf);
    }

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    /* arguments may contain a secret */

    args = ngx_strlchr(value[1].data, value[1].data + value[1].len, '?');

    up->name.data = value[1].data;
    up->name.len = args ? (size_t) (args - value[1].data) : value[1].len;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->locations++;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = kmcf->handler;

    return NGX_CONF_OK;
}


/* To be called before the content handler of the location is set. */

static ngx_int_t
ngx_http_ktp_conf_remember(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_http_conf_ctx_t      *ctx;
    ngx_http_ktp_pass_t      *pass;
    ngx_http_ktp_main_conf_t *kmcf;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    if (kmcf->passes == NULL) {
        kmcf->passes =
            ngx_array_create(cf->pool, 4, sizeof(ngx_http_ktp_pass_t));
        if (kmcf->passes == NULL) {
            return NGX_ERROR;
        }
    }

    pass = ngx_array_push(kmcf->passes);
    if (pass == NULL) {
        return NGX_ERROR;
    }

    ctx = cf->ctx;

    pass->klcf = klcf;
    pass->clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    pass->srv_conf = ctx->srv_conf;
    pass->file = cf->conf_file->file.name.data;
    pass->line = cf->conf_file->line;
    pass->handler = pass->clcf->handler != NULL;

    return NGX_OK;
}


static char *
ngx_http_ktp_conf_url(ngx_conf_t *cf, ngx_str_t *value,
                      ngx_http_ktp_loc_conf_t *klcf)
{
    size_t    add;
    ngx_url_t u;

    if (ngx_strncasecmp(value->data, (u_char *) "http://", 7) == 0) {
        add = 7;

    } else if (ngx_strncasecmp(value->data, (u_char *) "https://", 8) == 0) {
        add = 8;

    } else {
        return ngx_http_ktp_value_invalid(cf, "invalid URL prefix in", value,
                                          NGX_HTTP_KTP_CONF_URL);
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.len = value->len - add;
    u.url.data = value->data + add;
    u.default_port = add == 7 ? 80 : 443;
    u.uri_part = 1;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in URL \"%V\" in \"ktp_pass\" directive, it "
                           "must be " NGX_HTTP_KTP_CONF_URL,
                           u.err ? u.err : "invalid host", value);
        return NGX_CONF_ERROR;
    }

    /* user:password@ would be sent and logged as part of the host name */

    if (ngx_strlchr(u.host.data, u.host.data + u.host.len, '@')) {
        return ngx_http_ktp_value_invalid(cf,
                                          "credentials are not allowed in URL",
                                          value, NGX_HTTP_KTP_CONF_URL);
    }

    if (u.uri.len == 0 || ngx_http_ktp_conf_uri(&u.uri) != NGX_OK) {
        return ngx_http_ktp_value_invalid(cf, "invalid URI in URL", value,
                                          NGX_HTTP_KTP_CONF_URL);
    }

    /* configuration values are null-terminated */

    klcf->upstream->url = *value;

    klcf->target.host = u.host;
    klcf->target.port = u.port;
    klcf->target.uri = u.uri;
    klcf->target.ssl = add == 8;
    klcf->target.no_port = u.no_port;

    return NGX_CONF_OK;
}


static char *
ngx_http_ktp_conf_unix(ngx_conf_t *cf, ngx_str_t *value,
                       ngx_http_ktp_upstream_t *up)
{
    u_char             *p, *colon;
    ngx_str_t           path, uri;
    struct sockaddr_un *saun;

    path.data = value->data + 5;
    path.len = value->len - 5;

    colon = ngx_strlchr(path.data, path.data + path.len, ':');

    if (colon == NULL) {
        return ngx_http_ktp_value_invalid(cf, "no URI in URL", value,
                                          NGX_HTTP_KTP_CONF_URL);
    }

    uri.data = colon + 1;
    uri.len = path.data + path.len - uri.data;
    path.len = colon - path.data;

    if (path.len == 0 || path.data[0] != '/'
        || path.len >= sizeof(saun->sun_path)) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid path of the unix domain socket in URL", value,
            NGX_HTTP_KTP_CONF_URL);
    }

    if (ngx_http_ktp_conf_uri(&uri) != NGX_OK) {
        return ngx_http_ktp_value_invalid(cf, "invalid URI in URL", value,
                                          NGX_HTTP_KTP_CONF_URL);
    }

    p = ngx_pnalloc(cf->pool, path.len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    up->unix_socket.data = p;
    up->unix_socket.len = path.len;
    *ngx_cpymem(p, path.data, path.len) = '\0';

    p = ngx_pnalloc(cf->pool, sizeof("http://localhost") + uri.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    up->url.data = p;
    up->url.len = ngx_sprintf(p, "http://localhost%V%Z", &uri) - p - 1;

    return NGX_CONF_OK;
}


/* An absolute path of visible ASCII characters, with no fragment. */

static ngx_int_t
ngx_http_ktp_conf_uri(ngx_str_t *uri)
{
    size_t i;

    if (uri->len == 0 || uri->data[0] != '/') {
        return NGX_ERROR;
    }

    for (i = 0; i < uri->len; i++) {
        if (uri->data[i] <= 0x20 || uri->data[i] >= 0x7f
            || uri->data[i] == '#') {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


char *
ngx_http_ktp_conf_min_dimensions(ngx_conf_t *cf, ngx_command_t *cmd,
                                 void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    u_char    *x, *last;
    ngx_int_t  w, h;
    ngx_str_t *value;

    if (klcf->min_width != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    last = value[1].data + value[1].len;

    x = ngx_strlchr(value[1].data, last, 'x');

    w = x ? ngx_atoi(value[1].data, x - value[1].data) : NGX_ERROR;
    h = x ? ngx_atoi(x + 1, last - x - 1) : NGX_ERROR;

    if (w == NGX_ERROR || h == NGX_ERROR || w == 0 || h == 0 || w > 65535
        || h > 65535) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid dimensions", &value[1],
            "WIDTHxHEIGHT in pixels, such as \"720x480\", each from 1 to "
            "65535");
    }

    klcf->min_width = w;
    klcf->min_height = h;

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_conf_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t                       *value;
    ngx_http_ktp_main_conf_t        *kmcf;
    ngx_http_compile_complex_value_t ccv;

    if (klcf->auth != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        klcf->auth = NGX_HTTP_KTP_AUTH_OFF;
        return NGX_CONF_OK;
    }

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->auth++;

    if (ngx_strcmp(value[1].data, "on") == 0) {
        klcf->auth = NGX_HTTP_KTP_AUTH_KEY;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "ticket") == 0) {
        kmcf->ticket_auth++;
        klcf->auth = NGX_HTTP_KTP_AUTH_TICKET;
        return NGX_CONF_OK;
    }

    if (value[1].data[0] != '$') {
        return ngx_http_ktp_value_invalid(
            cf, "invalid value", &value[1],
            "\"on\", \"off\", \"ticket\", or a variable");
    }

    klcf->auth = NGX_HTTP_KTP_AUTH_NAME;
    klcf->auth_name = ngx_pcalloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (klcf->auth_name == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = klcf->auth_name;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_conf_image_url_allow(ngx_conf_t *cf, ngx_command_t *cmd,
                                  void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_int_t   rc;
    ngx_str_t  *value;
    ngx_uint_t  i;
    ngx_cidr_t  cidr;
    ktp_cidr_t *range;

    if (klcf->image_url_allow == NGX_CONF_UNSET_PTR) {
        klcf->image_url_allow =
            ngx_array_create(cf->pool, cf->args->nelts, sizeof(ktp_cidr_t));
        if (klcf->image_url_allow == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rc = ngx_ptocidr(&value[i], &cidr);

        if (rc == NGX_ERROR) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[i],
                "an address or a CIDR block, such as \"10.0.0.0/8\"");
        }

        if (rc == NGX_DONE) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "low address bits of %V are meaningless",
                               &value[i]);
        }

        range = ngx_array_push(klcf->image_url_allow);
        if (range == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(range, sizeof(ktp_cidr_t));

        if (cidr.family == AF_INET6) {
            range->len = 16;
            ngx_memcpy(range->address, &cidr.u.in6.addr, 16);
            range->bits =
                ngx_http_ktp_conf_bits((u_char *) &cidr.u.in6.mask, 16);

        } else {
            range->len = 4;
            ngx_memcpy(range->address, &cidr.u.in.addr, 4);
            range->bits =
                ngx_http_ktp_conf_bits((u_char *) &cidr.u.in.mask, 4);
        }
    }

    return NGX_CONF_OK;
}


/* Leading ones of a mask of len bytes. */

static u_char
ngx_http_ktp_conf_bits(const u_char *mask, size_t len)
{
    u_char bits;

    for (bits = 0; bits < len * 8; bits++) {
        if (!(mask[bits / 8] & (0x80 >> bits % 8))) {
            break;
        }
    }

    return bits;
}


char *
ngx_http_ktp_conf_finish(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *prev,
                         ngx_http_ktp_loc_conf_t *klcf)
{
    off_t                     need;
    ktp_policy_t             *policy;
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_ktp_main_conf_t *kmcf;

    policy = &klcf->policy;

    policy->max_size = klcf->max_image_size;
    policy->min_long = ngx_max(klcf->min_width, klcf->min_height);
    policy->min_short = ngx_min(klcf->min_width, klcf->min_height);
    policy->max_pixels = klcf->max_pixels;
    policy->types = klcf->image_types;
    policy->strip = klcf->strip_metadata;
    policy->url = klcf->image_url;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (klcf->upstream == NULL && clcf->noname && prev->upstream) {

        /*
         * "if" and "limit_except" blocks inherit from the enclosing location
         */

        kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

        klcf->upstream = ngx_palloc(cf->pool, sizeof(ngx_http_ktp_upstream_t));
        if (klcf->upstream == NULL) {
            return NGX_CONF_ERROR;
        }

        *klcf->upstream = *prev->upstream;
        klcf->target = prev->target;
        clcf->handler = kmcf->handler;
    }

    if (klcf->upstream == NULL) {
        return NGX_CONF_OK;
    }

    if (ngx_http_ktp_upstream_conf_finish(cf, klcf) != NGX_CONF_OK
        || ngx_http_ktp_breaker_conf_finish(cf, klcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (klcf->reference_id == NGX_HTTP_KTP_REFERENCE_DERIVE
        && klcf->log_key == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_reference_id derive\" requires "
                           "\"ktp_log_key\"");
        return NGX_CONF_ERROR;
    }

    if (!clcf->noname) {
        ngx_http_ktp_conf_warn(cf, klcf, &clcf->name);
    }

    /*
     * The module limits the body by the size of the image.  The limit of nginx
     * remains only if it was set explicitly; its default is indistinguishable
     * from the same value set explicitly.
     */

    need = ktp_intake_body_need(policy);

    if (clcf->client_max_body_size == 1024 * 1024) {
        clcf->client_max_body_size = 0;
    }

    if (clcf->client_max_body_size && clcf->client_max_body_size < need) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"client_max_body_size\" of %O bytes in "
                           "location \"%V\" is less than %O bytes, the "
                           "largest request body that "
                           "\"ktp_max_image_size\" allows",
                           clcf->client_max_body_size, &clcf->name, need);
    }

    return NGX_CONF_OK;
}


/* Warns of settings that expose images and keys on the network. */

static void
ngx_http_ktp_conf_warn(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf,
                       ngx_str_t *name)
{
    ngx_http_ktp_target_t *target;

    target = &klcf->target;

    if (klcf->sandbox || ngx_http_ktp_conf_is_local(klcf)) {
        return;
    }

    if (!target->ssl) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"ktp_pass\" in location \"%V\" sends images and "
                           "keys to \"%V\" over plain HTTP",
                           name, &target->host);

    } else if (!klcf->ssl_verify) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"ktp_ssl_verify\" is off in location \"%V\", "
                           "the identity of \"%V\" is not verified",
                           name, &target->host);
    }
}


/* 1 if all servers have addresses of this machine. */

static ngx_uint_t
ngx_http_ktp_conf_is_local_block(ngx_http_upstream_srv_conf_t *uscf)
{
    ngx_uint_t                  i, j;
    struct sockaddr            *sa;
    ngx_http_upstream_server_t *server;

    server = uscf->servers ? uscf->servers->elts : NULL;

    for (i = 0; server && i < uscf->servers->nelts; i++) {

        /* the addresses of a name may not be known yet */

        if (server[i].naddrs == 0) {
            return 0;
        }

        for (j = 0; j < server[i].naddrs; j++) {
            sa = server[i].addrs[j].sockaddr;

            if (sa->sa_family != AF_UNIX
                && (sa->sa_family != AF_INET
                    || (ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr)
                        >> 24)
                           != 127)) {
                return 0;
            }
        }
    }

    return server != NULL;
}


/* Names of the local machine are those of RFC 6761, 6.3. */

ngx_uint_t
ngx_http_ktp_conf_is_local(ngx_http_ktp_loc_conf_t *klcf)
{
    in_addr_t  addr;
    ngx_str_t *host;

    if (klcf->upstream->unix_socket.len) {
        return 1;
    }

    if (klcf->block) {
        return ngx_http_ktp_conf_is_local_block(klcf->block);
    }

    host = &klcf->target.host;

    if ((host->len == 9
         && ngx_strncasecmp(host->data, (u_char *) "localhost", 9) == 0)
        || (host->len == 5 && ngx_strncmp(host->data, "[::1]", 5) == 0)) {
        return 1;
    }

    addr = ngx_inet_addr(host->data, host->len);

    return addr != INADDR_NONE && (ntohl(addr) >> 24) == 127;
}


ngx_uint_t
ngx_http_ktp_conf_is_contract(ngx_http_ktp_loc_conf_t *klcf)
{
    return klcf->upstream != NULL || klcf->ticket_ttl != 0;
}
