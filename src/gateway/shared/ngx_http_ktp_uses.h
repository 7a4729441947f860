/*
 * Uses of upload tickets, counted in the zone: a ticket has an entry from its
 * first use until it expires.
 */

#ifndef NGX_HTTP_KTP_USES_H
#define NGX_HTTP_KTP_USES_H

#include "ngx_http_ktp.h"
#include "ktp_ticket.h"
#include "ngx_http_ktp_zone.h"


/*
 * Prepares the zone, and draws the key by which tickets are signed.  For the
 * master, in the initialization of the zone.
 */
ngx_int_t ngx_http_ktp_uses_init(ngx_http_ktp_zone_t *zone, ngx_log_t *log);

/*
 * Takes a use of a ticket that is genuine and has not expired.  NGX_OK;
 * NGX_DECLINED: it has none left; NGX_ERROR: the zone has no room to count it.
 */
ngx_int_t ngx_http_ktp_uses_take(ngx_http_ktp_zone_t *zone,
                                 const ktp_ticket_t  *ticket);


#endif /* NGX_HTTP_KTP_USES_H */
