/*
 * "fields" and "mask" as they are written in a configuration: at a location
 * ("ktp_fields", "ktp_mask") and in a client's block, which wins.
 */

#ifndef NGX_HTTP_KTP_POLICY_H
#define NGX_HTTP_KTP_POLICY_H

#include <ngx_config.h>
#include <ngx_core.h>
#include "ktp_answer.h"


/*
 * Parameters of the directive that is being read: "all", or names of fields.
 * Sets the bits of those that pass.
 */
char *ngx_http_ktp_policy_fields(ngx_conf_t *cf, unsigned *fields);

/*
 * Parameters of the directive that is being read: "none", or FIELD[=STYLE]
 * each, the style being "full" when there is none.  Fills all of
 * mask[KTP_FIELD_TEXTS].
 */
char *ngx_http_ktp_policy_mask(ngx_conf_t *cf, ktp_mask_t *mask);


#endif /* NGX_HTTP_KTP_POLICY_H */
