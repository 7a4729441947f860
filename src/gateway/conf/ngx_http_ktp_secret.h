/*
 * Secrets: a value, possibly with variables, or "file:PATH".  Secrets without
 * variables are kept in memory excluded from core dumps and are wiped when
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

/* Parses "file:PATH" in a parameter of the current directive. */
char *ngx_http_ktp_secret_from_file(ngx_conf_t *cf, ngx_str_t *value,
                                    ngx_http_ktp_secret_t **secret);

/* Does not load changes of the file until the configuration is reloaded. */
void ngx_http_ktp_secret_fix(ngx_http_ktp_secret_t *secret);

/* The current value of a secret of a file; valid as below. */
ngx_str_t *ngx_http_ktp_secret_value(ngx_http_ktp_secret_t *secret);

/*
 * Returns the current value, which may be empty only if it has variables. It
 * is valid until control returns to the event loop, where a file may be
 * reloaded.
 */
ngx_int_t ngx_http_ktp_secret(ngx_http_request_t    *r,
                              ngx_http_ktp_secret_t *secret, ngx_str_t *value);

/* Starts the timer that reloads changed files.  For init_process. */
ngx_int_t ngx_http_ktp_secret_init(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_KTP_SECRET_H */
