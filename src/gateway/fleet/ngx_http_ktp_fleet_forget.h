/* Erases stored answers of an image in Redis and on all hosts. */

#ifndef NGX_HTTP_KTP_FLEET_FORGET_H
#define NGX_HTTP_KTP_FLEET_FORGET_H

#include "ngx_http_ktp_conf.h"


typedef struct ngx_http_ktp_fleet_forget_s ngx_http_ktp_fleet_forget_t;

/*
 * Called from an event, once: the number of answers that were erased in Redis;
 * NGX_ERROR: it is not known whether any were.
 */
typedef void (*ngx_http_ktp_fleet_forget_pt)(void *data, ngx_int_t n);


/* For init_process, when there are keys of the fleet. */
void ngx_http_ktp_fleet_forget_init(ngx_http_ktp_main_conf_t *kmcf);

/*
 * digest is that of the image, or its $ktp_image_hmac if hmac is 1.  NULL:
 * Redis is away, or there is no memory.
 */
ngx_http_ktp_fleet_forget_t *
ngx_http_ktp_fleet_forget(const u_char *digest, ngx_uint_t hmac,
                          ngx_http_ktp_fleet_forget_pt handler, void *data);

/* The handler is not called any more. */
void ngx_http_ktp_fleet_forget_leave(ngx_http_ktp_fleet_forget_t *forget);


#endif /* NGX_HTTP_KTP_FLEET_FORGET_H */
