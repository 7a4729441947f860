/* "ktp_status": the counters of ktp_zone, for Prometheus or as JSON. */

#ifndef NGX_HTTP_KTP_STATUS_H
#define NGX_HTTP_KTP_STATUS_H

#include "ngx_http_ktp.h"


/* The directive. */
char *ngx_http_ktp_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_STATUS_H */
