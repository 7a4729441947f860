/*
 * "ktp_health": whether uploads can be read, as status 200 or 503 and JSON,
 * from counters and states only.
 */

#ifndef NGX_HTTP_KTP_HEALTH_H
#define NGX_HTTP_KTP_HEALTH_H

#include "ngx_http_ktp.h"


/* The directive. */
char *ngx_http_ktp_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_HEALTH_H */
