#include "ngx_http_ktp_console.h"
#include <openssl/evp.h>
/* written by page.awk to the folder of objects, as ngx_auto_config.h is */
#include <ngx_http_ktp_console_page.h>
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_headers.h"
#include "ngx_http_ktp_page.h"
#include "ngx_http_ktp_value.h"


/* The status page, unless the directive names it. */
#define NGX_HTTP_KTP_CONSOLE_STATUS "metrics"

/* Characters of a SHA-256 digest in base64. */
#define NGX_HTTP_KTP_CONSOLE_DIGEST 44

/*
 * Scripts and styles other than those of the page are not run, and it connects
 * to its own origin only.
 */
#define NGX_HTTP_KTP_CONSOLE_POLICY                                           \
    "default-src 'none'; script-src 'sha256-%V'; style-src 'sha256-%V'; "     \
    "img-src data:; connect-src 'self'; base-uri 'none'; "                    \
    "form-action 'none'; frame-ancestors 'none'"


/* In the pool of the configuration. */
struct ngx_http_ktp_console_s {
    ngx_str_t status; /* URI of the status page, escaped */
    ngx_str_t policy; /* Content-Security-Policy */
};


static ngx_int_t ngx_http_ktp_console_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_ktp_console_uri(ngx_str_t *uri);
static ngx_int_t ngx_http_ktp_console_escape(ngx_pool_t *pool, ngx_str_t *uri,
                                             ngx_str_t *escaped);
static ngx_int_t ngx_http_ktp_console_policy(ngx_pool_t *pool,
                                             ngx_str_t  *policy);
static ngx_int_t ngx_http_ktp_console_digest(const char *text, size_t len,
                                             u_char *buf, ngx_str_t *digest);


char *
ngx_http_ktp_console(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ktp_loc_conf_t *klcf = conf;

    ngx_str_t                *value, uri;
    ngx_http_ktp_console_t   *console;
    ngx_http_ktp_main_conf_t *kmcf;

    if (klcf->console) {
        return "is duplicate";
    }

    value = cf->args->elts;
    ngx_str_set(&uri, NGX_HTTP_KTP_CONSOLE_STATUS);

    if (cf->args->nelts == 2) {
        uri.data = value[1].data + 7;
        uri.len = value[1].len - 7;

        if (ngx_strncmp(value[1].data, "status=", 7) != 0
            || ngx_http_ktp_console_uri(&uri) != NGX_OK) {
            return ngx_http_ktp_value_invalid(
                cf, "invalid parameter", &value[1],
                "\"status=URI\" with a relative URI or an absolute path, such "
                "as \"status=metrics\"");
        }
    }

    console = ngx_palloc(cf->pool, sizeof(ngx_http_ktp_console_t));

    if (console == NULL
        || ngx_http_ktp_console_escape(cf->pool, &uri, &console->status)
               != NGX_OK
        || ngx_http_ktp_console_policy(cf->pool, &console->policy) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    klcf->console = console;

    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);
    kmcf->console++;

    return ngx_http_ktp_page_location(cf, cmd, ngx_http_ktp_console_handler);
}


/*
 * Of the page's own origin: a path, which is no "//host", or a relative
 * reference, whose first segment has no colon (RFC 3986, 4.2).
 */

static ngx_int_t
ngx_http_ktp_console_uri(ngx_str_t *uri)
{
    size_t     i;
    ngx_uint_t first;

    if (uri->len == 0
        || (uri->len > 1 && uri->data[0] == '/' && uri->data[1] == '/')) {
        return NGX_ERROR;
    }

    first = 1;

    for (i = 0; i < uri->len; i++) {

        switch (uri->data[i]) {

        case '/':
        case '?':
            first = 0;
            break;

        case ':':
            if (first) {
                return NGX_ERROR;
            }

            break;

        case '"':
        case '#':
        case '$':
        case '<':
        case '>':
        case '\\':
            return NGX_ERROR;

        default:
            if (uri->data[i] <= 0x20 || uri->data[i] >= 0x7f) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_console_escape(ngx_pool_t *pool, ngx_str_t *uri,
                            ngx_str_t *escaped)
{
    escaped->len = uri->len + ngx_escape_html(NULL, uri->data, uri->len);

    escaped->data = ngx_pnalloc(pool, escaped->len);
    if (escaped->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_escape_html(escaped->data, uri->data, uri->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_console_policy(ngx_pool_t *pool, ngx_str_t *policy)
{
    u_char    buf[2][NGX_HTTP_KTP_CONSOLE_DIGEST];
    ngx_str_t script, style;

    if (ngx_http_ktp_console_digest(ngx_http_ktp_console_script,
                                    sizeof(ngx_http_ktp_console_script) - 1,
                                    buf[0], &script)
            != NGX_OK
        || ngx_http_ktp_console_digest(ngx_http_ktp_console_style,
                                       sizeof(ngx_http_ktp_console_style) - 1,
                                       buf[1], &style)
               != NGX_OK) {
        return NGX_ERROR;
    }

    policy->data = ngx_pnalloc(pool, sizeof(NGX_HTTP_KTP_CONSOLE_POLICY)
                                         + script.len + style.len);
    if (policy->data == NULL) {
        return NGX_ERROR;
    }

    policy->len =
        ngx_sprintf(policy->data, NGX_HTTP_KTP_CONSOLE_POLICY, &script, &style)
        - policy->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_console_digest(const char *text, size_t len, u_char *buf,
                            ngx_str_t *digest)
{
    u_char    md[EVP_MAX_MD_SIZE];
    ngx_str_t bytes;

    if (!EVP_Digest(text, len, md, NULL, EVP_sha256(), NULL)) {
        return NGX_ERROR;
    }

    bytes.data = md;
    bytes.len = 32;

    digest->data = buf;
    ngx_encode_base64(digest, &bytes);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ktp_console_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_http_ktp_page_t      page;
    ngx_http_ktp_loc_conf_t *klcf;
    ngx_http_ktp_console_t  *console;
    static ngx_str_t         type = ngx_string("text/html; charset=utf-8");

    rc = ngx_http_ktp_page_begin(&page, r);

    if (rc != NGX_OK) {
        return rc;
    }

    klcf = ngx_http_get_module_loc_conf(r, ngx_http_ktp_module);
    console = klcf->console;

    if (ngx_http_ktp_headers_push(r, "Content-Security-Policy",
                                  &console->policy)
        == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

#define ngx_http_ktp_console_write(text)                                      \
    ngx_http_ktp_page_write(&page, text, sizeof(text) - 1)

    ngx_http_ktp_console_write(ngx_http_ktp_console_head);
    ngx_http_ktp_console_write("<meta name=\"ktp-status\" content=\"");
    ngx_http_ktp_page_write(&page, (char *) console->status.data,
                            console->status.len);
    ngx_http_ktp_console_write("\">\n<style>");
    ngx_http_ktp_console_write(ngx_http_ktp_console_style);
    ngx_http_ktp_console_write("</style>\n");
    ngx_http_ktp_console_write(ngx_http_ktp_console_body);
    ngx_http_ktp_console_write("<script>");
    ngx_http_ktp_console_write(ngx_http_ktp_console_script);
    ngx_http_ktp_console_write("</script>\n");

    return ngx_http_ktp_page_send(&page, NGX_HTTP_OK, &type);
}
