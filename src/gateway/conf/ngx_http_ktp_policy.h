/*
 * Parsing of "fields" and "mask", in a location ("ktp_fields", "ktp_mask") and
 * in a client block, which takes precedence.
 */

#ifndef NGX_HTTP_KTP_POLICY_H
#define NGX_HTTP_KTP_POLICY_H

#include "ngx_http_ktp_conf.h"


/*
 * Parses parameters of the current directive: "all", or names of fields. Sets
 * the bits of the fields that pass.
 */
char *ngx_http_ktp_policy_fields(ngx_conf_t *cf, unsigned *fields);

/*
 * Parses parameters of the current directive: "none", or FIELD[=STYLE] each;
 * the default style is "full".  Fills all of mask[KTP_FIELD_TEXTS].
 */
char *ngx_http_ktp_policy_mask(ngx_conf_t *cf, ktp_mask_t *mask);

/* The directives of a location. */
char *ngx_http_ktp_policy_set_fields(ngx_conf_t *cf, ngx_command_t *cmd,
                                     void *conf);
char *ngx_http_ktp_policy_set_mask(ngx_conf_t *cf, ngx_command_t *cmd,
                                   void *conf);

/* Builds the policy of a location from merged values and checks it. */
char *ngx_http_ktp_policy_finish(ngx_conf_t              *cf,
                                 ngx_http_ktp_loc_conf_t *klcf);

/*
 * The policy for an answer: that of the location, in which "fields" and
 * "mask" of the client, which may be NULL, take precedence.
 */
void ngx_http_ktp_policy(ngx_http_ktp_loc_conf_t *klcf,
                         ngx_http_ktp_client_t   *client,
                         ktp_answer_policy_t     *policy);

/* The number of fields that the policy masks. */
ngx_uint_t ngx_http_ktp_policy_masks(const ktp_answer_policy_t *policy);


#endif /* NGX_HTTP_KTP_POLICY_H */
