/* Scripts that Redis runs, in one step and under its clock. */

#ifndef NGX_HTTP_KTP_FLEET_SCRIPT_H
#define NGX_HTTP_KTP_FLEET_SCRIPT_H

#include "ngx_http_ktp_redis.h"
#include "ngx_http_ktp_sha1.h"


/* Words of the command before its keys: name, script, number of keys. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_HEAD 3

/* Keys and arguments of a script together, at most. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_ARGS 16

/* Bytes of those that are written by functions below, at most. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_TEXT 1024

/* Keys and arguments of a script; private. */
typedef struct {
    ngx_str_t
        words[NGX_HTTP_KTP_FLEET_SCRIPT_HEAD + NGX_HTTP_KTP_FLEET_SCRIPT_ARGS];
    ngx_uint_t n;
    u_char     text[NGX_HTTP_KTP_FLEET_SCRIPT_TEXT];
    u_char    *last;
} ngx_http_ktp_fleet_script_args_t;

typedef struct {
    ngx_str_t text;

    /*
     * Adds the keys of a run, then its arguments, and returns the number of
     * keys.  Called once more if the server does not know the script yet.
     */
    ngx_uint_t (*args)(void *data, ngx_http_ktp_fleet_script_args_t *args);

    /* the end of a run, as in ngx_http_ktp_redis_command() */
    ngx_http_ktp_redis_pt handler;

    /* private */
    u_char sha[NGX_HTTP_KTP_SHA1_HEX];
} ngx_http_ktp_fleet_script_t;

/* A run of a script, kept by the caller until its end; private. */
typedef struct {
    ngx_http_ktp_fleet_script_t *script;
    void                        *data;
} ngx_http_ktp_fleet_script_run_t;


/* For init_process; sets the digest. */
void ngx_http_ktp_fleet_script_init(ngx_http_ktp_fleet_script_t *script);

/*
 * Runs the script: by its digest, and if the server does not know it, which
 * it says without having run it, by its text.  data is that of the script's
 * functions.  Returns what ngx_http_ktp_redis_command() does.
 */
ngx_int_t ngx_http_ktp_fleet_script_run(ngx_http_ktp_fleet_script_t *script,
                                        ngx_http_ktp_fleet_script_run_t *run,
                                        void                            *data);

/* Adds a text that is not copied. */
void ngx_http_ktp_fleet_script_text(ngx_http_ktp_fleet_script_args_t *args,
                                    u_char *text, size_t len);

/* Adds a number. */
void ngx_http_ktp_fleet_script_number(ngx_http_ktp_fleet_script_args_t *args,
                                      int64_t                           n);

/* Adds a text that is written as by ngx_sprintf(). */
void ngx_cdecl ngx_http_ktp_fleet_script_format(
    ngx_http_ktp_fleet_script_args_t *args, const char *format, ...);

/*
 * Logs a reply that is an error, or none of the script, or, if reply is NULL,
 * a message that is none of the script; each of the three at most once a
 * minute.  Says to what, and of which client, which may be NULL.
 */
void ngx_http_ktp_fleet_script_complain(ngx_http_ktp_redis_t *redis,
                                        const char *what, ngx_str_t *client,
                                        ngx_http_ktp_redis_reply_t *reply);


#endif /* NGX_HTTP_KTP_FLEET_SCRIPT_H */
