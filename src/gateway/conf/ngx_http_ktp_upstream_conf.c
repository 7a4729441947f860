#include "ngx_http_ktp_upstream_conf.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_file.h"
#include "ngx_http_ktp_value.h"
#include <ngx_event.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>


/* Maximum size of a certificate chain or a key; typically a few KB. */
#define NGX_HTTP_KTP_PEM_MAX (256 * 1024)

/* Maximum of the default of ktp_max_inflight. */
#define NGX_HTTP_KTP_INFLIGHT 1024


static ngx_int_t ngx_http_ktp_upstream_conf_inflight(ngx_conf_t *cf);
static ngx_http_upstream_srv_conf_t                  *
ngx_http_ktp_upstream_conf_block(ngx_conf_t            *cf,
                                                  ngx_http_ktp_target_t *target);
static ngx_int_t ngx_http_ktp_upstream_conf_url(ngx_conf_t              *cf,
                                                ngx_http_ktp_loc_conf_t *klcf);
static ngx_int_t ngx_http_ktp_upstream_conf_tls(ngx_conf_t              *cf,
                                                ngx_http_ktp_loc_conf_t *klcf);
static ngx_int_t ngx_http_ktp_upstream_conf_trusted(ngx_conf_t *cf,
                                                    ngx_str_t  *path);
static ngx_fd_t  ngx_http_ktp_upstream_conf_open(ngx_conf_t *cf,
                                                 const char *directive,
                                                 ngx_str_t *path, off_t *size);
static ngx_int_t ngx_http_ktp_upstream_conf_pem_read(ngx_conf_t *cf,
                                                     const char *directive,
                                                     ngx_str_t  *path,
                                                     ngx_str_t  *pem);
static void      ngx_http_ktp_upstream_conf_pem_wipe(void *data);
static ngx_int_t
                   ngx_http_ktp_upstream_conf_pem_check(ngx_conf_t              *cf,
                                                        ngx_http_ktp_loc_conf_t *klcf);
static int         ngx_http_ktp_upstream_conf_no_password(char *buf, int size,
                                                          int rwflag, void *data);
static const char *ngx_http_ktp_upstream_conf_proxy(ngx_conf_t *cf,
                                                    ngx_str_t  *value,
                                                    ngx_url_t  *u);
static ngx_int_t   ngx_http_ktp_upstream_conf_is_address(ngx_str_t *host);


static ngx_uint_t ngx_http_ktp_upstream_conf_last_id;


void
ngx_http_ktp_upstream_conf_create(ngx_http_ktp_loc_conf_t *klcf)
{
    klcf->connect_timeout = NGX_CONF_UNSET_MSEC;
    klcf->read_timeout = NGX_CONF_UNSET_MSEC;
    klcf->timeout = NGX_CONF_UNSET_MSEC;
    klcf->keepalive = NGX_CONF_UNSET;
    klcf->keepalive_timeout = NGX_CONF_UNSET_MSEC;
    klcf->max_inflight = NGX_CONF_UNSET;
    klcf->retries = NGX_CONF_UNSET;
    klcf->ssl_verify = NGX_CONF_UNSET;
    klcf->ignore_client_abort = NGX_CONF_UNSET;
    klcf->body_timeout = NGX_CONF_UNSET_MSEC;
    klcf->request_buffering = NGX_CONF_UNSET;
    klcf->image_url = NGX_CONF_UNSET_UINT;
    klcf->image_url_timeout = NGX_CONF_UNSET_MSEC;
    klcf->image_url_allow = NGX_CONF_UNSET_PTR;

    /*
     * set by ngx_pcalloc():
     *
     *     klcf->ssl_trusted_certificate = { 0, NULL };
     *     klcf->ssl_name = { 0, NULL };
     *     klcf->host = { 0, NULL };
     *     klcf->ssl_certificate = { 0, NULL };
     *     klcf->ssl_certificate_key = { 0, NULL };
     *     klcf->proxy = { 0, NULL };
     *     klcf->proxy_host = { 0, NULL };
     *     klcf->user_agent = { 0, NULL };
     *     klcf->repeats = 0;
     */
}


