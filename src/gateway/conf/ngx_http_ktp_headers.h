/* Helpers for header fields of requests and responses. */

#ifndef NGX_HTTP_KTP_HEADERS_H
#define NGX_HTTP_KTP_HEADERS_H

#include "ngx_http_ktp.h"


/*
 * NGX_OK if a value can be that of a header: not empty, and visible ASCII
 * characters, spaces and tabs only (RFC 9110, 5.5), else NGX_ERROR.  libcurl
 * does not check: it would send CR and LF as they are.
 */
ngx_int_t ngx_http_ktp_headers_valid(ngx_str_t *value);

/*
 * Returns how often the client sent a request header, and the first value in
 * *value.  The case of the name does not matter.
 */
ngx_uint_t ngx_http_ktp_headers_find(ngx_http_request_t *r, const char *name,
                                     size_t len, ngx_str_t **value);

/*
 * The value of a request header that the client sent exactly once; NULL if
 * there is none, or more than one.  The case of the name does not matter.
 * The value lives as long as the request.
 */
ngx_str_t *ngx_http_ktp_headers_once(ngx_http_request_t *r, const char *name,
                                     size_t len);

/*
 * Adds a response header; name is a string constant, and the bytes of value
 * must live as long as the request.  Returns NULL if memory is short.
 */
ngx_table_elt_t *ngx_http_ktp_headers_push(ngx_http_request_t *r,
                                           const char *name, ngx_str_t *value);

/*
 * Adds "Retry-After" (RFC 9110, 10.2.3) to the response; NGX_ERROR if memory
 * is short.  0 seconds: nothing is added.
 */
ngx_int_t ngx_http_ktp_headers_retry_after(ngx_http_request_t *r,
                                           uint64_t            seconds);

/*
 * Adds the challenge of a 401 (RFC 9110, 15.5.2) to the response, that of
 * "ktp_auth" in the location; that of another module is kept.  NGX_ERROR if
 * memory is short.
 */
ngx_int_t ngx_http_ktp_headers_challenge(ngx_http_request_t *r);


#endif /* NGX_HTTP_KTP_HEADERS_H */
