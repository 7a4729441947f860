/* "ktp_forget": erases the stored answers of an image. */

#ifndef NGX_HTTP_KTP_FORGET_H
#define NGX_HTTP_KTP_FORGET_H

#include "ngx_http_ktp.h"


/* The directive. */
char *ngx_http_ktp_forget(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_FORGET_H */
