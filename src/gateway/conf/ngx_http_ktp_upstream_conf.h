/* Directives of the connection to the upstream, and derived settings. */

#ifndef NGX_HTTP_KTP_UPSTREAM_CONF_H
#define NGX_HTTP_KTP_UPSTREAM_CONF_H

#include "ngx_http_ktp_conf.h"


char *ngx_http_ktp_upstream_conf_egress_proxy(ngx_conf_t    *cf,
                                              ngx_command_t *cmd, void *conf);
char *ngx_http_ktp_upstream_conf_user_agent(ngx_conf_t *cf, ngx_command_t *cmd,
                                            void *conf);
char *ngx_http_ktp_upstream_conf_retries(ngx_conf_t *cf, ngx_command_t *cmd,
                                         void *conf);

/* Setter of a host name, an ngx_str_t: ktp_host and ktp_ssl_name. */
char *ngx_http_ktp_upstream_conf_host(ngx_conf_t *cf, ngx_command_t *cmd,
                                      void *conf);

void  ngx_http_ktp_upstream_conf_create(ngx_http_ktp_loc_conf_t *klcf);
char *ngx_http_ktp_upstream_conf_merge(ngx_conf_t              *cf,
                                       ngx_http_ktp_loc_conf_t *prev,
                                       ngx_http_ktp_loc_conf_t *conf);

/*
 * Fills klcf->upstream from klcf->target and merged values, for a location
 * with an upstream.  Certificates are read here, with the master's privileges.
 */
char *ngx_http_ktp_upstream_conf_finish(ngx_conf_t              *cf,
                                        ngx_http_ktp_loc_conf_t *klcf);

/* "worker_connections"; 0 if the events block follows the http block. */
ngx_uint_t ngx_http_ktp_upstream_conf_connections(ngx_conf_t *cf);

/* An identifier for the settings of another upstream. */
ngx_uint_t ngx_http_ktp_upstream_conf_id(void);


#endif /* NGX_HTTP_KTP_UPSTREAM_CONF_H */
