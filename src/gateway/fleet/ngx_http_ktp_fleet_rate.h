/* Units of rates from Redis, in the background. */

#ifndef NGX_HTTP_KTP_FLEET_RATE_H
#define NGX_HTTP_KTP_FLEET_RATE_H

#include "ngx_http_ktp_client.h"


/* For init_process. */
void ngx_http_ktp_fleet_rate_init(ngx_http_ktp_main_conf_t *kmcf);

/*
 * Takes a request from the client's rate of the fleet, and asks for units if
 * they are needed: NGX_OK; NGX_DECLINED if the rate is exceeded, and the
 * client may retry in *wait microseconds; NGX_AGAIN if an answer is awaited,
 * see ngx_http_ktp_fleet_lease_wait().  While nobody answers, and if none is
 * to be awaited any more (patient: 0), the host's own share of the rate
 * applies.
 */
ngx_int_t ngx_http_ktp_fleet_rate(ngx_http_ktp_client_t *client,
                                  ngx_uint_t patient, uint64_t *wait);


#endif /* NGX_HTTP_KTP_FLEET_RATE_H */
