/*
 * Upload tickets: issued at a location with "ktp_ticket", accepted at those
 * with "ktp_auth ticket".
 */

#ifndef NGX_HTTP_KTP_UPLOAD_TICKET_H
#define NGX_HTTP_KTP_UPLOAD_TICKET_H

#include "ngx_http_ktp_ctx.h"
#include "ktp_ticket.h"


/* ktp_ticket [ttl=TIME] [uses=N] */
char *ngx_http_ktp_upload_ticket(ngx_conf_t *cf, ngx_command_t *cmd,
                                 void *conf);

/* Merges the directive, and checks that the location knows its clients. */
char *ngx_http_ktp_upload_ticket_merge(ngx_conf_t              *cf,
                                       ngx_http_ktp_loc_conf_t *prev,
                                       ngx_http_ktp_loc_conf_t *conf);

/*
 * Reads the ticket of a request, "Authorization: Bearer TICKET".  KTP_OK: it
 * is genuine and has not expired; else the error for the client.
 */
ktp_code_t ngx_http_ktp_upload_ticket_read(ngx_http_request_t *r,
                                           ktp_ticket_t       *ticket);

/* Takes a use of such a ticket.  KTP_OK, or the error for the client. */
ktp_code_t ngx_http_ktp_upload_ticket_take(ngx_http_request_t *r,
                                           const ktp_ticket_t *ticket);


#endif /* NGX_HTTP_KTP_UPLOAD_TICKET_H */
