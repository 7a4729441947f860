/*
 * What a worker does for flights beside its requests: it can be woken, looks
 * for other workers that were killed, and erases what has expired.
 */

#ifndef NGX_HTTP_KTP_FLIGHTS_WORKER_H
#define NGX_HTTP_KTP_FLIGHTS_WORKER_H

#include "ngx_http_ktp.h"


/*
 * Takes a place in the zone for this worker; landed() is called when flights
 * that it waits for or leads may have changed.  For init_process.
 */
ngx_int_t ngx_http_ktp_flights_worker_init(ngx_cycle_t *cycle,
                                           void (*landed)(void));

/* Leaves all flights.  For exit_process. */
void ngx_http_ktp_flights_worker_exit(void);


#endif /* NGX_HTTP_KTP_FLIGHTS_WORKER_H */
