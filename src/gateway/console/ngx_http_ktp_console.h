/*
 * "ktp_console": a page that shows the counters of "ktp_status" in a browser.
 * It is one response, with its style and script, and reads the status page
 * itself.
 */

#ifndef NGX_HTTP_KTP_CONSOLE_H
#define NGX_HTTP_KTP_CONSOLE_H

#include "ngx_http_ktp.h"


/* The directive "ktp_console [status=URI]". */
char *ngx_http_ktp_console(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* NGX_HTTP_KTP_CONSOLE_H */
