/* The directives that have an upload paid for once. */

#ifndef NGX_HTTP_KTP_ONCE_H
#define NGX_HTTP_KTP_ONCE_H

#include "ngx_http_ktp_conf.h"


/* ktp_dedupe off | on [ttl=TIME] [scope=client|all]
   [reference_id=distinct|ignore] */
char *ngx_http_ktp_once_dedupe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ktp_idempotency off | on | required [ttl=TIME] */
char *ngx_http_ktp_once_idempotency(ngx_conf_t *cf, ngx_command_t *cmd,
                                    void *conf);

/* Sets both to those of an outer level, if they are not set. */
void ngx_http_ktp_once_merge(ngx_http_ktp_loc_conf_t *prev,
                             ngx_http_ktp_loc_conf_t *conf);


#endif /* NGX_HTTP_KTP_ONCE_H */