char *
ngx_http_ktp_upstream_conf_merge(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *prev,
                                 ngx_http_ktp_loc_conf_t *conf)
{
    ngx_conf_merge_msec_value(conf->connect_timeout, prev->connect_timeout,
                              5000);
    ngx_conf_merge_msec_value(conf->read_timeout, prev->read_timeout, 60000);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 90000);
    ngx_conf_merge_value(conf->keepalive, prev->keepalive, 32);
    ngx_conf_merge_msec_value(conf->keepalive_timeout, prev->keepalive_timeout,
                              60000);
    ngx_conf_merge_value(conf->max_inflight, prev->max_inflight,
                         ngx_http_ktp_upstream_conf_inflight(cf));
    ngx_conf_merge_value(conf->retries, prev->retries, 1);
    ngx_conf_merge_value(conf->ssl_verify, prev->ssl_verify, 1);
    ngx_conf_merge_value(conf->ignore_client_abort, prev->ignore_client_abort,
                         0);

    ngx_conf_merge_msec_value(conf->body_timeout, prev->body_timeout, 300000);
    ngx_conf_merge_value(conf->request_buffering, prev->request_buffering, 1);
    ngx_conf_merge_uint_value(conf->image_url, prev->image_url, 0);
    ngx_conf_merge_msec_value(conf->image_url_timeout, prev->image_url_timeout,
                              15000);
    ngx_conf_merge_ptr_value(conf->image_url_allow, prev->image_url_allow,
                             NULL);

    ngx_conf_merge_str_value(conf->ssl_trusted_certificate,
                             prev->ssl_trusted_certificate, "");
    ngx_conf_merge_str_value(conf->ssl_name, prev->ssl_name, "");
    ngx_conf_merge_str_value(conf->host, prev->host, "");
    ngx_conf_merge_str_value(conf->ssl_certificate, prev->ssl_certificate, "");
    ngx_conf_merge_str_value(conf->ssl_certificate_key,
                             prev->ssl_certificate_key, "");

    ngx_conf_merge_str_value(conf->user_agent, prev->user_agent,
                             "ngx_http_ktp/" NGX_HTTP_KTP_VERSION);

    if (conf->proxy.data == NULL) {
        conf->proxy = prev->proxy;
        conf->proxy_host = prev->proxy_host;
    }

    return NGX_CONF_OK;
}


/*
 * The default of ktp_max_inflight: a call takes two connections, that of the
 * client and that of the upstream.
 */

static ngx_int_t
ngx_http_ktp_upstream_conf_inflight(ngx_conf_t *cf)
{
    ngx_uint_t n;

    n = ngx_http_ktp_upstream_conf_connections(cf) / 2;

    return n && n < NGX_HTTP_KTP_INFLIGHT ? n : NGX_HTTP_KTP_INFLIGHT;
}


ngx_uint_t
ngx_http_ktp_upstream_conf_connections(ngx_conf_t *cf)
{
    ngx_event_conf_t *ecf;

    if (ngx_get_conf(cf->cycle->conf_ctx, ngx_events_module) == NULL) {
        return 0;
    }

    ecf = ngx_event_get_conf(cf->cycle->conf_ctx, ngx_event_core_module);

    return ecf->connections;
}


/* Unique across configurations, since a process may see several. */

ngx_uint_t
ngx_http_ktp_upstream_conf_id(void)
{
    return ++ngx_http_ktp_upstream_conf_last_id;
}


