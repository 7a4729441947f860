/*
 * Pages that this module itself returns, such as those of "ktp_status" and
 * "ktp_health": GET and HEAD, with "Cache-Control: no-store".
 */

#ifndef NGX_HTTP_KTP_PAGE_H
#define NGX_HTTP_KTP_PAGE_H

#include "ngx_http_ktp.h"


/* The response being written; private but for its address. */
typedef struct {
    ngx_http_request_t *request;
    ngx_chain_t        *out;
    ngx_chain_t       **last; /* points into the structure: do not copy it */
    ngx_buf_t          *buf;
    off_t               size;
    unsigned            failed : 1; /* no memory */
} ngx_http_ktp_page_t;


/*
 * Makes handler the content handler of the location, for the directive cmd: an
 * error if it is already, and a warning if it takes the place of a handler
 * other than that of "ktp_pass", which has a warning of its own.
 */
char *ngx_http_ktp_page_location(ngx_conf_t *cf, ngx_command_t *cmd,
                                 ngx_http_handler_pt handler);

/*
 * Begins the response in a content handler: NGX_OK, or what the handler has to
 * return, if the method is another one.
 */
ngx_int_t ngx_http_ktp_page_begin(ngx_http_ktp_page_t *page,
                                  ngx_http_request_t  *r);

/*
 * Appends len bytes to the body, which are copied.  data is the page, so that
 * this can be the callback of a JSON writer.  If memory is short,
 * ngx_http_ktp_page_send() fails.
 */
void ngx_http_ktp_page_write(void *data, const char *p, size_t len);

/*
 * Sends a page that is not empty; type is the "Content-Type", constant text.
 * Returns what the content handler has to return.
 */
ngx_int_t ngx_http_ktp_page_send(ngx_http_ktp_page_t *page, ngx_uint_t status,
                                 ngx_str_t *type);


#endif /* NGX_HTTP_KTP_PAGE_H */
