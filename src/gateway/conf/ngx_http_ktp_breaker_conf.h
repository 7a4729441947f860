/* The directive "ktp_breaker". */

#ifndef NGX_HTTP_KTP_BREAKER_CONF_H
#define NGX_HTTP_KTP_BREAKER_CONF_H

#include "ngx_http_ktp_conf.h"


/* ktp_breaker off | failures=N [window=TIME] [open=TIME] [max=TIME] [fleet] */
char *ngx_http_ktp_breaker_conf(ngx_conf_t *cf, ngx_command_t *cmd,
                                void *conf);

/* Sets it to that of an outer level, if it is not set. */
void ngx_http_ktp_breaker_conf_merge(ngx_http_ktp_loc_conf_t *prev,
                                     ngx_http_ktp_loc_conf_t *conf);

/*
 * Gives a location with ktp_pass, whose values are merged, the breaker of its
 * upstream, if it has one.
 */
char *ngx_http_ktp_breaker_conf_finish(ngx_conf_t              *cf,
                                       ngx_http_ktp_loc_conf_t *klcf);


#endif /* NGX_HTTP_KTP_BREAKER_CONF_H */
