#include "ngx_http_ktp_fleet_script.h"
#include <ngx_sha1.h>


void
ngx_http_ktp_fleet_script_init(ngx_http_ktp_fleet_script_t *script)
{
    u_char     digest[NGX_HTTP_KTP_FLEET_SCRIPT_SHA / 2];
    ngx_sha1_t sha1;

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, script->text.data, script->text.len);
    ngx_sha1_final(digest, &sha1);

    (void) ngx_hex_dump(script->sha, digest, sizeof(digest));
}


/* EVALSHA, or EVAL if the server does not know the script. */

ngx_int_t
ngx_http_ktp_fleet_script_run(ngx_http_ktp_fleet_script_t *script,
                              ngx_uint_t whole, ngx_str_t *args, ngx_uint_t n,
                              ngx_http_ktp_redis_pt handler, void *data)
{
    if (whole) {
        ngx_str_set(&args[0], "EVAL");
        args[1] = script->text;

    } else {
        ngx_str_set(&args[0], "EVALSHA");
        args[1].data = script->sha;
        args[1].len = NGX_HTTP_KTP_FLEET_SCRIPT_SHA;
    }

    ngx_str_set(&args[2], "1");

    return ngx_http_ktp_redis_command(args, n, handler, data);
}


ngx_uint_t
ngx_http_ktp_fleet_script_unknown(ngx_http_ktp_redis_reply_t *reply)
{
    static ngx_str_t noscript = ngx_string("NOSCRIPT");

    return reply && reply->error && reply->values[0].text.len >= noscript.len
           && ngx_strncmp(reply->values[0].text.data, noscript.data,
                          noscript.len)
                  == 0;
}
