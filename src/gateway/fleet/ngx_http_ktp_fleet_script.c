#include "ngx_http_ktp_fleet_script.h"


/* Between messages about answers of the server, milliseconds. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_TOLD 60000


void
ngx_http_ktp_fleet_script_init(ngx_http_ktp_fleet_script_t *script)
{
    ngx_http_ktp_sha1_hex(&script->text, script->sha);
}


/* EVALSHA, or EVAL if the server does not know the script. */

ngx_int_t
ngx_http_ktp_fleet_script_run(ngx_http_ktp_fleet_script_t *script,
                              ngx_uint_t whole, ngx_uint_t nkeys,
                              ngx_str_t *args, ngx_uint_t n,
                              ngx_http_ktp_redis_pt handler, void *data)
{
    u_char keys[NGX_INT_T_LEN];

    if (whole) {
        ngx_str_set(&args[0], "EVAL");
        args[1] = script->text;

    } else {
        ngx_str_set(&args[0], "EVALSHA");
        args[1].data = script->sha;
        args[1].len = NGX_HTTP_KTP_SHA1_HEX;
    }

    args[2].data = keys;
    args[2].len = ngx_sprintf(keys, "%ui", nkeys) - keys;

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


void
ngx_http_ktp_fleet_script_complain(ngx_http_ktp_redis_t *redis,
                                   const char *what, ngx_str_t *client,
                                   ngx_http_ktp_redis_reply_t *reply)
{
    u_char            code[NGX_HTTP_KTP_REDIS_READER_CODE];
    size_t            n;
    static ngx_str_t  none = ngx_null_string;
    static ngx_msec_t told;

    if (told && ngx_current_msec - told < NGX_HTTP_KTP_FLEET_SCRIPT_TOLD) {
        return;
    }

    told = ngx_current_msec;
    n = reply ? ngx_http_ktp_redis_reader_code(reply, code) : 0;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "redis \"%V\": %s \"%*s\" %s %s%s%V%s", &redis->name,
                  reply == NULL  ? "unexpected message"
                  : reply->error ? "error"
                                 : "unexpected values",
                  n, code, reply ? "in reply to" : "about", what,
                  client ? " of client \"" : "", client ? client : &none,
                  client ? "\"" : "");
}
