/* Variables of a request, for logs, maps and headers. */

#ifndef NGX_HTTP_KTP_VARIABLES_H
#define NGX_HTTP_KTP_VARIABLES_H

#include "ngx_http_ktp.h"


/* For preconfiguration. */
ngx_int_t ngx_http_ktp_add_variables(ngx_conf_t *cf);


#endif /* NGX_HTTP_KTP_VARIABLES_H */
