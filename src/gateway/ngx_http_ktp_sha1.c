#include "ngx_http_ktp_sha1.h"
#include <ngx_sha1.h>


void
ngx_http_ktp_sha1_hex(const ngx_str_t *text, u_char hex[NGX_HTTP_KTP_SHA1_HEX])
{
    u_char     digest[NGX_HTTP_KTP_SHA1_HEX / 2];
    ngx_sha1_t sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, text->data, text->len);
    ngx_sha1_final(digest, &sha1);

    (void) ngx_hex_dump(hex, digest, sizeof(digest));
}
