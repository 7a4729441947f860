/*
 * Checks of the whole configuration that end in warnings: settings that are
 * valid, but are hardly meant.
 */

#ifndef NGX_HTTP_KTP_CHECK_H
#define NGX_HTTP_KTP_CHECK_H

#include "ngx_http_ktp_conf.h"


/*
 * Logs the warnings at the "warn" level.  For postconfiguration, when all
 * locations are merged.  Returns NGX_ERROR if memory is short, or, with a
 * message, if a "ktp_pass" names an upstream block.
 */
ngx_int_t ngx_http_ktp_check(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_CHECK_H */
