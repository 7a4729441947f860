/* SHA-1 of a text, for names by which others know it. */

#ifndef NGX_HTTP_KTP_SHA1_H
#define NGX_HTTP_KTP_SHA1_H

#include <ngx_config.h>
#include <ngx_core.h>


/* Hexadecimal digits of SHA-1. */
#define NGX_HTTP_KTP_SHA1_HEX 40


/* Writes them to hex, in lower case and without a null character. */
void ngx_http_ktp_sha1_hex(const ngx_str_t *text,
                           u_char           hex[NGX_HTTP_KTP_SHA1_HEX]);


#endif /* NGX_HTTP_KTP_SHA1_H */
