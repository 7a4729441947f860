/* Breakers with "fleet": what they say to Redis, and what comes from there. */

#ifndef NGX_HTTP_KTP_FLEET_BREAKER_H
#define NGX_HTTP_KTP_FLEET_BREAKER_H

#include "ngx_http_ktp_conf.h"


/* For init_process, before ngx_http_ktp_redis_init(). */
void ngx_http_ktp_fleet_breaker_init(ngx_http_ktp_main_conf_t *kmcf);

/* Redis is reachable again: asks for what was missed. */
void ngx_http_ktp_fleet_breaker_sync(void);


#endif /* NGX_HTTP_KTP_FLEET_BREAKER_H */
