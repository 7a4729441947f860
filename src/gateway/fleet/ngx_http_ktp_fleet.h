/* The part that this host takes in a fleet: see "ktp_redis". */

#ifndef NGX_HTTP_KTP_FLEET_H
#define NGX_HTTP_KTP_FLEET_H

#include "ngx_http_ktp.h"


/* For init_process and exit_process; without "ktp_redis" nothing happens. */
ngx_int_t ngx_http_ktp_fleet_init(ngx_cycle_t *cycle);
void      ngx_http_ktp_fleet_exit(void);


#endif /* NGX_HTTP_KTP_FLEET_H */
