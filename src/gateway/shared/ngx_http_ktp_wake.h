/*
 * Waking of other workers: an event descriptor for each of a number of places,
 * made by the master before it forks, so that workers of any generation can
 * write to each.  A worker takes a place and waits for its descriptor.
 */

#ifndef NGX_HTTP_KTP_WAKE_H
#define NGX_HTTP_KTP_WAKE_H

#include "ngx_http_ktp.h"


/* Places at most: descriptors that the master and all workers keep open. */
#define NGX_HTTP_KTP_WAKE_MAX 512

typedef void (*ngx_http_ktp_wake_pt)(void);


/*
 * Makes descriptors for n places, or as many as there may be; those that have
 * been made stay.  For the master.  NGX_ERROR: a descriptor cannot be made.
 */
ngx_int_t ngx_http_ktp_wake_create(ngx_uint_t n, ngx_log_t *log);

/* The number of places. */
ngx_uint_t ngx_http_ktp_wake_places(void);

/*
 * Has handler called in this worker when its place is woken.  NGX_ERROR: there
 * is no free connection.
 */
ngx_int_t ngx_http_ktp_wake_init(ngx_uint_t           place,
                                 ngx_http_ktp_wake_pt handler, ngx_log_t *log);

/* Wakes the worker in a place; several calls may wake it once. */
void ngx_http_ktp_wake(ngx_uint_t place);

/* For exit_process. */
void ngx_http_ktp_wake_exit(void);


#endif /* NGX_HTTP_KTP_WAKE_H */
