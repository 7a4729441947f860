/* The shared memory of flights and stored answers. */

#ifndef NGX_HTTP_KTP_FLIGHTS_ZONE_H
#define NGX_HTTP_KTP_FLIGHTS_ZONE_H

#include "ngx_http_ktp.h"


/* The directive "ktp_answer_zone NAME:SIZE". */
char *ngx_http_ktp_flights_zone(ngx_conf_t *cf, ngx_command_t *cmd,
                                void *conf);


#endif /* NGX_HTTP_KTP_FLIGHTS_ZONE_H */
