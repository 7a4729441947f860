/* The part that this host takes in a fleet: see "ktp_redis". */

#ifndef NGX_HTTP_KTP_FLEET_H
#define NGX_HTTP_KTP_FLEET_H

#include "ngx_http_ktp.h"


/*
 * For init_module, for init_process and, behind ngx_http_ktp_metrics_exit(),
 * for exit_process; without "ktp_redis" nothing happens.  The last worker of
 * the last configuration gives back what the host holds, and each
 * worker tells how its calls have ended.
 */
ngx_int_t ngx_http_ktp_fleet_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_ktp_fleet_init(ngx_cycle_t *cycle);
void      ngx_http_ktp_fleet_exit(void);

/*
 * 1 in a process that takes part: one that reads a configuration then does so
 * for itself, without a master.
 */
ngx_uint_t ngx_http_ktp_fleet_running(void);


#endif /* NGX_HTTP_KTP_FLEET_H */
