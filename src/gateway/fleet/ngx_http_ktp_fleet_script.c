#include "ngx_http_ktp_fleet_script.h"


/* Between messages about answers of the server, milliseconds. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_TOLD 60000


static ngx_int_t
ngx_http_ktp_fleet_script_send(ngx_http_ktp_fleet_script_run_t *run,
                               ngx_uint_t                       whole);
static void ngx_http_ktp_fleet_script_done(void                       *data,
                                           ngx_http_ktp_redis_reply_t *reply);


void
ngx_http_ktp_fleet_script_init(ngx_http_ktp_fleet_script_t *script)
{
    ngx_http_ktp_sha1_hex(&script->text, script->sha);
}


ngx_int_t
ngx_http_ktp_fleet_script_run(ngx_http_ktp_fleet_script_t     *script,
                              ngx_http_ktp_fleet_script_run_t *run, void *data)
{
    run->script = script;
    run->data = data;

    return ngx_http_ktp_fleet_script_send(run, 0);
}


/* EVALSHA; or EVAL, whose reply is in any case the end. */

static ngx_int_t
ngx_http_ktp_fleet_script_send(ngx_http_ktp_fleet_script_run_t *run,
                               ngx_uint_t                       whole)
{
    u_char                           nkeys[NGX_INT_T_LEN];
    ngx_uint_t                       n;
    ngx_http_ktp_fleet_script_t     *script;
    ngx_http_ktp_fleet_script_args_t args;

    script = run->script;

    args.n = NGX_HTTP_KTP_FLEET_SCRIPT_HEAD;
    args.last = args.text;

    n = script->args(run->data, &args);

    args.words[2].data = nkeys;
    args.words[2].len = ngx_sprintf(nkeys, "%ui", n) - nkeys;

    if (whole) {
        ngx_str_set(&args.words[0], "EVAL");
        args.words[1] = script->text;

        return ngx_http_ktp_redis_command(args.words, args.n, script->handler,
                                          run->data);
    }

    ngx_str_set(&args.words[0], "EVALSHA");
    args.words[1].data = script->sha;
    args.words[1].len = NGX_HTTP_KTP_SHA1_HEX;

    return ngx_http_ktp_redis_command(args.words, args.n,
                                      ngx_http_ktp_fleet_script_done, run);
}


/* The end of EVALSHA. */

static void
ngx_http_ktp_fleet_script_done(void *data, ngx_http_ktp_redis_reply_t *reply)
{
    ngx_http_ktp_fleet_script_run_t *run = data;

    static ngx_str_t unknown = ngx_string("NOSCRIPT");

    if (reply && reply->error && reply->values[0].text.len >= unknown.len
        && ngx_strncmp(reply->values[0].text.data, unknown.data, unknown.len)
               == 0) {

        if (ngx_http_ktp_fleet_script_send(run, 1) == NGX_OK) {
            return;
        }

        reply = NULL;
    }

    run->script->handler(run->data, reply);
}


void
ngx_http_ktp_fleet_script_text(ngx_http_ktp_fleet_script_args_t *args,
                               u_char *text, size_t len)
{
    args->words[args->n].data = text;
    args->words[args->n++].len = len;
}


void
ngx_http_ktp_fleet_script_number(ngx_http_ktp_fleet_script_args_t *args,
                                 int64_t                           n)
{
    ngx_http_ktp_fleet_script_format(args, "%L", n);
}


void ngx_cdecl
ngx_http_ktp_fleet_script_format(ngx_http_ktp_fleet_script_args_t *args,
                                 const char                       *format, ...)
{
    u_char *p;
    va_list list;

    p = args->last;

    va_start(list, format);
    args->last = ngx_vslprintf(p, args->text + NGX_HTTP_KTP_FLEET_SCRIPT_TEXT,
                               format, list);
    va_end(list);

    ngx_http_ktp_fleet_script_text(args, p, args->last - p);
}


void
ngx_http_ktp_fleet_script_complain(ngx_http_ktp_redis_t *redis,
                                   const char *what, ngx_str_t *client,
                                   ngx_http_ktp_redis_reply_t *reply)
{
    u_char           code[NGX_HTTP_KTP_REDIS_READER_CODE];
    size_t           n;
    ngx_msec_t      *told;
    static ngx_str_t none = ngx_null_string;

    static ngx_msec_t told_message, told_error, told_values;

    told = reply == NULL  ? &told_message
           : reply->error ? &told_error
                          : &told_values;

    if (*told && ngx_current_msec - *told < NGX_HTTP_KTP_FLEET_SCRIPT_TOLD) {
        return;
    }

    *told = ngx_current_msec;
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