char *
ngx_http_ktp_upstream_conf_finish(ngx_conf_t              *cf,
                                  ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_http_ktp_upstream_t *up;

    up = klcf->upstream;

    up->id = ngx_http_ktp_upstream_conf_id();

    up->connect_timeout = klcf->connect_timeout;
    up->read_timeout = klcf->read_timeout;
    up->timeout = klcf->timeout;
    up->keepalive = klcf->keepalive;
    up->keepalive_timeout = klcf->keepalive_timeout;
    up->max_inflight = klcf->max_inflight;
    up->retries = klcf->retries;
    up->repeats = klcf->repeats;
    up->max_response = NGX_HTTP_KTP_MAX_RESPONSE;
    up->ssl_verify = klcf->ssl_verify;
    up->user_agent = klcf->user_agent;

    if (up->unix_socket.len) {
        return NGX_CONF_OK;
    }

    if (ngx_http_ktp_upstream_conf_url(cf, klcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (klcf->target.ssl
        && ngx_http_ktp_upstream_conf_tls(cf, klcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * libcurl verifies the certificate against the host name of the URL and sends
 * it as SNI.  If ktp_ssl_name differs from the host, the URL contains the
 * former, and the address and the Host header are set separately.
 */

static ngx_int_t
ngx_http_ktp_upstream_conf_url(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf)
{
    u_char                  *p;
    size_t                   len;
    ngx_str_t               *host, *name;
    ngx_http_ktp_target_t   *target;
    ngx_http_ktp_upstream_t *up;

    up = klcf->upstream;
    target = &klcf->target;
    klcf->block = ngx_http_ktp_upstream_conf_block(cf, target);

    host = klcf->block && klcf->host.len ? &klcf->host : &target->host;
    name = target->ssl && klcf->ssl_name.len ? &klcf->ssl_name : host;

    up->proxy = klcf->proxy;
    up->lookup = klcf->proxy.len ? klcf->proxy_host : target->host;

    if (klcf->block
        || ngx_http_ktp_upstream_conf_is_address(&up->lookup) == NGX_OK) {
        ngx_str_null(&up->lookup);
    }

    if (klcf->block && klcf->proxy.len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_egress_proxy\" cannot be used with the "
                           "block \"upstream %V\" of \"ktp_pass\"",
                           &target->host);
        return NGX_ERROR;
    }

    if (name == &target->host) {
        return NGX_OK;
    }

    len = sizeof("https://::65535") + name->len + host->len + target->uri.len;

    p = ngx_pnalloc(cf->pool, 3 * len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    up->url.data = p;
    up->url.len = ngx_sprintf(p, "http%s://%V:%d%V%Z", target->ssl ? "s" : "",
                              name, (int) target->port, &target->uri)
                  - p - 1;
    p += len;

    if (name == host) {
        return NGX_OK;
    }

    if (klcf->block == NULL) {
        up->connect_to.data = p;
        up->connect_to.len =
            ngx_sprintf(p, "::%V:%d%Z", host, (int) target->port) - p - 1;
        p += len;
    }

    up->host_header.data = p;
    p = ngx_sprintf(p, "Host: %V", host);

    if (target->port != 443) {
        p = ngx_sprintf(p, ":%d", (int) target->port);
    }

    *p = '\0';
    up->host_header.len = p - up->host_header.data;

    return NGX_OK;
}


/* The "upstream" block that a URL without a port names; or NULL. */

static ngx_http_upstream_srv_conf_t *
ngx_http_ktp_upstream_conf_block(ngx_conf_t *cf, ngx_http_ktp_target_t *target)
{
    ngx_uint_t                     i;
    ngx_http_upstream_srv_conf_t **uscf;
    ngx_http_upstream_main_conf_t *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    uscf = umcf->upstreams.elts;

    for (i = 0; target->no_port && i < umcf->upstreams.nelts; i++) {
        if ((uscf[i]->flags & NGX_HTTP_UPSTREAM_CREATE)
            && uscf[i]->host.len == target->host.len
            && ngx_strncasecmp(uscf[i]->host.data, target->host.data,
                               target->host.len)
                   == 0) {
            return uscf[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_ktp_upstream_conf_tls(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *klcf)
{
    ngx_http_ktp_upstream_t *up;

    up = klcf->upstream;

    if (klcf->ssl_trusted_certificate.len) {

        if (ngx_conf_full_name(cf->cycle, &klcf->ssl_trusted_certificate, 1)
                != NGX_OK
            || ngx_http_ktp_upstream_conf_trusted(
                   cf, &klcf->ssl_trusted_certificate)
                   != NGX_OK) {
            return NGX_ERROR;
        }

        up->ca_file = klcf->ssl_trusted_certificate;
    }

    if (klcf->ssl_certificate.len == 0) {
        return NGX_OK;
    }

    if (klcf->ssl_certificate_key.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"ktp_ssl_certificate_key\" is defined for "
                           "certificate \"%V\"",
                           &klcf->ssl_certificate);
        return NGX_ERROR;
    }

    /* libcurl would read them in a worker, which may have no permission */

    if (ngx_http_ktp_upstream_conf_pem_read(cf, "ktp_ssl_certificate",
                                            &klcf->ssl_certificate,
                                            &up->certificate)
            != NGX_OK
        || ngx_http_ktp_upstream_conf_pem_read(cf, "ktp_ssl_certificate_key",
                                               &klcf->ssl_certificate_key,
                                               &up->certificate_key)
               != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_ktp_upstream_conf_pem_check(cf, klcf);
}


static ngx_int_t
ngx_http_ktp_upstream_conf_trusted(ngx_conf_t *cf, ngx_str_t *path)
{
    off_t       size;
    ngx_fd_t    fd;
    ngx_int_t   rc;
    X509_STORE *store;
    const char *reason;

    fd = ngx_http_ktp_upstream_conf_open(cf, "ktp_ssl_trusted_certificate",
                                         path, &size);
    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    (void) ngx_close_file(fd);

    store = X509_STORE_new();
    if (store == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    if (X509_STORE_load_locations(store, (char *) path->data, NULL) != 1) {

        /* NULL for system errors */
        reason = ERR_reason_error_string(ERR_peek_error());

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ktp_ssl_trusted_certificate\" directive: "
                           "cannot load trusted certificates from \"%V\": %s",
                           path, reason ? reason : "cannot be read");
        rc = NGX_ERROR;
    }

    X509_STORE_free(store);
    ERR_clear_error();

    return rc;
}


static ngx_fd_t
ngx_http_ktp_upstream_conf_open(ngx_conf_t *cf, const char *directive,
                                ngx_str_t *path, off_t *size)
{
    ngx_fd_t    fd;
    const char *failed;
    struct stat st;

    fd = ngx_http_ktp_file_open(path->data, &st, &failed);

    if (fd == NGX_INVALID_FILE) {
        (void) ngx_http_ktp_value_file(cf, ngx_errno, directive, failed, path);
        return NGX_INVALID_FILE;
    }

    *size = st.st_size;

    return fd;
}


static ngx_int_t
ngx_http_ktp_upstream_conf_pem_read(ngx_conf_t *cf, const char *directive,
                                    ngx_str_t *path, ngx_str_t *pem)
{
    off_t               size;
    ssize_t             n;
    ngx_file_t          file;
    ngx_pool_cleanup_t *cln;

    if (ngx_conf_full_name(cf->cycle, path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));
    file.name = *path;
    file.log = cf->log;

    file.fd = ngx_http_ktp_upstream_conf_open(cf, directive, path, &size);
    if (file.fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = NGX_ERROR;

    if (size == 0 || size > NGX_HTTP_KTP_PEM_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" directive: \"%V\" is empty or larger "
                           "than %dk",
                           directive, path, NGX_HTTP_KTP_PEM_MAX / 1024);
        goto done;
    }

    pem->len = size;
    pem->data = ngx_pnalloc(cf->pool, pem->len);

    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (pem->data == NULL || cln == NULL) {
        goto done;
    }

    cln->handler = ngx_http_ktp_upstream_conf_pem_wipe;
    cln->data = pem;

    n = ngx_read_file(&file, pem->data, pem->len, 0);

    if (n != NGX_ERROR && (size_t) n != pem->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" directive: \"%V\" was modified while "
                           "being read",
                           directive, path);
        n = NGX_ERROR;
    }

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", path);
    }

    return n == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_ktp_upstream_conf_pem_wipe(void *data)
{
    ngx_str_t *pem = data;

    ngx_explicit_memzero(pem->data, pem->len);
}


/* Checks for a certificate and an unencrypted private key that match. */

static ngx_int_t
ngx_http_ktp_upstream_conf_pem_check(ngx_conf_t              *cf,
                                     ngx_http_ktp_loc_conf_t *klcf)
{
    BIO        *bio;
    X509       *x509;
    EVP_PKEY   *key;
    ngx_int_t   rc;
    const char *what, *directive;
    ngx_str_t  *path, *pem;

    pem = &klcf->upstream->certificate;
    bio = BIO_new_mem_buf(pem->data, pem->len);
    x509 = NULL;

    if (bio) {
        x509 = PEM_read_bio_X509_AUX(
            bio, NULL, ngx_http_ktp_upstream_conf_no_password, NULL);
        BIO_free(bio);
    }

    pem = &klcf->upstream->certificate_key;
    bio = BIO_new_mem_buf(pem->data, pem->len);
    key = NULL;

    if (bio) {
        key = PEM_read_bio_PrivateKey(
            bio, NULL, ngx_http_ktp_upstream_conf_no_password, NULL);
        BIO_free(bio);
    }

    rc = NGX_ERROR;
    path = &klcf->ssl_certificate_key;
    directive = "ktp_ssl_certificate_key";

    if (x509 == NULL) {
        path = &klcf->ssl_certificate;
        directive = "ktp_ssl_certificate";
        what = "no certificate";

    } else if (key == NULL) {
        what = "no private key, or an encrypted one,";

    } else if (X509_check_private_key(x509, key) != 1) {
        what = "private key of another certificate";

    } else {
        what = NULL;
        rc = NGX_OK;
    }

    if (what) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s\" directive: %s in \"%V\"", directive, what,
                           path);
    }

    X509_free(x509);
    EVP_PKEY_free(key);
    ERR_clear_error();

    return rc;
}


static int
ngx_http_ktp_upstream_conf_no_password(char *buf, int size, int rwflag,
                                       void *data)
{
    return 0;
}


/* off, or http://[user:password@]host:port */

char *
ngx_http_ktp_upstream_conf_egress_proxy(ngx_conf_t *cf, ngx_command_t *cmd,
                                        void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t  *value;
    ngx_url_t   u;
    const char *failed;

    if (klcf->proxy.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&klcf->proxy, "");
        return NGX_CONF_OK;
    }

    failed = ngx_http_ktp_upstream_conf_proxy(cf, &value[1], &u);

    if (failed) {

        /* the value is not logged: it may contain a password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in proxy URL in \"%V\" directive, it must be "
                           "\"off\" or \"http://[USER:PASSWORD@]HOST:PORT\"",
                           failed, &cmd->name);
        return NGX_CONF_ERROR;
    }

    klcf->proxy = value[1];
    klcf->proxy_host = u.host;

    return NGX_CONF_OK;
}


/* Parses the URL of a proxy.  Returns NULL, or what is wrong in it. */

static const char *
ngx_http_ktp_upstream_conf_proxy(ngx_conf_t *cf, ngx_str_t *value,
                                 ngx_url_t *u)
{
    u_char *p, *at, *last;

    last = value->data + value->len;

    if (ngx_strncasecmp(value->data, (u_char *) "http://", 7) != 0) {
        return "no \"http://\"";
    }

    if (ngx_strlchr(value->data, last, '$')) {
        return "\"$\" without \"%24\"";
    }

    ngx_memzero(u, sizeof(ngx_url_t));

    u->url.data = value->data + 7;

    at = NULL;

    for (p = u->url.data; p < last; p++) {
        if (*p == '@') {
            at = p;
        }
    }

    /* libcurl takes the first of these for the end of the credentials */

    for (p = u->url.data; at && p < at; p++) {
        if (*p <= 0x20 || *p >= 0x7f || ngx_strchr("@/?#[]\\", *p)) {
            return "a character of the user or password that must be "
                   "percent-encoded (\"@\" as \"%40\", \"/\" as \"%2F\")";
        }

        if (*p == '%'
            && (at - p < 3 || ngx_hextoi(p + 1, 2) == NGX_ERROR
                || ngx_hextoi(p + 1, 2) == 0)) {
            return "\"%\" of the user or password without \"%25\"";
        }
    }

    if (at) {
        u->url.data = at + 1;
    }

    u->url.len = last - u->url.data;
    u->default_port = 80;
    u->no_resolve = 1;

    if (ngx_parse_url(cf->pool, u) != NGX_OK) {
        return u->err ? u->err : "invalid host";
    }

    if (u->family == AF_UNIX) {
        return "invalid host";
    }

    for (p = u->host.data; p < u->host.data + u->host.len; p++) {
        if (*p <= 0x20 || *p >= 0x7f || ngx_strchr("%/?#\\", *p)) {
            return "invalid host";
        }
    }

    return u->no_port ? "no port" : NULL;
}


/* off, or a string */

char *
ngx_http_ktp_upstream_conf_user_agent(ngx_conf_t *cf, ngx_command_t *cmd,
                                      void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t *value;

    if (klcf->user_agent.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&klcf->user_agent, "");
        return NGX_CONF_OK;
    }

    if (ngx_http_ktp_headers_valid(&value[1]) != NGX_OK
        || ngx_http_script_variables_count(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, it must "
                           "be \"off\" or ASCII characters without variables",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    klcf->user_agent = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_ktp_upstream_conf_host(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char     ch;
    size_t     i;
    ngx_str_t *value, *field;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z')
            && !(ch >= '0' && ch <= '9') && ch != '-' && ch != '.'
            && ch != '_') {
            break;
        }
    }

    if (i == 0 || i < value[1].len) {
        return ngx_http_ktp_value_invalid(
            cf, "invalid name", &value[1],
            "a host name of letters, digits, \"-\", \".\", and \"_\"");
    }

    *field = value[1];

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_ktp_upstream_conf_is_address(ngx_str_t *host)
{
    if (host->len && host->data[0] == '[') {
        return NGX_OK;
    }

    return ngx_inet_addr(host->data, host->len) == INADDR_NONE ? NGX_DECLINED
                                                               : NGX_OK;
}


char *
ngx_http_ktp_upstream_conf_retries(ngx_conf_t *cf, ngx_command_t *cmd,
                                   void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    char                     *rv;
    ngx_str_t                *value;
    ngx_http_core_loc_conf_t *clcf;

    rv = ngx_http_ktp_value_num(cf, cmd, conf);

    if (rv != NGX_CONF_OK || cf->args->nelts == 2) {
        return rv;
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[2].data, "sent") != 0) {
        return ngx_http_ktp_value_invalid(cf, "invalid parameter", &value[2],
                                          "\"sent\"");
    }

    /* not in those that inherit it: their upstreams may bill both calls */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (!clcf->named) {
        return "has \"sent\", which is for named locations only";
    }

    klcf->repeats = 1;

    return NGX_CONF_OK;
}
