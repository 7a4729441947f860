/*
 * The directives "ktp_precheck", "ktp_first", "ktp_fallback" and "ktp_shadow",
 * which name a location whose ktp_pass, keys, time limits and breaker are used
 * for calls of another location.
 */

#ifndef NGX_HTTP_KTP_ANSWERER_CONF_H
#define NGX_HTTP_KTP_ANSWERER_CONF_H

#include "ngx_http_ktp_conf.h"


/*
 * The setter of all four: cmd->offset is that of the element of the location's
 * "answerer", and cmd->post is unused.
 */
char *ngx_http_ktp_answerer_conf(ngx_conf_t *cf, ngx_command_t *cmd,
                                 void *conf);

/* Sets all of them to "not set". */
void ngx_http_ktp_answerer_conf_create(ngx_http_ktp_loc_conf_t *conf);

/* Sets them to those of an outer level, if they are not set. */
void ngx_http_ktp_answerer_conf_merge(ngx_http_ktp_loc_conf_t *prev,
                                      ngx_http_ktp_loc_conf_t *conf);

/*
 * Finds the locations that a location with ktp_pass names, when the whole
 * configuration is read.  Returns NGX_OK, or NGX_ERROR with a message.
 */
ngx_int_t ngx_http_ktp_answerer_conf_resolve(ngx_conf_t          *cf,
                                             ngx_http_ktp_pass_t *pass);

/*
 * Milliseconds that an answer may take, from when the image is complete: those
 * of ktp_timeout, and of all who may be asked besides.
 */
ngx_msec_t
ngx_http_ktp_answerer_conf_time(const ngx_http_ktp_loc_conf_t *klcf);


#endif /* NGX_HTTP_KTP_ANSWERER_CONF_H */
