/* Directives whose values need more than nginx's own setters. */

#ifndef NGX_HTTP_KTP_CONF_H
#define NGX_HTTP_KTP_CONF_H

#include "ngx_http_ktp.h"


char *ngx_http_ktp_conf_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_ktp_conf_min_dimensions(ngx_conf_t *cf, ngx_command_t *cmd,
                                       void *conf);

/*
 * Settings of a location with ktp_pass that follow from its merged values:
 * the policy, the upstream's time-outs, and the limit of nginx's own for the
 * body, with a warning if that is the narrower one.
 */
char *ngx_http_ktp_conf_finish(ngx_conf_t *cf, ngx_http_ktp_loc_conf_t *prev,
                               ngx_http_ktp_loc_conf_t *klcf);


#endif /* NGX_HTTP_KTP_CONF_H */
