#include "ngx_http_ktp_page.h"
#include "ngx_http_ktp_conf.h"
#include "ngx_http_ktp_headers.h"


/* Size of a buffer of the response. */
#define NGX_HTTP_KTP_PAGE_BUF 16384


char *
ngx_http_ktp_page_location(ngx_conf_t *cf, ngx_command_t *cmd,
                           ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t *clcf;
    ngx_http_ktp_main_conf_t *kmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    kmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_ktp_module);

    if (clcf->handler == handler) {
        return "is duplicate";
    }

    if (clcf->handler && clcf->handler != kmcf->handler) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in location \"%V\" overrides an earlier "
                           "directive that handles requests",
                           &cmd->name, &clcf->name);
    }

    clcf->handler = handler;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_ktp_page_begin(ngx_http_ktp_page_t *page, ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    ngx_memzero(page, sizeof(ngx_http_ktp_page_t));
    page->request = r;
    page->last = &page->out;

    return ngx_http_discard_request_body(r);
}


void
ngx_http_ktp_page_write(void *data, const char *p, size_t len)
{
    ngx_http_ktp_page_t *page = data;

    size_t       n;
    ngx_chain_t *cl;

    while (len && !page->failed) {

        if (page->buf == NULL || page->buf->last == page->buf->end) {
            cl = ngx_alloc_chain_link(page->request->pool);
            page->buf = ngx_create_temp_buf(page->request->pool,
                                            NGX_HTTP_KTP_PAGE_BUF);

            if (cl == NULL || page->buf == NULL) {
                page->failed = 1;
                return;
            }

            cl->buf = page->buf;
            cl->next = NULL;
            *page->last = cl;
            page->last = &cl->next;
        }

        n = ngx_min(len, (size_t) (page->buf->end - page->buf->last));
        page->buf->last = ngx_cpymem(page->buf->last, p, n);
        page->size += n;
        p += n;
        len -= n;
    }
}


ngx_int_t
ngx_http_ktp_page_send(ngx_http_ktp_page_t *page, ngx_uint_t status,
                       ngx_str_t *type)
{
    ngx_int_t           rc;
    ngx_http_request_t *r;
    static ngx_str_t    no_store = ngx_string("no-store");

    r = page->request;

    if (page->failed || page->buf == NULL
        || ngx_http_ktp_headers_push(r, "Cache-Control", &no_store) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page->buf->last_buf = (r == r->main);
    page->buf->last_in_chain = 1;

    r->headers_out.status = status;
    r->headers_out.content_length_n = page->size;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, page->out);
}
