/* The header fields of a call; none of the client's are passed. */

#ifndef NGX_HTTP_KTP_FIELDS_H
#define NGX_HTTP_KTP_FIELDS_H

#include "ngx_http_ktp_ctx.h"


/*
 * The fields of a call that a request makes with the settings of a location,
 * its own or another: an array of ngx_str_t in the pool, null-terminated.
 * Keys that are inherited by both from an outer level are the request's own
 * upstream's, and are not sent to another.  NULL: no memory, or a key is not
 * valid, with a message.
 */
ngx_array_t *ngx_http_ktp_fields(ngx_http_request_t *r, ngx_pool_t *pool,
                                 ngx_http_ktp_loc_conf_t *klcf);


#endif /* NGX_HTTP_KTP_FIELDS_H */
