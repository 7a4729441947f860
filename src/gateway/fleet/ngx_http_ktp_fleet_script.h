/* Scripts that Redis runs, in one step and under its clock. */

#ifndef NGX_HTTP_KTP_FLEET_SCRIPT_H
#define NGX_HTTP_KTP_FLEET_SCRIPT_H

#include "ngx_http_ktp_redis.h"
#include "ngx_http_ktp_sha1.h"


/* Arguments of the command before the keys of the script. */
#define NGX_HTTP_KTP_FLEET_SCRIPT_KEY 3

typedef struct {
    ngx_str_t text;

    /* private */
    u_char sha[NGX_HTTP_KTP_SHA1_HEX];
} ngx_http_ktp_fleet_script_t;


/* For init_process; text is set. */
void ngx_http_ktp_fleet_script_init(ngx_http_ktp_fleet_script_t *script);

/*
 * Runs the script.  args has n elements: those before
 * NGX_HTTP_KTP_FLEET_SCRIPT_KEY are filled in here, then come nkeys keys and
 * the arguments of the script.  whole: the text is sent in place of its
 * digest, since ngx_http_ktp_fleet_script_unknown() said so of a reply.
 * Returns what ngx_http_ktp_redis_command() does, of which handler and data
 * are, too.
 */
ngx_int_t ngx_http_ktp_fleet_script_run(ngx_http_ktp_fleet_script_t *script,
                                        ngx_uint_t whole, ngx_uint_t nkeys,
                                        ngx_str_t *args, ngx_uint_t n,
                                        ngx_http_ktp_redis_pt handler,
                                        void                 *data);

/*
 * 1 if the server does not have the script of that digest, and has not run it:
 * it is to be sent whole.  reply may be NULL.
 */
ngx_uint_t
ngx_http_ktp_fleet_script_unknown(ngx_http_ktp_redis_reply_t *reply);

/*
 * Logs a reply that is an error, or none of the script, at most once a minute:
 * to what, of which client; client may be NULL.  If reply is NULL, a message
 * was none of the script.
 */
void ngx_http_ktp_fleet_script_complain(ngx_http_ktp_redis_t *redis,
                                        const char *what, ngx_str_t *client,
                                        ngx_http_ktp_redis_reply_t *reply);


#endif /* NGX_HTTP_KTP_FLEET_SCRIPT_H */
