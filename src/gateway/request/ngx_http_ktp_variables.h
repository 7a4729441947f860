/* Variables. */

#ifndef NGX_HTTP_KTP_VARIABLES_H
#define NGX_HTTP_KTP_VARIABLES_H

#include "ngx_http_ktp.h"


/* For preconfiguration. */
ngx_int_t ngx_http_ktp_variables_add(ngx_conf_t *cf);

/* 1 if the configuration uses a variable.  For postconfiguration. */
ngx_uint_t ngx_http_ktp_variables_used(ngx_conf_t *cf, ngx_str_t *name);


#endif /* NGX_HTTP_KTP_VARIABLES_H */
