/* The directive "ktp_cors": pages of other origins that may read answers. */

#ifndef NGX_HTTP_KTP_CORS_CONF_H
#define NGX_HTTP_KTP_CORS_CONF_H

#include "ngx_http_ktp_conf.h"


/* ktp_cors off | * | ORIGIN ... */
char *ngx_http_ktp_cors_conf(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_CORS_CONF_H */
