/*
 * Secrets: a value with variables, or "file:PATH".  Those with no variables
 * are held in memory that is left out of core dumps, and wiped when they are
 * replaced.
 */

#ifndef NGX_HTTP_KTP_SECRET_H
#define NGX_HTTP_KTP_SECRET_H

#include "ngx_http_ktp_conf.h"


/*
 * Directive setter for an ngx_http_ktp_secret_t * that is initialized to
 * NGX_CONF_UNSET_PTR.
 */
char *ngx_http_ktp_secret_slot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * The present value; empty only when it has variables.  It is good until
 * control goes back to the event loop, where a file may be read again.
 */
ngx_int_t ngx_http_ktp_secret(ngx_http_request_t    *r,
                              ngx_http_ktp_secret_t *secret, ngx_str_t *value);

/* Looks after the files of secrets.  For init_process. */
ngx_int_t ngx_http_ktp_secret_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_SECRET_H */
